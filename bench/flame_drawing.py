"""A flame graph as SVG: stacks with their numbers of samples -> a picture. Width is time, the root is at the top."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

Stack = tuple[str, ...]

_WIDTH, _HEIGHT, _TOP, _LETTER = 1600, 17, 30, 6.6
_LEAST = 1.5  # narrower frames are left out
_COLOURS = ("#f2b45c", "#e99f52", "#f5c77b", "#ec8f5e")


@dataclass(slots=True)
class _Frame:
    """A function below its callers, and the samples in it."""

    samples: int = 0
    called: dict[str, "_Frame"] = field(default_factory=dict)


def flame(stacks: Mapping[Stack, int], title: str) -> str:
    """`stacks`: samples by the names of the functions, the outermost first."""
    root = _Frame()
    for stack, samples in stacks.items():
        frame = root
        frame.samples += samples
        for name in stack:
            frame = frame.called.setdefault(name, _Frame())
            frame.samples += samples
    scale = _WIDTH / max(1, root.samples)
    height = _TOP + _HEIGHT * max(map(len, stacks), default=0) + 6
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'font-family="monospace" font-size="11"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="6" y="19" font-size="13">{escape(title)}</text>{_drawn(root, 0.0, 0, scale)}</svg>\n'
    )


def _drawn(frame: _Frame, left: float, depth: int, scale: float) -> str:
    parts = []
    for name, called in sorted(frame.called.items()):
        width, top = called.samples * scale, _TOP + depth * _HEIGHT
        if width >= _LEAST:
            shown = name[: int(width / _LETTER)] if width > 4 * _LETTER else ""
            parts.append(
                f"<g><title>{escape(name)} ({called.samples * scale / _WIDTH:.1%})</title>"
                f'<rect x="{left:.1f}" y="{top}" width="{width - 0.5:.1f}" height="{_HEIGHT - 1}" '
                f'fill="{_COLOURS[sum(name.encode()) % len(_COLOURS)]}"/>'
                f'<text x="{left + 2:.1f}" y="{top + 12}">{escape(shown)}</text></g>'
            )
            parts.append(_drawn(called, left, depth + 1, scale))
        left += width
    return "".join(parts)
