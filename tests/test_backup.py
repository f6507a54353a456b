"""Backups: made while the desk runs, whole or not there, and put back all of it or not at all.

What a restored desk then does about what went out meanwhile is in `test_restored`.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tracemalloc
import zipfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DatabaseError

from outreach import backup
from outreach.config import read_configuration
from outreach.errors import NotAllowed, NotFound, Unusable
from outreach.store import HEAD, Store
from outreach.store.base import Base
from outreach.store.migrations import configuration as alembic
from outreach.store.tables import Asset, Heartbeat, Meta, Process, ShortLink, TrailEntry
from outreach.store.transfer import Damaged
from tests import postgresql
from tests.conftest import Office, clear_all
from tests.drafts import draft, put
from tests.rows import fill, kept

NOW = datetime(2025, 7, 20, 1, 30, 5, tzinfo=UTC)
TOUCHED = {"heartbeat", "meta", "process", "trail"}  # by a restore itself


class Keeper(Office):
    """An office, and its database without a desk."""

    def __init__(self, home: Path, database: str) -> None:
        super().__init__(home, database)
        self.store = Store(self.configuration.database)

    @property
    def configuration(self):
        """As its files are now."""
        return read_configuration(self.home)

    def close(self) -> None:
        super().close()
        self.store.close()
        if self.database:
            postgresql.server().drop(self.database)


@pytest.fixture
def offices(tmp_path):
    """Makes offices over fresh databases of either kind."""
    made = []

    def make(kind: str = "sqlite", name: str = "secretariat") -> Keeper:
        address = postgresql.database() if kind == "postgresql" else ""
        made.append(Keeper(tmp_path / name, address))
        return made[-1]

    yield make
    for office in made:
        office.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def filled(office: Keeper) -> Keeper:
    office.store.prepare()
    with office.store.writing() as session:
        session.execute(text("DELETE FROM meta"))
        fill(session.connection(), Base.metadata.sorted_tables)
        session.execute(text("UPDATE delivery SET look_since = at"))  # as a restore leaves them
    return office


def make(office: Keeper, where: Path | None = None, **options) -> backup.Made:
    return backup.make(office.store, office.configuration, where, **{"now": NOW, **options})


def restore(office: Keeper, file: Path, **options) -> backup.Restored:
    given = {"now": NOW, "real": NOW, "who": lambda _session: "ana", **options}
    return backup.restore(office.store, file, office.configuration, **given)


@contextmanager
def database_of(file: Path, folder: Path):
    """The database in a backup, as a store."""
    with zipfile.ZipFile(file) as packed:
        packed.extract("database.db", folder)
    store = Store(f"sqlite:///{folder}/database.db")
    yield store
    store.close()


KINDS = ("sqlite", "postgresql")
BOTH_WAYS = [(a, b) for a in KINDS for b in KINDS]


class TestEverythingComesBack:
    @pytest.mark.parametrize(("before", "after"), BOTH_WAYS)
    def test_every_row_of_every_table(self, offices, before, after):
        office, other = filled(offices(before)), offices(after, "other")
        wanted = kept(office.store)
        restore(other, make(office).file)
        found = kept(other.store, TOUCHED)
        assert found == {name: rows for name, rows in wanted.items() if name not in TOUCHED}
        assert kept(other.store)["trail"][: len(wanted["trail"])] == wanted["trail"]
        assert kept(office.store) == wanted

    def test_a_backup_knows_every_table_though_nothing_else_was_imported(self, offices):
        registered = "from outreach.store.base import Base; print(*Base.metadata.tables)"
        told = subprocess.run(
            [sys.executable, "-c", f"import outreach.backup; {registered}"],
            check=True,
            capture_output=True,
        )
        office = filled(offices())
        with office.store.looking() as ask:
            made = {name for (name,) in ask("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert {*told.stdout.decode().split()} == made - {"alembic_version", "sqlite_sequence"}

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_backup_has_every_row_as_it_is(self, offices, kind, tmp_path):
        office = filled(offices(kind))
        made = make(office)
        with database_of(made.file, tmp_path) as store:
            assert kept(store) == kept(office.store)
        counts = {name: len(rows) for name, rows in kept(office.store).items()}
        assert counts.items() <= made.about.rows.items()

    @pytest.mark.parametrize(("before", "after"), BOTH_WAYS)
    def test_new_rows_get_numbers_of_their_own(self, offices, before, after):
        office, other = filled(offices(before)), offices(after, "other")
        restore(other, make(office).file)
        with other.store.writing() as session:
            for _ in range(3):
                session.add(TrailEntry(at=NOW, who="ana", what="tried"))
                session.flush()
        numbers = [row["id"] for row in kept(other.store)["trail"]]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("verb", ["UPDATE {} SET id = 99", "DELETE FROM {}"])
    @pytest.mark.parametrize("table", ["trail", "snapshot"])
    def test_history_is_only_ever_added_to_afterwards(self, offices, kind, table, verb):
        office = filled(offices(kind))
        restore(office, make(office).file, replace=True)
        with pytest.raises(DatabaseError, match=f"{table} is append-only"):  # noqa: SIM117 - one each
            with office.store.writing() as session:
                session.execute(text(verb.format(table)))

    @pytest.mark.parametrize(("before", "after"), BOTH_WAYS)
    def test_its_tables_are_those_of_the_program(self, offices, before, after):
        office, other = filled(offices(before)), offices(after, "other")
        restore(other, make(office).file)
        with other.store.engine.begin() as connection:
            command.check(alembic(connection))
        assert other.store.revision() == HEAD

    def test_a_server_without_any_table_gets_them(self, offices):
        office, other = filled(offices()), offices("postgresql", "other")
        with closing(other.store.engine.raw_connection()) as connection:
            for table in [*Base.metadata.tables, "alembic_version"]:
                connection.cursor().execute(f'DROP TABLE "{table}" CASCADE')
            connection.commit()
        assert other.store.revision() == ""
        restore(other, make(office).file)
        assert kept(other.store, TOUCHED) == kept(office.store, TOUCHED)
        with other.store.engine.begin() as connection:
            command.check(alembic(connection))

    def test_memory_does_not_follow_the_size(self, offices):
        office, other = offices("postgresql"), offices("postgresql", "other")
        office.store.prepare()
        with office.store.writing() as session:
            for number in range(60):
                picture = {"sha256": str(number), "type": "image/png", "data": os.urandom(1 << 20)}
                session.execute(insert(Asset), picture)
            links = [
                {"code": f"{n}", "key": "k" * 200, "target": "t", "at": NOW} for n in range(9000)
            ]
            session.execute(insert(ShortLink), links)
        make(office, now=NOW - timedelta(days=1))  # whatever is imported at first is imported
        tracemalloc.start()
        restore(other, make(office).file)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20 << 20
        with other.store.reading() as session:
            assert len(session.scalars(select(Asset.sha256)).all()) == 60

    def test_what_postgresql_cannot_keep_is_said_and_nothing_is_changed(self, offices):
        office, other = filled(offices()), filled(offices("postgresql", "other"))
        with office.store.writing() as session:
            session.add(Meta(name="odd", value="a\0b"))
        before = kept(other.store)
        with pytest.raises(Unusable, match="a row of meta cannot be kept by postgresql") as told:
            restore(other, make(office).file, replace=True)
        assert told.value.hint.startswith("nothing was changed")
        assert kept(other.store) == before


PUBLISHES = """
import sys, time
from pathlib import Path
from outreach.app import open_desk
desk = open_desk(Path(sys.argv[1]))
network = desk.platforms["net"]
publish = network.publish
def slowly(part, after):
    time.sleep(0.003)
    return publish(part, after)
network.publish = slowly
print("ready", flush=True)
while True:
    desk.tick()
    print(len(network.live), flush=True)
"""


class TestWhileTheDeskRuns:
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_one_is_of_one_moment(self, offices, kind, tmp_path):
        """Published means: with its receipt, its attempt closed, its line in the trail."""
        office = offices(kind)
        office.clock.at = datetime.now(UTC)
        desk = office.open()
        desk.tick()
        at = office.clock.at + timedelta(seconds=1)
        late = timedelta(hours=9)
        posts = [draft(f"n{number}", at=at, late=late) for number in range(300)]
        put(desk, *posts)
        clear_all(desk)
        script = [sys.executable, "-c", PUBLISHES, str(office.home)]
        seen = []
        with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as running:
            running.stdout.readline()
            for number in range(200):
                made = make(office, tmp_path / f"{number}.zip")
                seen.append(self.must_be_consistent(made.file, tmp_path / str(number)))
                if seen[-1] == len(posts):
                    break
            running.kill()
        between = {count for count in seen if 0 < count < len(posts)}
        assert len(between) >= 5, seen
        assert seen == sorted(seen)

    def must_be_consistent(self, file: Path, folder: Path) -> int:
        with zipfile.ZipFile(file) as packed:
            packed.extract("database.db", folder)
        with closing(sqlite3.connect(folder / "database.db")) as found:

            def those(query):
                return {row[0] for row in found.execute(query)}

            assert those("PRAGMA integrity_check") == {"ok"}
            published = those("SELECT key FROM delivery WHERE state = 'published'")
            assert published == those("SELECT key FROM receipt")
            assert published == those("SELECT key FROM trail WHERE what = 'published'")
            assert published == those("SELECT key FROM attempt WHERE outcome = 'live'")
            assert those("SELECT key FROM delivery WHERE state = 'sending'") == those(
                "SELECT key FROM attempt WHERE ended_at IS NULL"
            )
        return len(published)

    def test_the_desk_is_not_kept_waiting(self, offices):
        """A writer goes on between two steps of a copy that has only begun."""
        office = filled(offices())
        with office.store.writing() as session:
            session.add(Asset(sha256="large", type="image/png", data=os.urandom(30 << 20)))
        written = []

        def meanwhile(done, of):
            with closing(sqlite3.connect(office.store.file, timeout=0)) as other:
                other.execute("INSERT INTO meta VALUES (?, '')", (f"meanwhile {len(written)}",))
                other.commit()
            written.append(done)

        before = len(kept(office.store)["meta"])
        made = make(office, tell=meanwhile)
        assert len(written) > 5
        assert made.about.rows["meta"] == before


class TestTheFile:
    def test_it_is_named_for_its_time_and_is_for_its_owner_alone(self, offices):
        office = filled(offices())
        made = make(office)
        assert made.file == office.home / "data/backups/secretariat-2025-07-20-013005Z.zip"
        assert made.file.stat().st_mode & 0o777 == 0o600
        assert made.file.parent.stat().st_mode & 0o777 == 0o700
        assert made.size == made.file.stat().st_size
        assert names(made.file.parent) == [made.file.name]

    def test_the_configuration_may_name_another_folder(self, offices, tmp_path):
        office = filled(offices())
        office.write("config/outreach.toml", f'[desk]\nbackups = "{tmp_path}/elsewhere"\n')
        assert make(office).file.parent == tmp_path / "elsewhere"

    def test_a_file_may_be_named_and_is_never_written_over(self, offices, tmp_path):
        office = filled(offices())
        assert make(office, tmp_path / "mine.zip").file == tmp_path / "mine.zip"
        with pytest.raises(NotAllowed, match=r"mine.zip is there already"):
            make(office, tmp_path / "mine.zip")

    def test_the_newest_of_its_name_are_kept_and_nothing_else_is_touched(self, offices, tmp_path):
        office = filled(offices())
        others = ["other-2025-07-01-000000Z.zip", "secretariat-notes.zip", "b.txt"]
        folder = tmp_path / "backups"
        folder.mkdir()
        for name in others:
            (folder / name).write_text("")
        for day in range(4):
            made = make(office, folder, now=NOW + timedelta(days=day), keep=2)
        assert names(folder) == sorted(
            [*others, "secretariat-2025-07-22-013005Z.zip", "secretariat-2025-07-23-013005Z.zip"]
        )
        assert [path.name for path in made.removed] == ["secretariat-2025-07-21-013005Z.zip"]
        with pytest.raises(NotAllowed, match="is one file"):
            make(office, tmp_path / "mine.zip", keep=2)

    def test_what_a_killed_one_left_is_cleared_away_after_a_day(self, offices):
        office = filled(offices())
        folder = make(office).file.parent
        (folder / ".outreach-old").mkdir()
        (folder / ".outreach-new").mkdir()
        os.utime(folder / ".outreach-old", (0, 0))
        make(office, now=NOW + timedelta(days=1))
        assert [name for name in names(folder) if name.startswith(".")] == [".outreach-new"]

    def test_the_office_s_files_are_in_it_and_come_out_as_they_were(self, offices, tmp_path):
        office = filled(offices())
        office.write("campaigns/forum.yaml", "campaign: форум\n")
        office.write("media/deep/er/picture.png", os.urandom(3_000_000))
        office.write("media/.DS_Store", "x")
        office.write("reports/a.docx", "x")
        made = make(office)
        taken = backup.take_out(made.file, tmp_path / "new")
        wanted = {
            str(path.relative_to(office.home)): (path.read_bytes(), path.stat().st_mtime_ns)
            for folder in backup.FOLDERS
            for path in (office.home / folder).rglob("*")
            if path.is_file() and path.name != ".DS_Store"
        }
        found = {
            str(path.relative_to(tmp_path / "new")): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in (tmp_path / "new").rglob("*")
            if path.is_file()
        }
        assert found == wanted
        assert sorted(taken) == sorted(wanted)
        with pytest.raises(NotAllowed, match="there is something in"):
            backup.take_out(made.file, tmp_path / "new")

    def test_no_name_in_it_leads_out_of_the_folder(self, offices, tmp_path):
        made = make(filled(offices()))
        with zipfile.ZipFile(made.file, "a") as packed:
            packed.writestr("office/../../escaped", "x")
            packed.writestr("office//escaped", "x")
        backup.take_out(made.file, tmp_path / "a" / "new")
        assert list(tmp_path.rglob("*escaped*")) == []

    def test_no_secret_is_in_it(self, offices, monkeypatch, tmp_path):
        monkeypatch.setenv("OUTREACH_X_ACCESS_TOKEN", "a-token-of-x")
        secrets = tmp_path / "secrets"
        secrets.mkdir()
        (secrets / "telegram_token").write_text("12345:of-telegram")
        monkeypatch.setenv("OUTREACH_SECRETS_DIR", str(secrets))
        office = filled(offices())
        office.write(".env", "OUTREACH_MAIL_PASSWORD=the-mail-password\n")
        office.write("config/notes.txt", "the bot is 12345:of-telegram")
        office.write("templates/posts/a.md", "a-token-of-x")
        office.write("campaigns/mail.yaml", "the-mail-password")
        made = make(office)
        assert set(made.left_out) == {
            "config/notes.txt",
            "templates/posts/a.md",
            "campaigns/mail.yaml",
        }
        with zipfile.ZipFile(made.file) as packed:
            everything = b"".join(packed.read(name) for name in packed.namelist())
            assert "office/.env" not in packed.namelist()
        for secret in (b"a-token-of-x", b"12345:of-telegram", b"the-mail-password"):
            assert secret not in everything

    def test_a_password_in_the_address_of_the_database_stays_out_too(self, offices):
        office = filled(offices())
        address = "postgresql://desk:pass%40word@127.0.0.1/outreach"
        office.write("config/outreach.toml", f'[desk]\ndatabase = "{address}"\n')
        made = make(office)
        assert set(made.left_out) == {"config/outreach.toml"}
        assert b"pass%40word" not in made.file.read_bytes()

    def test_what_is_no_file_or_has_no_name_that_could_be_written_is_left_out(self, offices):
        office = filled(offices())
        media = office.home / "media"
        (media / "gone.png").symlink_to(media / "nowhere.png")
        os.mkfifo(media / "pipe")
        (media / "caf\udce9.png").write_bytes(b"a name from another century")
        made = make(office)
        assert made.left_out == {"media/caf?.png": "its name is in no alphabet"}
        assert "media/pipe" not in made.about.written

    def test_without_a_database_there_is_nothing_to_keep(self, offices):
        office = offices()
        with pytest.raises(Unusable, match="this office has no database"):
            make(office)
        assert not (office.home / "data" / "outreach.db").exists()
        assert names(office.home / "data/backups") == []

    def test_a_damaged_database_is_no_backup(self, offices):
        office = filled(offices())
        damage(office)
        with pytest.raises(Unusable, match="damaged"):
            make(office)
        assert names(office.home / "data/backups") == []


def damage(office: Keeper) -> None:
    """Overwrite pages in the middle of its database."""
    with office.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    office.store.close()
    size = office.store.file.stat().st_size
    with office.store.file.open("r+b") as file:
        for page in range(3, size // 4096, 2):
            file.seek(page * 4096)
            file.write(b"\xff" * 512)


class TestAFullDisk:
    @pytest.mark.parametrize("limit", [100_000, 600_000], ids=["the database", "the file"])
    def test_no_half_file_is_left(self, offices, tmp_path, limit):
        """A real limit on how large a file this process may write."""
        office = filled(offices())
        office.write("media/large.png", os.urandom(1_000_000))
        folder = tmp_path / "backups"
        script = (
            "import resource, sys; "
            f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); "
            "from outreach.cli import main; main()"
        )
        words = ["--home", str(office.home), "backup", str(folder)]
        done = subprocess.run(
            [sys.executable, "-c", script, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 3, done
        assert str(folder) in done.stderr
        assert "make room" in done.stderr
        assert names(folder) == []
        assert make(office, folder).file.exists()


class TestWhatIsRefused:
    @pytest.mark.parametrize("kind", KINDS)
    def test_beside_a_desk_on_duty(self, offices, kind):
        office = filled(offices(kind))
        file = make(office).file
        script = (
            "import sys; from outreach.store import Store; store = Store(sys.argv[1])\n"
            "with store.duty.begin(): print('on duty', flush=True); sys.stdin.read()"
        )
        before = kept(office.store)
        with subprocess.Popen(
            [sys.executable, "-c", script, office.configuration.database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as running:
            running.stdout.readline()
            with pytest.raises(Unusable, match="is publishing from|is on duty") as told:
                restore(office, file, replace=True)
            assert "end" in told.value.hint
            assert kept(office.store) == before
            running.kill()
            running.wait(10)
        restore(office, file, replace=True)

    @pytest.mark.parametrize("kind", KINDS)
    def test_onto_rows_unless_they_may_be_replaced(self, offices, kind, tmp_path):
        office, other = filled(offices(kind)), filled(offices("sqlite", "other"))
        file, before = make(other).file, kept(office.store)
        with pytest.raises(NotAllowed, match="this office has a database: 4 posts") as told:
            restore(office, file)
        assert "--replace" in told.value.hint
        assert kept(office.store) == before
        restored = restore(office, file, replace=True)
        assert restored.kept == (
            office.home / "data/backups/secretariat-replaced-2025-07-20-013005Z.zip"
        )
        with database_of(restored.kept, tmp_path) as store:
            assert kept(store) == before

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_was_only_just_made_has_nothing_to_lose(self, offices, kind):
        office, other = filled(offices()), offices(kind, "other")
        other.store.prepare()
        assert restore(other, make(office).file).kept is None

    @pytest.mark.parametrize("kind", KINDS)
    def test_one_of_a_newer_version(self, offices, kind, tmp_path):
        office, other = filled(offices()), offices(kind, "other")
        with office.store.writing() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(Unusable, match="is of revision 9999, made by a newer version") as told:
            restore(other, make(office).file)
        assert told.value.hint.startswith("install the newer version")

    def test_one_of_a_newer_form(self, offices, tmp_path):
        file = tmp_path / "new.zip"
        with zipfile.ZipFile(file, "w") as packed:
            packed.writestr("backup.json", json.dumps({"format": 2}))
        with pytest.raises(Unusable, match="is of form 2, made by a newer version"):
            restore(offices(), file)

    def test_a_file_that_is_none(self, offices, tmp_path):
        office = offices()
        with pytest.raises(NotFound, match="there is no file"):
            restore(office, tmp_path / "nothing.zip")
        (tmp_path / "a.zip").write_text("words")
        with pytest.raises(NotAllowed, match=r"a\.zip is no backup of outreach"):
            restore(office, tmp_path / "a.zip")
        with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
            packed.writestr("letter.txt", "dear")
        with pytest.raises(Damaged, match=r"b\.zip is damaged"):
            restore(office, tmp_path / "b.zip")
        with closing(sqlite3.connect(tmp_path / "c.db")) as other, other:
            other.execute("CREATE TABLE a (b)")
        with pytest.raises(NotAllowed, match=r"c\.db is no database of outreach"):
            restore(office, tmp_path / "c.db")
        assert not office.store.file.exists()

    def test_a_damaged_one_and_never_half_of_it(self, offices, tmp_path):
        """Cut anywhere, or with any byte turned over: it is refused, or comes back exactly."""
        office, other = filled(offices()), offices("sqlite", "other")
        wanted, good = kept(office.store, TOUCHED), make(office).file.read_bytes()
        file = tmp_path / "damaged.zip"
        refused = 0
        for number in range(60):
            at = len(good) * number // 60
            turned = bytearray(good)
            turned[at] ^= 0xFF
            for day, broken in enumerate((bytes(turned), good[:at]), 2 * number):
                file.write_bytes(broken)
                try:
                    restore(other, file, replace=True, now=NOW + timedelta(days=day))
                except (Unusable, NotAllowed) as error:
                    refused += 1
                    assert str(file) in str(error)
                    assert error.hint
                    assert not other.store.file.exists() or kept(other.store, TOUCHED) == wanted
                else:
                    assert kept(other.store, TOUCHED) == wanted
        assert refused >= 90


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from outreach import backup
from outreach.config import read_configuration
from outreach.store import Store
home, file, wanted = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
steps = 0
def tell(done, of):
    global steps
    steps += 1
    if steps == wanted:
        os.kill(os.getpid(), signal.SIGKILL)
configuration = read_configuration(home)
now = datetime.fromisoformat("2025-07-20T01:30:05+00:00")
print(os.getpid(), flush=True)
backup.restore(
    Store(configuration.database), file, configuration,
    now=now, real=now, who=lambda session: "ana", replace=True, tell=tell,
)
print(steps)
"""


class TestAProcessThatIsKilled:
    @pytest.mark.parametrize("kind", KINDS)
    def test_the_old_one_is_there_or_the_new_one(self, offices, kind, tmp_path):
        """SIGKILL at one step of a restore, and another, and when all but the last is done."""
        office, other = filled(offices(kind)), filled(offices("sqlite", "other"))
        with other.store.writing() as session:
            session.add(Asset(sha256="large", type="image/png", data=os.urandom(30 << 20)))
        file, before = make(other).file, make(office, tmp_path / "before.zip").file
        old, new = kept(office.store, TOUCHED), kept(other.store, TOUCHED)
        steps = int(self.run(office, file, 0).stdout.split()[-1])
        assert kept(office.store, TOUCHED) == new
        assert steps > 5
        became = []
        for wanted in (*range(1, steps - 2, max(1, steps // 6)), steps - 2, steps - 1, steps):
            restore(office, before, replace=True, now=NOW + timedelta(days=wanted))
            done = self.run(office, file, wanted)
            found = kept(office.store, TOUCHED)
            assert found in (old, new)
            became.append((done.returncode, found == new))
        assert became.count((-signal.SIGKILL, False)) >= 4, became

    def run(self, office: Keeper, file: Path, wanted: int) -> subprocess.CompletedProcess[str]:
        for left in (office.home / "data/backups").glob("*.zip"):
            left.unlink()
        office.store.close()
        return subprocess.run(
            [sys.executable, "-c", KILLED, str(office.home), str(file), str(wanted)],
            capture_output=True,
            text=True,
            check=False,
        )


class TestADatabaseThatIsLost:
    def test_one_that_is_damaged_is_put_aside_as_it_is(self, offices):
        office = filled(offices())
        file = make(office).file
        wanted = kept(office.store, TOUCHED)
        office.store.file.chmod(0o660)
        damage(office)
        damaged = office.store.file.read_bytes()
        with pytest.raises(NotAllowed, match="is damaged") as told:
            restore(office, file)
        assert "it is put aside" in told.value.hint
        restored = restore(office, file, replace=True)
        assert restored.kept.name.startswith("outreach.db.damaged-")
        assert restored.kept.read_bytes() == damaged
        assert kept(office.store, TOUCHED) == wanted
        assert office.store.file.stat().st_mode & 0o777 == 0o660

    def test_one_that_is_no_database_at_all(self, offices):
        office = filled(offices())
        file = make(office).file
        wanted = kept(office.store, TOUCHED)
        office.store.close()
        office.store.file.write_bytes(b"words, words, words" * 1000)
        assert restore(office, file, replace=True).kept
        assert kept(office.store, TOUCHED) == wanted

    def test_one_that_is_gone_and_whose_log_is_still_there(self, offices):
        office = filled(offices())
        file = make(office).file
        wanted = kept(office.store, TOUCHED)
        log = office.store.file.with_name("outreach.db-wal")
        other = sqlite3.connect(office.store.file)
        other.execute("INSERT INTO meta VALUES ('only in the log', '')")
        other.commit()
        stale = log.read_bytes()
        assert stale
        office.store.close()
        other.close()
        office.store.file.unlink()
        log.write_bytes(stale)
        restore(office, file)
        assert kept(office.store, TOUCHED) == wanted
        assert office.store.file.stat().st_mode & 0o777 == 0o600

    def test_pages_of_another_size_fit_too(self, offices):
        office, other = filled(offices()), offices("sqlite", "other")
        file = other.store.file
        with closing(sqlite3.connect(file)) as made:
            made.execute("PRAGMA page_size = 8192")
            made.execute("PRAGMA journal_mode = WAL")
            made.execute("CREATE TABLE alembic_version (version_num)")
        restore(other, make(office).file)
        assert kept(other.store, TOUCHED) == kept(office.store, TOUCHED)

    def test_who_has_it_open_sees_the_old_one_and_then_the_new_one(self, offices):
        office, other = filled(offices()), offices("sqlite", "other")
        other.store.prepare()
        reader = Store(other.configuration.database)
        with reader.reading() as session:
            assert session.scalars(select(TrailEntry.id)).all() == []
            restore(other, make(office).file)
            assert session.scalars(select(TrailEntry.id)).all() == []
        assert kept(reader, TOUCHED) == kept(office.store, TOUCHED)
        reader.close()


class TestACopyMadeByHand:
    @pytest.mark.parametrize("kind", KINDS)
    def test_it_can_be_restored_with_what_stands_in_its_log(self, offices, kind, tmp_path):
        office, other = filled(offices()), offices(kind, "other")
        with office.store.reading() as session:  # keeps the log from being taken in
            session.scalar(select(Meta.name))
            with office.store.writing() as writing:
                writing.add(ShortLink(code="new", key="k", target="t", at=NOW))
            for name in ("outreach.db", "outreach.db-wal"):
                (tmp_path / name).write_bytes((office.store.file.parent / name).read_bytes())
        assert (tmp_path / "outreach.db-wal").stat().st_size
        restored = restore(other, tmp_path / "outreach.db")
        assert (restored.about.at, restored.about.office) == (None, "")
        assert kept(other.store, TOUCHED) == kept(office.store, TOUCHED)

    def test_it_has_no_files_to_take_out(self, offices, tmp_path):
        office = filled(offices())
        with pytest.raises(NotAllowed, match="is a database alone"):
            backup.take_out(office.store.file, tmp_path / "new")


class TestWhatARestoreLeavesBehind:
    @pytest.mark.parametrize("kind", KINDS)
    def test_who_restored_what_and_when_stands_in_the_trail(self, offices, kind):
        office = filled(offices(kind))
        later = NOW + timedelta(days=2)
        restore(office, make(office).file, now=later, real=later, replace=True)
        with office.store.reading() as session:
            line = session.scalars(select(TrailEntry).order_by(TrailEntry.id.desc())).first()
        assert (line.who, line.what, line.at) == ("ana", "database restored", later)
        assert line.why == (
            "secretariat-2025-07-20-013005Z.zip, of 2025-07-20 01:30 UTC; "
            "0 posts may be live meanwhile"
        )

    def test_no_process_of_then_is_taken_for_one_that_died(self, offices):
        office = filled(offices())
        with office.store.reading() as session:
            assert session.scalars(select(Process)).all()
        restore(office, make(office).file, replace=True)
        with office.store.reading() as session:
            assert session.scalars(select(Process)).all() == []
            beat = session.get(Heartbeat, 1)
            assert (beat.real, beat.ticked, beat.pulse) == (NOW, False, "")
            assert session.get_one(Meta, backup.LAST).value == NOW.isoformat()
