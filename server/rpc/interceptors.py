"""Around every handler: the keys, the budget, the bounds of a reply, and the request log. It knows no service."""

import logging
import time
from dataclasses import dataclass, replace

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from server.errors import code_of, status_of
from server.keys import Permissions
from server.lanes import Turn, caller_of
from server.metrics import Ended, RequestCounts
from server.rpc.caller_limits import message_limit_of
from server.rpc.logs import FIELDS, PLANS
from server.rpc.running import Running
from server.rpc.slow_requests import plans_of, work_of
from server.tracing import Facts, Tracing
from storage.budget import Budget
from storage.meter import Meter

MAX_DEADLINE_SECONDS = 10 * 365 * 86_400
"""A deadline beyond this is none: if the caller sets no deadline, gRPC reports one in the year 2262."""

NO_LANE = "none"
"""The lane, in metrics, of what was in none."""

logger = logging.getLogger("server.requests")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a request: a reply, or the status of its failure."""

    collection: str
    reply: bytes = b""
    failure: Status | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interceptor:
    """Prepares handlers for gRPC. `slow_ms` 0: slow requests are not logged.

    `max_reply_bytes` and `max_request_memory` bound each request. None: no bound. `counts` None: nothing is counted.
    `tracing` None: nothing is traced.
    """

    permissions: Permissions
    slow_ms: float = 0.0
    max_reply_bytes: int | None = None
    max_request_memory: int | None = None
    counts: RequestCounts | None = None
    tracing: Tracing | None = None

    @property
    def watches(self) -> bool:
        """Whether anybody wants the plans of queries."""
        return self.slow_ms > 0 or self.tracing is not None

    def bytes_of(self, reply: Message | bytes, budget: Budget) -> bytes:
        """The reply as bytes. Handlers count large parts while they read; this checks the whole reply again."""
        data = reply if isinstance(reply, bytes) else reply.SerializeToString(deterministic=True)
        budget.meter.check_encoded(len(data))
        return data

    def budget(self, running: Running, given: object, context: grpc.ServicerContext) -> Budget:
        """The budget of a call, with the server's bounds for each call and the caller's own. Raises InvalidRequest."""
        meter = running.meter = Meter(self.max_request_memory, self.max_reply_bytes)
        meter.max_message = message_limit_of(context.invocation_metadata())
        if not isinstance(given, Turn):
            return replace(budget_of(context), meter=meter, watcher=running)
        deadline = given.deadline = _deadline_of(context)
        # Each question to the context takes a lock. So the turn is asked, which the context informs.
        return Budget(
            deadline,
            is_cancelled=lambda: given.is_over,
            caller=given.caller,
            meter=meter,
            turn=given,
            watcher=running if self.watches else None,
        )

    def begin(self, method: str, given: object, context: grpc.ServicerContext) -> Running:
        """Notes the begin of a request. Requires: `note` or `finish` follows."""
        running = Running(method, given, slow_ms=self.slow_ms)
        if self.tracing is not None:
            running.span = self.tracing.begin(method, context.invocation_metadata() or (), running.seconds())
        return running

    def refused(self, method: str, error: Exception) -> None:
        """Notes a call that was refused before it had a turn."""
        if self.counts is not None:
            self.counts.add(Ended(method, code_of(status_of(error)), NO_LANE, 0.0, 0, 0, None))

    def finish(self, running: Running, outcome: Outcome, context: grpc.ServicerContext) -> bytes:
        """Notes the end of the request. Then it sends the reply, or ends the call with the status of its failure."""
        self.note(running, outcome)
        if outcome.failure is not None:
            context.abort_with_status(rpc_status.to_status(outcome.failure))
        return outcome.reply

    def note(self, running: Running, outcome: Outcome) -> None:
        """Counts and logs a request that ended, and who changed something."""
        status = "OK" if outcome.failure is None else code_of(outcome.failure)
        lane = running.lane or NO_LANE
        if self.counts is not None:
            sent = running.sent + len(outcome.reply)
            ended = Ended(running.method, status, lane, running.seconds(), running.received, sent, running.meter)
            self.counts.add(ended)
        if self.tracing is not None and running.span is not None:
            about = Facts(outcome.collection, status, lane, running.meter, running.runs)
            self.tracing.end(running.span, about)
        if running.access.name:
            self.permissions.note(running.method, running.access, outcome.collection, status)
        self._log(running, outcome)

    def _log(self, running: Running, outcome: Outcome) -> None:
        milliseconds = running.milliseconds_of_work()
        slow = 0 < self.slow_ms <= milliseconds
        level = logging.WARNING if slow else logging.DEBUG
        if not logger.isEnabledFor(level):
            return
        code = "OK" if outcome.failure is None else code_of(outcome.failure)
        facts = {"method": running.method, "collection": outcome.collection, "ms": round(milliseconds, 3)}
        facts |= {"status": code, **(work_of(running.meter) if slow else {})}
        plans = plans_of(running.runs) if slow else None
        logger.log(level, "slow request" if slow else "request", extra={FIELDS: facts, PLANS: plans})


def budget_of(context: grpc.ServicerContext) -> Budget:
    """The budget of the caller: who it is, its deadline, and whether it is still there."""
    return Budget(_deadline_of(context), is_cancelled=lambda: not context.is_active(), caller=caller_of(context))


def _deadline_of(context: grpc.ServicerContext) -> float | None:
    seconds = context.time_remaining()
    return None if seconds is None or seconds > MAX_DEADLINE_SECONDS else time.monotonic() + seconds
