"""The command `headwater`: what people do with a server from a shell. It uses the public client only.

`running` runs `program`, which has the options of all commands; `anywhere` lets these stand after a command, too.
`collections`, `points`, `transfers`, `upkeep`, `snapshots`, `keys` and `live` have the commands. `connection` finds the
server, `failures` makes exit codes of errors, `output` writes tables and JSON, and `asking` asks before a deletion.
`values` reads what is typed, `sources` reads files of points, and `resuming` knows where an import stands. It needs the
extra `headwater[cli]`.
"""

import sys
from importlib.util import find_spec

__all__ = ["main"]


def main() -> int:
    """Runs the command of the process, and returns its exit code."""
    missing = [name for name in ("typer", "rich") if find_spec(name) is None]
    if missing:
        print(f"headwater: {' and '.join(missing)} is missing: pip install 'headwater[cli]'", file=sys.stderr)
        return 2
    from headwater._cli.running import run

    return run()
