"""The families of work: searches, caches, commits and background tasks."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from server.metrics.families import by_name, counter, counters, gauges, histograms
from server.metrics.sources import Sources
from storage.maintenance import Task


def work_families(sources: Sources) -> Iterator[Metric]:
    """What the requests did, and what is done in the background."""
    searches, caches = sources.counts.searches(), sources.engine.caches()
    yield counters("searches", "Searches, by how they found their rows.", ["strategy"], by_name(searches.strategies))
    yield counter("rows_scanned", "Rows that searches compared one after the other.", searches.rows_scanned)
    yield counter("graph_steps", "Rows that searches compared in walks of graphs.", searches.graph_steps)
    yield counter("filter_cache_hits", "Filters whose points were remembered.", caches.filter_hits)
    yield counter("filter_cache_misses", "Filters that were evaluated.", caches.filter_misses)
    yield counter("plan_cache_hits", "Queries whose plan was remembered.", caches.plan_hits)
    yield counter("plan_cache_misses", "Queries that were planned.", caches.plan_misses)
    yield from _commit_families(sources)
    yield from _task_families(sources)


def _commit_families(sources: Sources) -> Iterator[Metric]:
    commits = sources.database.usage.commits()
    yield histograms("commit_seconds", "Time of a commit, from its first change.", [], [((), commits.seconds)])
    yield histograms(
        "commit_sync_seconds",
        "Time in which a commit wrote to files and synced them.",
        [],
        [((), commits.sync_seconds)],
    )
    yield counter("committed_writes", "Writes that were committed; several may share a commit.", commits.writes)
    yield counter("failed_commits", "Commits that failed.", commits.failed)


def _task_families(sources: Sources) -> Iterator[Metric]:
    tasks = sources.database.maintenance.tasks
    unended = Counter(_labels(task) for task in tasks.all() if not task.ended)
    yield gauges("tasks", "Background tasks that wait or run.", ["kind", "phase"], unended.items())
    ended = {phase.value: count for phase, count in tasks.ended_counts().items()}
    yield counters("ended_tasks", "Background tasks that ended.", ["phase"], by_name(ended))


def _labels(task: Task) -> tuple[str, str]:
    return task.kind.value, task.phase.value
