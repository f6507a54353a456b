"""A database of every earlier revision, with rows in all its tables, becomes one of today's.

Written once for all revisions: the tables are those that the database itself has, and the rows are
made up for their types. A migration that means to change what was kept says so here.
"""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from outreach import backup
from outreach.delivery import Delivery
from outreach.store import HEAD, Store
from outreach.store.base import Base
from outreach.store.migrations import HERE, configuration
from outreach.store.tables import TrailEntry
from tests import postgresql
from tests.conftest import Clock, Office
from tests.rows import MANY, fill, kept

SCRIPTS = ScriptDirectory(str(HERE))
REVISIONS = [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]
NOW = Clock()()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/data/outreach.db"
        return
    made = postgresql.server().make()
    yield made
    postgresql.server().drop(made)


@pytest.fixture(params=REVISIONS)
def old(request, address) -> Iterator[Store]:
    """A store whose database is of one revision, with rows in every table."""
    store = Store(address)
    with store.engine.begin() as connection:
        command.upgrade(configuration(connection), request.param)
    with store.writing() as session:
        session.execute(sa.text("DELETE FROM meta"))
        fill(session.connection(), reflected(session).sorted_tables)
    assert store.revision() == request.param
    yield store
    store.close()


def reflected(session: Session) -> sa.MetaData:
    """The tables that a database has."""
    found = sa.MetaData()
    found.reflect(session.connection())
    return found


def rows(session: Session) -> dict[str, list[dict[str, object]]]:
    """Every row of every table, in the order of its key; JSON as it is written."""
    found = {}
    for table in reflected(session).sorted_tables:
        columns = [
            sa.cast(column, sa.Text).label(column.name)
            if isinstance(column.type, sa.JSON)
            else column
            for column in table.columns
        ]
        keys = [key.name for key in table.primary_key.columns]
        told = [dict(row) for row in session.execute(sa.select(*columns)).mappings()]
        found[table.name] = sorted(told, key=lambda row, keys=keys: [str(row[key]) for key in keys])
    return found


def test_every_row_is_there_with_all_that_it_had(old):
    with old.reading() as session:
        before = rows(session)
    old.prepare()
    with old.reading() as session:
        after = rows(session)
    for name, were in before.items():
        if name == "alembic_version":
            continue
        assert len(were) == MANY
        are = after[name]
        if name == "meta":  # a migration may note a fact of its own
            are = [row for row in are if row in were]
        assert [{key: row[key] for key in were[0]} for row in are] == were, name


def test_its_tables_are_then_those_of_the_program(old):
    old.prepare()
    assert old.revision() == HEAD
    with old.engine.begin() as connection:
        command.check(configuration(connection))


def test_the_program_reads_every_row_and_adds_others(old):
    old.prepare()
    with old.reading() as session:
        for mapper in Base.registry.mappers:
            assert session.scalars(sa.select(mapper.class_)).all() is not None
        assert len(session.scalars(sa.select(Delivery)).all()) == MANY
    with old.writing() as session:
        session.add(TrailEntry(id=99, at=NOW, who="ana", what="tried"))
    with old.reading() as session:
        assert session.get_one(TrailEntry, 99).at == NOW


@pytest.mark.parametrize("verb", ["UPDATE {} SET id = 99", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["trail", "snapshot"])
def test_history_is_still_only_ever_added_to(old, table, verb):
    """Making a table anew, as a migration may on SQLite, would lose what guards it."""
    old.prepare()
    with pytest.raises(DatabaseError, match=f"{table} is append-only"), old.writing() as session:
        session.execute(sa.text(verb.format(table)))


def test_a_backup_of_it_is_restored_as_one_of_today_s(old, tmp_path):
    """A file copied by hand, of whatever revision, into a database of today's."""
    if not old.embedded:
        pytest.skip("a copy made by hand is an SQLite file")
    with old.writing() as session:
        session.execute(sa.text("UPDATE delivery SET look_since = at"))  # as a restore leaves them
    with old.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = tmp_path / "copy.db"
    copy.write_bytes(old.file.read_bytes())
    old.prepare()
    office = Office(tmp_path / "office")
    desk = office.open()
    backup.restore(
        desk.store,
        copy,
        desk.configuration,
        now=NOW,
        real=NOW,
        who=lambda _session: "ana",
        replace=True,
    )
    touched = {"heartbeat", "meta", "process", "trail"}
    restored, given = kept(desk.store, touched), kept(old, touched)
    for row in (*restored["delivery"], *given["delivery"]):  # what is to be looked for is marked
        del row["look_since"], row["version"]
    assert restored == given
    assert desk.store.revision() == HEAD
    office.close()
