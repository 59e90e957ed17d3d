"""Background work: finds what is due by policy, does it in processes of its own, and shows it as tasks."""

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
