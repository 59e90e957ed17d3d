"""The end of a server: what was taken is answered or told UNAVAILABLE, within its grace. Closes no database."""

import grpc

from server.lanes import Admission

_ANSWER_SECONDS = 1.0
"""What works may take to see that its grace is over, and its answer to be sent."""


def stop(server: grpc.Server, admission: Admission, grace_seconds: float) -> bool:
    """Stops taking requests, and ends when all that were taken are answered: within `grace_seconds` and two more.

    False when one still works: it is stuck in native code. gRPC stops last, since what it has not handed over by then
    ends as CANCELLED.
    """
    admission.drain(grace_seconds)
    admission.await_answers(_ANSWER_SECONDS)
    admission.cancel_all()
    server.stop(None).wait()
    return admission.close(_ANSWER_SECONDS)
