"""What tests share: a clock that stands still, an office in a folder, and a desk over both."""

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from outreach.app import Outreach
from outreach.clearance import Person
from outreach.config import read_configuration
from outreach.store import Store

REPOSITORY = Path(__file__).parent.parent

settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", parent=settings.get_profile("dev"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="outreach-tests-")
atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)


class Clock:
    """A clock that stands still until told. Aware, UTC."""

    def __init__(self, at: datetime = datetime(2025, 7, 20, 1, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def to(self, text: str) -> None:
        """Go to an instant, "2025-08-25T02:00Z"."""
        self.at = datetime.fromisoformat(text).astimezone(UTC)

    def forward(self, **delta: float) -> None:
        self.at += timedelta(**delta)


class Leases:
    """A boot-time clock that stands still until told; `life` changes when the machine restarts."""

    def __init__(self) -> None:
        self.life, self.seconds = "first life", 1000.0

    def __call__(self, session: object = None) -> tuple[str, float]:
        return self.life, self.seconds

    def here(self) -> float:
        return self.seconds


OUTREACH_TOML = """
[office]
name = "The secretariat"
zone = "Asia/Bangkok"
also-zone = "Asia/Seoul"
"""

PEOPLE_TOML = """
[ana]
name = "Ana Example"
email = "ana@example.org"
roles = ["officer", "administrator"]

[bo]
name = "Bo Example"
email = "bo@example.org"
roles = ["clearer", "officer", "administrator"]

[cy]
name = "Cy Example"
email = "cy@example.org"
roles = ["guest"]
"""

CHANNELS_TOML = """
[web]
platform = "feed"

[net]
platform = "memory"
"""


BOTH = {
    "test_adopted",
    "test_clearance",
    "test_clock",
    "test_collect",
    "test_correction",
    "test_gather",
    "test_handover",
    "test_holds",
    "test_if_late",
    "measure.test_latest",
    "test_links_page",
    "test_moved",
    "test_notices",
    "test_outcomes",
    "test_pace",
    "test_people",
    "test_permits",
    "test_plan",
    "test_publish",
    "test_reporting",
    "test_requests",
    "test_restored",
    "test_series",
    "test_settle",
    "test_takedown",
    "test_subscribers",
    "test_toolkit",
    "test_user_stories",
}
"""Modules whose tests of an office run on SQLite and on PostgreSQL."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        several = metafunc.module.__name__.removeprefix("tests.") in BOTH
        kinds = ["sqlite", "postgresql"] if several else ["sqlite"]
        metafunc.parametrize("database", kinds, indirect=True, ids=kinds if several else [""])


class Office:
    """An office's folder that a test writes, and the desk over it.

    `database` is its address; empty for the SQLite file that is the default.
    """

    def __init__(self, home: Path, database: str = "") -> None:
        self.database = database
        self.home, self.clock, self.leases = home, Clock(), Leases()
        for folder in ("campaigns", "templates/posts", "config", "media"):
            (home / folder).mkdir(parents=True)
        for name in ("metrics.toml", "bots.txt"):
            (home / "config" / name).write_text((REPOSITORY / "config" / name).read_text())
        desk = f'\n[desk]\ndatabase = "{database}"\n' if database else ""
        self.write("config/outreach.toml", OUTREACH_TOML + desk)
        self.write("config/people.toml", PEOPLE_TOML)
        self.write("config/channels.toml", CHANNELS_TOML)
        self._desks: list[Outreach] = []
        self._writes = 0

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file of the office; every write is seen as a change."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        self._writes = getattr(self, "_writes", 0) + 1
        os.utime(path, ns=(self._writes * 10**9, self._writes * 10**9))
        return path

    def campaign(self, text: str, **templates: str) -> None:
        """A campaign file, and its texts by message ("save_the_date" for save-the-date)."""
        name = text.split("campaign:", 1)[1].split(maxsplit=1)[0]
        self.write(f"campaigns/{name}.yaml", text)
        for message, template in templates.items():
            self.write(f"templates/posts/{name}/{message.replace('_', '-')}.md", template)

    def open(self) -> Outreach:
        """Another process's desk over the same folder and database."""
        configuration = read_configuration(self.home)
        store = Store(configuration.database)
        store.prepare()
        desk = Outreach(
            configuration=configuration, store=store, now=self.clock, leases=self.leases
        )
        if not desk.people():
            desk.confirm_people(by="ana", first=True)
            desk.confirm_people(by="bo", first=True)
        self._desks.append(desk)
        return desk

    def rest(self) -> None:
        """Let go of every connection; the desks take new ones when they need them."""
        for desk in self._desks:
            desk.store.engine.dispose()

    def close(self) -> None:
        for desk in self._desks:
            desk.close()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database's address, or "" for an office's own SQLite file."""
    if request.param == "sqlite":
        yield ""
        return
    from tests import postgresql

    made = postgresql.database()
    yield made
    postgresql.server().drop(made)


@pytest.fixture
def office(tmp_path: Path, database: str) -> Iterator[Office]:
    made = Office(tmp_path / "office", database)
    yield made
    made.close()


@pytest.fixture
def desk(office: Office) -> Outreach:
    """A desk that ticks: what falls due within minutes is found in time."""
    desk = office.open()
    desk.tick()
    return desk


@pytest.fixture
def ana(desk: Outreach) -> Person:
    return desk.person("ana")


def apply(desk: Outreach, by: str = "ana", **options: bool):
    """Plan and apply in one go, as an officer who has looked."""
    return desk.apply(desk.plan().hash, by=desk.person(by), **options)


def clear_all(desk: Outreach, by: str = "bo") -> None:
    """Read and clear everything that waits."""
    for reading in desk.readings():
        if reading.renderings:
            desk.clear(reading.name, reading.fingerprint, by=desk.person(by))


def state(desk: Outreach, key: str) -> str:
    from outreach.delivery import Delivery

    with desk.store.reading() as session:
        return str(session.get_one(Delivery, key).state)


def until(
    told: Callable[[], object], seconds: float = 30, *, meanwhile: Callable[[], object] = bool
) -> None:
    """Wait until it is true, at most so long, doing something else in between."""
    ends = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < ends, "it did not come to that in time"
        meanwhile()
        time.sleep(0.05)
