"""The database: how it is opened, how it is written, and what its troubles mean.

SQLite beside the office's files is the default; a PostgreSQL address serves the same tables.
Reading and writing are short transactions; none is ever open while we wait for a network.

    reading()             one consistent look
    writing()             the only one who writes: what is read in it stays true
    writing(shared=True)  a delivery's own moves, beside those of other workers: rows are locked

On SQLite the file has one writer anyway. On PostgreSQL one advisory lock says the same: a person's
verb takes it alone, and the moves of deliveries share it. So what holds on one machine holds on
many.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    URL,
    Connection,
    DateTime,
    Dialect,
    Engine,
    TypeDecorator,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.exc import StaleDataError

from outreach.errors import Changed, Unusable
from outreach.store.duty import Duty
from outreach.store.pulse import Pulse

HEAD = "0011"
"""The revision that this program works with; a test holds it to the newest migration."""

BUSY = 15.0  # seconds; with 20 threads writing, nothing was locked out (3,479 times without)
WRITERS = 0x6F75747265616368  # the advisory lock of whoever writes: "outreach" in ASCII

# A process that is stopped in mid-transaction would keep all others out for as long as it sleeps.
IDLE = 10  # seconds that a transaction may do nothing before PostgreSQL ends it


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

    def __init__(self, url: str | URL, *, busy: float = BUSY) -> None:
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
            self._reader = self.engine
        else:
            self.engine = _postgresql(self.url, busy)
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ")
        self._writers = {
            shared: self.engine.execution_options(writes="shared" if shared else "alone")
            for shared in (False, True)
        }
        self.duty, self.pulse = Duty(self), Pulse(self)
        self._busy, self._writing = busy, Lock()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent look. Raises Unusable where the database cannot be read."""
        with self.understood(), Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self, *, shared: bool = False) -> Iterator[Session]:
        """One short transaction, committed at the end, or nothing at all.

        Alone, so that what is read in it stays true; or beside others that are `shared` too, where
        it locks the rows that it changes. Raises Unusable where the database cannot be written.
        """
        with (
            self._turn(),
            self.understood(),
            Session(self._writers[shared], expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """This process's threads write an SQLite file in turn: SQLite itself would have them sleep,
        for up to 100 ms at a time, and look again."""
        if self.embedded and not self._writing.acquire(timeout=self._busy):
            raise Unusable(
                f"the database is locked by this program itself ({self.file})",
                "try again in a moment",
            )
        try:
            yield
        finally:
            if self.embedded:
                self._writing.release()

    @contextmanager
    def alone(self, job: str, *, idle: str = "10min") -> Iterator[bool]:
        """Whether this is the only process that does this job, for as long as the block lasts.

        A job may take long and hold no transaction. On PostgreSQL a process that dies, or is
        `idle` for longer ("0": however long), loses it; an SQLite database has one publisher,
        who is always alone.
        """
        if self.embedded:
            yield True
            return
        with self.understood(), self.session_connection(idle=idle) as connection:
            number = int.from_bytes(hashlib.sha256(job.encode()).digest()[:4], signed=True)
            lock = {"job": number, "of": WRITERS & 0x7FFFFFFF}
            mine = connection.scalar(text("SELECT pg_try_advisory_lock(:of, :job)"), lock)
            try:
                yield bool(mine)
            finally:
                # Not back to the pool: closing it gives the lock and the settings back, whatever
                # became of the connection meanwhile.
                connection.invalidate()

    def session_connection(self, *, idle: str) -> Connection:
        """PostgreSQL: a connection for a lock that lasts as long as it does.

        The server ends it when it was `idle` for longer; "0" is for ever.
        """
        engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        connection = engine.connect()
        connection.exec_driver_sql(f"SET idle_session_timeout = '{idle}'")
        return connection

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Say what a database's error means for the person who waits: raises Unusable for it.

        Changed where a row was changed by somebody else in the same moment.
        """
        try:
            yield
        except StaleDataError as error:
            raise Changed(
                "somebody else changed it at the same moment", "look again, and decide anew"
            ) from error
        except DBAPIError as error:
            told = str(error.orig).lower()
            for signs, what, hint in _TROUBLES:
                if any(sign in told for sign in signs):
                    place = self.file or self.url.render_as_string(hide_password=True)
                    raise Unusable(f"{what} ({place})", hint) from error
            raise

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
                "restore the last backup: outreach restore FILE; a new office has: outreach init",
            )
        from outreach.store.migrations import known, upgrade

        if revision and revision not in known():
            raise Unusable(
                f"the database is of revision {revision}, written by a newer version of outreach; "
                f"this one knows up to {HEAD}",
                "install the newer version, or restore a backup that this version has made",
            )
        with self.understood():
            upgrade(
                self._writers[False]
            )  # two processes that start at once: the second finds it done

    def revision(self) -> str:
        """The revision of the tables, or "" where there are none yet."""
        if self.file and not self.file.exists():
            return ""  # to ask SQLite would make one
        with self.understood(), self.engine.connect() as connection:
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


def _postgresql(url: URL, busy: float) -> Engine:
    """The engine of a PostgreSQL database. Raises Unusable where its driver is not installed."""
    options = {
        "timezone": "UTC",
        "lock_timeout": f"{busy:g}s",
        "idle_in_transaction_session_timeout": f"{IDLE}s",
    }
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={
                "connect_timeout": 10,
                "application_name": "outreach",
                "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
            },
            pool_pre_ping=True,
            pool_size=8,
            max_overflow=-1,  # sessions are short; the server says how many there may be
        )
    except ImportError as error:
        raise Unusable(
            "a PostgreSQL database needs a part that is not installed",
            "install it: pip install 'outreach[postgresql]'",
        ) from error
    event.listen(engine, "begin", _take_turn)
    return engine


def _take_turn(connection: Connection) -> None:
    writes: Literal["alone", "shared"] | None = connection.get_execution_options().get("writes")
    if writes:
        of = "_shared" if writes == "shared" else ""
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock{of}({WRITERS})")


_TROUBLES = (
    (
        ("database is locked", "database table is locked"),
        "the database is locked by another program",
        "close what has it open (a second outreach, a database viewer), then try again",
    ),
    (
        ("lock timeout", "deadlock detected", "idle-in-transaction"),
        "the database is busy",
        "try again in a moment",
    ),
    (
        ("password authentication failed", "no password supplied", 'role "'),
        "the database server refused the login",
        "see its user and password in [desk] database, or in OUTREACH_DATABASE",
    ),
    (
        (
            "connection refused",
            "could not translate host",
            "failed to resolve",
            "timeout expired",
            "connection timeout",
            "name or service not known",
            "no such file or directory",
        ),
        "the database server cannot be reached",
        "see that it runs, and its address in [desk] database, or in OUTREACH_DATABASE",
    ),
    (
        (
            "server closed the connection",
            "terminating connection",
            "connection is closed",
            "starting up",
            "shutting down",
            "connection is lost",
            "recovery mode",
            "the connection is closed",
            "ssl connection has been closed",
            "connection reset",
            "consuming input failed",
            "sending query",
        ),
        "the database server ended the connection",
        "it may be starting anew; try again in a moment",
    ),
    (
        ("too many connections", "too many clients", "remaining connection slots"),
        "the database server takes no more connections",
        "raise its max_connections, or end what has them",
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
        "restore the last backup: outreach restore FILE --replace",
    ),
    (
        ("no such table", "does not exist"),
        "the database has no tables yet",
        "run: outreach init",
    ),
)
