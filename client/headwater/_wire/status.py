"""Makes a typed error from a failed RPC: reads google.rpc.Status from the trailing metadata. Decides no retries."""

from typing import Protocol, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from headwater.errors import FieldViolation, HeadwaterError, error_class

DOMAIN = "headwater"
_DETAILS_KEY = "grpc-status-details-bin"


class _FailedCall(Protocol):
    """The methods that blocking and async RPC errors share."""

    def code(self) -> grpc.StatusCode: ...
    def details(self) -> str | None: ...
    def trailing_metadata(self) -> object: ...


def error_of(failure: grpc.RpcError) -> HeadwaterError:
    """The typed error of an RPC that ended with a status."""
    call = cast(_FailedCall, failure)
    code = call.code()
    status = _status(call.trailing_metadata())
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(request) or detail.Unpack(retry)
    reason = info.reason if info.domain == DOMAIN else ""
    return error_class(code, reason)(
        call.details() or reason or code.name,
        code=code,
        reason=reason,
        metadata={**info.metadata, **_retry(retry)},
        field_violations=[FieldViolation(broken.field, broken.description) for broken in request.field_violations],
    )


def _retry(info: error_details_pb2.RetryInfo) -> dict[str, str]:
    """The seconds that the server asks to wait, if it says so."""
    return {"retry_seconds": str(info.retry_delay.ToMilliseconds() / 1e3)} if info.HasField("retry_delay") else {}


def _status(metadata: object) -> status_pb2.Status:
    """The status in the metadata; an empty one when there is none, or when a proxy put something else there."""
    for key, value in cast("tuple[tuple[str, bytes], ...]", metadata or ()):
        if key == _DETAILS_KEY:
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break
    return status_pb2.Status()
