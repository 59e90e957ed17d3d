"""What is wrong with an outcome: the rules that every answer keeps, whatever was asked."""

from collections.abc import Sequence

from grpc import StatusCode

from tests.attack.calls import Outcome
from tests.attack.cases import API_KEY, PATIENCE, Case, Manner

SNAPSHOTS = ("UploadSnapshot", "RestoreSnapshot", "DownloadSnapshot")
"""RPCs for which DATA_LOSS is right: what was uploaded may be damaged."""


def fault_of(case: Case, outcome: Outcome, secrets: Sequence[str]) -> str | None:
    """What is wrong, in words; None if nothing is. `secrets` are paths that no caller may learn."""
    code = outcome.code
    if code in (StatusCode.INTERNAL, StatusCode.UNKNOWN):
        return f"{code.name} is a bug of the server"
    if found := [secret for secret in secrets if secret in outcome.message]:
        return f"the message names a path of the server: {found[0]}"
    if code is StatusCode.OK:
        return _fault_of_success(case, outcome)
    if code is StatusCode.DATA_LOSS and not case.rpc.name.endswith(SNAPSHOTS):
        return "DATA_LOSS, but nothing was damaged"
    if outcome.reason is None:
        return _fault_without_details(case, outcome)
    if outcome.reason == "STORAGE_FAILED":
        return "the store failed"
    if code is StatusCode.CANCELLED and case.manner is Manner.PLAIN:
        return "CANCELLED, but nobody cancelled"
    if code is StatusCode.UNAUTHENTICATED and case.has_key:
        return "UNAUTHENTICATED, but the key is right"
    is_request = case.parses and (case.rpc.client_streaming or len(case.messages) == 1)
    if code is StatusCode.INVALID_ARGUMENT and is_request and not any(outcome.fields):
        return "INVALID_ARGUMENT names no field"
    return None


def _fault_of_success(case: Case, outcome: Outcome) -> str | None:
    if case.rpc.is_ours and ("api-key", API_KEY) not in case.metadata:
        return "it was answered without the key"
    if not all(case.rpc.is_reply(reply) for reply in outcome.replies):
        return "the reply is not of the RPC's type"
    return None


def _fault_without_details(case: Case, outcome: Outcome) -> str | None:
    """Of an outcome that gRPC itself made, on either side, or that lacks what we promise."""
    code = outcome.code
    if code is StatusCode.DEADLINE_EXCEEDED:
        return None if case.timeout < PATIENCE else f"no answer within {PATIENCE:.0f} s"
    if code is StatusCode.CANCELLED:
        return "CANCELLED, but nobody cancelled" if case.manner is Manner.PLAIN else None
    if code is StatusCode.UNAVAILABLE:
        return f"the connection broke: {outcome.message}"
    if len(case.messages) != 1 and not case.rpc.client_streaming:
        return None  # no unary call at all
    return f"{code.name} without details: {outcome.message}" if case.rpc.is_ours else None
