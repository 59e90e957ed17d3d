"""What is due by policy, done in the background by processes of its own, as tasks that people can watch."""

from storage.maintenance.estimate import Estimate
from storage.maintenance.scheduler import Maintenance
from storage.maintenance.tasks import Task

__all__ = [
    "Estimate",
    "Maintenance",
    "Task",
]
