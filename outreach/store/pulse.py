"""
Whether this database is what it was a moment ago, or an older copy that somebody put back.

With every heartbeat a mark is made that no copy brings along, and the heartbeat says which:

    SQLite       when a file beside the database was last touched. Its file system says so, and
                 nobody who copies files can set it: not even a copy of the whole folder has it
    PostgreSQL   the transaction that wrote the heartbeat, the database's number and the server's
                 timeline. A dump that is read in has other transactions, a database that is made
                 anew another number; a recovery, or a standby that took over, another timeline

Where heartbeat and mark differ, the database is not where it was left. What brings everything
along, such as a virtual machine that is rolled back, is not noticed here: that leaves the age of
the heartbeat.
"""

import os
import stat
from contextlib import closing, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from outreach.store import Store

TIMELINE = "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
# PostgreSQL: what writes now, and what wrote the heartbeat.
_WRITER, _WROTE = "pg_current_xact_id()::xid", "(SELECT xmin FROM heartbeat WHERE id = 1)"


class Pulse:
    """The mark of one database; "" where there can be none, as in memory."""

    def __init__(self, store: "Store") -> None:
        self._embedded = store.embedded
        self._file = store.file and store.file.with_name(store.file.name + ".pulse")
        self._database = store.file
        self._ours = False  # once this process has made it, the file is no stranger's any more

    def beat(self, session: "Session") -> str:
        """Make a new mark; what the heartbeat has to say, which this transaction writes."""
        if not self._embedded:
            return self._told(session, _WRITER)
        session.connection()  # nobody else reads the mark between this and our commit
        self._ours = True
        return self._touch()

    def lost(self, session: "Session", said: str) -> bool:
        """Whether a heartbeat that `said` this belongs to another time than the mark."""
        if not said or (self._embedded and (self._file is None or self._ours)):
            return False
        if self._embedded:
            return said != self._found()
        return said != (self._told(session, _WROTE) or said)

    # --- SQLite ---------------------------------------------------------------------------

    def _touch(self) -> str:
        if self._file is None or self._database is None:
            return ""
        with suppress(OSError):  # who may not write there, such as an officer, leaves no mark
            opened = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
            with closing(os.fdopen(opened)):
                shared = stat.S_IMODE(self._database.stat().st_mode)
                if stat.S_IMODE(os.fstat(opened).st_mode) != shared:
                    with suppress(OSError):  # it is somebody else's, who has seen to that
                        os.fchmod(opened, shared)
                os.utime(opened)
                os.fsync(opened)  # before the heartbeat that speaks of it
                return _mark(os.fstat(opened))
        return ""

    def _found(self) -> str:
        with suppress(OSError):
            return _mark(self._file.stat()) if self._file else ""
        return ""

    # --- PostgreSQL -----------------------------------------------------------------------

    def _told(self, session: "Session", transaction: str) -> str:
        from sqlalchemy import text
        from sqlalchemy.exc import DBAPIError

        asked = (
            f"SELECT {TIMELINE} || '.' || oid || '.' || {transaction}::text"  # noqa: S608 - ours
            " FROM pg_database WHERE datname = current_database()"
        )
        # Some hosted servers do not tell their timeline: then nothing is marked.
        with suppress(DBAPIError), session.begin_nested():
            return str(session.scalar(text(asked)))
        return ""


def _mark(found: os.stat_result) -> str:
    return f"{found.st_ino}.{found.st_ctime_ns}"
