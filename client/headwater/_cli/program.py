"""The program without its commands: the options that all commands share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Annotated

import typer

from headwater._cli.connection import Connection, with_profile

if TYPE_CHECKING:
    from headwater import Client

_EPILOG = """
Exit codes: 0 done, 1 failed, 2 wrong command or request, 3 not found, 4 exists already, 5 not possible in this
state, 6 no right, 7 no room, 8 no server, 9 out of time, 10 data lost, 11 not built, 12 a file, 130 interrupted.
"""

app = typer.Typer(
    name="headwater",
    help="Work with a Headwater server: collections, points, queries, snapshots, upkeep.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the options before a command say."""

    connection: Connection
    profile: str | None
    json: bool

    @contextmanager
    def client(self, *, patient: bool = False) -> Iterator["Client"]:
        """A client of the server, see `Connection.client`. Raises Failure and HeadwaterError."""
        with with_profile(self.connection, self.profile).client(patient=patient) as client:
            yield client


def _print_version(asked: bool) -> None:
    if asked:
        print(f"headwater {installed('headwater')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    address: Annotated[
        str | None, typer.Option(envvar="HEADWATER_ADDRESS", help="Server, as HOST:PORT or unix:PATH.")
    ] = None,
    local: Annotated[
        str | None, typer.Option(envvar="HEADWATER_LOCAL", help="Folder to open with a server of its own, instead.")
    ] = None,
    api_key: Annotated[str | None, typer.Option(envvar="HEADWATER_API_KEY", help="Key of the server.")] = None,
    tls: Annotated[bool | None, typer.Option(envvar="HEADWATER_TLS", help="Connect by TLS.")] = None,
    tls_ca: Annotated[
        str | None, typer.Option(envvar="HEADWATER_TLS_CA", help="File of the certificates to trust, PEM.")
    ] = None,
    tls_cert: Annotated[
        str | None, typer.Option(envvar="HEADWATER_CLIENT_CERT", help="File of the certificate to show, PEM.")
    ] = None,
    tls_key: Annotated[
        str | None, typer.Option(envvar="HEADWATER_CLIENT_KEY", help="File of its private key, PEM.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(envvar="HEADWATER_TIMEOUT", min=0.001, help="Seconds that a request may take.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(envvar="HEADWATER_PROFILE", help="Profile of ~/.config/headwater/config.toml.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON: an object, or a line for each item.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    connection = Connection(
        address=address,
        api_key=api_key,
        tls=tls,
        tls_ca=tls_ca,
        tls_cert=tls_cert,
        tls_key=tls_key,
        timeout=timeout,
        local=local,
    )
    context.obj = Shared(connection, profile, json)


def shared(context: typer.Context) -> Shared:
    """What the options before the command say."""
    found = context.obj
    assert isinstance(found, Shared)
    return found
