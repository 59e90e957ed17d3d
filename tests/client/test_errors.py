"""Each reason of the contract has one class, and errors are built from reasons and details, never from messages."""

import pickle
import re
from collections import Counter

import grpc
import pytest

import headwater
from headwater import Client, FieldViolation, HeadwaterError, errors
from headwater.v1 import errors_pb2
from tests.client.scripted_server import Refusal, ScriptedServer, bad_request, error_info
from tests.support.root import ROOT

CONTRACT = ROOT / "protos/headwater/v1/errors.proto"
REASONS = [name.removeprefix("ERROR_REASON_") for name in errors_pb2.ErrorReason.keys()][1:]  # noqa: SIM118


def tree(root: type[HeadwaterError] = HeadwaterError) -> list[type[HeadwaterError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in tree(child))]


def refused(server: ScriptedServer, client: Client, refusal: Refusal) -> HeadwaterError:
    def answer(_: object) -> None:
        raise refusal

    server.answer = answer  # type: ignore[assignment]
    with Client(server.address, retries=0) as once, pytest.raises(HeadwaterError) as caught:
        once.points.update_batch("c", [])
    return caught.value


def test_every_reason_has_one_class_and_no_class_has_another() -> None:
    own = Counter(kind.REASON for kind in tree() if "REASON" in vars(kind) and kind is not HeadwaterError)
    assert own == Counter(REASONS)


def test_classes_sit_under_the_status_code_that_the_contract_gives_their_reason() -> None:
    pairs = re.findall(r"// ([A-Z_]+): .*\n  ERROR_REASON_([A-Z_]+) =", CONTRACT.read_text())
    assert [reason for _, reason in pairs] == REASONS
    for code, reason in pairs:
        assert errors.error_class(grpc.StatusCode.UNKNOWN, reason).CODE.name == code


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = [line.split("── ")[-1].split()[0] for line in (errors.__doc__ or "").splitlines() if "Error " in f"{line} "]
    real = {kind.__name__ for kind in tree()}
    assert real <= {name for name in drawn if name.endswith("Error")}
    assert real <= set(headwater.__all__)


@pytest.mark.parametrize("reason", REASONS)
def test_the_reason_makes_the_class(server: ScriptedServer, client: Client, reason: str) -> None:
    error = refused(server, client, Refusal(grpc.StatusCode.UNKNOWN, "words for people", error_info(reason, a="1")))
    assert type(error).REASON == error.reason == reason
    assert (error.message, error.code) == ("words for people", grpc.StatusCode.UNKNOWN)
    assert error.metadata == {"a": "1"}


def test_dimension_mismatch_says_where_and_what(server: ScriptedServer, client: Client) -> None:
    error = refused(
        server,
        client,
        Refusal(
            grpc.StatusCode.INVALID_ARGUMENT,
            "no",
            error_info("DIMENSION_MISMATCH", expected="384", actual="3"),
            bad_request('points[3].vectors["text"]', "expected 384 dimensions, got 3"),
        ),
    )
    assert isinstance(error, headwater.DimensionMismatchError)
    assert (error.expected, error.actual, error.field) == (384, 3, 'points[3].vectors["text"]')
    assert error.field_violations == (FieldViolation(error.field, "expected 384 dimensions, got 3"),)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.NOT_FOUND, headwater.NotFoundError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, headwater.ResourceExhaustedError),
        (grpc.StatusCode.UNIMPLEMENTED, headwater.UnimplementedError),
        (grpc.StatusCode.INTERNAL, headwater.InternalError),
        (grpc.StatusCode.ABORTED, HeadwaterError),
    ],
)
@pytest.mark.parametrize(
    "details", [(), (error_info("OF_A_LATER_VERSION"),), (error_info("COLLECTION_CLOSED", "elsewhere"),)]
)
def test_without_a_known_reason_the_code_makes_the_class(
    server: ScriptedServer, client: Client, code: grpc.StatusCode, kind: type, details: tuple[object, ...]
) -> None:
    error = refused(server, client, Refusal(code, "collection not found", *details))  # type: ignore[arg-type]
    assert type(error) is kind
    assert error.code is code


def test_details_that_are_no_status_are_ignored(server: ScriptedServer, client: Client) -> None:
    class Garbled(Refusal):
        def metadata(self) -> tuple[tuple[str, bytes], ...]:
            return (("grpc-status-details-bin", b"\xff\xff\xff"),)

    assert type(refused(server, client, Garbled(grpc.StatusCode.NOT_FOUND))) is headwater.NotFoundError


def test_errors_survive_pickling() -> None:
    error = headwater.DimensionMismatchError(
        "no", metadata={"expected": "4", "actual": "3"}, field_violations=[FieldViolation("vector", "too short")]
    )
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (copy.expected, copy.field, copy.reason, copy.code) == (4, "vector", error.reason, error.code)
    assert str(copy) == "no"
