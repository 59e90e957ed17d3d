"""The page of metrics. writing.py writes it, and is loaded when somebody asks first, since its library takes long."""

from server.metrics.sources import Sources


def exposition(sources: Sources) -> tuple[bytes, str]:
    """All metrics in the text format of Prometheus, and its content type. Takes milliseconds; opens no collection."""
    from server.metrics.writing import written

    with sources.lock:
        return written(sources)
