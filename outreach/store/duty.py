"""
Who is on duty: the processes that send from one database, and which of them have died.

    SQLite       a lock on a file beside the database admits one publisher at a time; what any
                 other one had claimed is an orphan as soon as we have that lock
    PostgreSQL   each holds an advisory lock under its life's number; the server gives it back when
                 the process dies, however it dies

A process that sleeps keeps its lock, as it should: it may wake in the middle of a call.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from outreach.errors import Unusable

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from outreach.store import Store

LIVES = 0x6C697665  # the class of the advisory locks of living processes: "live" in ASCII


class Duty:
    """This process's turn at sending."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._connection: Connection | None = None  # PostgreSQL: what holds our lock
        self.life = 0  # a number of its own while on duty, else 0

    @contextmanager
    def begin(self) -> Iterator[None]:
        """Be on duty for as long as this lasts.

        Raises Unusable where another process is publishing from the same SQLite file.
        """
        if self.life:  # on duty already
            yield
            return
        self.life = 1 + secrets.randbelow(2**31 - 1)
        try:
            if self._store.embedded:
                with self._sole():
                    yield
            else:
                self.renew()
                yield
        finally:
            self.life = 0
            self._let_go()

    def renew(self) -> None:
        """Take our lock again where the server has lost it: it was restarted."""
        if self._store.embedded or not self.life:
            return
        from sqlalchemy import text
        from sqlalchemy.exc import DBAPIError

        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.exec_driver_sql("SELECT 1")
                return
        self._let_go()
        with self._store.understood():
            self._connection = self._store.session_connection(idle="0")
            lock = text("SELECT pg_advisory_lock(:of, :life)")
            self._connection.execute(lock, {"of": LIVES, "life": self.life})

    def alive(self, session: "Session") -> Set[int] | None:
        """The lives of everyone on duty; None where this process is not, and cannot tell."""
        if not self.life:
            return None
        if self._store.embedded:
            return {self.life}
        from sqlalchemy import text

        held = session.execute(
            text(
                "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND classid = :of AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
            ),
            {"of": LIVES},
        )
        return {self.life, *held.scalars()}

    def _let_go(self) -> None:
        if self._connection is not None:
            from sqlalchemy.exc import DBAPIError

            with suppress(DBAPIError):
                self._connection.invalidate()  # not back to the pool: closing gives the lock back
            self._connection.close()
            self._connection = None

    @contextmanager
    def _sole(self) -> Iterator[None]:
        """The one publisher of an SQLite file."""
        database = self._store.file
        if database is None:  # in memory: nobody else can see it
            yield
            return
        lock = database.with_name(database.name + ".publisher")
        try:
            file = lock.open("a+")
        except OSError as error:
            raise Unusable(
                f"{lock} cannot be written: {error.strerror}",
                "give this user the right to write that folder",
            ) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                raise Unusable(
                    f"another outreach (process {file.read().strip() or 'unknown'}) is publishing "
                    f"from {database}",
                    "end that one first: only one may send from an SQLite database",
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
