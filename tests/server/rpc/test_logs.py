"""Log lines: one each, whatever callers put into them."""

import json
import logging

import pytest

from server.rpc.logs import JsonFormatter, TextFormatter

NASTY = 'a\nFAKE "line" \x1b[31m'


def record(message: str, error: BaseException | None = None, **fields: object) -> logging.LogRecord:
    exc_info = None if error is None else (type(error), error, None)
    made = logging.LogRecord("server", logging.WARNING, __file__, 1, message, (), exc_info)
    made.__dict__["fields"] = fields
    return made


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()], ids=["text", "json"])
def test_a_line_is_a_line(formatter: logging.Formatter) -> None:
    text = formatter.format(record(NASTY, collection=NASTY))
    assert text.isprintable()


def test_json_lines_hold_everything() -> None:
    entry = json.loads(JsonFormatter().format(record("hello", ValueError("no"), ms=1.5)))
    assert (entry["message"], entry["level"], entry["ms"]) == ("hello", "WARNING", 1.5)
    assert "ValueError: no" in entry["traceback"]


def test_text_lines_are_readable() -> None:
    text = TextFormatter().format(record("slow request", method="M", ms=1.5))
    assert text.endswith('Z WARNING server: slow request method="M" ms=1.5')
