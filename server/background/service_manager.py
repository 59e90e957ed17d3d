"""Tells systemd that the server is ready or stops, by its protocol `sd_notify`. Without systemd it does nothing."""

import logging
import os
import socket

VARIABLE = "NOTIFY_SOCKET"

logger = logging.getLogger(__name__)


def tell_service_manager(state: str) -> None:
    """Sends a state such as READY=1 to the socket that the environment names. What fails is logged only."""
    address = os.environ.get(VARIABLE, "")
    if not address.startswith(("/", "@")):
        return
    path = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
            manager.connect(path)
            manager.send(state.encode())
    except OSError as error:
        logger.warning("%s is not told %s: %s", VARIABLE, state, error.strerror or error)
