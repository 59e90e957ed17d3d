"""The command behind `make soak`: runs for some minutes, shows progress, and says what it did and compared."""

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.soak.soak import Soak, summary


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing was lost, torn or wrong, and nothing grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one")
    parser.add_argument("--data", type=Path, default=None, help="new folder to work in, which is kept")
    chosen = parser.parse_args(arguments)
    seed = random.randrange(2**32) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="headwater-soak-") as folder:
        soak = Soak(chosen.data or Path(folder), seed, chosen.minutes * 60, lambda line: print(line, flush=True))
        try:
            outcome = soak.run()
        finally:
            soak.end()
    print(summary(outcome))
    for fault in outcome.faults:
        print(f"=== {fault}")
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
