"""The database, and what each of its troubles gets."""

import sqlite3
import subprocess
import sys
from datetime import datetime
from threading import Timer

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import event, select, text
from sqlalchemy.exc import DatabaseError, StatementError

from outreach.errors import Unusable
from outreach.store import HEAD, Store
from outreach.store.migrations import HERE, configuration, known
from outreach.store.tables import Asset, Meta, Snapshot, TrailEntry
from tests.conftest import Clock


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data" / "outreach.db"


@pytest.fixture
def store(file):
    made = Store(f"sqlite:///{file}", busy=0.3)
    made.prepare()
    yield made
    made.close()


def write(store: Store, name: str = "a") -> None:
    with store.writing() as session:
        session.add(Meta(name=name, value="1"))


class TestLooking:
    """By plain SQL: Python's own sqlite3, until SQLAlchemy has been needed for something else."""

    def test_a_look_is_one_look_whatever_is_written_meanwhile(self, store, file):
        write(store)
        fresh = Store(f"sqlite:///{file}")
        with fresh.looking() as ask:
            assert [*ask("SELECT name FROM meta WHERE name <> 'seed'")] == [("a",)]
            write(store, "b")
            assert [*ask("SELECT name FROM meta WHERE name = :name", name="b")] == []
        with fresh.looking() as ask:
            assert [*ask("SELECT name FROM meta WHERE name = :name", name="b")] == [("b",)]

    def test_it_writes_nothing_and_makes_no_file(self, file):
        store = Store(f"sqlite:///{file}")
        with pytest.raises(Unusable, match="file cannot be opened"), store.looking() as ask:
            ask("SELECT 1")
        assert not file.exists()
        assert store.revision() == ""

    def test_its_troubles_are_told_in_the_same_words(self, store, file):
        store.close()
        fresh = Store(f"sqlite:///{file}", busy=0.1)
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unusable) as told, fresh.looking() as ask:
            ask("SELECT * FROM meta")
        other.close()
        assert str(told.value) == f"the database is locked by another program ({file})"

    @pytest.mark.parametrize("name", ["a b", "50% off?", "#1", "Büro", "a+b@c"])
    def test_any_name_of_a_folder_will_do(self, tmp_path, name):
        address = f"sqlite:///{tmp_path / name.replace('?', '') / 'desk.db'}"
        store, fresh = Store(address), Store(address)
        store.prepare()
        write(store)
        with fresh.looking() as ask:
            assert [*ask("SELECT value FROM meta WHERE name = 'a'")] == [("1",)]
        store.close()


class TestTroubles:
    def test_locked_by_another_program(self, store, file):
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unusable) as told:
            write(store)
        other.close()
        assert str(told.value) == f"the database is locked by another program ({file})"
        assert told.value.hint == (
            "close what has it open (a second outreach, a database viewer), then try again"
        )
        write(store)

    def test_a_writer_that_is_done_in_time_is_waited_for(self, store, file):
        other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        timer = Timer(0.1, other.execute, ["COMMIT"])
        timer.start()
        write(store)
        timer.join()
        other.close()

    def test_reading_goes_on_while_another_writes(self, store, file):
        write(store)
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with store.reading() as session:
            assert session.get_one(Meta, "a").value == "1"
        other.close()

    def test_read_only(self, store, file):
        store.close()
        again = Store(f"sqlite:///file:{file}?mode=ro&uri=true", busy=0.3)
        with pytest.raises(Unusable, match="the database is read-only") as told:
            write(again)
        assert told.value.hint == "give this user the right to write it and the folder it is in"
        again.close()

    def test_a_full_disk_and_nothing_is_half_written(self, store, file):
        @event.listens_for(store.engine, "begin")
        def small(connection):
            connection.exec_driver_sql("PRAGMA max_page_count = 1")  # it takes what there is

        with (
            pytest.raises(Unusable, match="the disk is full or failing") as told,
            store.writing() as session,
        ):
            session.add(Meta(name="a", value="1"))
            session.add(Asset(sha256="0", type="image/png", data=b"x" * 1_000_000))
        assert told.value.hint == "make room, then try again; nothing was half-written"
        with store.reading() as session:
            assert session.get(Meta, "a") is None

    def test_damaged(self, file):
        file.parent.mkdir()
        file.write_bytes(b"This was a database once. " * 100)
        store = Store(f"sqlite:///{file}")
        with pytest.raises(Unusable, match="the database file is damaged or is no database") as why:
            store.prepare()
        assert why.value.hint == "restore the last backup: outreach restore FILE --replace"
        store.close()

    def test_from_a_newer_version(self, store):
        with store.writing() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(Unusable) as told:
            store.prepare()
        assert str(told.value) == (
            "the database is of revision 9999, written by a newer version of outreach; "
            f"this one knows up to {HEAD}"
        )
        assert told.value.hint.startswith("install the newer version")

    def test_no_tables_yet(self, file):
        store = Store(f"sqlite:///{file}")
        with pytest.raises(Unusable, match="has no tables yet") as told, store.reading() as session:
            session.scalar(select(Meta))
        assert told.value.hint == "run: outreach init"
        store.close()

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "data").write_text("a file")
        with pytest.raises(Unusable, match="the database's folder .* cannot be made"):
            Store(f"sqlite:///{tmp_path}/data/outreach.db")

    def test_a_mistake_of_ours_is_not_called_the_database_s(self, store):
        with pytest.raises(DatabaseError), store.writing() as session:
            session.execute(text("INSERT INTO meta (name, nothing) VALUES ('a', 1)"))


class TestNoDatabase:
    def test_none_is_made_in_the_place_of_one_that_is_missing(self, file):
        """An empty one would know nothing of what was published, and offer it again."""
        store = Store(f"sqlite:///{file}")
        with pytest.raises(Unusable, match="this office has no database") as told:
            store.prepare(make=False)
        assert told.value.hint == (
            "restore the last backup: outreach restore FILE; a new office has: outreach init"
        )
        assert not file.exists()
        store.prepare(make=True)
        store.prepare(make=False)
        store.close()


class TestRights:
    def test_what_is_made_is_for_its_owner_alone(self, store, file):
        """SQLite makes its file with the umask's rights: the folder keeps others out."""
        assert file.parent.stat().st_mode & 0o777 == 0o700

    def test_a_folder_that_is_there_keeps_the_rights_it_was_given(self, tmp_path):
        (tmp_path / "shared").mkdir(mode=0o770)
        (tmp_path / "shared").chmod(0o2770)
        Store(f"sqlite:///{tmp_path}/shared/outreach.db").close()
        assert (tmp_path / "shared").stat().st_mode & 0o7777 == 0o2770


class TestTables:
    def test_the_migrations_make_exactly_the_tables_of_the_program(self, store):
        with store.engine.begin() as connection:
            command.check(configuration(connection))

    def test_the_head_is_the_newest_migration(self, store):
        assert ScriptDirectory(str(HERE)).get_current_head() == HEAD == store.revision()
        assert HEAD in known()

    def test_preparing_twice_changes_nothing(self, store, file):
        before = file.read_bytes()
        store.prepare()
        assert file.read_bytes() == before

    def test_processes_that_start_at_once_make_them_once(self, file):
        """Real processes, let go at the same moment, on no file at all."""
        program = (
            "import sys; from outreach.store import Store; import outreach.store.migrations; "
            "store = Store(sys.argv[1]); print(flush=True); input(); store.prepare(); store.close()"
        )
        several = [
            subprocess.Popen(
                [sys.executable, "-c", program, f"sqlite:///{file}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for one in several:
            one.stdout.readline()
        for one in several:
            one.stdin.write("\n")
            one.stdin.flush()
        ends = [one.communicate(timeout=60)[1] for one in several]
        assert [(one.returncode, told) for one, told in zip(several, ends, strict=True)] == [
            (0, "")
        ] * 4

    def test_instants_come_back_as_they_went_in(self, store):
        at = datetime.fromisoformat("2025-08-25T09:00:00.000001+07:00")
        with store.writing() as session:
            session.add(TrailEntry(at=at, who="ana", what="tried"))
        with store.reading() as session:
            found = session.scalars(select(TrailEntry.at)).one()
        assert (found, found.isoformat()) == (at, "2025-08-25T02:00:00.000001+00:00")

    def test_an_instant_without_a_zone_is_refused(self, store):
        with (
            pytest.raises(StatementError, match="2025-08-25 09:00:00 has no time zone"),
            store.writing() as session,
        ):
            session.add(TrailEntry(at=datetime(2025, 8, 25, 9), who="ana", what="tried"))

    @pytest.mark.parametrize("table", ["trail", "snapshot"])
    @pytest.mark.parametrize("verb", ["UPDATE {} SET id = 9", "DELETE FROM {}"])
    def test_history_is_only_ever_added_to(self, store, table, verb):
        now = Clock()()
        with store.writing() as session:
            session.add(TrailEntry(at=now, who="ana", what="tried"))
            session.add(
                Snapshot(
                    subject="k", channel="x", metric="likes", value=3, taken_at=now, source="import"
                )
            )
        with pytest.raises(DatabaseError, match=f"{table} is append-only"):  # noqa: SIM117 - one each
            with store.writing() as session:
                session.execute(text(verb.format(table)))
        with store.reading() as session:
            kept = {"trail": select(TrailEntry.id), "snapshot": select(Snapshot.id)}[table]
            assert session.scalars(kept).all() == [1]

    def test_what_fails_half_way_leaves_nothing(self, store):
        with pytest.raises(KeyError), store.writing() as session:
            session.add(Meta(name="a", value="1"))
            session.flush()
            raise KeyError
        with store.reading() as session:
            assert session.get(Meta, "a") is None
