"""The table of errors: complete, and what it makes fits into trailers."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from headwater.v1 import errors_pb2
from planner import errors as planner_errors
from server.errors import Unauthenticated
from server.errors import embedders as embedder_errors
from server.errors import indexes as index_errors
from server.errors import keys as key_errors
from server.errors import lanes as lane_errors
from server.errors.status import DOMAIN, OF_WHAT_WAS_SENT, STATUS_OF, status_of
from storage import errors as storage_errors
from storage.errors import (
    CollectionNotFound,
    DimensionMismatch,
    EngineError,
    InvalidRequest,
    NotFinite,
    PointNotFound,
    SpaceNotFound,
)
from storage.files.told_paths import hide_folder
from tests.support.root import ROOT

# Raised by gRPC itself, before any of our code runs.
TRAILER_BYTES = 8 * 2**10


def classes_below(root: type[EngineError]) -> Iterator[type[EngineError]]:
    for child in root.__subclasses__():
        yield child
        yield from classes_below(child)


def leaves() -> set[type[EngineError]]:
    of_server = (embedder_errors, index_errors, key_errors, lane_errors)
    modules = {each.__name__ for each in (planner_errors, storage_errors, *of_server)}
    return {each for each in classes_below(EngineError) if each.__module__ in modules and not each.__subclasses__()}


def details(status: Status) -> tuple[ErrorInfo, BadRequest]:
    info, bad = ErrorInfo(), BadRequest()
    for each in status.details:
        each.Unpack(info) or each.Unpack(bad)
    return info, bad


def test_every_error_class_has_a_status() -> None:
    assert leaves() | {InvalidRequest, Unauthenticated} == STATUS_OF.keys()


def test_every_reason_has_one_error_class() -> None:
    reasons = [reason for _, reason in STATUS_OF.values()]
    assert len(reasons) == len(set(reasons))
    others = {errors_pb2.ERROR_REASON_UNSPECIFIED, errors_pb2.ERROR_REASON_INTERNAL}
    assert set(reasons) | others == set(errors_pb2.ErrorReason.values())


def test_the_contract_documents_each_reason_with_its_status() -> None:
    lines = (ROOT / "protos" / "headwater" / "v1" / "errors.proto").read_text()
    documented = {name: code for code, name in re.findall(r"// ([A-Z_]+): .*\n\s+(ERROR_REASON_\w+) =", lines)}
    for code, reason in STATUS_OF.values():
        assert documented[errors_pb2.ErrorReason.Name(reason)] == code.name


def test_facts_travel_beside_the_message() -> None:
    status = status_of(DimensionMismatch('points[3].vectors["text"]', expected=384, actual=3))
    info, bad = details(status)
    assert status.code == StatusCode.INVALID_ARGUMENT.value[0]
    assert (info.reason, info.domain) == ("DIMENSION_MISMATCH", DOMAIN)
    assert info.metadata == {"expected": "384", "actual": "3"}
    assert [(each.field, each.description) for each in bad.field_violations] == [
        ('points[3].vectors["text"]', "expected 384 dimensions, got 3")
    ]


def test_the_whole_request_is_no_field() -> None:
    _, bad = details(status_of(NotFinite("", "no")))
    assert not bad.field_violations


def test_a_space_that_is_missing_names_the_field() -> None:
    _, bad = details(status_of(SpaceNotFound("text", ["image"], field="prefetch[0].using")))
    assert bad.field_violations[0].field == "prefetch[0].using"


def test_an_unknown_exception_tells_the_caller_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        status = status_of(KeyError("secret"))
    info, _ = details(status)
    assert status.code == StatusCode.INTERNAL.value[0]
    assert "secret" not in str(status)
    assert info.reason == "INTERNAL"
    assert info.metadata["id"] in caplog.text
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        CollectionNotFound("ü" * 100_000),
        PointNotFound(["i" * 512] * 20),
        InvalidRequest("é" * 10_000, "ß" * 10_000, a="ñ" * 10_000, b="ñ" * 10_000),
    ],
)
def test_long_texts_are_cut_to_fit_into_trailers(error: EngineError) -> None:
    status = status_of(error)
    message = len(status.message.encode()) * 3  # percent-encoded in the trailer grpc-message
    encoded = len(status.SerializeToString()) * 4 / 3  # base64 in grpc-status-details-bin
    assert message + encoded < TRAILER_BYTES
    assert "…" in status.message


def test_no_error_tells_where_the_data_directory_is() -> None:
    """Neither in its message, nor in its facts, nor in what is wrong with a field."""
    folder = Path("/srv/with spaces/head.water")
    hide_folder(folder, "the data directory")
    text = f"{folder}/collections/a/lmdb/data.mdb at byte 4,096: [Errno 2] '{folder}/catalog' in {folder}: lost"
    for error_class in STATUS_OF:
        if issubclass(error_class, OF_WHAT_WAS_SENT):
            continue
        error = error_class.__new__(error_class)
        EngineError.__init__(error, text, file=folder / "catalog", folder=folder, field="f")
        error.retry_seconds = 1.0  # type: ignore[attr-defined]
        status = status_of(error)
        assert str(folder) not in status.SerializeToString().decode(errors="replace"), error_class
        assert status.message.startswith("collections/a/lmdb/data.mdb at byte 4,096: [Errno 2] 'catalog' in the data ")
        assert details(status)[0].metadata["file"] == "catalog"


def test_what_was_sent_is_repeated_as_it_was_sent() -> None:
    """Ids may look like paths of this server."""
    hide_folder(Path("/data"), "the data directory")
    status = status_of(PointNotFound(["/data/document"]))
    assert "'/data/document'" in status.message
    assert details(status)[0].metadata["ids"] == "'/data/document'"
    bad = details(status_of(InvalidRequest("filter", "/data/x is no path")))[1]
    assert bad.field_violations[0].description == "/data/x is no path"
