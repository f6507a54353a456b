"""How SQLAlchemy opens either database: who may write beside whom, and what a commit has to last.

Imported when a table is first asked or written through SQLAlchemy: see `outreach/store/plain.py`.
"""

import select
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event

from outreach.errors import Unusable

WRITERS = 0x6F75747265616368  # the advisory lock of whoever writes: "outreach" in ASCII

# A process that is stopped in mid-transaction would keep all others out for as long as it sleeps.
IDLE = 10  # seconds that a transaction may do nothing before PostgreSQL ends it


@dataclass(frozen=True)
class Engines:
    """One database's connections, by what is done on them."""

    plain: Engine
    reading: Engine
    alone: Engine  # to write, and nobody else does
    shared: Engine  # to write, beside others


def opened(url: URL, busy: float) -> Engines:
    """The engines of this database; a writer waits `busy` seconds for another.

    Raises Unusable where PostgreSQL's driver is not installed.
    """
    if url.get_backend_name() == "sqlite":
        # As many connections as threads may want at once: they wait for each other in the
        # database, which knows for how long.
        engine = create_engine(url, connect_args={"timeout": busy}, pool_size=64, max_overflow=-1)
        event.listen(engine, "connect", _sqlite)
        event.listen(engine, "begin", _begin)
        reading = engine
    else:
        engine = _postgresql(url, busy)
        reading = engine.execution_options(isolation_level="REPEATABLE READ")
    alone, shared = (engine.execution_options(writes=how) for how in ("alone", "shared"))
    return Engines(engine, reading, alone, shared)


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
    engine.dialect.do_ping = _listened(engine.dialect.do_ping)  # type: ignore[assignment] # its kind is told by no stub
    event.listen(engine, "begin", _take_turn)
    return engine


def _listened(ask: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Ask an idle connection whether it lives only where its server has said something.

    A server that ends one says so, and so does the machine that it ran on. Asking every time was
    a tenth of what a worker at rest did.
    """

    def alive(connection: Any) -> bool:
        told = select.poll()
        told.register(connection.fileno(), select.POLLIN)
        return not told.poll(0) or ask(connection)

    return alive


def _take_turn(connection: Connection) -> None:
    writes: Literal["alone", "shared"] | None = connection.get_execution_options().get("writes")
    if writes:
        of = "_shared" if writes == "shared" else ""
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock{of}({WRITERS})")
