"""The certificate of a server, its key, and whose clients it trusts. Read again when the files change.

Files that do not fit each other leave the old ones in use, and the log says why. They are looked at when a client
connects, at most once a second.
"""

import logging
import ssl
import threading
import time
from dataclasses import dataclass
from pathlib import Path

LOOK_SECONDS = 1.0

logger = logging.getLogger("server.certificates")


class BadCertificates(Exception):
    """The files cannot be used. The message says which, in one line."""


@dataclass(frozen=True, slots=True)
class Pems:
    """What the files have: the certificate chain, its private key, and the authorities of clients, or None."""

    chain: bytes
    key: bytes
    client_ca: bytes | None


class Certificates:
    """Files of certificates. `client_ca` None: clients need no certificate. Safe for many threads.

    Raises BadCertificates when made."""

    def __init__(self, chain: Path, key: Path, client_ca: Path | None = None) -> None:
        self._chain, self._key, self._client_ca = chain, key, client_ca
        self._lock = threading.Lock()
        self._seen = self._state()
        self._pems, self._context = self._read(), self._new_context()
        self._looked = time.monotonic()

    @property
    def asks_clients(self) -> bool:
        """Whether clients must have a certificate."""
        return self._client_ca is not None

    def current(self) -> Pems:
        """What the files have now, or had when they could last be used."""
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._looked = time.monotonic()
                self._look()
            return self._pems

    def context(self) -> ssl.SSLContext:
        """A context of Python's ssl for a server, which follows changes of the files."""

        def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            self.current()
            connection.context = self._context

        context = self._new_context()
        context.sni_callback = choose  # at each handshake, also of clients that name no server
        return context

    def _new_context(self) -> ssl.SSLContext:
        """A context with what the files have. Raises BadCertificates unless they fit each other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._chain, self._key, password=_no_password)
        except (ssl.SSLError, ValueError) as error:
            pair = f"{self._chain} and {self._key}"
            raise BadCertificates(f"{pair} are no matching pair in PEM form: {error}") from None
        try:
            if self._client_ca is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(self._client_ca)
        except ssl.SSLError as error:
            raise BadCertificates(f"{self._client_ca} has no certificates in PEM form: {error}") from None
        return context

    def _look(self) -> None:
        """Reads the files again if they changed."""
        state = self._state()
        if state == self._seen:
            return
        try:
            self._pems, self._context = self._read(), self._new_context()
        except BadCertificates as error:
            logger.error("the old certificates stay: %s", error)
        else:
            logger.info("the certificates were read again")
        self._seen = state

    def _files(self) -> list[Path]:
        return [self._chain, self._key, *([] if self._client_ca is None else [self._client_ca])]

    def _state(self) -> list[tuple[int, int] | None]:
        return [_about(file) for file in self._files()]

    def _read(self) -> Pems:
        """What the files have. Raises BadCertificates if one cannot be read."""
        read = []
        for file in self._files():
            try:
                read.append(file.read_bytes())
            except OSError as error:
                raise BadCertificates(f"cannot read {file}: {error.strerror}") from None
        chain, key, *rest = read
        return Pems(chain, key, rest[0] if rest else None)


def _no_password() -> str:
    """Encrypted keys are refused: nobody is there to be asked."""
    raise ValueError("the key is encrypted")


def _about(file: Path) -> tuple[int, int] | None:
    """What changes when a file does. None: it is not there."""
    try:
        about = file.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_ino
