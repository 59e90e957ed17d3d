"""What is due by policy, done in the background by processes of its own, as tasks that people can watch."""

from storage.maintenance.estimate import SpaceEstimate, estimates
from storage.maintenance.maintenance import Maintenance
from storage.maintenance.scheduler import Scheduler
from storage.maintenance.tasks import Task

__all__ = [
    "Maintenance",
    "Scheduler",
    "SpaceEstimate",
    "Task",
    "estimates",
]
