"""Writes into conformance cases what the server of this checkout answers: python -m tests.clients.record FILE ...

For whoever writes a case: write the calls with an empty `answer` or `error`, record, and read every answer. Paths of
`without` are left out. A step keeps its kind: a call that was to fail must fail.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.clients import cases
from tests.clients.asking import Outcome, new_names, outcomes
from tests.clients.cases import Json, Step, tree_of
from tests.clients.servers import channel_to, client_servers

WIDTH = 118


def main(paths: list[str]) -> None:
    """Records each file."""
    with tempfile.TemporaryDirectory() as folder, client_servers(Path(folder)) as servers:
        for path in map(Path, paths):
            case, document = cases.load(path), json.loads(path.read_text(encoding="utf-8"))
            names = new_names(servers["HEADWATER_API_KEY"])
            with channel_to(case.server, servers) as channel:
                for raw, (step, outcome) in zip(document["steps"], outcomes(case, channel, names), strict=True):
                    raw.update(_named(_recorded(step, outcome), names))
            path.write_text(written(document) + "\n", encoding="utf-8")


def _recorded(step: Step, outcome: Outcome) -> dict[str, Json]:
    if step.error is not None:
        assert outcome.error is not None, f"{step.call} was to fail: {step.request}"
        kept = {key: value for key, value in outcome.error.items() if value}
        return {"error": {key: value for key, value in kept.items() if key != "metadata" or "metadata" in step.error}}
    assert outcome.error is None, f"{step.call}: {outcome.error}"
    trees = [tree_of(answer, step.without) for answer in outcome.answers]
    return {"answers": trees} if step.answers is not None else {"answer": trees[0]}


def _named(value: Json, names: Mapping[str, str]) -> Json:
    """The value with the names of this run as `${name}` again."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)  # the order of a map differs from run to run
    for name, one in names.items():
        text = text.replace(one, f"${{{name}}}")
    named: Json = json.loads(text)
    return named


def written(value: Json, indent: int = 0) -> str:
    """JSON with what fits into a line on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= WIDTH or not isinstance(value, list | dict) or not value:
        return line
    space = " " * (indent + 2)
    if isinstance(value, list):
        parts, ends = [written(item, indent + 2) for item in value], "[]"
    else:
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {written(item, indent + 2)}" for key, item in value.items()]
        ends = "{}"
    return f"{ends[0]}\n{space}" + f",\n{space}".join(parts) + f"\n{' ' * indent}{ends[1]}"


if __name__ == "__main__":
    main(sys.argv[1:])
