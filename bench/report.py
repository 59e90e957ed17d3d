"""The results as a table and as a picture."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench.measure import Result, Skipped

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
_BAR, _ROW, _LEFT, _WIDTH = 420, 36, 400, 1030
_SIGN = " (a rate)"
_LONGEST = 4.0  # ratios beyond it have bars of its length


def table(results: Sequence[Result | Skipped], data: str) -> str:
    """A Markdown table with the machine and the versions above it."""
    lines = [
        f"Data: {data}; {machine()}",
        "",
        "| what | reference | ratio (lowest to highest round) | goal | note |",
        "|---|---|--:|--:|---|",
    ]
    for result in results:
        if isinstance(result, Skipped):
            lines.append(f"| {result.what} | not measured | | | {result.reason} |")
            continue
        mark = "" if result.reached else " **missed**"
        lines.append(
            f"| {result.what} | {result.reference} | {result.ratio:.2f} ({result.low:.2f} to {result.high:.2f})"
            f"{mark} | {result.aim} | {result.note} |"
        )
    return "\n".join(lines)


def machine() -> str:
    """The machine and the versions that figures depend on."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("usearch", "lmdb", "grpcio", "protobuf", "numpy"))
    cores = len(os.sched_getaffinity(0))
    return f"{_processor()}, {cores} cores, Python {platform.python_version()}, {versions}."


def put(text: str, file: Path, begin: str, end: str) -> None:
    """Replaces what stands between two marks of a file."""
    before, rest = file.read_text(encoding="utf8").split(begin)
    after = rest.split(end)[1]
    file.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf8")


def write(results: Sequence[Result | Skipped], data: str, folder: Path) -> None:
    """Puts the table into README.md of `folder` and draws results.svg beside it."""
    put(table(results, data), folder / "README.md", BEGIN, END)
    (folder / "results.svg").write_text(
        picture([each for each in results if isinstance(each, Result)]), encoding="utf8"
    )


def picture(results: Sequence[Result]) -> str:
    """Bars of the ratios; the line in each is its goal."""
    top = min(_LONGEST, max(max(result.ratio, result.goal) for result in results)) * 1.1
    rows = []
    for number, result in enumerate(results):
        y = 40 + number * _ROW
        length, goal = _BAR * min(_LONGEST, result.ratio) / top, _LEFT + _BAR * result.goal / top
        name = result.what + (_SIGN if result.at_least else "")
        colour = "#3b7dd8" if result.reached else "#d8563b"
        rows.append(
            f'<text x="{_LEFT - 10}" y="{y + 15}" text-anchor="end">{name}</text>'
            f'<rect x="{_LEFT}" y="{y}" width="{length:.0f}" height="22" rx="3" fill="{colour}"/>'
            f'<line x1="{goal:.0f}" x2="{goal:.0f}" y1="{y - 4}" y2="{y + 26}" stroke="#222" stroke-width="2"/>'
            f'<text x="{max(_LEFT + length, goal) + 8:.0f}" y="{y + 15}">{result.ratio:.2f}</text>'
        )
    height = 60 + len(results) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="14" fill="#222">'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{_LEFT}" y="24" font-weight="600">as a multiple of the reference; the line is the goal</text>'
        + "".join(rows)
        + "</svg>\n"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
