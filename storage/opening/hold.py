"""A hold: it keeps something open until it is released. Opens nothing."""

from collections.abc import Callable


class Hold:
    """Use it in a `with` block. Further releases do nothing."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave

    def release(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()

    def __enter__(self) -> "Hold":
        return self

    def __exit__(self, *about: object) -> None:
        self.release()
