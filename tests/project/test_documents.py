"""The documents are true as far as a program can tell."""

import importlib
import re
from dataclasses import fields
from pathlib import Path

import grimp
import pytest

from docs import draw_plan, draw_rooms, list_rooms
from server.config import Config
from tests.support.documents import MAKE, anchors, documents, fences, links, make_targets, prose, references, symbols
from tests.support.root import ROOT

EVERY_DOCUMENT = pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
LIMIT_ROW = re.compile(r"^\|[^|]+\| ([\d,]+) \| `([\w/]+)\.py:(\w+)` \|$", re.MULTILINE)
SETTING_ROW = re.compile(r"^\| `--([\w-]+)` \| `HEADWATER_(\w+)` \|$", re.MULTILINE)


@EVERY_DOCUMENT
def test_files_and_symbols_exist(document: Path) -> None:
    for path, symbol in references(document):
        assert path.exists(), f"{path.relative_to(ROOT)} does not exist"
        assert symbol is None or symbol in symbols(path), f"{path.relative_to(ROOT)} has no {symbol}"


@EVERY_DOCUMENT
def test_links_lead_somewhere(document: Path) -> None:
    for path, anchor in links(document):
        assert path.exists(), f"{path} does not exist"
        assert not anchor or anchor in anchors(path), f"{path} has no heading #{anchor}"


@EVERY_DOCUMENT
def test_make_targets_exist(document: Path) -> None:
    text = " ".join([*re.findall(r"`(make [^`]*)`", prose(document)), *(text for _, text in fences(document))])
    assert set(MAKE.findall(text)) <= make_targets()


def test_limits_are_those_of_the_code() -> None:
    rows = LIMIT_ROW.findall((ROOT / "docs/limits.md").read_text())
    assert len(rows) > 10
    for bound, module, name in rows:
        assert getattr(importlib.import_module(module.replace("/", ".")), name) == int(bound.replace(",", "")), name


def test_limits_of_queries_are_all_listed() -> None:
    listed = {
        name for _, module, name in LIMIT_ROW.findall((ROOT / "docs/limits.md").read_text()) if "limits" in module
    }
    # The bound of weights guards arithmetic and is far beyond use.
    assert listed == {name for name in symbols(ROOT / "planner/limits.py") if name.startswith("MAX_")} - {"MAX_WEIGHT"}


def test_settings_are_those_of_the_server() -> None:
    rows = SETTING_ROW.findall((ROOT / "docs/operating.md").read_text())
    assert [flag.replace("-", "_") for flag, _ in rows] == [field.name for field in fields(Config)]
    assert [variable.lower() for _, variable in rows] == [field.name for field in fields(Config)]


def test_the_picture_of_a_plan_is_the_one_drawn() -> None:
    assert draw_plan.PICTURE.read_text(encoding="utf-8") == draw_plan.draw(), "run `make docs`"


def test_the_map_of_the_rooms_shows_the_imports() -> None:
    drawn = draw_rooms.draw(draw_rooms.read_layers())
    assert draw_rooms.PICTURE.read_text(encoding="utf-8") == drawn, "run `make docs`"


def test_the_list_of_the_rooms_is_what_their_doors_say() -> None:
    document = list_rooms.DOCUMENT.read_text(encoding="utf-8")
    assert document == list_rooms.list_rooms(document, draw_rooms.read_layers()), "run `make docs`"


def test_the_map_knows_every_import_and_no_other() -> None:
    """Compared with the graph that the import contracts use."""
    layers = draw_rooms.read_layers()
    graph = grimp.build_graph(*layers, cache_dir=None)
    for name, layer in layers.items():
        found = {
            (room_of(module), room_of(imported))
            for module in graph.modules - {name}
            if module.startswith(f"{name}.")
            for imported in graph.find_modules_directly_imported_by(module)
            if imported.startswith(f"{name}.")
        }
        assert {(room, imported) for room, imported in found if room != imported} == layer.imports


def room_of(module: str) -> str:
    return module.split(".")[1]
