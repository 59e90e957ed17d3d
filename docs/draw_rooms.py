"""Draws docs/rooms.svg: the rooms of each layer from top to bottom, and which room imports which.

The order of the rooms is that of pyproject.toml, and the lines are the imports of the code. Run as `python -m
docs.draw_rooms` (or `make docs`); a test checks that the committed picture is the one drawn here.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from docs.imports import imported_names

ROOT = Path(__file__).resolve().parent.parent
PICTURE = Path(__file__).with_name("rooms.svg")
FOLDERS = {"server": ROOT / "server", "planner": ROOT / "planner", "storage": ROOT / "storage"}
FOLDERS["headwater"] = ROOT / "client" / "headwater"
COLUMNS = (("server", "headwater"), ("planner",), ("storage",))
"""What stands side by side. The client stands below the server, since it imports nothing of the others."""

TITLES = {"headwater": "client/headwater"}
NAME_WIDTH, ROW, PITCH = 120, 21, 10
MARGIN, HEADER, GAP, COLUMN_GAP = 14, 46, 26, 30
LEGEND = (
    "A room imports only rooms below it, and none on the same strip (grey or white).",
    "To read: go from a room right to its dots, and from a dot down the line to the room that is imported.",
)
LEGEND_LINE = 18
STYLE = """
  text { font: 12px ui-monospace, monospace; fill: #1f2933 }
  .title { font: 600 15px ui-sans-serif, system-ui, sans-serif }
  .note { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #52606d }
  .level { fill: #eef2f7 }
  .row { stroke: #d3dce6; stroke-width: 1 }
  .line { fill: none; stroke: #7cc0e8; stroke-width: 1.4 }
  .dot, .head { fill: #1d6fa5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb }
    .note { fill: #9aa5b1 }
    .level { fill: #26303b }
    .row { stroke: #3e4c59 }
    .line { stroke: #2680c2 }
    .dot, .head { fill: #7cc0e8 }
  }
"""


@dataclass(frozen=True, slots=True)
class Layer:
    """The levels of a layer from the top, each with its rooms; pairs of (importer, imported); other layers imported."""

    name: str
    levels: tuple[tuple[str, ...], ...]
    imports: frozenset[tuple[str, str]]
    other_layers: tuple[str, ...]

    @property
    def rooms(self) -> list[str]:
        return [room for level in self.levels for room in level]

    @property
    def width(self) -> int:
        return NAME_WIDTH + PITCH * len(self.rooms)

    @property
    def height(self) -> int:
        return HEADER + ROW * len(self.rooms)


def read_layers() -> dict[str, Layer]:
    """Each layer by its name, as pyproject.toml and the code say.

    Raises:
        ValueError: a folder or file is in no level of pyproject.toml.
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    orders = {each["containers"][0]: each["layers"] for each in settings["contracts"] if "containers" in each}
    return {name: read_layer(name, orders[name]) for name in FOLDERS}


def read_layer(name: str, order: list[str]) -> Layer:
    levels = tuple(tuple(level.split(" | ")) for level in order)
    known = {room for level in levels for room in level}
    pairs: set[tuple[str, str]] = set()
    others: set[str] = set()
    for path in sorted(FOLDERS[name].rglob("*.py")):
        parts = path.relative_to(FOLDERS[name]).with_suffix("").parts
        if parts == ("__init__",):
            continue
        if parts[0] not in known:
            raise ValueError(f"{name}/{parts[0]} is in no level of pyproject.toml")
        for module in imported_names(path.read_text(encoding="utf-8")):
            layer, *inner = module.split(".")
            if layer == name:
                pairs |= {(parts[0], room) for room in inner[:1] if room in known - {parts[0]}}
            elif layer in FOLDERS:
                others.add("headwater.v1" if inner[:1] == ["v1"] else layer)
    return Layer(name, levels, frozenset(pairs), tuple(sorted(others)))


def draw(layers: dict[str, Layer]) -> str:
    """The picture as SVG text."""
    body: list[str] = []
    left, bottom = MARGIN, 0
    for column in COLUMNS:
        top = MARGIN
        for name in column:
            body += draw_layer(layers[name], left, top)
            top += layers[name].height + GAP
        bottom = max(bottom, top)
        left += max(layers[name].width for name in column) + COLUMN_GAP
    width, height = left - COLUMN_GAP + MARGIN, bottom + LEGEND_LINE * len(LEGEND)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
            "<title>The rooms of each layer from top to bottom, and which room imports which</title>",
            f"<style>{STYLE}</style>",
            *body,
            *(draw_text(MARGIN, bottom + LEGEND_LINE * line, "note", text) for line, text in enumerate(LEGEND)),
            "</svg>",
            "",
        ]
    )


def draw_layer(layer: Layer, left: int, top: int) -> list[str]:
    """Names in rows. Right of them each room has a line, which comes down from those that import the room."""
    first = top + HEADER
    rooms = layer.rooms
    line_of = {room: left + NAME_WIDTH + PITCH * number for number, room in enumerate(rooms)}
    row_of = {room: first + ROW * number + ROW // 2 for number, room in enumerate(rooms)}
    note = f"imports {', '.join(layer.other_layers) or 'no other layer'}"
    return [
        draw_text(left, top + 16, "title", TITLES.get(layer.name, layer.name)),
        draw_text(left, top + 34, "note", note),
        *draw_levels(layer, left, first),
        *(draw_row(layer, room, left, row_of, line_of) for room in rooms if imports_of(layer, room)),
        *(draw_line(layer, room, left, row_of, line_of) for room in rooms if importers_of(layer, room)),
        *(draw_dot(line_of[imported], row_of[room]) for room, imported in sorted(layer.imports)),
        *(draw_text(left + 4, row_of[room] + 4, "", room) for room in rooms),
    ]


def draw_levels(layer: Layer, left: int, top: int) -> Iterator[str]:
    """A ground behind every second level: rooms on one ground do not import each other."""
    for number, level in enumerate(layer.levels):
        if number % 2 == 0:
            height = ROW * len(level)
            yield f'<rect class="level" x="{left}" y="{top}" width="{layer.width}" height="{height}" rx="3"/>'
        top += ROW * len(level)


def draw_row(layer: Layer, room: str, left: int, row_of: dict[str, int], line_of: dict[str, int]) -> str:
    end = max(line_of[imported] for imported in imports_of(layer, room))
    y = row_of[room]
    start = left + NAME_WIDTH - 4 if not importers_of(layer, room) else line_of[room]
    return f'<path class="row" d="M{start},{y} H{end}"/>'


def draw_line(layer: Layer, room: str, left: int, row_of: dict[str, int], line_of: dict[str, int]) -> str:
    """From the highest importer down to the row of the room, and left to its name."""
    start = min(row_of[importer] for importer in importers_of(layer, room))
    x, y, name_end = line_of[room], row_of[room], left + NAME_WIDTH - 12
    return "\n".join(
        [
            f'<path class="line" d="M{x},{start} V{y} H{name_end + 5}"/>',
            f'<path class="head" d="M{name_end},{y} l6,-3.5 v7 z"/>',
        ]
    )


def draw_dot(x: int, y: int) -> str:
    return f'<circle class="dot" cx="{x}" cy="{y}" r="3"/>'


def imports_of(layer: Layer, room: str) -> list[str]:
    return [imported for importer, imported in layer.imports if importer == room]


def importers_of(layer: Layer, room: str) -> list[str]:
    return [importer for importer, imported in layer.imports if imported == room]


def draw_text(x: int, y: int, style: str, text: str) -> str:
    return f'<text class="{style}" x="{x}" y="{y}">{escape(text)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(draw(read_layers()), encoding="utf-8")
