"""What is broken in a drill: each fault is one function on a field whose posts are due.

A fault starts the processes, breaks something in mid-drain, and leaves things as they would be
found: the drill then waits until everything is settled, and counts.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text, update

from outreach.clearance import Clearance
from outreach.delivery import Delivery, State
from outreach.errors import OutreachError
from outreach.post import Part
from tests.drill import nights
from tests.drill.field import MARGIN, UNDER_WAY, Field, Stopped
from tests.drill.network import ANSWER, DEADLINE

SLOW = 1.2  # seconds that a network takes to answer which adapters still wait for

BOTH, SQLITE, POSTGRESQL = ("sqlite", "postgresql"), ("sqlite",), ("postgresql",)


@dataclass(frozen=True)
class Fault:
    """One row of the table: what is broken, on which databases, with how many workers."""

    name: str
    act: Callable[[Field], None]
    databases: tuple[str, ...] = BOTH
    workers: int = 2  # on PostgreSQL; SQLite has one
    anywhere: bool = False  # whether any network will do, not only the drill's own
    put: Callable[[Field], None] = Field.put
    how: Mapping[str, Any] = field(default_factory=dict)  # what a Field is made with

    def __str__(self) -> str:
        return self.name


# --- processes that die --------------------------------------------------------------------


def killed_again_and_again(field: Field) -> None:
    """One worker, killed at random instants of the drain and started anew each time."""
    field.start()
    for _ in range(field.kills):
        before = len(field.live())
        if before >= field.posts:
            break
        more = field.random.randint(0, max(1, 2 * field.posts // field.kills))
        enough = min(before + more, field.posts)
        field.until(lambda: len(field.live()) >= enough, 10)  # noqa: B023 - asked at once
        time.sleep(field.random.uniform(0, 2.4 * field.answer))
        field.kill()
        field.start()


def one_of_two_is_killed_for_good(field: Field) -> None:
    field.start_all()
    field.until_share(0.3)
    field.kill("w0")


def all_are_killed_at_once(field: Field) -> None:
    field.start_all()
    field.until_share(0.3)
    for name in list(field.running):
        os.kill(field.running[name].pid, signal.SIGKILL)
    for name in list(field.running):
        field.kill(name)
    field.start_all()


def a_worker_sleeps_past_its_lease(field: Field) -> None:
    """Stopped between its claim and its call, and woken when others have long taken over."""
    field.start_all()
    field.until_share(0.3)
    field.stop.touch()
    assert field.until(lambda: field.asleep, 20), "it was not stopped in mid-call"
    time.sleep(DEADLINE + MARGIN + 2)
    if field.workers > 1:  # its post is sent by another one meanwhile
        field.until(lambda: not any(field.under_way(row) for row in field.rows()), 30)
    for name in field.asleep:
        field.signal(signal.SIGCONT, name)
    field.faulted()
    time.sleep(1)  # it goes on where it was


def a_sleeper_wakes_while_another_sends_its_post(field: Field) -> None:
    """Its claim is another one's by then: what it learns is not to be written down."""
    field.start_all()
    field.until_share(0.3)
    field.stop.touch()
    assert field.until(lambda: field.asleep, 20), "it was not stopped in mid-call"
    [name] = field.asleep
    with field.desk.store.reading() as session:
        sending = select(Delivery.key, Delivery.owner).where(Delivery.state == State.SENDING)
        claims = {(key, owner) for key, owner in session.execute(sending)}
    field.answer = SLOW
    field.network_fails("")

    def taken_over() -> bool:
        with field.desk.store.reading() as session:
            now = {(key, owner) for key, owner in session.execute(sending)}
        return any(key == was and owner != had for key, owner in now for was, had in claims)

    assert field.until(taken_over, 40), "nobody took its post over"
    field.signal(signal.SIGCONT, name)
    time.sleep(SLOW)
    field.answer = ANSWER
    field.network_fails("")
    field.faulted()


def a_second_program_is_started_by_mistake(field: Field) -> None:
    field.start_all()
    field.until_share(0.2)
    command = ["worker", "--name", "w0"] if field.database else ["run", "--no-web"]
    second = field.process(*command)
    assert second.wait(30) == 3, "it should have been refused"
    field.faulted()


# --- a network that fails --------------------------------------------------------------------


def network(fault: str, share: float) -> Callable[[Field], None]:
    """A share of the calls fails so, until half of the posts are out or some seconds are over."""

    def act(field: Field) -> None:
        field.network_fails(fault, share)
        field.start_all()
        field.until_share(0.5, 12)
        field.network_fails("")

    return act


def connection_refused(field: Field) -> None:
    field.start_all()
    field.until_share(0.3)
    field.network_fails("", away=field.lasting)
    time.sleep(field.lasting)
    field.faulted()


# --- a database that fails -------------------------------------------------------------------


def the_answer_cannot_be_written_down(field: Field) -> None:
    """The network has said yes, and the database refuses to keep it."""
    broken = {
        "sqlite": (
            "CREATE TRIGGER broken BEFORE INSERT ON receipt BEGIN SELECT RAISE(ABORT, 'no'); END",
            "DROP TRIGGER broken",
        ),
        "postgresql": (
            "ALTER TABLE receipt ADD CONSTRAINT broken CHECK (part < 0) NOT VALID",
            "ALTER TABLE receipt DROP CONSTRAINT broken",
        ),
    }["postgresql" if field.database else "sqlite"]
    field.start_all()
    field.until_share(0.3)
    for statement, seconds in zip(broken, (field.lasting, 0.0), strict=True):
        with field.desk.store.writing() as session:
            session.execute(text(statement))
        time.sleep(seconds)
    field.faulted()


def the_database_server_restarts(field: Field) -> None:
    """At once, as after a crash of its machine."""
    assert field.server
    field.start_all()
    field.until_share(0.3)
    field.server.restart()
    field.faulted()


def locked_by_another_program(field: Field) -> None:
    """A database viewer, say, that has begun to write and then waits."""
    field.start_all()
    field.until_share(0.3)
    program = (
        "import sqlite3, sys, time; other = sqlite3.connect(sys.argv[1], timeout=20,"
        " isolation_level=None); other.execute('BEGIN EXCLUSIVE');"
        " time.sleep(float(sys.argv[2])); other.execute('COMMIT')"
    )
    given = str(field.desk.store.file), str(2.5 * field.lasting)
    subprocess.run([sys.executable, "-c", program, *given], check=True)
    field.faulted()


def the_disk_is_full(field: Field) -> None:
    field.start_all()
    field.until_share(0.3)
    field.full.touch()
    time.sleep(field.lasting)
    field.full.unlink()
    field.faulted()


# --- time ----------------------------------------------------------------------------------


def clock_jumps(hours: int) -> Callable[[Field], None]:
    """The wall clock is an hour off for a while, and is put right again."""

    def act(field: Field) -> None:
        field.start_all()
        field.until_share(0.3)
        field.set_clock(3600 * hours)
        time.sleep(field.lasting)
        field.set_clock(0)
        field.faulted()

    return act


def night(name: str, which: nights.Night) -> "Fault":
    return Fault(
        name,
        lambda field: nights.through(field, which),
        put=lambda field: nights.put(field, which),
        how={"zone": nights.OFFICE, "fast": True},
    )


# --- people, in the same moment ------------------------------------------------------------


def people_race_the_claim(field: Field) -> None:
    """Edits, holds, withdrawals and clearances that end, while workers drain."""
    field.start_all()
    field.until_share(0.05)
    ends = time.monotonic() + 8
    acts = (_edit, _edit, _hold, _withdraw, _expire)
    while time.monotonic() < ends and len(field.live()) < 0.9 * field.posts:
        field.random.choice(acts)(field)
        time.sleep(field.random.uniform(0, 0.05))
    for channel in list(field.holds):
        _release(field, channel)
    assert len(field.stopped) > 5, "people were too slow for this drill"
    field.faulted()


def _some_cleared(field: Field) -> str:
    with field.desk.store.reading() as session:
        keys = session.scalars(select(Delivery.key).where(Delivery.state == State.CLEARED)).all()
    return field.random.choice(sorted(keys)) if keys else ""


def _edit(field: Field) -> None:
    """Other words; cleared again by Bo, or by nobody."""
    if not (key := _some_cleared(field)):
        return
    was = field.drafts[key]
    number = len(field.edits)
    words = f"{was.post.parts[0].text.partition(',')[0]}, words {number}."
    field.edits.append(words)
    field.drafts[key] = replace(was, post=replace(was.post, parts=(Part(words, "en"),)))
    try:
        field.apply()
    except OutreachError:  # somebody was faster; nothing was applied
        field.drafts[key] = was
        return
    field.stopped.append(Stopped(time.time(), text=was.post.parts[0].text))
    if field.random.random() < 0.7:
        field.clear(key)


def _hold(field: Field) -> None:
    """A channel is held, or released after some seconds."""
    channel = field.random.choice(field.names)
    if channel not in field.holds:
        field.desk.hold(f"channel:{channel}", "a drill", by=field.desk.person("ana"))
        field.holds[channel] = time.time()
    elif time.time() > field.holds[channel] + UNDER_WAY + 1:
        _release(field, channel)


def _release(field: Field, channel: str) -> None:
    since, until = field.holds.pop(channel), time.time()
    field.desk.release(f"channel:{channel}", by=field.desk.person("ana"))
    field.stopped.append(Stopped(since, until, channel=channel))


def _withdraw(field: Field) -> None:
    if not (key := _some_cleared(field)):
        return
    was = field.drafts.pop(key)
    try:
        field.apply()
    except OutreachError:
        field.drafts[key] = was
        return
    field.stopped.append(Stopped(time.time(), text=was.post.parts[0].text))


def _expire(field: Field) -> None:
    """A clearance that was given for a while only, and the while is over."""
    if not (key := _some_cleared(field)):
        return
    with field.desk.store.writing() as session:
        row = session.get_one(Delivery, key)
        if row.state is not State.CLEARED:
            return
        over = field.now() - timedelta(seconds=1)
        session.execute(update(Clearance).where(Clearance.id == row.clearance).values(expires=over))
        words = row.post.parts[0].text
    field.stopped.append(Stopped(time.time(), text=words))


FAULTS = (
    Fault(
        "kill -9 at random instants, started anew each time",
        killed_again_and_again,
        workers=1,
        anywhere=True,
    ),
    Fault(
        "kill -9 of one of two workers, for good",
        one_of_two_is_killed_for_good,
        POSTGRESQL,
        anywhere=True,
    ),
    Fault("kill -9 of all workers at once", all_are_killed_at_once, anywhere=True),
    Fault("committed, and the answer is lost", network("lost", 0.3)),
    Fault("the answer comes after the time-out", network("late", 0.3)),
    Fault("the server hangs", network("hangs", 0.3)),
    Fault("connection refused", connection_refused),
    Fault("429, ask again in a second", network("429", 0.5)),
    Fault("500 before committing", network("500 before", 0.3)),
    Fault("500 after committing", network("500 after", 0.3)),
    Fault(
        "the database refuses to write the answer down",
        the_answer_cannot_be_written_down,
        anywhere=True,
    ),
    Fault(
        "PostgreSQL restarts in mid-drain", the_database_server_restarts, POSTGRESQL, anywhere=True
    ),
    Fault("locked by another program", locked_by_another_program, SQLITE, anywhere=True),
    Fault("disk full", the_disk_is_full, SQLITE, anywhere=True),
    Fault("a worker sleeps past its lease and wakes", a_worker_sleeps_past_its_lease),
    Fault(
        "a worker wakes while another sends its post",
        a_sleeper_wakes_while_another_sends_its_post,
        POSTGRESQL,
    ),
    Fault(
        "a second program is started by mistake",
        a_second_program_is_started_by_mistake,
        anywhere=True,
    ),
    Fault("the clock jumps an hour ahead", clock_jumps(+1)),
    Fault("the clock jumps an hour back", clock_jumps(-1)),
    night("the night in autumn: an hour comes twice", nights.AUTUMN),
    night("the night in spring: an hour is skipped", nights.SPRING),
    Fault("edits, holds, withdrawals and expiry race the claim", people_race_the_claim),
)
