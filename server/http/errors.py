"""Errors in the form of Connect: a JSON object with a code, a message, and the details of gRPC. It decides no error."""

import base64
import json
from typing import Any

from google.protobuf import json_format, symbol_database
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.status_pb2 import Status

from server.errors import status_of

# Numbers of google.rpc.Code, with their names and statuses in Connect's specification.
_CODES = {
    1: ("canceled", 499),
    2: ("unknown", 500),
    3: ("invalid_argument", 400),
    4: ("deadline_exceeded", 504),
    5: ("not_found", 404),
    6: ("already_exists", 409),
    7: ("permission_denied", 403),
    8: ("resource_exhausted", 429),
    9: ("failed_precondition", 400),
    10: ("aborted", 409),
    11: ("out_of_range", 400),
    12: ("unimplemented", 501),
    13: ("internal", 500),
    14: ("unavailable", 503),
    15: ("data_loss", 500),
    16: ("unauthenticated", 401),
}


class Failed(Exception):
    """The call ends with this status."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status


class Refused(Exception):
    """The request is none to an RPC: it is answered by an HTTP status of its own, and a code of Connect."""

    def __init__(self, http_status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.body = json.dumps({"code": code, "message": message}).encode()
        self.headers = headers or {}


def failed(error: Exception) -> Failed:
    """The failure of a call by an error of the engine, or by a fault of ours."""
    return error if isinstance(error, Failed) else Failed(status_of(error))


def http_status_of(status: Status) -> int:
    """The status of HTTP that goes with a status of an RPC."""
    return _CODES[status.code][1]


def error_object(status: Status) -> dict[str, Any]:
    """The status as Connect's error object."""
    written: dict[str, Any] = {"code": _CODES[status.code][0]}
    if status.message:
        written["message"] = status.message
    if status.details:
        written["details"] = [_detail(each) for each in status.details]
    return written


def _detail(packed: AnyMessage) -> dict[str, Any]:
    """A detail: its type, its bytes, and for people what these say."""
    name = packed.TypeName()
    value = base64.b64encode(packed.value).decode().rstrip("=")
    message = symbol_database.Default().GetSymbol(name)()
    packed.Unpack(message)
    return {"type": name, "value": value, "debug": json_format.MessageToDict(message)}
