"""Whatever fails, and whenever: nothing goes live twice, nothing goes live unread.

A Hypothesis state machine over a real desk on a real SQLite file: one message of one or two parts
that keeps being edited and moved, cleared from a screen that may be stale, held, sent and settled
while the network refuses, loses answers, shows its posts late or never, while the process dies
before and after the call, is stopped between its claim and its call, while the database refuses
the write after the network's yes, and while old copies of the database are restored.

What must never happen is in the invariants. That the machine would see it is shown by planting
bugs: `BUGS` holds each as a Publisher with one rule broken, and every one must be caught.

1. an unknown failure is retried (what may have worked is sent again)
2. a dead process's claim goes back to *cleared* instead of *uncertain*
3. no fence: a process stopped past its lease sends when it wakes
4. "not found" is believed at once, before the network shows its posts
5. a clearance survives an edit of the text
6. a hold is not looked at when a delivery is claimed
7. after a restore, what fell due is sent without looking
8. looking takes any post with the same words, also last week's
9. a thread begins anew after a crash instead of going on after its last part
10. not-after is ignored
11. after a restore, only what was due in the copy is looked for, not what was moved forward

`test_it_reaches_publishing_often` counts how often the machine gets that far.
"""

import os
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlalchemy.orm.attributes import set_committed_value

from outreach import apply as applying
from outreach.campaign.plan import plan
from outreach.campaign.values import Late
from outreach.claims import Claims
from outreach.compose import Draft
from outreach.delivery import IN_FLIGHT, Delivery, State
from outreach.doubt import Doubt
from outreach.errors import OutreachError
from outreach.planning import standing
from outreach.platforms.memory import Memory
from outreach.post import Part, Post, Slot
from outreach.publish import Publisher
from outreach.store.plain import asking
from outreach.store.tables import Hold
from tests.conftest import Office

KEY = "c/news/en@net"
SUDDEN = [*Memory.FAULTS, "stalled", "unrecorded"]
FAULTS = ["", *SUDDEN, *(f"then {fault}" for fault in SUDDEN)]  # "then": at the second part
reached: Counter[str] = Counter()
EXAMPLES = int(os.environ.get("OUTREACH_MACHINE_EXAMPLES", "300"))


@pytest.fixture(scope="module", autouse=True)
def _template():
    """An office with its tables and people made once; each example works on a copy."""
    with tempfile.TemporaryDirectory() as folder:
        office = Office(Path(folder) / "office")
        office.open()
        office.close()
        Desk.template = office.home
        yield


class Network(Memory):
    """A network that may show its posts late, and during whose calls the world goes on."""

    delay = 0.0  # boot-time seconds until a post can be found

    def __init__(self, machine: "Desk", *, blind: bool) -> None:
        super().__init__(blind=blind)
        self.machine, self.now = machine, machine.office.clock
        self.born: list[float] = []
        self.later = ""

    def publish(self, part, after):
        if self.next_fault.startswith("then "):
            self.later, self.next_fault = self.next_fault.removeprefix("then "), ""
        elif self.later:
            self.later, self.next_fault = "", self.later
        if self.next_fault == "stalled":
            self.next_fault = ""
            self.machine.sleep_through_the_lease()
        if self.next_fault == "unrecorded":
            self.next_fault = ""
            self.machine.break_the_database()
        try:
            return super().publish(part, after)
        finally:
            while len(self.born) < len(self.live):
                self.born.append(self.machine.office.leases.seconds)

    def find(self, part, since, not_these):
        now, everything = self.machine.office.leases.seconds, self.live
        self.live = [
            post
            for post, born in zip(everything, self.born, strict=True)
            if now - born >= self.delay
        ]
        try:
            return super().find(part, since, not_these)
        finally:
            self.live = everything


class Desk(RuleBasedStateMachine):
    """One desk, one message, one network that keeps failing."""

    template: Path
    publisher: type[Publisher] = Publisher
    keeps_clearance = False

    # What the world is like; a planted bug aims it at where that bug would show.
    blind = (False, True)
    delays = (0.0, 300.0)  # seconds until the network shows a post
    lengths = (1, 2)  # parts of the post
    old_copies = (False, True)  # whether the same words went out last week
    faults = tuple(FAULTS)
    decisions = ("hold", "release", "release", "retry", "send-now", "skip")
    troubles = ("restart", "reboot", "outage", "long outage")
    without: frozenset[str] = frozenset()  # what does not happen in this world

    @initialize(chosen=st.integers(0, 15))
    def open(self, chosen):
        blind = self.blind[chosen % len(self.blind)]
        delay = self.delays[chosen // 2 % len(self.delays)]
        parts = self.lengths[chosen // 4 % len(self.lengths)]
        old_copy = self.old_copies[chosen // 8 % len(self.old_copies)]
        self.folder = tempfile.TemporaryDirectory()
        self.office = Office.__new__(Office)
        self.office.__dict__.update(home=Path(self.folder.name) / "office", _desks=[], _writes=0)
        shutil.copytree(self.template, self.office.home)
        from tests.conftest import Clock, Leases

        self.office.clock, self.office.leases = Clock(), Leases()
        self.network = Network(self, blind=blind)
        self.network.delay = delay
        self.parts, self.words, self.minutes = parts, 0, 10
        self.cleared: set[str] = set()
        self.cleared_day: date | None = None
        self.backup: Path | None = None
        self.edited_since_backup = False
        self.start()
        if old_copy:  # the same words went out last week, by hand
            for part in self.draft().post.parts:
                self.network.publish(part, None)
            self.office.clock.forward(days=7)
        self.before = len(self.network.live)
        self.wanted_at = self.office.clock() + timedelta(minutes=10)
        self.edit(0)
        self.read()
        self.clear_what_is_on_screen()

    def start(self) -> None:
        """A process begins: a new desk over the same files, database and network."""
        self.office.close()
        self.office._desks.clear()
        self.desk = self.office.open()
        self.desk.__dict__["platforms"] = {"net": self.network}
        self.desk.__dict__["publisher"] = self.publisher(
            store=self.desk.store,
            platforms=self.desk.platforms,
            now=self.office.clock,
            leases=self.office.leases,
            pauses=(),
        )

    def draft(self) -> Draft:
        parts = tuple(
            Part(f"Edition {self.words}, part {n + 1} of {self.parts}.") for n in range(self.parts)
        )
        at = getattr(self, "wanted_at", self.office.clock())
        slot = Slot(at, f"{at:%Y-%m-%dT%H:%M}", "UTC")
        return Draft(
            campaign="c",
            message="news",
            language="en",
            channel="net",
            slot=slot,
            post=Post("c", "news", "en", "net", parts, "memory net"),
            late=Late(),
            not_after=slot.at + timedelta(hours=2),
            release="as-ready",
            authors=frozenset({"ana"}),
        )

    # --- what people do ------------------------------------------------------------------

    @rule(
        change=st.sampled_from(["edit", "edit", "move", "move", "move far", "drop"]),
        words=st.integers(0, 2),
    )
    def change_the_file(self, change, words):
        if "changes" in self.without:
            return
        if change == "edit":
            self.edit(words)
        elif change == "drop":
            self.apply([])
        else:
            minutes = 60 * 24 if change == "move far" else 5
            self.wanted_at = self.office.clock() + timedelta(minutes=minutes)
            self.apply([self.draft()])

    def edit(self, words):
        self.words = words
        self.apply([self.draft()])

    def apply(self, drafts: list[Draft]) -> None:
        self.edited_since_backup = True
        now = self.office.clock()
        self.desk.presence.mind_the_gap()  # as `Outreach.apply` does
        with self.desk.store.writing() as session:
            row = session.get(Delivery, KEY)
            before = (row.state, row.clearance) if row else None
            made = plan(drafts, standing(asking(session)), now=now)
            by_key = {draft.key: draft for draft in drafts}
            applying.carry_out(session, made, by_key, by="ana", now=now)
            row = session.get(Delivery, KEY)
            if self.keeps_clearance and row and before and before[0] is State.CLEARED:
                self.plant_a_clearance(session, row, before[1])
        self.forget_what_no_longer_holds(drafts, before and before[0])

    def forget_what_no_longer_holds(self, drafts: list[Draft], was: State | None) -> None:
        """What a yes was given to, as people would say it: that text, on that day.

        While it may be live the desk leaves a post as it was sent, whatever its file says.
        """
        if was in IN_FLIGHT or was in (State.PUBLISHED, State.TAKEN_DOWN):
            return
        texts = {part.text for draft in drafts for part in draft.post.parts}
        days = {draft.slot.at.date() for draft in drafts}
        if texts != self.cleared or days != {self.cleared_day}:
            self.cleared = set()

    def plant_a_clearance(self, session, row, clearance):
        session.execute(
            text(
                "UPDATE clearance SET voided_at = NULL, fingerprint = :f, "
                "ends = '2099-01-01 00:00:00.000000'"
            ),
            {"f": row.fingerprint},
        )
        if row.state is State.PROPOSED:
            row.state, row.clearance = State.CLEARED, clearance

    @rule()
    def read(self):
        self.on_screen = next(iter(self.desk.readings()), None)

    @rule()
    def read_and_clear(self):
        self.read()
        self.clear_what_is_on_screen()

    @rule()
    def clear_what_is_on_screen(self):
        if self.on_screen and self.on_screen.renderings:
            with suppress(OutreachError):
                self.desk.clear(
                    self.on_screen.name, self.on_screen.fingerprint, by=self.desk.person("bo")
                )
                [rendering] = self.on_screen.renderings
                self.cleared = {part.text for part in rendering.post.parts}
                self.cleared_day = rendering.slot.at.date()
                reached["cleared"] += 1

    @rule(number=st.integers(0, 5))
    def decide(self, number):
        if "decisions" in self.without:
            return
        what = self.decisions[number % len(self.decisions)]
        with suppress(OutreachError):
            if what == "hold":
                self.desk.hold("channel:net", "wait", by=self.desk.person("ana"))
            elif what == "release":
                self.desk.release("channel:net", by=self.desk.person("ana"))
            else:
                self.desk.settle(KEY, what, by=self.desk.person("ana"))

    @rule()
    def look_for_it_as_a_person(self):
        """An honest person, who waits until the network shows everything, and then looks."""
        row = self.row()
        if row is None or row.state is not State.UNCERTAIN:
            return
        self.office.leases.seconds += self.network.delay
        known = self.known_receipts()
        wanted = row.post.parts[len(known)].text
        found = [p for p in self.network.live[self.before :] if p.part.text == wanted]
        with suppress(OutreachError):
            if found:
                self.desk.settle(KEY, "live", by=self.desk.person("ana"), url=_url(found[0]))
            else:
                self.desk.settle(KEY, "absent", by=self.desk.person("ana"))

    # --- what time and machines do -------------------------------------------------------

    @rule(fault=st.integers(0, len(FAULTS) - 1))
    def tick(self, fault):
        self.tick_once(self.faults[fault % len(self.faults)])

    @rule(minutes=st.sampled_from([12, 24]))
    def run_without_trouble(self, minutes):
        self.run_for(minutes, "")

    @rule(minutes=st.sampled_from([4, 12, 24]), fault=st.integers(0, len(FAULTS) - 1))
    def run(self, minutes, fault):
        """The desk runs: it ticks again and again while the network fails."""
        self.run_for(minutes, self.faults[fault % len(self.faults)])

    def run_for(self, minutes, fault):
        for _ in range(0, minutes, 4):
            self.tick_once(fault)
            self.office.clock.forward(minutes=4)
            self.office.leases.seconds += 4 * 60
        self.tick_once("")

    def tick_once(self, fault: str) -> None:
        count, held = len(self.network.live), self.on_hold()
        self.network.next_fault, self.network.later = fault, ""
        with suppress(SystemExit):
            self.desk.tick()
        self.mend_the_database()
        fresh = [post.part.text for post in self.network.live[count:]]
        if fresh:
            reached["sent"] += 1
            assert set(fresh) <= self.cleared, f"unread: {fresh}"
            assert not held, "sent while on hold"
            assert self.office.clock() < self.applied_not_after, "sent after not-after"
        row = self.row()
        if row:
            reached[str(row.state)] += 1

    @rule(number=st.integers(0, 3))
    def trouble(self, number):
        if "trouble" in self.without:
            return
        what = self.troubles[number % len(self.troubles)]
        minutes = {"outage": 10, "long outage": 150}.get(what, 1)
        self.office.clock.forward(minutes=minutes)
        self.office.leases.seconds += minutes * 60
        if what == "reboot":
            self.office.leases.life += "'"
            self.office.leases.seconds = 10.0
            self.network.born = [-1e9 for _ in self.network.live]
        if what.startswith("re"):
            self.start()

    @rule()
    def back_up(self):
        self.backup = Path(self.folder.name) / "backup.db"
        with self.desk.store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self.database, self.backup)
        self.edited_since_backup = False
        self.cleared_at_backup = set(self.cleared), self.cleared_day

    @precondition(lambda self: self.backup is not None and not self.edited_since_backup)
    @rule(minutes=st.sampled_from([1, 6]))
    def restore_raw_copy(self, minutes):
        """Nobody announces it; the desk has only its heartbeat, and its mark, to tell by."""
        self.office.close()
        for suffix in ("-wal", "-shm"):
            self.database.with_name(self.database.name + suffix).unlink(missing_ok=True)
        shutil.copy(self.backup, self.database)
        self.cleared, self.cleared_day = self.cleared_at_backup
        self.office.clock.forward(minutes=minutes)
        self.office.leases.seconds += minutes * 60
        self.start()
        reached["restored"] += 1

    @rule(minutes=st.sampled_from([1, 6]))
    def run_on_and_restore(self, minutes):
        """A copy is made, the desk runs on and sends, and the copy takes its place."""
        self.back_up()
        self.run_for(12, "")
        self.restore_raw_copy(minutes)
        self.tick_once("")

    @rule(minutes=st.sampled_from([1, 6]))
    def move_forward_and_restore_with_old_files(self, minutes):
        """A copy of database and files; the post is moved forward and goes out; both come back.

        Nobody can be asked where a network shows no history: there its time is trusted.
        """
        if self.network.blind:
            return
        self.wanted_at = self.office.clock() + timedelta(minutes=28)
        self.apply([self.draft()])
        self.read_and_clear()
        self.tick_once("")
        self.back_up()
        kept, sent = self.wanted_at, len(self.network.live)
        self.wanted_at = self.office.clock() + timedelta(minutes=4)
        self.apply([self.draft()])
        self.read_and_clear()
        self.run_for(8, "")
        reached["moved forward and sent"] += len(self.network.live) > sent
        self.wanted_at = kept
        self.edited_since_backup = False
        self.restore_raw_copy(minutes)
        self.run_for(28, "")

    def sleep_through_the_lease(self) -> None:
        """This process is stopped after its claim; another one finds its traces meanwhile."""
        self.office.leases.seconds += 3600
        other = self.publisher(
            store=self.desk.store,
            platforms=self.desk.platforms,
            now=self.office.clock,
            leases=self.office.leases,
            pauses=(),
        )
        other.doubt.sweep()
        other.doubt.look(at_once=True)
        self.office.leases.seconds += 3600
        other.doubt.look(at_once=True)
        list(other.send("net"))

    def break_the_database(self) -> None:
        with self.desk.store.writing() as session:
            session.execute(
                text(
                    "CREATE TRIGGER broken BEFORE INSERT ON receipt "
                    "BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
                )
            )

    def mend_the_database(self) -> None:
        with self.desk.store.writing() as session:
            session.execute(text("DROP TRIGGER IF EXISTS broken"))

    # --- what must never happen ----------------------------------------------------------

    @invariant()
    def nothing_twice(self):
        live = Counter(post.part.text for post in self.network.live[self.before :])
        assert all(count == 1 for count in live.values()), f"twice: {live}"

    @invariant()
    def published_means_live(self):
        row = self.row()
        if row and row.state is State.PUBLISHED:
            ours = [post.part.text for post in self.network.live[self.before :]]
            assert {part.text for part in row.post.parts} <= set(ours), "published, but not live"

    @property
    def database(self) -> Path:
        return self.office.home / "data" / "outreach.db"

    @property
    def applied_not_after(self):
        return self.row().not_after

    def row(self) -> Delivery | None:
        with self.desk.store.reading() as session:
            return session.get(Delivery, KEY)

    def on_hold(self) -> bool:
        with self.desk.store.reading() as session:
            return session.query(Hold).filter(Hold.released_at.is_(None)).count() > 0

    def known_receipts(self) -> list[str]:
        with self.desk.store.reading() as session:
            return list(session.execute(text("SELECT remote_id FROM receipt")).scalars())

    def teardown(self):
        if hasattr(self, "folder"):
            self.office.close()
            self.folder.cleanup()


def _url(post) -> str:
    return f"https://net.example.org/{post.receipt.id}"


@pytest.mark.timeout(900)
def test_nothing_twice_nothing_unread_published_means_live():
    reached.clear()
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(dict(reached))


def test_it_reaches_publishing_often():
    """A machine that never publishes would prove nothing; see `-s` for the counts."""
    assert reached["published"] >= 300, reached
    assert reached["sent"] >= 60, reached
    assert reached["restored"] >= 50, reached
    assert reached["moved forward and sent"] >= 5, reached


@dataclass(frozen=True)
class Bug:
    """One rule broken: in what the Publisher does, or in how it claims or doubts."""

    parts: tuple[type[Publisher | Claims | Doubt], ...]
    aim: dict[str, object] = field(default_factory=dict)


def broken(*parts):
    """A Publisher with these in the place of what they are made from."""

    class Broken(next((part for part in parts if issubclass(part, Publisher)), Publisher)):
        def __init__(self, **given):
            super().__init__(**given)
            for room in (self.claims, self.doubt):
                room.__class__ = next((p for p in parts if issubclass(p, type(room))), type(room))

    return Broken


class RetriesTheUnknown(Publisher):
    def _end(self, claim, attempt, state, outcome, error, wait=None):
        if state is State.UNCERTAIN:
            state = State.CLEARED
        return super()._end(claim, attempt, state, outcome, error, wait)


class SweepsToCleared(Doubt):
    def sweep(self):
        swept = super().sweep()
        with self.store.writing() as session:
            for outcome in swept:
                session.get_one(Delivery, outcome.key).move(State.CLEARED)
        return swept


class HasNoFence(Claims):
    def _fence(self, until, **_):
        return lambda _seconds: None


class BelievesAtOnce(Doubt):
    def look_at(self, key):
        platform = self.platforms["net"]
        limits, platform.limits = platform.limits, replace(platform.limits, visible=timedelta(0))
        try:
            return super().look_at(key)
        finally:
            platform.limits = limits


class IgnoresHolds(Claims):
    def _may_go(self, session, row, receipts, holds):
        return super()._may_go(session, row, receipts, ())


class ForgetsTheGap(Doubt):
    def fell_due(self, since, until, **_):
        pass


class LooksForWhatWasDue(Doubt):
    def fell_due(self, since, until, *, restored=False, blind=()):
        super().fell_due(since, until)


class TakesAnyCopy(Doubt):
    def look_at(self, key):
        platform = self.platforms["net"]
        find = platform.find
        platform.find = lambda part, since, _not: find(part, since - timedelta(days=30), set())
        try:
            return super().look_at(key)
        finally:
            del platform.find


class BeginsThreadsAnew(Claims):
    def _take(self, session, chosen, here):
        return [replace(claim, part=0) for claim in super()._take(session, chosen, here)]


class IgnoresNotAfter(Claims):
    def _may_go(self, session, row, receipts, holds):
        kept = row.not_after
        set_committed_value(row, "lateness_settled", True)  # seen so, and not written
        set_committed_value(row, "not_after", None)
        try:
            return super()._may_go(session, row, receipts, holds)
        finally:
            set_committed_value(row, "not_after", kept)


class NothingIsOverdue(Publisher):
    def overdue(self):
        return []


BUGS = {
    "1 an unknown failure is retried": Bug((RetriesTheUnknown,), {"faults": ("lost after",)}),
    "2 a dead claim goes back to cleared": Bug((SweepsToCleared,), {"faults": ("killed after",)}),
    "3 no fence": Bug((HasNoFence,), {"faults": ("stalled",), "blind": (False,), "delays": (0.0,)}),
    "4 not found is believed at once": Bug(
        (BelievesAtOnce,), {"faults": ("lost after",), "blind": (False,), "delays": (300.0,)}
    ),
    "5 a clearance survives an edit": Bug(
        (Publisher,),
        {"faults": ("",), "keeps_clearance": True, "without": {"decisions", "trouble"}},
    ),
    "6 holds are ignored": Bug(
        (IgnoresHolds,),
        {"faults": ("",), "decisions": ("hold",), "without": {"changes", "trouble"}},
    ),
    "7 nothing is looked for after a restore": Bug(
        (ForgetsTheGap,), {"faults": ("",), "without": {"changes", "decisions", "trouble"}}
    ),
    "11 only what was due is looked for after a restore": Bug(
        (LooksForWhatWasDue,),
        {
            "faults": ("",),
            "blind": (False,),
            "delays": (0.0,),
            "without": {"changes", "decisions", "trouble"},
        },
    ),
    "8 any copy is taken for ours": Bug(
        (TakesAnyCopy,), {"faults": ("lost before",), "blind": (False,), "old_copies": (True,)}
    ),
    "9 a thread begins anew": Bug(
        (BeginsThreadsAnew,), {"faults": ("then not now", "then lost before"), "lengths": (2,)}
    ),
    "10 not-after is ignored": Bug(
        (IgnoresNotAfter, NothingIsOverdue),
        {
            "faults": ("",),
            "troubles": ("long outage",),
            "blind": (False,),
            "delays": (0.0,),
            "lengths": (1,),
            "without": {"changes", "decisions"},
        },
    ),
}


@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_planted_bug_is_caught(bug):
    planted = type("Planted", (Desk,), {"publisher": broken(*BUGS[bug].parts), **BUGS[bug].aim})
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            planted,
            settings=settings(
                max_examples=500,
                stateful_step_count=15,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                report_multiple_bugs=False,
                print_blob=False,
            ),
        )
