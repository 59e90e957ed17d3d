"""Waits for a write, as long as its caller waits."""

from concurrent.futures import Future
from typing import Any

from storage.budget import Budget
from storage.errors import DeadlineExceeded

_POLL_SECONDS = 0.25  # how soon a caller that went away is noticed


def wait_for(future: "Future[Any]", budget: Budget) -> Any:
    """The future's result within the budget. A write that is abandoned before the writer takes it is not applied.

    Raises DeadlineExceeded or Cancelled, or the error of the future.
    """
    with budget.idle():
        return _result(future, budget)


def _result(future: "Future[Any]", budget: Budget) -> Any:
    while True:
        remaining = budget.remaining()
        step = _POLL_SECONDS if remaining is None else min(_POLL_SECONDS, remaining)
        try:
            return future.result(timeout=step)
        except TimeoutError:
            if future.done():
                return future.result()
            try:
                budget.check()
            except BaseException as error:
                if not future.cancel() and isinstance(error, DeadlineExceeded):
                    raise DeadlineExceeded("the deadline passed while the write was being committed") from None
                raise
