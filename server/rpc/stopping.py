"""The stop of a server: within the grace, accepted requests are answered or get UNAVAILABLE. It closes no database."""

import grpc

from server.lanes import Admission

_ANSWER_SECONDS = 1.0
"""How long a working request may take to notice that its grace is over, and to send its answer."""


def stop(server: grpc.Server, admission: Admission, grace_seconds: float) -> bool:
    """Accepts no more requests, and waits until all accepted ones are answered: at most `grace_seconds` and two more.

    Returns False if one still works, because it is stuck in native code. gRPC stops last. Calls that it has not handed
    over by then end as CANCELLED.
    """
    admission.drain(grace_seconds)
    admission.await_answers(_ANSWER_SECONDS)
    admission.cancel_all()
    server.stop(None).wait()
    return admission.close(_ANSWER_SECONDS)
