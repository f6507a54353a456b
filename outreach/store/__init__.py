"""The database: how it is opened, how it is written, and what its troubles mean.

SQLite beside the office's files is the default; a PostgreSQL address serves the same tables.
Reading and writing are short transactions; none is ever open while we wait for a network.

    looking()             one consistent look, for plain SQL
    reading()             one consistent look, for rows
    writing()             the only one who writes: what is read in it stays true
    writing(shared=True)  a delivery's own moves, beside those of other workers: rows are locked

On SQLite the file has one writer anyway. On PostgreSQL one advisory lock says the same: a person's
verb takes it alone, and the moves of deliveries share it. So what holds on one machine holds on
many.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from outreach.errors import Changed, Unusable
from outreach.store.duty import Duty
from outreach.store.plain import Ask, asking, file_of, look
from outreach.store.pulse import Pulse
from outreach.store.troubles import meaning

if TYPE_CHECKING:  # see `outreach/store/plain.py`: a look may do without it
    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.orm import Session

    from outreach.store.engines import Engines

HEAD = "0015"
"""The revision that this program works with; a test holds it to the newest migration."""

BUSY = 15.0  # seconds; with 20 threads writing, nothing was locked out (3,479 times without)


class Store:
    """One database. `looking()`, `reading()` and `writing()` are the ways in."""

    def __init__(self, url: "str | URL", *, busy: float = BUSY) -> None:
        """Open the database of this SQLAlchemy address; a writer waits `busy` seconds for another.

        Raises Unusable where there cannot be a file. Makes its folder, for its owner alone.
        """
        self._address, self._busy = url, busy
        self._engines: Engines | None = None
        self._opening, self._writing = Lock(), Lock()
        self._plain = file_of(url) if isinstance(url, str) else None
        self.file, self.embedded = self._plain, True
        if self._plain is None:
            self.embedded, name = self.url.get_backend_name() == "sqlite", self.url.database
            if self.embedded and name not in (None, "", ":memory:"):
                self.file = Path(name.removeprefix("file:"))
        if self.file:
            try:
                self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise Unusable(
                    f"the database's folder {self.file.parent} cannot be made: {error.strerror}",
                    "give this user the right to write there, or choose another: [desk] database",
                ) from error
        if self._plain is None:
            self._opened()  # what it needs may not be installed: that is said at once
        self.duty, self.pulse = Duty(self), Pulse(self)

    @cached_property
    def url(self) -> "URL":
        from sqlalchemy import make_url

        return make_url(self._address)

    @property
    def engine(self) -> "Engine":
        """SQLAlchemy's way to the database."""
        return self._opened().plain

    def _opened(self) -> "Engines":
        with self._opening:
            if self._engines is None:
                from outreach.store.engines import opened

                self._engines = opened(self.url, self._busy)
            return self._engines

    @property
    def place(self) -> str:
        """Where the database is, for a person; never its password."""
        return str(self.file or self.url.render_as_string(hide_password=True))

    @contextmanager
    def looking(self) -> Iterator[Ask]:
        """One consistent look by plain SQL. Raises Unusable where the database cannot be read."""
        if self._plain is None or self._engines is not None:
            with self.reading() as session:
                yield asking(session)
            return
        try:
            with look(self._plain, busy=self._busy) as ask:
                yield ask
        except sqlite3.Error as error:
            if known := meaning(error, self.place):
                raise known from error
            raise

    @contextmanager
    def reading(self) -> "Iterator[Session]":
        """One consistent look. Raises Unusable where the database cannot be read."""
        from sqlalchemy.orm import Session

        engine = self._opened().reading
        with self.understood(), Session(engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self, *, shared: bool = False) -> "Iterator[Session]":
        """One short transaction, committed at the end, or nothing at all.

        Alone, so that what is read in it stays true; or beside others that are `shared` too, where
        it locks the rows that it changes. Raises Unusable where the database cannot be written.
        """
        from sqlalchemy.orm import Session

        engines = self._opened()
        with (
            self._turn(),
            self.understood(),
            Session(engines.shared if shared else engines.alone, expire_on_commit=False) as session,
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
        from sqlalchemy import text

        from outreach.store.engines import WRITERS

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

    def session_connection(self, *, idle: str) -> "Connection":
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
        from sqlalchemy.exc import DBAPIError
        from sqlalchemy.orm.exc import StaleDataError

        try:
            yield
        except StaleDataError as error:
            raise Changed(
                "somebody else changed it at the same moment", "look again, and decide anew"
            ) from error
        except DBAPIError as error:
            if known := meaning(error.orig, self.place):
                raise known from error
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
            raise Unusable(
                f"this office has no database: there is nothing at {self.place}",
                "restore the last backup: outreach restore FILE; a new office has: outreach init",
            )
        from outreach.store.migrations import known, upgrade

        if revision and revision not in known():
            raise Unusable(
                f"the database is of revision {revision}, written by a newer version of outreach; "
                f"this one knows up to {HEAD}",
                "install the newer version, or restore a backup that this version has made",
            )
        with self.understood(), self._opened().alone.begin() as connection:
            upgrade(connection)  # two that start at once: the second finds it done

    def revision(self) -> str:
        """The revision of the tables, or "" where there are none yet."""
        if self.file and not self.file.exists():
            return ""  # to ask SQLite would make one
        with self.looking() as ask:
            if not list(ask(_TABLES[self.embedded])):
                return ""
            return "".join(name for (name,) in ask("SELECT version_num FROM alembic_version"))

    def close(self) -> None:
        if self._engines is not None:
            self._engines.plain.dispose()


# Whether there are tables; by whether the database is an SQLite file.
_TABLES = {
    True: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'",
    False: "SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL",
}
