"""Questions in plain SQL, for what a plan asks of the database: they do without SQLAlchemy.

Its import takes a quarter of a second, five times as long as planning a thousand messages whose
files have not changed. So an SQLite file is asked by Python's own sqlite3, and whoever has
SQLAlchemy open already (a transaction, a PostgreSQL server) is asked the same SQL through that.
Values come as the database keeps them, which `instant` and `value` take for what they are.
"""

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SOME = 1000  # rows that are read at a time

_FILE = re.compile(r"sqlite:///(?!file:|:memory:)([^?]+)", re.DOTALL)


class Ask(Protocol):
    """Asks one look: SQL that both databases understand, with names like :key for what is given.

    All of what comes is to be read.
    """

    def __call__(self, sql: str, **given: object) -> Iterable[Sequence[Any]]: ...


def file_of(url: str) -> Path | None:
    """The SQLite file that an address plainly names; None for every other kind of address."""
    found = _FILE.fullmatch(url)
    return Path(found[1]) if found else None


@contextmanager
def look(file: Path, *, busy: float) -> Iterator[Ask]:
    """One consistent look into an SQLite file that is there. Raises sqlite3.Error."""
    address = f"file:{quote(os.fsencode(file))}?mode=rw"  # never makes one
    with closing(
        sqlite3.connect(address, uri=True, timeout=busy, isolation_level=None)
    ) as connection:
        connection.execute("BEGIN")

        def ask(sql: str, **given: object) -> Iterable[Sequence[Any]]:
            return connection.execute(sql, given)

        yield ask


def asking(session: "Session") -> Ask:
    """The same within a session: one that writes sees what it has written."""
    from sqlalchemy import text

    def ask(sql: str, **given: object) -> Iterable[Sequence[Any]]:
        return session.execute(text(sql), given, execution_options={"yield_per": SOME})

    return ask


def instant(kept: Any) -> datetime:
    """A moment as the database keeps it, aware: UTC without a zone, in SQLite as text."""
    at = kept if isinstance(kept, datetime) else datetime.fromisoformat(kept)
    return at.replace(tzinfo=UTC)


def value(kept: Any) -> Any:
    """What was kept as JSON; SQLite gives its text."""
    return json.loads(kept) if isinstance(kept, str) else kept
