"""Draws docs/plan.svg, the picture of a nested plan: streams as wide as the candidates they carry.

Run as `python -m docs.draw_plan` (or `make docs`); a test checks that the committed picture is the one drawn here.
"""

from dataclasses import dataclass
from html import escape
from pathlib import Path

PICTURE = Path(__file__).with_name("plan.svg")
WIDTH, HEIGHT = 940, 286
BOX_WIDTH, BOX_HEIGHT = 196, 78
PIXELS_PER_CANDIDATE = 0.24
THINNEST = 4.0

STYLE = """
  text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #1f2933 }
  .title { font-weight: 600 }
  .code { font: 12px ui-monospace, monospace; fill: #52606d }
  .note { font-size: 12px }
  .count { font-size: 12px; fill: #1d6fa5 }
  .box { fill: #ffffff; stroke: #9fb3c8; stroke-width: 1.2 }
  .stream { fill: none; stroke: #7cc0e8; stroke-opacity: .55; stroke-linecap: butt }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb }
    .code { fill: #9aa5b1 }
    .count { fill: #7cc0e8 }
    .box { fill: #1f2933; stroke: #616e7c }
    .stream { stroke: #2680c2 }
  }
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the plan: its place (left top, pixels), its operator and two lines about it."""

    x: int
    y: int
    title: str
    code: str
    note: str


@dataclass(frozen=True, slots=True)
class Stream:
    """Candidates that flow from one stage into another."""

    source: Stage
    target: Stage
    candidates: int


TEXT = Stage(16, 24, "search  text", "limit 100", "graph + newest rows")
IMAGE = Stage(16, 184, "search  image", "limit 100, price <= 200", "matching points only")
FUSION = Stage(290, 104, "rrf", "k 60, limit 50", "by rank in both lists")
RESCORE = Stage(564, 104, "rescore  text", "limit 10", "exact scores of the 50")
ANSWER = Stage(838, 104, "10 hits", "", "")
STAGES = (TEXT, IMAGE, FUSION, RESCORE)
STREAMS = (
    Stream(TEXT, FUSION, 100),
    Stream(IMAGE, FUSION, 100),
    Stream(FUSION, RESCORE, 50),
    Stream(RESCORE, ANSWER, 10),
)


def draw() -> str:
    """The picture as SVG text."""
    label = (
        "Two searches of 100 candidates each are fused by rank to 50, which are scored again exactly; 10 are returned."
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">',
            f"<title>{escape(label)}</title>",
            f"<style>{STYLE}</style>",
            *(draw_stream(stream) for stream in STREAMS),
            *(draw_stage(stage) for stage in STAGES),
            draw_text(ANSWER.x, ANSWER.y + BOX_HEIGHT // 2 - 2, "title", ANSWER.title),
            draw_text(ANSWER.x, ANSWER.y + BOX_HEIGHT // 2 + 16, "code", "+ payload"),
            "</svg>",
            "",
        ]
    )


def draw_stage(stage: Stage) -> str:
    left, top = stage.x, stage.y
    return "\n".join(
        [
            f'<rect class="box" x="{left}" y="{top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>',
            draw_text(left + 14, top + 24, "title", stage.title),
            draw_text(left + 14, top + 44, "code", stage.code),
            draw_text(left + 14, top + 64, "note", stage.note),
        ]
    )


def draw_stream(stream: Stream) -> str:
    start_x, start_y = stream.source.x + BOX_WIDTH, stream.source.y + BOX_HEIGHT // 2
    end_x, end_y = stream.target.x - (8 if stream.target is ANSWER else 0), stream.target.y + BOX_HEIGHT // 2
    # Streams that meet enter side by side, the upper one above.
    end_y += 0 if start_y == end_y else -14 if start_y < end_y else 14
    middle = (start_x + end_x) // 2
    thickness = max(THINNEST, stream.candidates * PIXELS_PER_CANDIDATE)
    path = f"M{start_x},{start_y} C{middle},{start_y} {middle},{end_y} {end_x},{end_y}"
    rises = start_y > end_y
    label_y = start_y + int(thickness / 2) + 18 if rises else start_y - int(thickness / 2) - 8
    return "\n".join(
        [
            f'<path class="stream" d="{path}" stroke-width="{thickness:g}"/>',
            draw_text(start_x + 8, label_y, "count", str(stream.candidates)),
        ]
    )


def draw_text(x: int, y: int, style: str, text: str) -> str:
    return f'<text class="{style}" x="{x}" y="{y}" xml:space="preserve">{escape(text)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
