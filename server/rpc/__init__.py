"""Between gRPC and the handlers: services from descriptors, budgets, health, log lines, and the stop of a server."""

from server.rpc.health import Health
from server.rpc.interceptors import Interceptor
from server.rpc.listening import CannotListen, listen
from server.rpc.logs import configure_logs
from server.rpc.services import generic_handler, rpcs_of
from server.rpc.standard_rpcs import health_handler, reflection_handler
from server.rpc.stopping import stop

__all__ = [
    "CannotListen",
    "Health",
    "Interceptor",
    "configure_logs",
    "generic_handler",
    "health_handler",
    "listen",
    "reflection_handler",
    "rpcs_of",
    "stop",
]
