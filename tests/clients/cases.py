"""The conformance cases, `client/conformance/*.json`: calls and what they answer, the same for clients of any language.

Reads and checks the files, fills in names, and compares. Asks no server: see tests/clients/asking.py.
The format is described in client/conformance/README.md.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from tests.support.root import ROOT

FOLDER = ROOT / "client" / "conformance"
FILES = sorted(FOLDER.glob("*.json"))
SERVERS = ("plain", "keyed", "tls")
PLACE = re.compile(r"\$\{(\w+)\}")

Json = Any


class BadCase(ValueError):
    """A file that is not a case."""


@dataclass(frozen=True)
class Step:
    """One call and its outcome: see the README of the cases."""

    call: str
    request: Json = None
    requests: Sequence[Json] | None = None
    answer: Json = None
    answers: Sequence[Json] | None = None
    error: Mapping[str, Json] | None = None
    metadata: Mapping[str, str] | None = None
    without: Sequence[str] = ()
    keep: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Case:
    """The steps of one file, in order, and the server that they are for."""

    about: str
    server: str
    steps: tuple[Step, ...]


def load(path: Path) -> Case:
    """The case of a file. Raises BadCase for a key that is not known and for a step without an outcome."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if set(document) != {"about", "server", "steps"} or document["server"] not in SERVERS:
        raise BadCase(f"{path.name}: it has about, server (one of {', '.join(SERVERS)}) and steps, and nothing else")
    return Case(document["about"], document["server"], tuple(_step(path.name, step) for step in document["steps"]))


def _step(name: str, step: Mapping[str, Json]) -> Step:
    known = {field.name for field in fields(Step)}
    if not set(step) <= known or "call" not in step:
        raise BadCase(f"{name}: a step has `call`, and of others only {', '.join(sorted(known))}: {step}")
    if ("request" in step) == ("requests" in step):
        raise BadCase(f"{name}: a step has one of request and requests: {step}")
    if sum(key in step for key in ("answer", "answers", "error")) != 1:
        raise BadCase(f"{name}: a step has one of answer, answers and error: {step}")
    return Step(**step)


def filled_step(step: Step, names: Mapping[str, str]) -> Step:
    """The step with each `${name}` of its strings replaced. Raises KeyError for a name that is not known."""
    return replace(step, **{field.name: filled(getattr(step, field.name), names) for field in fields(Step)})


def filled(value: Json, names: Mapping[str, str]) -> Json:
    """The value with each `${name}` of its strings replaced; keys of objects are strings too."""
    if isinstance(value, str):
        return PLACE.sub(lambda found: names[found[1]], value)
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if isinstance(value, dict):
        return {filled(key, names): filled(item, names) for key, item in value.items()}
    return value


def tree_of(message: Message, without: Sequence[str] = ()) -> Json:
    """The message as a tree of proto3 JSON, less some paths. A path has JSON names; `*` is each element or key."""
    tree = json_format.MessageToDict(message)
    for path in without:
        _drop(tree, path.split("."))
    return tree


def _drop(tree: Json, path: Sequence[str]) -> None:
    head, *rest = path
    if head == "*":
        for child in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
            _drop(child, rest)
    elif isinstance(tree, dict) and head in tree:
        if rest:
            _drop(tree[head], rest)
        else:
            del tree[head]


def found(tree: Json, path: str) -> str:
    """The string or number at a path of a tree, as a string."""
    for name in path.split("."):
        tree = tree[int(name)] if isinstance(tree, list) else tree[name]
    return str(tree)
