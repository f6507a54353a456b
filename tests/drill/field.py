"""Where a drill is held: an office, a database, the network's server, and real processes.

Everything that the program does here it does as in an office: its own command line in processes of
their own, real SQLite and PostgreSQL, calls over loopback. The drill only breaks things.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.request import Request, urlopen

from sqlalchemy import insert, select

from outreach import platforms
from outreach.app import Outreach, open_desk
from outreach.clearance import Person, Window, clear
from outreach.compose import Draft
from outreach.config import real_now
from outreach.delivery import Delivery, State
from outreach.store.tables import Heartbeat
from tests import postgresql
from tests.conftest import OUTREACH_TOML, PEOPLE_TOML, REPOSITORY
from tests.drafts import draft
from tests.drafts import put as put_drafts
from tests.drill.network import ANSWER, KINDS

OVER = frozenset({State.PUBLISHED, State.FAILED, State.MISSED, State.DROPPED, State.SKIPPED})
MARGIN = 1.5  # seconds; an office's leases are longer, which is no other path through the code
MAKING = Lock()  # Alembic makes one database at a time in a process
UNDER_WAY = 2.5  # seconds that a call may be under way when something is stopped


def blind(kind: str) -> bool:
    """Whether a network of this kind shows no history."""
    return not platforms.load(kind).limits.shows


@dataclass
class Result:
    """What came of it, for the posts of one kind of network."""

    kind: str
    posts: int
    blind: bool = False  # it shows no history: a doubt is a person's to answer
    live: int = 0
    doubled: int = 0
    lost: int = 0  # without any outcome that a person would see, or said live and not live
    unread: int = 0  # live, and nobody had cleared exactly that
    stranded: int = 0  # still under way when the drill ended
    doubts: int = 0  # put before a person
    seconds: float = 0.0  # from the last fault until everything was settled


@dataclass(frozen=True)
class Stopped:
    """From then until then nothing of this text, or this channel, may go out."""

    since: float
    until: float = float("inf")
    text: str = ""
    channel: str = ""

    def broken_by(self, post: dict[str, Any]) -> bool:
        mine = self.text in ("", post["text"]) and self.channel in ("", post["channel"])
        return mine and self.since + UNDER_WAY < post["at"] < self.until


@dataclass(frozen=True)
class Elsewhere:
    """One account on a server that nobody here wrote, in the place of the drill's own network."""

    platform: str
    channel: str  # its lines in channels.toml
    secrets: Mapping[str, str]
    texts: Callable[[], list[str]]  # what is public there


@dataclass
class Field:
    """One office and its processes. `workers` is how many send; 1 on SQLite."""

    folder: Path
    database: str = ""  # a PostgreSQL's address; "" is SQLite
    workers: int = 1
    posts: int = 60
    channels: int = 9
    kills: int = 4
    kinds: tuple[str, ...] = tuple(KINDS)  # of networks, in turn
    lead: float = -1.0  # seconds from now until the posts are due
    answer: float = 0.0  # seconds that the network takes to answer; 0: as `drain` wants it
    drain: float = 4.0  # seconds that a drain takes at least: a fault is to strike in its middle
    lasting: float = 4.0  # seconds that a fault lasts which is over by itself
    seed: int = 1
    bug: str = ""  # a planted one, of tests/drill/program.py
    elsewhere: Elsewhere | None = None
    zone: str = "Asia/Bangkok"  # the office's
    patient: bool = False  # whether the program waits as long as in an office
    fast: bool = False  # whether its clock runs fast: the heartbeat has the real time then
    server: postgresql.Server | None = None  # PostgreSQL's, where the drill may restart it
    holds: dict[str, float] = field(default_factory=dict)  # channels on hold, since when
    edits: list[str] = field(default_factory=list)  # words that were written in the drill
    drafts: dict[str, Draft] = field(default_factory=dict)
    wanted: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """What has to go out: channel and text, and when it is due."""
    cleared: set[str] = field(default_factory=set)  # every text that anybody said yes to
    stopped: list[Stopped] = field(default_factory=list)  # what must not have gone out when
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    last_fault: float = 0.0

    def __post_init__(self) -> None:
        for kind, adapter in KINDS.items():
            platforms.PLATFORMS[kind] = f"tests.drill.network:{adapter.__name__}"
        platforms.load.cache_clear()
        self.random = random.Random(self.seed)  # noqa: S311 - a drill may be repeated
        self.home = self.folder / "office"
        self.clock, self.full = self.folder / "clock", self.folder / "full"
        self.stop = self.folder / "stop"
        self.set_clock(0)
        self.log = (self.folder / "log").open("ab")
        if self.elsewhere:
            self.channels, self.kinds = 1, (self.elsewhere.platform,)
        self.port = 0
        self.network = self._serve()
        self.answer = self.answer or max(ANSWER, self.drain * self.channels / self.posts)
        self.network_fails("")
        self._office()
        self.desk = self._desk()

    # --- the office ----------------------------------------------------------------------

    def _office(self) -> None:
        for name in ("campaigns", "templates/posts", "config", "media"):
            (self.home / name).mkdir(parents=True)
        for name in ("metrics.toml", "bots.txt"):
            (self.home / "config" / name).write_text((REPOSITORY / "config" / name).read_text())
        desk = f'\n[desk]\ndatabase = "{self.database}"\n' if self.database else ""
        (self.home / "config/outreach.toml").write_text(
            OUTREACH_TOML.replace("Asia/Bangkok", self.zone) + desk
        )
        (self.home / "config/people.toml").write_text(PEOPLE_TOML)
        base = f'base = "http://127.0.0.1:{self.port}"\n'
        base = self.elsewhere.channel if self.elsewhere else base
        (self.home / "config/channels.toml").write_text(
            "".join(f'[{name}]\nplatform = "{self.kind(name)}"\n{base}\n' for name in self.names)
        )

    @property
    def names(self) -> list[str]:
        return [f"c{n}" for n in range(self.channels)]

    def kind(self, channel: str) -> str:
        return self.kinds[int(channel.removeprefix("c")) % len(self.kinds)]

    def _desk(self) -> Outreach:
        with MAKING:
            desk = open_desk(self.home, now=self.now, make=True)
        if self.fast:
            desk.real = real_now
        if not desk.people():
            desk.confirm_people(by="ana", first=True)
            desk.confirm_people(by="bo", first=True)
        return desk

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self.clock.read_text() or 0))

    def set_clock(self, seconds: float) -> None:
        """By how much the program's wall clock is off from now on."""
        whole = self.clock.with_suffix(".new")
        whole.write_text(str(seconds))
        whole.rename(self.clock)  # whoever reads it reads one or the other

    def put(self) -> None:
        """Posts that are cleared and due now, spread over the channels; late by half a day is
        still in time."""
        at = self.due = (self.now() + timedelta(seconds=self.lead)).replace(microsecond=0)
        for n in range(self.posts):
            channel = f"c{n % self.channels}"
            one = draft(
                f"c/m{n}/en@{channel}",
                f"Post {n}, first words.",
                at=at,
                late=timedelta(hours=12),
                account=f"counted {channel}",
            )
            self.drafts[one.key] = one
        self.set_clock(-120)  # as applied and cleared two minutes ago
        self.apply()
        self.clear(*self.drafts)
        self.set_clock(0)
        with self.desk.store.writing() as session:
            pulse = self.desk.store.pulse.beat(session)
            session.merge(Heartbeat(id=1, real=self.now(), now=self.now(), pulse=pulse))

    def put_aside(self, count: int) -> None:
        """Further posts, cleared and scheduled for the weeks to come."""
        with self.desk.store.writing() as session:
            row = session.scalars(select(Delivery).limit(1)).one()
            columns = Delivery.__mapper__.columns
            one = {name: getattr(row, name) for name in columns.keys()}  # noqa: SIM118 - it yields columns
            later = [
                {
                    **one,
                    "key": f"c/later{n}/en@{row.channel}",
                    "message": f"later{n}",
                    "at": row.at + timedelta(days=1, minutes=n),
                }
                for n in range(count)
            ]
            for start in range(0, count, 10_000):
                session.execute(insert(Delivery), later[start : start + 10_000])

    def apply(self) -> None:
        """As if the office's files said what `drafts` says."""
        put_drafts(self.desk, *self.drafts.values())

    def clear(self, *keys: str) -> None:
        """Bo says yes to these, as they stand now."""
        bo = Person("bo", "Bo", "", frozenset({"clearer"}))
        with self.desk.store.writing() as session:
            for key in keys:
                row = session.get_one(Delivery, key)
                if row.state is State.PROPOSED:
                    clear(session, row, row.fingerprint, by=bo, now=self.now(), window=Window())
                    self.cleared |= {part.text for part in row.post.parts}

    # --- processes -----------------------------------------------------------------------

    def start(self, name: str = "w0") -> None:
        """A process that sends: the desk on SQLite, a worker beside others on PostgreSQL."""
        command = ["worker", "--name", name] if self.database else ["run", "--no-web"]
        self.running[name] = self.process(*command)

    def start_all(self) -> None:
        for n in range(self.workers):
            self.start(f"w{n}")

    def process(self, *command: str) -> subprocess.Popen[bytes]:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("OUTREACH_")},
            "OUTREACH_HOME": str(self.home),
            **(self.elsewhere.secrets if self.elsewhere else {}),
            "DRILL_MARGIN": "" if self.patient else str(MARGIN),
            "DRILL_CLOCK": str(self.clock),
            "DRILL_FULL": str(self.full),
            "DRILL_STOP": str(self.stop),
            "DRILL_FAST": "yes" if self.fast else "",
            "DRILL_BUG": self.bug,
        }
        program = [sys.executable, "-m", "tests.drill.program", *command]
        return subprocess.Popen(
            program, cwd=REPOSITORY, env=environment, stdout=self.log, stderr=self.log
        )

    def pulsed(self, since: datetime) -> bool:
        """Whether a process has ticked since then."""
        with self.desk.store.reading() as session:
            beat = session.get(Heartbeat, 1)
            return beat is not None and beat.ticked and beat.now >= since

    def not_before(self, channel: str, text: str) -> None:
        """It is due now: had it gone out earlier, that would have been unread."""
        self.stopped.append(Stopped(0, time.time(), text=text, channel=channel))

    def kill(self, name: str = "w0") -> None:
        """As a power cut would."""
        self.running[name].kill()
        self.running.pop(name).wait()
        self.faulted()

    def signal(self, number: int, name: str = "w0") -> None:
        os.kill(self.running[name].pid, number)

    @property
    def asleep(self) -> list[str]:
        """The processes that were stopped."""
        stats = {name: Path(f"/proc/{one.pid}/stat") for name, one in self.running.items()}
        return [name for name, stat in stats.items() if stat.read_text().split(") ")[1][0] == "T"]

    def faulted(self) -> None:
        self.last_fault = time.monotonic()

    # --- the network ---------------------------------------------------------------------

    def _serve(self) -> subprocess.Popen[bytes]:
        program = [sys.executable, "-m", "tests.drill.network", str(self.port)]
        server = subprocess.Popen(program, cwd=REPOSITORY, stdout=subprocess.PIPE)
        assert server.stdout
        self.port = int(server.stdout.readline())
        return server

    def network_fails(self, fault: str, share: float = 1.0, *, away: float = 0.0) -> None:
        """From now on this share of the calls fails so; or nobody listens for some seconds."""
        told = {"fault": fault, "share": share, "away": away, "answer": self.answer}
        body = json.dumps(told).encode()
        urlopen(Request(f"http://127.0.0.1:{self.port}/control", body)).read()
        self.faulted()

    def live(self) -> list[dict[str, Any]]:
        """Everything that the network ever took."""
        if self.elsewhere:
            return [{"channel": "c0", "text": text, "at": 0.0} for text in self.elsewhere.texts()]
        for _ in range(200):
            with suppress(OSError), urlopen(f"http://127.0.0.1:{self.port}/all") as answer:
                return list(json.loads(answer.read()))
            time.sleep(0.1)
        raise TimeoutError("the network does not come back")

    # --- waiting and counting --------------------------------------------------------------

    def rows(self) -> list[Delivery]:
        with self.desk.store.reading() as session:
            return list(session.scalars(select(Delivery)))

    def under_way(self, row: Delivery) -> bool:
        """Whether the program still has something to do for it, before a person has."""
        waits = row.state in (State.CLEARED, State.SENDING)
        return waits or (row.state is State.UNCERTAIN and not blind(self.kind(row.channel)))

    def waiting(self, now: datetime) -> bool:
        """Whether something that is due by now is still under way."""
        return any(self.under_way(row) and row.at <= now for row in self.rows())

    def until(self, told: Callable[[], bool], seconds: float) -> bool:
        ends = time.monotonic() + seconds
        while not told():
            if time.monotonic() > ends:
                return False
            time.sleep(0.1)
        return True

    def until_share(self, share: float, seconds: float = 60) -> bool:
        """Until this share of the posts is live: a moment in mid-drain."""
        return self.until(lambda: len(self.live()) >= share * self.posts, seconds)

    def settle(self, seconds: float = 60) -> float:
        """Wait until nothing is under way any more; how long that took after the last fault."""
        self.until(lambda: not any(self.under_way(row) for row in self.rows()), seconds)
        return time.monotonic() - self.last_fault

    def count(self, seconds: float) -> list[Result]:
        """What came of it, by kind of network."""
        live, rows = self.live(), self.rows()
        texts = Counter((post["channel"], post["text"]) for post in live)
        results = []
        for kind in self.kinds:
            mine = [row for row in rows if self.kind(row.channel) == kind]
            result = Result(kind, len(mine), blind(kind), seconds=seconds)
            for (channel, text), copies in texts.items():
                if self.kind(channel) == kind:
                    result.live += 1
                    result.doubled += copies - 1
                    result.unread += text not in self.cleared
            for post in live:
                if self.kind(post["channel"]) == kind:
                    result.unread += any(one.broken_by(post) for one in self.stopped)
            for row in mine:
                out = all(texts[row.channel, part.text] for part in row.post.parts)
                result.stranded += self.under_way(row)
                result.doubts += row.state is State.UNCERTAIN
                result.lost += row.state is State.PUBLISHED and not out
                # It is live and nobody knows: as lost as one that is not.
                result.lost += row.state in (State.MISSED, State.FAILED) and out
            result.lost += sum(not texts[one] for one in self._wanted_of(kind, mine))
            results.append(result)
        return results

    def _wanted_of(self, kind: str, rows: list[Delivery]) -> list[tuple[str, str]]:
        """What has to be out by now on this kind of network, but for what a person is asked."""
        asked = {
            (row.channel, row.post.parts[0].text) for row in rows if row.state is State.UNCERTAIN
        }
        return [one for one in self.wanted if self.kind(one[0]) == kind and one not in asked]

    def without_an_outcome(self) -> list[str]:
        """Posts that are neither live nor shown to a person as in doubt."""
        texts = Counter((post["channel"], post["text"]) for post in self.live())
        shown = {line.key for line in self.desk.status().attention}
        return [
            row.key
            for row in self.rows()
            if row.key not in shown
            and not (
                row.state is State.PUBLISHED
                and all(texts[row.channel, part.text] for part in row.post.parts)
            )
        ]

    def close(self) -> None:
        for name in list(self.running):
            with suppress(ProcessLookupError):
                self.signal(signal.SIGCONT, name)
            self.kill(name)
        self.network.kill()
        self.network.wait()
        if self.network.stdout:
            self.network.stdout.close()
        self.desk.close()
        self.log.close()


@contextmanager
def held(folder: Path, put: Callable[[Field], None] = Field.put, **how: object) -> Iterator[Field]:
    """A field with its posts put, and nothing running yet."""
    made = Field(folder, **how)  # type: ignore[arg-type] # as Field names them
    try:
        put(made)
        yield made
    finally:
        made.close()
