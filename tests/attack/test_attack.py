"""Whatever a request holds, it is answered or refused with a reason; and the attack itself sees what is wrong."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from grpc import StatusCode

from headwater.v1 import points_pb2
from server.app import SERVICES
from tests.attack.calls import Outcome, make_call
from tests.attack.cases import API_KEY, PATIENCE, Case, Manner, make_case
from tests.attack.fuzz import Fuzz, Report
from tests.attack.rpcs import Rpc, find_rpcs
from tests.attack.shrink import readable, shrink
from tests.attack.sound import sound_texts
from tests.attack.verdicts import fault_of
from tests.attack.words import BARE, Learned
from tests.support.serving import serving

REQUESTS = 5_000
SEED = 1
LEARNED = Learned(snapshots={BARE: b"bytes" * 10})
PATH = "/a/path"


def all_is_well(fuzz: Fuzz, report: Report) -> None:
    faults = [f"{fault.text}\n{readable(fault.case)}" if fault.case else fault.text for fault in report.faults]
    assert not faults, "\n\n".join(faults)
    assert {rpc.name for rpc in fuzz.rpcs} - report.succeeded.keys() == set(), "RPCs that never succeeded"


def test_no_request_meets_a_bug(tmp_path: Path) -> None:
    fuzz = Fuzz(tmp_path, SEED)
    report = fuzz.run(range(REQUESTS))
    all_is_well(fuzz, report)
    assert len(report.reasons) > 20, "few kinds of errors were met"


@pytest.mark.slow
def test_no_request_meets_a_bug_beside_kills(tmp_path: Path) -> None:
    fuzz = Fuzz(tmp_path, SEED + 1, kill_every=2)
    report = fuzz.run(range(2_400))
    all_is_well(fuzz, report)
    assert report.kills


@pytest.fixture(scope="module")
def rpcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Rpc]]:
    with serving(tmp_path_factory.mktemp("attack") / "data") as service:
        yield find_rpcs(service.channel)


@pytest.fixture
def search(rpcs: list[Rpc]) -> Rpc:
    return next(rpc for rpc in rpcs if rpc.name.endswith("Points/Search"))


def test_every_rpc_has_requests_that_succeed(rpcs: list[Rpc]) -> None:
    names = {rpc.name for rpc in rpcs}
    assert names == sound_texts().keys()
    assert {name.partition("/")[0] for name in names} >= set(SERVICES)


def test_equal_seeds_make_equal_cases(rpcs: list[Rpc]) -> None:
    def cases(seed: int) -> list[Case]:
        return [make_case(seed, number, rpcs, LEARNED) for number in range(300, 600)]

    assert cases(1) == cases(1)
    assert cases(1) != cases(2)


NAMED = Outcome(code=StatusCode.INVALID_ARGUMENT, reason="INVALID_LIMIT", fields=("limit",))


@pytest.mark.parametrize(
    ("outcome", "is_fault"),
    [
        (NAMED, False),
        (replace(NAMED, fields=()), True),
        (replace(NAMED, fields=("",)), True),
        (replace(NAMED, reason=None), True),
        (replace(NAMED, message=f"cannot read {PATH}/file"), True),
        (replace(NAMED, code=StatusCode.INTERNAL), True),
        (replace(NAMED, code=StatusCode.UNKNOWN), True),
        (replace(NAMED, code=StatusCode.DATA_LOSS), True),
        (replace(NAMED, code=StatusCode.UNAUTHENTICATED, reason="UNAUTHENTICATED"), True),
        (Outcome(code=StatusCode.CANCELLED), True),
        (Outcome(code=StatusCode.DEADLINE_EXCEEDED), True),
        (Outcome(code=StatusCode.UNAVAILABLE), True),
        (Outcome(code=StatusCode.OK, replies=(b"",)), False),
        (Outcome(code=StatusCode.OK, replies=(b"\xff",)), True),
    ],
)
def test_what_is_a_fault(search: Rpc, outcome: Outcome, is_fault: bool) -> None:
    case = Case(number=0, rpc=search, messages=(b"",))
    assert (fault_of(case, outcome, [PATH]) is not None) == is_fault


def test_what_is_none_by_the_way_a_call_is_made(search: Rpc) -> None:
    case = Case(number=0, rpc=search, messages=(b"",))
    late, cancelled = Outcome(code=StatusCode.DEADLINE_EXCEEDED), Outcome(code=StatusCode.CANCELLED)
    assert fault_of(replace(case, timeout=PATIENCE / 2), late, []) is None
    assert fault_of(replace(case, manner=Manner.CANCELLED), cancelled, []) is None
    assert fault_of(replace(case, messages=(b"\xff",)), replace(NAMED, fields=()), []) is None
    answered = Outcome(code=StatusCode.OK)
    assert fault_of(replace(case, metadata=()), answered, []) is not None
    assert fault_of(replace(case, metadata=(("api-key", API_KEY),)), answered, []) is None


def test_a_failing_case_becomes_small(search: Rpc) -> None:
    request = points_pb2.PointsSearchRequest(collection_name="name" * 100, limit=7, offset=9, explain=True)
    request.filter.must.add().filter.should.add().field.path = "guilty"

    def fails(case: Case) -> bool:
        found = points_pb2.PointsSearchRequest.FromString(case.messages[0])
        return any(inner.field.path for outer in found.filter.must for inner in outer.filter.should)

    small = shrink(Case(number=0, rpc=search, messages=(request.SerializeToString(),)), fails)
    rest = points_pb2.PointsSearchRequest.FromString(small.messages[0])
    assert rest.filter.must[0].filter.should[0].field.path == "g"
    rest.ClearField("filter")
    assert rest == points_pb2.PointsSearchRequest()


def test_calls_of_every_manner_end(tmp_path: Path) -> None:
    with serving(tmp_path / "data", api_key=API_KEY) as service:
        search = next(rpc for rpc in find_rpcs(service.channel) if rpc.name.endswith("Points/Search"))
        case = Case(number=0, rpc=search, messages=(b"",))
        ends = {
            make_call(replace(case, manner=manner, messages=messages), service.channel).code
            for manner in Manner
            for messages in ((), (b"",), (b"", b""))
        }
        assert make_call(replace(case, metadata=()), service.channel).reason == "UNAUTHENTICATED"
        assert make_call(case, service.channel).reason == "COLLECTION_NOT_FOUND"
    assert ends <= {StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND, StatusCode.CANCELLED, StatusCode.UNIMPLEMENTED}
