"""Counting and logging writes that nobody waits for."""

from concurrent.futures import Future

import pytest

from storage.failed_writes import LOG_SECONDS, FailedWriteLog


def _fail(failed: FailedWriteLog, message: str, uid: str = "u") -> None:
    future: Future[None] = Future()
    failed.follow(future, uid, "c", "Points/Upsert")
    future.set_exception(ValueError(message))


def test_lines_are_few_and_say_how_many_they_stand_for(caplog: pytest.LogCaptureFixture) -> None:
    now = [100.0]
    failed = FailedWriteLog(lambda: now[0])
    for number in range(1000):
        _fail(failed, f"number {number}")
    assert failed.of("u").count == 1000
    assert failed.of("u").last == "Points/Upsert: ValueError: number 999"
    assert [record.args[2:] for record in caplog.records if isinstance(record.args, tuple)] == [(1, 1)]
    _fail(failed, "elsewhere", "other")
    assert len(caplog.records) == 2, "collections are told apart"
    now[0] += LOG_SECONDS
    _fail(failed, "later")
    assert caplog.records[-1].args == ("c", "Points/Upsert: ValueError: later", 1000, 1001)


def test_success_and_cancelling_are_no_failures() -> None:
    failed = FailedWriteLog()
    done: Future[int] = Future()
    given_up: Future[int] = Future()
    failed.follow(done, "u", "c", "Points/Upsert")
    failed.follow(given_up, "u", "c", "Points/Upsert")
    done.set_result(1)
    given_up.cancel()
    assert failed.of("u").count == 0
    _fail(failed, "no room")
    failed.forget("u")
    assert failed.of("u").count == 0
