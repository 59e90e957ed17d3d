"""The base class of all errors of the client. errors.py has the classes themselves."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from grpc import StatusCode


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """What is wrong with one field; `field` is its path in the request: `points[3].vectors["text"]`."""

    field: str
    description: str


class HeadwaterError(Exception):
    """Root of the tree.

    `message` is for people and may change between versions. `code` is the gRPC status, `reason` the name of the
    contract's ErrorReason (empty when something other than a Headwater server answered), `metadata` the facts.
    """

    CODE: ClassVar[StatusCode] = StatusCode.UNKNOWN
    REASON: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        code: StatusCode | None = None,
        reason: str | None = None,
        metadata: Mapping[str, str] | None = None,
        field_violations: Sequence[FieldViolation] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = self.CODE if code is None else code
        self.reason = self.REASON if reason is None else reason
        self.metadata = dict(metadata or {})
        self.field_violations = tuple(field_violations)

    @property
    def field(self) -> str:
        """Path of the field that is wrong; empty when the error is about no field, or about the whole request."""
        return self.field_violations[0].field if self.field_violations else self.metadata.get("field", "")

    def __reduce__(self) -> tuple[Any, ...]:
        # The default would lose keyword-only arguments, and errors must survive process pools.
        return (_restore, (type(self), self.message, self.code, self.reason, self.metadata, self.field_violations))


def _restore(
    kind: type[HeadwaterError],
    message: str,
    code: StatusCode,
    reason: str,
    metadata: dict[str, str],
    field_violations: tuple[FieldViolation, ...],
) -> HeadwaterError:
    return kind(message, code=code, reason=reason, metadata=metadata, field_violations=field_violations)


@functools.lru_cache(maxsize=256)
def error_class(code: StatusCode, reason: str = "") -> type[HeadwaterError]:
    """The class for a reason. A reason that this version does not know gets the class of its status code."""
    for attribute, value in (("REASON", reason), ("CODE", code)):
        for kind in _below(HeadwaterError):
            if value and vars(kind).get(attribute) == value:
                return kind
    return HeadwaterError


def _below(root: type[HeadwaterError]) -> Iterator[type[HeadwaterError]]:
    for child in root.__subclasses__():
        yield child
        yield from _below(child)
