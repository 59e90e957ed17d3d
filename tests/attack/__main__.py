"""The command behind `make fuzz`: sends many cases with progress, and shows those that fail, small and repeatable."""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.attack.cases import Case
from tests.attack.fuzz import Fault, Fuzz, Report
from tests.attack.shrink import readable, shrink
from tests.support.embedding_server import embedding_server


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing failed and every RPC succeeded at least once."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one")
    parser.add_argument(
        "--only", type=int, nargs="*", default=None, metavar="N", help="the cases of these numbers alone"
    )
    parser.add_argument("--kill-every", type=int, default=25, help="rounds from one SIGKILL to the next; 0: none")
    parser.add_argument("--lanes", type=int, default=8, help="calls under way at a time")
    chosen = parser.parse_args(arguments)
    seed = random.randrange(2**32) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", flush=True)
    numbers = range(chosen.requests) if chosen.only is None else chosen.only
    kill_every = 0 if chosen.only is not None else chosen.kill_every
    with tempfile.TemporaryDirectory(prefix="headwater-fuzz-") as folder:
        fuzz = Fuzz(Path(folder), seed, lanes=chosen.lanes, kill_every=kill_every)
        report = fuzz.run(numbers, _progress(len(numbers)))
    print(summary(report))
    for fault in report.faults:
        print(f"\n=== {fault.text}")
        if fault.case is not None:
            print(described(fault, seed), flush=True)
    unmet = [] if chosen.only is not None else sorted({rpc.name for rpc in fuzz.rpcs} - report.succeeded.keys())
    if unmet:
        print("never succeeded:", ", ".join(unmet))
    return 1 if report.faults or unmet else 0


def summary(report: Report) -> str:
    """What was done, in a few lines."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in report.reasons.most_common())
    return (
        f"{report.requests:,} requests, {report.succeeded.total():,} answered, {report.kills} kills, "
        f"{report.peak / 2**20:,.0f} MiB at most\nerrors: {reasons}"
    )


def described(fault: Fault, seed: int) -> str:
    """The smallest case found that meets the fault, and the command that repeats the first one."""
    assert fault.case is not None
    case = fault.case
    repeat = f"make fuzz SEED={seed} ONLY={case.number}"
    whole = f"make fuzz SEED={seed} REQUESTS={case.number + 1}"
    return f"{readable(_shrunk(fault, case.number, seed))}\nrepeat: `{repeat}`, or with what came before it: `{whole}`"


def _shrunk(fault: Fault, number: int, seed: int) -> Case:
    """Sends parts of the case to a new server until none smaller fails in the same way."""
    with tempfile.TemporaryDirectory(prefix="headwater-fuzz-") as folder, embedding_server() as embedder:
        fuzz = Fuzz(Path(folder), seed)
        options = ("--embedders", str(embedder.settings(Path(folder), retries=0)))
        with fuzz.attacked(options) as (server, _, channels):
            case = fuzz.case(number)
            kind = fault.text.split(":")[0]

            def fails(smaller: Case) -> bool:
                text = fuzz.send(smaller, channels[0]) if server.is_alive else None
                return text is not None and text.split(":")[0] == kind

            return shrink(case, fails) if fails(case) else case


def _progress(total: int) -> Callable[[Report], None]:
    started, shown = time.monotonic(), 0

    def tell(report: Report) -> None:
        nonlocal shown
        for fault in report.faults[shown:]:
            print(f"\n=== {fault.text}\n{readable(fault.case) if fault.case else ''}", flush=True)
        shown = len(report.faults)
        seconds = time.monotonic() - started
        rate = report.requests / seconds
        left = (total - report.requests) / rate if rate else 0.0
        line = (
            f"{report.requests:,} of {total:,}, {rate:,.0f}/s, {left / 60:,.1f} min left, {len(report.faults)} faults"
        )
        print(f"{line}, {report.peak / 2**20:,.0f} MiB", flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(main())
