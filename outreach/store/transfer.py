"""
A whole database, from one place to another: it is there, or it is as it was before.

    pages   from an SQLite file into another, in one transaction of SQLite's; who reads meanwhile
            sees the old one, and a process that is killed leaves it
    rows    every row of every table, from either kind of database into either, a few at a time,
            from one look into one transaction
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    JSON,
    Connection,
    Enum,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    cast,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.exc import DataError
from sqlalchemy.types import UserDefinedType

from outreach.errors import Unusable
from outreach.store import Store
from outreach.store.base import Base
from outreach.store.troubles import meaning

PAGES = 2048  # of SQLite's, copied at a time: 8 MB
ROWS = 200  # read and written at a time; of pictures, one

Tell = Callable[[int, int], None]
"""Told how far it is: done, of how much."""


class Damaged(Unusable):
    """An SQLite file is no database, or is one no longer."""


# --- pages --------------------------------------------------------------------------------


def reading(file: Path) -> sqlite3.Connection:
    """An SQLite file, to be read only."""
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, isolation_level=None)


def copy_pages(source: sqlite3.Connection, target: Path, *, suspect: Path, tell: Tell) -> None:
    """Write over an SQLite database, or make one.

    A transaction that is open on `source` is its one look. Raises Damaged about `suspect`, whose
    pages are not known to be good, and Unusable where it cannot be written.
    """
    try:
        with closing(sqlite3.connect(target, timeout=15, isolation_level=None)) as made:
            source.backup(
                made, pages=PAGES, progress=lambda _, left, of: tell(4 * (of - left), 4 * of)
            )
            made.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise trouble(error, target, suspect=suspect) from error


def counted(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table of an SQLite database has."""
    named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - its own names
        for (name,) in connection.execute(named).fetchall()
    }


def must_be_whole(file: Path, rows: Mapping[str, int], what: str) -> dict[str, int]:
    """Raises Damaged unless an SQLite file is sound, and has these rows at least; all it has."""
    try:
        with closing(reading(file)) as found:
            told = [line for (line,) in found.execute("PRAGMA integrity_check(3)")]
            has = counted(found) if told == ["ok"] else {}
    except sqlite3.Error as error:
        if isinstance(error, sqlite3.OperationalError):
            raise trouble(error, file, suspect=file) from error
        told, has = [str(error)], {}
    if told != ["ok"]:
        lines = "; ".join(line for text in told for line in str(text).splitlines())
        raise Damaged(f"{what} is damaged: {lines}", "restore a backup that is not")
    if lacking := [name for name, count in rows.items() if has.get(name) != count]:
        raise Damaged(
            f"{what} is not whole: not all of {', '.join(lacking)} is in it",
            "restore a backup that is",
        )
    return has


def trouble(error: sqlite3.Error, file: Path, *, suspect: Path) -> Unusable:
    """What an error means that SQLite gave for `file`, for the person who waits."""
    if not isinstance(error, sqlite3.OperationalError):
        return Damaged(f"{suspect} is damaged or is no database", "restore a backup that is not")
    return meaning(error, file) or Unusable(
        f"{file} cannot be used: {error}", "see that you may read and write it there"
    )


# --- rows ---------------------------------------------------------------------------------


class _AsWritten(UserDefinedType[str]):
    """JSON letter for letter: null, too, which is not the same as nothing."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "JSON"

    def column_expression(self, colexpr: Any) -> Any:
        return cast(colexpr, Text)


@cache
def _mirror() -> Sequence[Table]:
    """Every table, with types that carry values over as they stand."""
    everything = MetaData()
    for table in Base.metadata.sorted_tables:
        for column in table.to_metadata(everything).columns:
            if isinstance(column.type, JSON):
                column.type = _AsWritten()
            elif isinstance(column.type, Enum):
                column.type = String()
    return everything.sorted_tables


def copy_rows(
    source: Store, read: Connection, target: Store, write: Connection, tell: Tell
) -> dict[str, int]:
    """Make every table of `target` what it is in `source`; how many rows each has.

    Both have this program's revision. `read` is one look, and `write` a transaction: the caller's.
    """
    for store, connection in ((source, read), (target, write)):
        if not store.embedded:  # either may have to wait for the other
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    with source.understood():
        rows = {
            table.name: read.scalar(select(func.count()).select_from(table)) or 0
            for table in _mirror()
        }
    with target.understood():
        _empty(target, write)
    done, of = 0, sum(rows.values())
    for table in _mirror():
        pictures = any(isinstance(column.type, LargeBinary) for column in table.columns)
        size = 1 if pictures else ROWS
        with source.understood():
            found = read.execute(select(table), execution_options={"yield_per": size}).mappings()
        while True:
            with source.understood():
                some = [dict(row) for row in found.fetchmany(size)]
            if not some:
                break
            with target.understood(), _fitting(table, target):
                write.execute(insert(table), some)
            done += len(some)
            tell(done, of)
    if not target.embedded:
        with target.understood():
            _go_on_counting(write)
    return rows


def _empty(target: Store, write: Connection) -> None:
    if target.embedded:  # one that was just made: it has no rows that a trigger would keep
        for table in _mirror():
            write.execute(delete(table))
    else:
        names = ", ".join(f'"{table.name}"' for table in _mirror())
        write.exec_driver_sql(f"TRUNCATE {names}")


def _go_on_counting(write: Connection) -> None:
    """PostgreSQL: rows to come get numbers after those that came with numbers of their own."""
    for table in _mirror():
        column = table.autoincrement_column
        if column is not None:
            name = f'"{table.name}"'
            write.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{name}', '{column.name}'),"  # noqa: S608 - our own tables
                f' coalesce(max("{column.name}"), 0) + 1, false) FROM {name}'
            )


@contextmanager
def _fitting(table: Table, target: Store) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        told = " ".join(str(error.orig).split())
        raise Unusable(
            f"a row of {table.name} cannot be kept by {target.url.get_backend_name()}: {told}",
            "nothing was changed; show this line to whoever looks after the program",
        ) from error
