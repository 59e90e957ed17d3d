"""Tests the clients of other languages against real servers: python -m tests.clients [LANGUAGE ...].

Ends with a line for each language and exits with 1 if one failed. A language whose programs are missing is skipped.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.clients.languages import LANGUAGES, Language
from tests.clients.servers import client_servers
from tests.support.root import ROOT

LANGUAGE_SECONDS = 900.0


def main(arguments: list[str]) -> int:
    """Runs the tests of the languages that are named, or of all."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE", help=f"some of: {', '.join(LANGUAGES)}")
    names = parser.parse_args(arguments).languages or list(LANGUAGES)
    unknown = sorted(set(names) - set(LANGUAGES))
    if unknown:
        parser.error(f"no such language: {', '.join(unknown)}")
    with tempfile.TemporaryDirectory() as folder, client_servers(Path(folder)) as environment:
        results = {name: _tested(name, LANGUAGES[name], environment) for name in names}
    print("\n== Clients")
    for name, result in results.items():
        print(f"{name:12} {result}")
    counts = Counter(result.split()[0].rstrip(":") for result in results.values())
    print(", ".join(f"{counts[word]} {word}" for word in ("passed", "failed", "skipped")))
    return 1 if counts["failed"] else 0


def _tested(name: str, language: Language, environment: Mapping[str, str]) -> str:
    folder = ROOT / "client" / language.folder
    if missing := language.missing():
        return f"skipped: there is no {' and no '.join(missing)}"
    if not folder.exists():
        return f"skipped: there is no client/{language.folder} yet"
    print(f"\n== {name}", flush=True)
    started = time.monotonic()
    for command in language.commands:
        print(f"$ {' '.join(command)}", flush=True)
        try:
            done = subprocess.run(
                command, cwd=folder, env={**os.environ, **environment}, timeout=LANGUAGE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return f"failed: {' '.join(command)} did not end within {LANGUAGE_SECONDS:.0f} s"
        if done.returncode != 0:
            return f"failed: {' '.join(command)} exited with {done.returncode}"
    return f"passed in {time.monotonic() - started:.0f} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
