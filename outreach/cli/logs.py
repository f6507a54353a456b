"""Logs: the office's own file, readable by its owner alone, or stderr for a running desk.

Every line goes through the office's secrets first: none of them is ever written. A line that is
logged while a delivery is in hand carries its key, whoever logs it.
"""

import json
import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from outreach.about import KNOWN, facts
from outreach.cli import tokens
from outreach.errors import OutreachError

_LINE = "%(asctime)sZ %(levelname)s %(name)s: %(message)s"
_TALKATIVE = (
    *("httpx", "httpcore", "telegram", "tweepy", "urllib3", "uvicorn"),
    *("alembic", "apscheduler"),
)


class Format(StrEnum):
    """How a line is written: for people, or one JSON object for machines."""

    TEXT = "text"
    JSON = "json"


class _Discreet(logging.Formatter):
    """A line without the office's secrets; an address with a token in it is a network's habit."""

    converter = staticmethod(lambda seconds: datetime.fromtimestamp(seconds or 0, UTC).timetuple())

    def __init__(self, home: Path | None) -> None:
        super().__init__(_LINE, "%Y-%m-%d %H:%M:%S")
        self._home = home

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """The line without its stack: with what it is about at its end."""
        about = " ".join(f"{name}={value}" for name, value in facts().items())
        return super().formatMessage(record) + (f" ({about})" if about else "")

    def format(self, record: logging.LogRecord) -> str:
        return _without_secrets(super().format(record), self._home)


class _Json(_Discreet):
    """One line, one object: time, level, logger, message; what it is about; a stack, if any."""

    def format(self, record: logging.LogRecord) -> str:
        known = facts()
        told: dict[str, str | int] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: known[name] for name in KNOWN if name in known},
        }
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        # Each by itself: written as JSON, a secret may look otherwise.
        clean = {
            name: _without_secrets(value, self._home) if isinstance(value, str) else value
            for name, value in told.items()
        }
        return json.dumps(clean, ensure_ascii=False)


def _without_secrets(text: str, home: Path | None) -> str:
    from outreach.config import without_secrets

    try:
        return without_secrets(text, home)
    except (OSError, OutreachError):  # a secrets folder that cannot be read
        return "(not shown: the office's secrets cannot be read, so they cannot be left out)"


@contextmanager
def to_file(home: Path) -> Iterator[None]:
    """Warnings and worse go to data/outreach.log, and none to the screen."""
    with _handling(_Private(home / "data" / "outreach.log"), _Discreet(home), logging.WARNING):
        yield


@contextmanager
def to_stderr(home: Path, stream: TextIO, format: Format = Format.TEXT) -> Iterator[None]:
    """What a running desk does, a line each; of libraries, warnings only."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    form = _Json(home) if format is Format.JSON else _Discreet(home)
    with _handling(logging.StreamHandler(stream), form, logging.INFO):
        yield


@contextmanager
def _handling(handler: logging.Handler, form: _Discreet, level: int) -> Iterator[None]:
    root = logging.getLogger()
    handler.setFormatter(form)
    handler.setLevel(level)
    before = root.level
    root.addHandler(handler)
    root.setLevel(min(level, before))
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()


class _Private(logging.Handler):
    """Appends to a file of mode 0600, opened for each line: commands rarely write one."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _append(self._file, self.format(record))
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Nothing: a log that cannot be written must not fill an officer's screen."""


def keep_trace(home: Path | None, error: Exception) -> Path | None:
    """Write an unforeseen error to the office's log, or to the person's own; where, or None."""
    told = "".join(traceback.format_exception(error)).rstrip()
    line = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ} {_without_secrets(told, home)}"
    places = [home / "data" / "outreach.log"] if home else []
    for file in [*places, tokens.folder() / "outreach.log"]:
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _append(file, line)
        except (OSError, OutreachError):
            continue
        return file
    return None


def _append(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as opened:
        os.fchmod(opened.fileno(), 0o600)
        opened.write(text + "\n")
