"""
Backups: what the office would need on another machine, in one file, and back again.

    secretariat-2025-07-20-013005Z.zip
      backup.json    when it was made, of which office, how many rows each table has
      database.db    every table, as an SQLite database, whatever the office's own is
      office/        campaigns, templates, media, config, as they were; never a secret

Making one reads the database in one look, so the desk goes on meanwhile; the file appears under
its name when it is whole and was read again. A restore goes into either kind of database, all of
it or nothing, and never beside a desk at work. Whatever was due since the backup was made may be
live: a restored database looks before it sends (`fell_due`).
"""

import json
import os
import re
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from sqlalchemy import URL, delete, inspect, select, text
from sqlalchemy.orm import Session

from outreach import pace, people, subscribers  # noqa: F401 - their tables are copied too
from outreach.clearance import PROGRAM, record
from outreach.config import FOLDERS, Configuration
from outreach.delivery import Delivery, State
from outreach.doubt import fell_due, unseen
from outreach.errors import NotAllowed, NotFound, Unusable
from outreach.store import HEAD, Store
from outreach.store.migrations import known, upgrade
from outreach.store.tables import Heartbeat, Meta, Process
from outreach.store.transfer import (
    Damaged,
    Tell,
    copy_pages,
    copy_rows,
    counted,
    must_be_whole,
    reading,
)

LAST = "last backup"  # in Meta: when the last one was made, ISO 8601

ABOUT, DATABASE, OFFICE = "backup.json", "database.db", "office/"
BLOCK = 1 << 20  # bytes read at a time
LOOKED_INTO = 1_000_000  # bytes; a larger file is a picture or a film, and no secret is typed there
LEFTOVER = timedelta(days=1)  # what somebody is still writing is younger

_OF_ITSELF = {"alembic_version", "meta", "heartbeat", "process", "clock_job"}
_OVER = (State.PUBLISHED, State.TAKEN_DOWN, State.SKIPPED, State.PAST, State.DROPPED)


def _quietly(_done: int, _of: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class About:
    """What a backup says of itself. `at` is aware UTC; None in a copy that was made by hand.

    `rows` are counted by table; `written` says when each file was, in nanoseconds.
    """

    at: datetime | None = None
    office: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    written: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """A backup that was made: its size in bytes, which files are not in it and why, and which
    earlier ones went for it."""

    file: Path
    about: About
    size: int
    left_out: Mapping[str, str]
    removed: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Restored:
    """A backup that was restored.

    `since` is when its desk last ticked; `waiting` counts by channel what was due by now and is
    not known to be live: each is looked for before it is sent. `unseen` is what goes out later
    without a look, since its network shows no history: key and slot, soonest first. `kept` is what
    was there before.
    """

    about: About
    since: datetime | None
    waiting: Mapping[str, int]
    unseen: Sequence[tuple[str, datetime]]
    kept: Path | None


# --- making one ---------------------------------------------------------------------------


def make(
    store: Store,
    configuration: Configuration,
    where: Path | None = None,
    *,
    now: datetime,
    keep: int | None = None,
    name: str = "",
    tell: Tell = _quietly,
) -> Made:
    """Make a backup: `where` is its file, or a folder; the office's own for backups unless said.

    In a folder it is named for its time, after the office's folder or `name`, and with `keep` only
    that many, the newest of this name, stay. Raises NotAllowed for a name that is taken, Unusable
    where it cannot be made whole: then nothing is left behind.
    """
    where = where or configuration.backups
    in_folder = where.is_dir() or not where.suffix
    if keep is not None and not in_folder:
        raise NotAllowed(
            f"{where} is one file: there is nothing to keep the newest of",
            "name a folder: outreach backup DIR --keep 30",
        )
    folder = where if in_folder else where.parent
    name = name or configuration.home.name
    file = folder / f"{name}-{now:%Y-%m-%d-%H%M%S}Z.zip" if in_folder else where
    if file.exists():
        raise NotAllowed(f"{file} is there already", "choose another name")
    with _workshop(folder) as work:
        rows = _copy(store, work / DATABASE, tell)
        must_be_whole(work / DATABASE, rows, "the database")
        with _understood(folder):
            packed, about, left_out = _pack(configuration, work, rows, now, tell)
            size = packed.stat().st_size
            packed.rename(file)
            _sync(folder)
    removed = _clear_away(folder, name, keep) if keep is not None else ()
    return Made(file, about, size, left_out, removed)


def _copy(store: Store, target: Path, tell: Tell) -> dict[str, int]:
    """Copy the database as it is at one moment; how many rows each table had then."""
    if not store.embedded:
        with _as_store(target) as made:
            made.prepare()
            with store.reading() as session, made.writing() as into:
                return copy_rows(store, session.connection(), made, into.connection(), tell)
    if store.file is None:
        raise Unusable("a database in memory ends with its process", "there is nothing to keep")
    if not store.revision():
        store.prepare(make=False)  # says that there is none
    with store.understood(), store.engine.connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")  # the one look begins
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)  # noqa: S101 - says so to mypy
        rows = counted(source)
        copy_pages(source, target, suspect=store.file, tell=tell)
    with closing(sqlite3.connect(target)) as made_:
        made_.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
    return rows


def _pack(
    configuration: Configuration, work: Path, rows: Mapping[str, int], now: datetime, tell: Tell
) -> tuple[Path, About, dict[str, str]]:
    """Everything in one file, and read again; what it says of itself, and what is not in it."""
    packed = work / "packed.zip"
    written: dict[str, int] = {}
    left_out: dict[str, str] = {}
    secrets = configuration.never_to_be_written()
    with (
        os.fdopen(os.open(packed, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened,
        zipfile.ZipFile(opened, "w") as made,
    ):
        _add(made, DATABASE, work / DATABASE, now, tell)
        for file in _files(configuration.home):
            name = file.relative_to(configuration.home).as_posix()
            try:
                name.encode()
                if _holds(file, secrets):
                    left_out[name] = "it holds a secret, and those belong in .env"
                    continue
                when = file.stat().st_mtime_ns
                _add(made, OFFICE + name, file, now)
            except OSError as error:
                if error.filename != str(file):
                    raise
                left_out[name] = f"it cannot be read: {error.strerror}"
            except UnicodeEncodeError:
                left_out[name.encode(errors="replace").decode()] = "its name is in no alphabet"
            else:
                written[name] = when
        about = About(now, configuration.settings.office.name, rows, written)
        told = {
            "format": 1,
            "program": version("outreach"),
            "at": now.isoformat(),
            "office": about.office,
            "rows": rows,
            "written": written,
            "left out": left_out,
        }
        made.writestr(_entry(ABOUT, now), json.dumps(told, ensure_ascii=False, indent=1))
    with zipfile.ZipFile(packed) as again:
        if wrong := again.testzip():
            raise Unusable(
                f"the disk did not give back what was written ({wrong})", "use another disk"
            )
    with packed.open("rb+") as written_:
        os.fsync(written_.fileno())
    return packed, about, left_out


def _add(
    made: zipfile.ZipFile, name: str, file: Path, now: datetime, tell: Tell = _quietly
) -> None:
    with file.open("rb") as source, made.open(_entry(name, now), "w", force_zip64=True) as entry:
        size = os.fstat(source.fileno()).st_size // 1024
        for number, block in enumerate(iter(lambda: source.read(BLOCK), b"")):
            entry.write(block)
            tell(number * BLOCK // 1024, size)


def _entry(name: str, now: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, now.timetuple()[:6])
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    return entry


def _files(home: Path) -> Iterator[Path]:
    """The office's own files; nothing that is hidden, or in a hidden folder."""
    for folder in FOLDERS:
        for path in sorted((home / folder).rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(home).parts)
            if path.is_file() and not hidden:
                yield path


def _holds(file: Path, secrets: frozenset[str]) -> bool:
    if file.stat().st_size > LOOKED_INTO:
        return False
    said = file.read_text(encoding="utf-8", errors="replace")
    return any(secret in said for secret in secrets)


def _clear_away(folder: Path, name: str, keep: int) -> tuple[Path, ...]:
    """Remove all but the newest backups of this name; returns those that went."""
    named = re.compile(re.escape(name) + r"-\d{4}-\d\d-\d\d-\d{6}Z\.zip")
    old = sorted(path for path in folder.iterdir() if named.fullmatch(path.name))[: -max(1, keep)]
    for path in old:
        path.unlink(missing_ok=True)
    return tuple(old)


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """A hidden folder in this one, for us alone, and gone when this ends."""
    with _understood(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in folder.glob(".outreach-*"):  # by somebody who was killed
            age = datetime.now(UTC) - datetime.fromtimestamp(left.stat().st_mtime, UTC)
            if age > LEFTOVER:
                shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=".outreach-", dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _understood(folder: Path) -> Iterator[None]:
    """Say what a file system's error means for the person who waits. Raises Unusable."""
    try:
        yield
    except OSError as error:
        raise Unusable(
            f"nothing can be written to {folder}: {error.strerror or error}",
            "make room there, see that you may write, or name another folder",
        ) from error


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system does that
            os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _as_store(file: Path) -> Iterator[Store]:
    """An SQLite file as a database of ours; one file, with nothing beside it, when this ends."""
    store = Store(URL.create("sqlite", database=str(file)))
    try:
        yield store
    finally:
        store.close()
        with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as left:
            left.execute("PRAGMA journal_mode = DELETE")


# --- restoring one ------------------------------------------------------------------------


def restore(
    store: Store,
    file: Path,
    configuration: Configuration,
    *,
    now: datetime,
    real: datetime,
    who: Callable[[Session], str],
    blind: Collection[str] = (),
    replace: bool = False,
    tell: Tell = _quietly,
) -> Restored:
    """Put a backup in the place of this office's database, all of it or nothing.

    `who` says from the restored people who did it; `blind` are channels whose networks show no
    history. Raises Unusable while a desk is on duty, and
    for a backup that is damaged, of a newer version, or none; NotAllowed where the database has
    rows and nobody said `replace`: then a backup of those is made first.
    """

    def keep() -> Path:
        name = f"{configuration.home.name}-replaced"
        return make(store, configuration, now=now, name=name, tell=tell).file

    with store.duty.begin(), _workshop(configuration.backups) as work:
        about = _take_apart(file, work)
        with _as_store(work / DATABASE) as copy:
            copy.prepare()
        if store.embedded:
            kept = _make_way(store, keep, replace=replace)
            restored = _ready(work / DATABASE, file, about, now, real, who, blind)
            _into_file(work / DATABASE, store, tell)
        else:
            with _into_server(store, keep, replace=replace) as (session, kept):
                restored = _ready(work / DATABASE, file, about, now, real, who, blind)
                with _as_store(work / DATABASE) as copy, copy.reading() as read:
                    copy_rows(copy, read.connection(), store, session.connection(), tell)
    return Restored(about, *restored, kept)


def take_out(file: Path, folder: Path) -> list[str]:
    """Write the office's own files that are in a backup into a new folder; their names.

    They have the times that they had: where the folder stands as it stood, nothing has changed.
    Raises NotAllowed for a folder with something in it, and Unusable for a backup that is damaged.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotAllowed(f"there is something in {folder}", "name a folder that is new, or empty")
    taken = []
    with _opened(file) as packed:
        if packed is None:
            raise NotAllowed(f"{file} is a database alone", "the office's files are not in it")
        written = _about(packed).written
        for name in packed.namelist():
            inner = PurePosixPath(name.removeprefix(OFFICE))
            if not name.startswith(OFFICE) or ".." in inner.parts or inner.is_absolute():
                continue
            target = folder / inner
            with _understood(folder):
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(name) as source, target.open("xb") as made:
                    shutil.copyfileobj(source, made, BLOCK)
                if when := written.get(str(inner)):
                    os.utime(target, ns=(when, when))
            taken.append(str(inner))
    return taken


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile | None]:
    """A backup as it lies there; None for a database alone. Says what is wrong with it.

    Raises NotFound, NotAllowed for what is no backup, and Damaged.
    """
    if not file.is_file():
        raise NotFound(
            f"there is no file {file}", "backups are in data/backups, unless you named a folder"
        )
    with file.open("rb") as opened:
        head = opened.read(16)
    if head == b"SQLite format 3\0":
        yield None
        return
    if not head.startswith(b"PK"):
        raise NotAllowed(f"{file} is no backup of outreach", "name a file that it has made")
    try:
        with zipfile.ZipFile(file) as packed:
            yield packed
    except _WRONG as error:
        told = " ".join(str(error).split())
        raise Damaged(
            f"{file} is damaged: {told}", "take another backup, such as the one before"
        ) from error


_WRONG = (zipfile.BadZipFile, zlib.error, EOFError, LookupError, NotImplementedError, ValueError)
"""What a file that is not what it was makes of a reader."""


def _about(packed: zipfile.ZipFile) -> About:
    told = json.loads(packed.read(ABOUT))
    if told["format"] != 1:
        raise _too_new(Path(packed.filename or ""), f"form {told['format']}")
    return About(datetime.fromisoformat(told["at"]), told["office"], told["rows"], told["written"])


def _too_new(file: Path, what: str) -> Unusable:
    return Unusable(
        f"{file} is of {what}, made by a newer version of outreach; this one knows up to {HEAD}",
        "install the newer version, or take a backup that this version has made",
    )


def _take_apart(file: Path, work: Path) -> About:
    """Lay a backup's database into `work`: whole, and of a revision that we know."""
    database = work / DATABASE
    with _opened(file) as packed:
        if packed is None:
            about = About()
            with closing(reading(file)) as source:
                copy_pages(source, database, suspect=file, tell=_quietly)
        else:
            about = _about(packed)
            with packed.open(DATABASE) as source, _understood(work), database.open("xb") as made:
                shutil.copyfileobj(source, made, BLOCK)
    must_be_whole(database, about.rows, str(file))
    with closing(reading(database)) as found:
        try:
            revision = str(found.execute("SELECT version_num FROM alembic_version").fetchone()[0])
        except (sqlite3.OperationalError, TypeError):
            raise NotAllowed(
                f"{file} is no database of outreach", "name a file that it has made"
            ) from None
    if revision not in known():
        raise _too_new(file, f"revision {revision}")
    return about


def _ready(
    database: Path,
    file: Path,
    about: About,
    now: datetime,
    real: datetime,
    who: Callable[[Session], str],
    blind: Collection[str],
) -> tuple[datetime | None, Mapping[str, int], Sequence[tuple[str, datetime]]]:
    """Tell a copy that it comes back: since when its desk had ticked, what waits by channel, and
    what nobody will look for."""
    with _as_store(database) as copy, copy.writing() as session:
        beat = session.get(Heartbeat, 1)
        due = select(Delivery.channel).where(Delivery.state.not_in(_OVER), Delivery.at <= now)
        waiting = Counter(session.scalars(due))
        last = beat.real if beat else None
        fell_due(session, beat.now if beat else None, now, restored=True, blind=blind)
        later = [(row.key, row.at) for row in unseen(session, now, blind)]
        session.execute(delete(Process))
        session.merge(Heartbeat(id=1, real=real, now=now, ticked=False, pulse=""))
        if about.at:
            session.merge(Meta(name=LAST, value=about.at.isoformat()))
        of = f"{about.at or last:%Y-%m-%d %H:%M} UTC" if about.at or last else "an unknown day"
        why = f"{file.name}, of {of}; {sum(waiting.values())} posts may be live meanwhile"
        record(session, now, who(session), "database restored", why=why)
    return last, waiting, later


def _declined(counts: Mapping[str, int]) -> NotAllowed:
    return NotAllowed(
        f"this office has a database: {counts.get('delivery', 0):,} posts, "
        f"{sum(counts.values()):,} rows in all",
        "if it is to be replaced: the same with --replace; a backup of it is made first",
    )


def _rows_of_people(counts: Mapping[str, int]) -> dict[str, int]:
    """What somebody would miss: a database that was only just made has none."""
    return {name: count for name, count in counts.items() if count and name not in _OF_ITSELF}


# --- SQLite -------------------------------------------------------------------------------


def _make_way(store: Store, keep: Callable[[], Path], *, replace: bool) -> Path | None:
    """Keep what is there, if it is anything; where. Raises NotAllowed unless it may be replaced."""
    file = store.file
    if file is None:
        raise Unusable("a database in memory ends with its process", "nothing is restored there")
    if not file.exists() or not file.stat().st_size:
        return None
    try:
        counts = _rows_of_people(must_be_whole(file, {}, str(file)))
    except Damaged as error:
        if not replace:
            raise NotAllowed(
                str(error),
                "if it is to be replaced: the same with --replace; it is put aside as it is",
            ) from error
        return _put_aside(store, file)
    if counts and not replace:
        raise _declined(counts)
    return keep() if counts else None


def _put_aside(store: Store, file: Path) -> Path:
    """What no backup can be made of is kept as it is, under another name."""
    store.close()
    aside = file.with_name(f"{file.name}.damaged-{datetime.now(UTC):%Y-%m-%d-%H%M%S}Z")
    with _understood(file.parent):
        for suffix in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                file.with_name(file.name + suffix).rename(aside.with_name(aside.name + suffix))
        _make_file(file)
        shutil.copymode(aside, file)
    return aside


def _make_file(file: Path) -> None:
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))


def _into_file(database: Path, store: Store, tell: Tell) -> None:
    file = store.file
    if file is None:
        return
    store.close()  # whatever comes next opens it anew
    with _understood(file.parent):
        _make_file(file)
    with closing(sqlite3.connect(database, isolation_level=None)) as source:
        with closing(reading(file)) as there:
            size = there.execute("PRAGMA page_size").fetchone()[0] if file.stat().st_size else 0
        if size and size != source.execute("PRAGMA page_size").fetchone()[0]:
            source.execute(f"PRAGMA page_size = {size}")
            source.execute("VACUUM")
        copy_pages(source, file, suspect=file, tell=tell)


# --- PostgreSQL ---------------------------------------------------------------------------


@contextmanager
def _into_server(
    store: Store, keep: Callable[[], Path], *, replace: bool
) -> Iterator[tuple[Session, Path | None]]:
    """The one transaction in which all is replaced, and what was kept before."""
    has_tables = bool(store.revision())
    if has_tables:
        store.prepare()
    with store.writing() as session:
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        _nobody_on_duty(store, session)
        kept = None
        if not has_tables:
            upgrade(session.connection())
        elif counts := _rows_of_people(_counted(session)):
            if not replace:
                raise _declined(counts)
            kept = keep()
        yield session, kept


def _counted(session: Session) -> dict[str, int]:
    names = inspect(session.connection()).get_table_names()
    return {
        name: int(session.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0)  # noqa: S608 - its own names
        for name in names
    }


def _nobody_on_duty(store: Store, session: Session) -> None:
    """Raises Unusable while others send from this database."""
    others = (store.duty.alive(session) or set()) - {store.duty.life}
    if others:
        named = ", ".join(session.scalars(select(Process.name).order_by(Process.name)))
        raise Unusable(
            f"a desk is on duty at this database{f': {named}' if named else ''}",
            "end it first, and every outreach worker: a restore is nothing for a desk at work",
        )


class Backups:
    """The backups of an office whose desk goes on meanwhile, and the way back to one.

    `blind` tells the channels whose networks show no history; it is asked when one is put back.
    """

    def __init__(
        self,
        *,
        store: Store,
        configuration: Configuration,
        now: Callable[[], datetime],
        real: Callable[[], datetime],
        blind: Callable[[], Collection[str]],
    ) -> None:
        self.store, self.configuration = store, configuration
        self.now, self.real, self.blind = now, real, blind

    def make(
        self,
        where: Path | None = None,
        *,
        keep: int | None = None,
        tell: Tell = _quietly,
    ) -> Made:
        """Make a backup while the desk goes on: see `make`, whose errors it raises."""
        made = make(self.store, self.configuration, where, now=self.real(), keep=keep, tell=tell)
        with suppress(Unusable), self.store.writing() as session:  # it is made all the same
            session.merge(Meta(name=LAST, value=self.real().isoformat()))
        return made

    def restore(
        self,
        file: Path,
        *,
        token: str = "",
        acting: str = "",
        replace: bool = False,
        tell: Tell = _quietly,
    ) -> Restored:
        """Put a backup in the place of the database: see `restore`, whose errors it raises.

        Who may do what is what is being restored, so nobody is asked; who did it is `acting`, or
        whoever holds this token in the backup, or the program.
        """

        def who(session: Session) -> str:
            with suppress(NotAllowed):
                return acting or people.whose(session, token).id
            return PROGRAM

        return restore(
            self.store,
            file,
            self.configuration,
            now=self.now(),
            real=self.real(),
            who=who,
            blind=self.blind(),
            replace=replace,
            tell=tell,
        )
