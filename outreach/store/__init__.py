"""The database: how it is opened, how it is written, and what its troubles mean.

SQLite beside the office's files is the default; a PostgreSQL address serves the same tables.
Reading and writing are short transactions; none is ever open while we wait for a network.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    TypeDecorator,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from outreach.errors import Unusable

HEAD = "0004"
"""The revision that this program works with; a test holds it to the newest migration."""

BUSY = 15.0  # seconds; with 20 threads writing, nothing was locked out (3,479 times without)


class Instant(TypeDecorator[datetime]):
    """Aware datetimes in and out; UTC in the database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Every table; see `outreach/store/tables.py`, `delivery.py` and `clearance.py`."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: Instant,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }


class Store:
    """One database. `reading()` and `writing()` are the two ways in."""

    def __init__(self, url: str, *, busy: float = BUSY) -> None:
        """Open the database of this SQLAlchemy address; a writer waits `busy` seconds for another.

        Raises Unusable where there cannot be a file. Makes its folder, for its owner alone.
        """
        self.url = make_url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        self.file = (
            Path(self.url.database.removeprefix("file:"))
            if self.embedded and self.url.database not in (None, "", ":memory:")
            else None
        )
        if self.file:
            try:
                self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise Unusable(
                    f"the database's folder {self.file.parent} cannot be made: {error.strerror}",
                    "give this user the right to write there, or choose another: [desk] database",
                ) from error
        if self.embedded:
            # As many connections as threads may want at once: they wait for each other in the
            # database, which knows for how long.
            self.engine = create_engine(
                self.url, connect_args={"timeout": busy}, pool_size=64, max_overflow=-1
            )
            event.listen(self.engine, "connect", _sqlite)
            event.listen(self.engine, "begin", _begin)
        else:
            self.engine = create_engine(self.url, pool_pre_ping=True)
        self._writer = self.engine.execution_options(writes=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent look. Raises Unusable where the database cannot be read."""
        with _understood(self), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One short transaction, committed at the end, or nothing at all.

        On SQLite it takes the write lock at once, so that what is read in it stays true.
        Raises Unusable where the database cannot be written.
        """
        with (
            _understood(self),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def prepare(self, *, make: bool = True) -> None:
        """Bring the tables to this program's revision; where there are none, make them, if so told.

        Raises Unusable for a database that a newer version of this program has written, and
        without `make` where there is no database: an empty one in its place would know nothing of
        what was published.
        """
        revision = self.revision()
        if revision == HEAD:
            return
        if not revision and not make:
            place = self.file or self.url.render_as_string(hide_password=True)
            raise Unusable(
                f"this office has no database: there is nothing at {place}",
                "restore the last backup to that place; or for a new office: outreach init",
            )
        from outreach.store.migrations import known, upgrade

        if revision and revision not in known():
            raise Unusable(
                f"the database is of revision {revision}, written by a newer version of outreach; "
                f"this one knows up to {HEAD}",
                "install the newer version, or restore a backup that this version has made",
            )
        with _understood(self):
            upgrade(self._writer)  # two processes that start at once: the second finds it done

    def revision(self) -> str:
        """The revision of the tables, or "" where there are none yet."""
        if self.file and not self.file.exists():
            return ""  # to ask SQLite would make one
        with _understood(self), self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return ""
            return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")

    def close(self) -> None:
        self.engine.dispose()


def _sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin our transactions ourselves
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # Losing the last commits in a power cut could lose an intent, and with it send twice.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_TROUBLES = (
    (
        ("database is locked", "database table is locked"),
        "the database is locked by another program",
        "close what has it open (a second outreach, a database viewer), then try again",
    ),
    (
        ("readonly database", "read-only"),
        "the database is read-only",
        "give this user the right to write it and the folder it is in",
    ),
    (
        ("disk is full", "no space left", "disk i/o error"),
        "the disk is full or failing",
        "make room, then try again; nothing was half-written",
    ),
    (
        ("unable to open database file",),
        "the database file cannot be opened",
        "see that its folder exists and may be written",
    ),
    (
        ("file is not a database", "malformed"),
        "the database file is damaged or is no database",
        "restore the last backup",
    ),
    (
        ("no such table", "does not exist"),
        "the database has no tables yet",
        "run: outreach init",
    ),
)


@contextmanager
def _understood(store: Store) -> Iterator[None]:
    """Say what a database's error means for the person who waits."""
    try:
        yield
    except (OperationalError, DatabaseError) as error:
        told = str(error.orig).lower()
        for signs, what, hint in _TROUBLES:
            if any(sign in told for sign in signs):
                place = store.file or store.url.render_as_string(hide_password=True)
                raise Unusable(f"{what} ({place})", hint) from error
        raise
