"""Lists the rooms in ARCHITECTURE.md, from top to bottom, each with the first sentence of its door. Draws nothing.

Run as `python -m docs.list_rooms` (or `make docs`); a test checks that the lists are those made here.
"""

import ast
import re
from pathlib import Path

from docs.draw_rooms import FOLDERS, ROOT, TITLES, Layer, read_layers

DOCUMENT = ROOT / "ARCHITECTURE.md"
LIST = re.compile(r"(<!-- rooms: (\w+) -->\n).*?(<!-- end of rooms -->\n)", re.DOTALL)
SENTENCE = re.compile(r".+?\.(?=\s|$)")
GENERATED = {"v1": "Messages and stubs, generated from `protos/`."}


def list_rooms(document: str, layers: dict[str, Layer]) -> str:
    """The text of the document with the lists of today.

    Raises:
        ValueError: a layer has no list, or a room says nothing of itself.
    """
    if layers.keys() != {match[2] for match in LIST.finditer(document)}:
        raise ValueError(f"{DOCUMENT.name} lists other layers than {', '.join(layers)}")
    return LIST.sub(lambda match: f"{match[1]}{table(layers[match[2]])}\n{match[3]}", document)


def table(layer: Layer) -> str:
    rows = [f"| `{room}` | {sentence_of(FOLDERS[layer.name], room)} |" for room in layer.rooms]
    return "\n".join([f"| {TITLES.get(layer.name, layer.name)} | |", "|---|---|", *rows])


def sentence_of(folder: Path, room: str) -> str:
    """The first sentence of the docstring of a folder's door, or of a file."""
    if room in GENERATED:
        return GENERATED[room]
    file = folder / f"{room}.py"
    door = file if file.exists() else folder / room / "__init__.py"
    text = ast.get_docstring(ast.parse(door.read_text(encoding="utf-8"))) or ""
    found = SENTENCE.match(" ".join(text.split()))
    if found is None:
        raise ValueError(f"{door.relative_to(ROOT)} has no docstring")
    return found[0].replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(list_rooms(DOCUMENT.read_text(encoding="utf-8"), read_layers()), encoding="utf-8")
