"""Errors of admission. It knows no status codes."""

from storage.errors import Exhausted


class TooManyRequests(Exhausted):
    """The queue of requests is full. Nothing was done; try again after `retry_seconds`."""

    def __init__(self, what: str, maximum: int, retry_seconds: float) -> None:
        super().__init__(f"{what}, at most {maximum:,}; try again in {retry_seconds:.1f} s", maximum=maximum)
        self.retry_seconds = retry_seconds
