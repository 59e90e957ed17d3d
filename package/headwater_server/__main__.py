"""The command `headwater-server`, also `python -m headwater_server`: serves, or does what its first word says.

headwater-server --data ./data --listen localhost:50051
headwater-server check ./data
headwater-server health localhost:50051
headwater-server key
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
INSTALLED = HERE / "packages"
"""Where the packages are in an installation. In a checkout they lie at its top."""


def main() -> int:
    """The exit code of the server, see `server.__main__`; or that of the other commands."""
    sys.path.insert(0, str(INSTALLED if INSTALLED.is_dir() else HERE.parents[1]))
    arguments = sys.argv[1:]
    if arguments[:1] == ["check"]:
        from storage.check import main as check

        return check(arguments[1:])
    if arguments[:1] == ["key"]:
        from server.keys import hashed, new_secret

        secret = new_secret()
        print(f"secret: {secret}\nsha256: {hashed(secret)}")
        return 0
    if arguments[:1] == ["health"]:
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # the one line that is printed says why
        from headwater_server.health import main as health

        return health(arguments[1:])
    from server.__main__ import main as serve

    return serve(arguments)


if __name__ == "__main__":
    sys.exit(main())
