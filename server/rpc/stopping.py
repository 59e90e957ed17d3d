"""The stop of a server: accepted requests are answered, or get UNAVAILABLE, within the grace. Closes no database."""

import grpc

from server.lanes import Admission

_ANSWER_SECONDS = 1.0
"""What works may take to see that its grace is over, and its answer to be sent."""


def stop(server: grpc.Server, admission: Admission, grace_seconds: float) -> bool:
    """Takes no more requests, and waits until all accepted ones are answered: `grace_seconds` and two more at most.

    Returns False when one still works, because it is stuck in native code. gRPC stops last: calls that it has not
    handed over by then end as CANCELLED.
    """
    admission.drain(grace_seconds)
    admission.await_answers(_ANSWER_SECONDS)
    admission.cancel_all()
    server.stop(None).wait()
    return admission.close(_ANSWER_SECONDS)
