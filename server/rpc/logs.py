"""Log lines on standard error: one line each, readable or JSON. It does not decide what is logged."""

import json
import logging
import sys
import time
from typing import Any

from server.rpc.slow_requests import Plans

FIELDS = "fields"
"""The attribute of a log record (`extra={"fields": {...}}`) with facts that are not in the sentence."""

PLANS = "plans"
"""The attribute with the plans of a slow request: see Plans. As text, they have lines of their own."""

_INDENT = "    "


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.123Z INFO server.requests: request method="..." ms=1.5`; a traceback has its own lines."""

    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {key}={json.dumps(value)}" for key, value in getattr(record, FIELDS, {}).items())
        line = f"{_time(record)} {record.levelname} {record.name}: {_one_line(record.getMessage())}{facts}"
        plans: Plans | None = getattr(record, PLANS, None)
        if plans is not None:
            # Indented, and each on one line, so that no name in a plan can pass for a line of the log.
            line = "\n".join([line, *(_INDENT + _one_line(each) for each in plans.text().splitlines())])
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the fields, and a traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {"time": _time(record), "level": record.levelname, "logger": record.name}
        entry |= {"message": record.getMessage(), **getattr(record, FIELDS, {})}
        plans: Plans | None = getattr(record, PLANS, None)
        if plans is not None:
            entry[PLANS] = plans.data()
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure_logs(level: str, form: str) -> None:
    """Sends the process's logs of at least `level` to standard error, as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _time(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"


def _one_line(text: str) -> str:
    """The text on one line. Callers choose parts of what is logged, and must not be able to forge a line."""
    return text if text.isprintable() else json.dumps(text)[1:-1]
