"""Where the server is and how to talk to it: address, security, api-key, options of the channel. Opens no channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import grpc

from headwater._rpc.target import Target, target_of

ChannelOption = tuple[str, str | int]
Tls = bool | grpc.ChannelCredentials | None
"""Whether to use TLS, or credentials for it. None: the target's scheme decides; without a scheme, plain text."""

_DEFAULT_OPTIONS: Mapping[str, str | int] = {
    # Batches of vectors and pages of payloads are large; the server sets the limits that matter.
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    # These bound the time between two attempts to connect, so that a server that is back is found within half a
    # second, even after a long outage. One attempt may take five seconds, for slow networks with TLS.
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 150,
    "grpc.min_reconnect_backoff_ms": 5_000,
    # The same for a server whose name has a new address.
    "grpc.dns_min_time_between_resolutions_ms": 1_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A server as the user gave it. Raises TypeError and ValueError.

    `options` are gRPC channel options and replace the defaults.
    """

    target: str
    tls: Tls = None
    api_key: str | None = None
    options: Sequence[ChannelOption] = ()
    address: Target = field(init=False)

    def __post_init__(self) -> None:
        address = target_of(self.target)
        object.__setattr__(self, "address", address)
        if not isinstance(self.tls, bool | grpc.ChannelCredentials | None):
            kind = type(self.tls).__name__
            raise TypeError(f"tls is a bool, credentials made by grpc.ssl_channel_credentials, or None, not {kind}")
        if self.tls is not None and address.tls is not None and address.tls != (self.tls is not False):
            raise ValueError(f"tls={self.tls!r} contradicts the scheme of target {self.target!r}")
        if self.api_key is not None and not isinstance(self.api_key, str):
            raise TypeError(f"api_key is a string or None, not {type(self.api_key).__name__}")
        if self.api_key is not None and not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ValueError("api_key has characters other than printable ASCII")

    @property
    def name(self) -> str:
        """The target in gRPC's form."""
        return self.address.name

    @property
    def uses_tls(self) -> bool:
        return bool(self.address.tls) if self.tls is None else self.tls is not False

    @property
    def credentials(self) -> grpc.ChannelCredentials | None:
        """The credentials for TLS; None for plain text."""
        if isinstance(self.tls, grpc.ChannelCredentials):
            return self.tls
        return grpc.ssl_channel_credentials() if self.uses_tls else None

    @property
    def channel_options(self) -> list[ChannelOption]:
        # A proxy cannot reach this machine's own addresses, but gRPC spares only those in `no_proxy`.
        local: Mapping[str, str | int] = {"grpc.enable_http_proxy": 0} if self.address.is_local else {}
        return list({**_DEFAULT_OPTIONS, **local, **dict(self.options)}.items())

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return () if self.api_key is None else (("api-key", self.api_key),)

    def unreachable(self, details: str) -> str:
        """The message for a user when no server answers."""
        return self.address.unreachable(details, tls=self.uses_tls)
