"""
Everything this program can do. The command line, the web pages and the bot all call these.

    files        check, plan, apply                      what the campaign files ask for
    clearance    readings, clear, return_, trail         a second person's yes to exactly that
    publishing   tick, hold, release, settle, status,    once, or somebody is asked
                 in_full, look_at_links
    figures      follow, collect, import_figures         values, or none with a reason
    report       report                                  a month, frozen
    partners     toolkit                                 cleared texts to give away
    care         doctor, watch, ask_account,             before the day, and while it runs
                 confirm_people, token_for
    backups      back_up, restore                        and after one that went wrong

A verb opens a transaction, orders what is read and written, or joins two modules. The rules
themselves stand on the values and rows of those modules.
"""

import difflib
import gc
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from outreach import addresses, alarms, credentials, holds, kept, notices, people, standing
from outreach import apply as applying
from outreach import clearance as clearing
from outreach.about import about
from outreach.accounts import Accounts
from outreach.campaign.models import Campaign, Loaded
from outreach.campaign.plan import Kind, Plan, plan
from outreach.clearance import MAY_ADMINISTER, MAY_CLEAR, MAY_WRITE, Person, Reading, Window
from outreach.compose import Draft
from outreach.config import FOLDERS, Configuration, home_of, read_configuration, real_now
from outreach.delivery import IN_FLIGHT, Delivery, ReceiptRow, State
from outreach.dispatch import Dispatch, Embedded
from outreach.ending import Ending
from outreach.errors import Changed, NotAllowed, NotFound, Problem, TooMuch, Unusable, WrongFiles
from outreach.hints import did_you_mean
from outreach.pace import Pace
from outreach.platforms import Channel, Platform, Told, load
from outreach.store import Store
from outreach.store.shelf import TableShelf
from outreach.store.tables import (
    Asset,
    ClockJob,
    Heartbeat,
    Meta,
    Process,
    Roster,
    ShortLink,
    partner_of,
)

# A verb imports what it alone works with: looking at files that have not changed takes a few
# tenths of a second, and most of them would go to modules that nobody calls.
if TYPE_CHECKING:
    from outreach.backup import Made, Restored
    from outreach.campaign.directory import Partner
    from outreach.compose.reachable import Ask
    from outreach.compose.style import House
    from outreach.measure.clicks import Bots
    from outreach.measure.imports import Import
    from outreach.platforms.feed import FeedEntry, FeedInfo
    from outreach.publish import Leases, Publisher
    from outreach.report.value import Report
    from outreach.settle import Answer
    from outreach.toolkit import Kit
    from outreach.watch import Watch

gc.freeze()  # what was imported stays: no collection, nor the one at the exit, looks at it again

log = logging.getLogger(__name__)

AHEAD = timedelta(days=60)
"""How far ahead of now a recurring message has its posts."""

GAP = timedelta(minutes=5)
"""Without a tick for longer than this, what fell due meanwhile is looked for before it is sent."""


FORGOTTEN = timedelta(days=3)
"""A process that was not seen for so long is no alarm any more."""

BEAT = 3.0  # seconds between two heartbeats while there is nothing to send
COMPARE = 1.0  # seconds between two looks at whether a file has changed, within one turn

HELD_BACK = "held back"  # what the desk's folder no longer says: why, by key, as JSON


@dataclass(frozen=True)
class Files:
    """What the office's folder asks for: drafts by key, and every mistake and open fact."""

    loaded: Loaded
    drafts: Mapping[str, Draft]
    problems: tuple[Problem, ...]

    @property
    def mistakes(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.mistake)

    @property
    def open(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.open)


class Outreach:
    """The secretariat's desk: one database, its channels, and a clock.

    `now` decides what is due and may run fast in a demo. `real` is the heartbeat's clock, and
    `leases` that of claims; both are real time wherever real networks are.
    """

    def __init__(
        self,
        *,
        configuration: Configuration,
        store: Store,
        now: Callable[[], datetime] = real_now,
        real: Callable[[], datetime] | None = None,
        leases: "Leases | None" = None,
    ) -> None:
        self.configuration, self.store, self.now = configuration, store, now
        self.real = real or now
        self.home = configuration.home
        self._leases = leases
        self._since = self.real()
        self._beaten = -BEAT  # when this process last wrote its heartbeat, on its own clock
        self._held_back: tuple[tuple[str, str], dict[str, str]] = (("", ""), {})
        self._comparing, self._compared = Lock(), -COMPARE
        self.ending = Ending()
        self.keeps = True  # False for a copy of the folder, which will never be read again
        self.has_folder = True  # False for a worker: what the desk holds back, it holds back
        self.name = ""  # of this process, while it runs the clock
        self.ask: Ask | None = None  # how an address is asked whether it works, if otherwise

    @property
    def office(self) -> str:
        return self.configuration.settings.office.name

    @property
    def public_url(self) -> str:
        return self.configuration.settings.web.public_url.rstrip("/")

    # --- channels ------------------------------------------------------------------------

    @cached_property
    def channels(self) -> Mapping[str, Channel]:
        """The office's accounts, as composing sees them: no secret, no connection."""
        return self._accounts.channels()

    @cached_property
    def unready(self) -> Mapping[str, str]:
        """Channels that cannot publish as they are set up, and why."""
        return self._accounts.unready()

    @cached_property
    def remedies(self) -> Mapping[str, str]:
        """What to do about each channel that cannot publish."""
        return self._accounts.remedies()

    @cached_property
    def broken(self) -> Mapping[str, str]:
        """Channels whose package cannot be used, and why; their posts stay as they are."""
        return {
            name: broken.why
            for name in self.configuration.channels
            if (broken := self._accounts.broken(name))
        }

    @cached_property
    def platforms(self) -> Mapping[str, Platform]:
        """The accounts that can publish."""
        return self._accounts.platforms()

    @cached_property
    def _accounts(self) -> Accounts:
        return Accounts(self.configuration, self.store, self.now)

    @cached_property
    def publisher(self) -> "Publisher":
        from outreach.publish import Publisher, lease_clock

        return Publisher(
            store=self.store,
            platforms=self.platforms,
            now=self.now,
            leases=self._leases or lease_clock(self.store),
            differs=self._held_back_lately,
            unready=self.unready,
            ending=self.ending,
            paces=self.paces,
        )

    @cached_property
    def paces(self) -> Mapping[str, Pace]:
        """What each channel has to keep to: its network's limits, and the office's own."""
        return self._accounts.paces()

    @cached_property
    def dispatch(self) -> Dispatch:
        return Embedded(self._send, len(self.platforms))

    @contextmanager
    def on_duty(self, name: str) -> Iterator[None]:
        """Be the process of this name that runs the clock; on PostgreSQL, one of several.

        Raises Unusable where another process of this name is on duty.
        """
        with self.store.duty.begin(), self.store.alone(f"process {name}", idle="0") as mine:
            if not mine:
                raise Unusable(
                    f"another process of this office is on duty as {name!r}",
                    "end that one first; or for a second machine: outreach worker --name NAME",
                )
            if not self.store.embedded:
                from outreach.engine import ScaledOut  # and with it Procrastinate

                self.dispatch = ScaledOut(self.store.url, self._send, self.platforms)
            self.name, self._since = name, self.real()
            try:
                yield
            finally:
                self.name = ""
                if not self.dispatch.finish(0):  # what hangs is not waited for
                    self.dispatch.close()
                with suppress(Unusable), self.store.writing() as session:
                    session.execute(delete(Process).where(Process.name == name))

    @cached_property
    def watch(self) -> "Watch":
        """Looks for alarms, and tells them."""
        from outreach.watch import Watch

        return Watch(
            store=self.store,
            configuration=self.configuration,
            now=self.now,
            real=self.real,
            platforms=lambda: self.platforms,
            unready=lambda: self.unready,
            differs=self.held_back,
            processes=self._processes,
        )

    def _processes(self) -> list[alarms.Process]:
        """Who sends beside each other; of an SQLite's one process the heartbeat tells."""
        if self.store.embedded:
            return []
        with self.store.reading() as session:
            return [
                alarms.Process(row.name, row.seen_at) for row in session.scalars(select(Process))
            ]

    def _send(self, channel: str) -> None:
        """Look for what is in doubt on this channel, and send what it has due."""
        for outcome in chain(self.publisher.look(channel), self.publisher.send(channel)):
            with about(delivery=outcome.key, channel=channel):
                log.info("%s is %s %s", outcome.key, outcome.state, outcome.reason)

    # --- files ---------------------------------------------------------------------------

    def files(self, progress: Callable[[int, int], None] | None = None) -> Files:
        """Read and compose everything in the office's folder. Changes nothing.

        What was composed before, from exactly these files, is taken from this person's cache.
        """
        if not self.keeps:
            return self._compose(progress)
        key = self._composed()
        if found := kept.read(self.home, key):
            problems, loaded, *rest = found
            campaigns = tuple(one for one in rest if isinstance(one, Campaign))
            by_key = {one.key: one for one in rest[len(campaigns) :]}
            return Files(replace(loaded, campaigns=campaigns), by_key, problems)
        made = self._compose(progress)
        if key == self._composed():  # nothing was written while they were read
            loaded = replace(made.loaded, campaigns=())
            drafts = made.drafts.values()
            kept.keep(self.home, key, chain((made.problems, loaded), made.loaded.campaigns, drafts))
        return made

    def _composed(self) -> str:
        """What the office's files are composed from: the files, the settings, the day."""
        given = (
            self._tree(),
            self.configuration.people_text,
            self.configuration.settings.model_dump(),
            {name: one.model_dump() for name, one in self.configuration.channels.items()},
            _ahead(self.now()),
            self.broken,
            self._accounts.strangers(),
        )
        return hashlib.sha256(repr(given).encode()).hexdigest()

    def _compose(self, progress: Callable[[int, int], None] | None) -> Files:
        from outreach.campaign.care import load_dates
        from outreach.campaign.directory import load_directory
        from outreach.campaign.load import check_channels, check_people, load_campaigns
        from outreach.compose import compose

        loaded = load_campaigns(self.home / "campaigns", root=self.home)
        problems: list[Problem] = list(loaded.problems)
        for campaign in loaded.campaigns:
            problems += check_channels(campaign, self.channels)
            problems += check_people(campaign, self.configuration.people)
        house = self.house()
        problems += house.problems if house else ()
        drafts = compose(
            loaded.campaigns,
            self.channels,
            templates=self.home / "templates",
            media=self.home / "media",
            root=self.home,
            public_url=self.public_url,
            people=self.configuration.people,
            house=house,
            directory=load_directory(self.home / "config", root=self.home),
            until=_ahead(self.now()),
            dates=load_dates(self.home / "config" / "dates.toml"),
            progress=progress,
        )
        drafts = [draft for draft in drafts if draft.channel not in self.broken]
        problems += [
            problem
            for draft in drafts
            for problem in (*draft.blocked, *draft.questions, *draft.advice)
        ]
        problems += self._accounts.over_money(drafts)
        for name, why in self.broken.items():
            what, hint = f"the channel {name} cannot be used: {why}", self.remedies[name]
            problems.append(Problem("config/channels.toml", what, hint))
        return Files(loaded, {draft.key: draft for draft in drafts}, tuple(dict.fromkeys(problems)))

    def house(self) -> "House | None":
        """The rules of config/house-style; None in an office that has none."""
        folder = self.home / "config" / "house-style"
        if not folder.is_dir():
            return None
        from outreach.compose.style import load_style

        return load_style(folder, root=self.home)

    def plan(self, files: Files | None = None) -> Plan:
        """What applying the files would change. Changes nothing."""
        files = files or self.files()
        with self.store.reading() as session:
            return self._plan(session, files)[0]

    def _plan(self, session: Session, files: Files) -> tuple[Plan, Mapping[str, Draft]]:
        """The plan, and the drafts that it was made from: what an event's move blocks included."""
        campaigns = files.loaded.campaigns
        applied = applying.applied_events(session)
        drafts = applying.outdate(campaigns, files.drafts, applied)
        standing = [row for row in applying.standing(session) if row.channel not in self.broken]
        with kept.nothing_collected():
            made = plan(
                drafts.values(),
                standing,
                now=self.now(),
                unreadable=files.loaded.unreadable,
                emptied=not campaigns,
            )
        made = applying.with_texts(session, made)
        return applying.events_moved(campaigns, made, applied), drafts

    def apply(self, hash_: str, *, by: Person, really: bool = False) -> Plan:
        """Carry out exactly the plan that was shown.

        Raises Changed where the files or the database have moved on since; TooMuch where it
        drops more than a third of what is cleared, unless `really`.
        """
        by.must_be(MAY_WRITE)
        tree = self._tree()  # before they are read: what is written meanwhile was not applied
        files = self.files()
        self.mind_the_gap()  # before anything moves: what fell due in it may be live
        with self.store.writing() as session:
            made, drafts = self._plan(session, files)
            if made.hash != hash_:
                raise Changed(
                    f"the plan is {made.hash} now and no longer {hash_}",
                    "look at it again: outreach plan",
                )
            if made.too_much and not really:
                raise TooMuch(
                    f"this drops {made.dropped_cleared} of {made.cleared} cleared posts",
                    f"if that is meant: outreach apply {hash_} --really",
                )
            applying.carry_out(session, made, drafts, by=by.id, now=self.now())
            applying.remember_events(session, files.loaded.campaigns)
            _remember(session, "applied tree", tree)
            _remember(session, "applied by", by.id)
            if session.get(Heartbeat, 1) is None:  # the desk's life begins: nothing was sent before
                pulse = self.store.pulse.beat(session)
                beat = Heartbeat(id=1, real=self.real(), now=self.now(), ticked=False, pulse=pulse)
                session.add(beat)
            clearing.record(session, self.now(), by.id, "plan applied", why=made.hash)
            notices.write(session, people.in_force(session), self.now())
        return made

    def carry_on(self) -> int:
        """Give recurring messages the posts that have come within AHEAD; returns how many.

        Only while the files are as they were applied, and only where nothing else would change:
        whoever applied them has asked for the series, and its texts still wait for clearance.
        """
        tree = self._tree()
        with self.store.reading() as session:
            applied, by = session.get(Meta, "applied tree"), session.get(Meta, "applied by")
        if applied is None or by is None or applied.value != tree:
            return 0
        files = self.files()
        with self.store.writing() as session:
            made, drafts = self._plan(session, files)
            new = [op for op in made.operations if op.kind is Kind.ADD and not op.state]
            if len(new) < len(made.operations) or not all(drafts[op.key].local for op in new):
                return 0
            if new:
                applying.carry_out(session, made, drafts, by=by.value, now=self.now())
                notices.write(session, people.in_force(session), self.now())
        return len(new)

    def held_back(self) -> Mapping[str, str]:
        """Deliveries whose file here is no longer what was applied: why, by key.

        Nothing of the kind where nothing was applied from this folder, or where the file cannot
        be read: then what was cleared goes out as it was cleared.
        """
        if not self.has_folder:
            with self.store.reading() as session:
                told = session.get(Meta, HELD_BACK)
            return json.loads(told.value) if told else {}
        with self._comparing:  # one channel's thread compares, and the others wait for it
            tree = self._tree()
            with self.store.reading() as session:
                row = session.get(Meta, "applied tree")
            applied = row.value if row else tree
            if self._held_back[0] != (tree, applied):
                why = "its file has changed and was not applied yet"
                operations = self.plan().operations if applied != tree else ()
                differing = {op.key: why for op in operations if op.state}
                self._held_back = ((tree, applied), differing)
                if self.name and not self.store.embedded:
                    with self.store.writing() as session:  # for workers without a folder
                        _remember(session, HELD_BACK, json.dumps(differing))
            self._compared = time.monotonic()
            return self._held_back[1]

    def _held_back_lately(self) -> Mapping[str, str]:
        """The same, of this turn of the clock or a second ago: a drain asks for every post."""
        if self.has_folder and time.monotonic() < self._compared + COMPARE:
            return self._held_back[1]
        return self.held_back()

    def _tree(self) -> str:
        """A fingerprint of the folders that posts are made from: names, times and sizes."""
        seen = hashlib.sha256()
        for folder in FOLDERS:
            for path, told in sorted(_files_below(str(self.home / folder))):
                if not path.endswith("/people.toml"):
                    seen.update(f"{path}|{told.st_mtime_ns}|{told.st_size}\n".encode())
        return seen.hexdigest()

    # --- clearance -----------------------------------------------------------------------

    def readings(self, *, for_: Person | None = None) -> list[Reading]:
        """What waits for clearance, soonest first; for one clearer, without what they wrote."""
        with self.store.reading() as session:
            rows = session.scalars(select(Delivery).where(Delivery.state == State.PROPOSED))
            found = clearing.readings(rows)
        return [r for r in found if for_ is None or for_.id not in r.authors]

    def clear(
        self,
        name: str,
        seen: str,
        *,
        by: Person,
        window: Window | None = None,
        emergency: str = "",
        decided: str = "",
    ) -> Reading:
        """Say yes to a message in one language on all its channels, exactly as read.

        `name` is "campaign/message/language" and `seen` the reading's fingerprint; `decided` is
        what was decided about the questions of the house's style, and why. Raises
        NotFound where nothing of that name waits, Changed where it is no longer what was read,
        NotAllowed where this person may not.
        """
        days = self.configuration.settings.clearance.max_age_days
        with self.store.writing() as session:
            reading, rows = self._reading(session, name)
            if reading.fingerprint != seen:
                raise Changed(
                    f"{name} has changed since you read it ({seen} is now {reading.fingerprint})",
                    "read it again: outreach review",
                )
            for rendering in reading.renderings:
                clearing.clear(
                    session,
                    rows[rendering.key],
                    rendering.fingerprint,
                    by=by,
                    now=self.now(),
                    window=window or Window(),
                    max_age=timedelta(days=days) if days else None,
                    override=emergency,
                    decided=decided,
                )
            notices.write(session, people.in_force(session), self.now())
        return reading

    def return_(self, name: str, why: str, *, by: Person) -> list[str]:
        """Send a message back to its authors with a reason; returns the keys.

        `name` is "campaign/message/language", or one post's key: the others stay. What was
        cleared already loses its clearance.
        """
        by.must_be(MAY_CLEAR)
        if not why.strip():
            raise NotAllowed("a reason is needed", "say what should change, in a sentence")
        now = self.now()
        with self.store.writing() as session:
            if "@" in name:
                rows = [self._row(session, name)]
            else:
                rows = self._named(session, name, State.PROPOSED, State.CLEARED)
            for row in rows:
                row.must_be(State.PROPOSED, State.CLEARED)
                clearing.void(session, row, f"returned: {why}", now=now, who=by.id)
                row.returned = f"returned by {by.name}: {why}"
                clearing.record(session, now, by.id, "returned", row, why=why)
            notices.write(session, people.in_force(session), now)
            return [row.key for row in rows]

    def _reading(self, session: Session, name: str) -> tuple[Reading, dict[str, Delivery]]:
        rows = self._named(session, name, State.PROPOSED)
        reading = clearing.readings(rows)[0]
        if not reading.renderings:
            raise NotAllowed(
                f"nothing of {name} can be cleared yet: {reading.blocked[0][1]}",
                "its authors change it, then: outreach plan, outreach apply"
                if any(row.returned for row in rows)
                else "outreach check says where that is put right",
            )
        return reading, {row.key: row for row in rows}

    def _named(self, session: Session, name: str, *states: State) -> list[Delivery]:
        """The deliveries of a message in one language that are in one of these states.

        Raises NotFound for what is no such name, NotAllowed where all of them are elsewhere.
        """
        named = re.fullmatch(r"([^/@]+)/([^/@~]+)(?:~[^/@]*)?/([^/@]+)(@[^@]+)?", name)
        if not named or named[0] != "/".join(named.group(1, 2, 3)):
            whole = "/".join(named.group(1, 2, 3)) if named else "CAMPAIGN/MESSAGE/LANGUAGE"
            raise NotFound(
                f"{name!r} is not a message in one language, on all its channels",
                f"name it as outreach review does: {whole}",
            )
        campaign, message, language = named.group(1, 2, 3)
        every = session.scalars(
            select(Delivery).where(
                Delivery.campaign == campaign,
                Delivery.message == message,
                Delivery.language == language,
            )
        ).all()
        rows = [row for row in every if row.state in states]
        if rows:
            return rows
        listed = "what waits is listed by: outreach review"
        if not every:
            raise NotFound(f"nothing of {name} waits for clearance", listed)
        if cleared := [row for row in every if row.state is State.CLEARED]:
            given = [yes for row in cleared if (yes := clearing.in_force(session, row))]
            known = people.in_force(session)
            by = sorted({known[yes.by].name if yes.by in known else yes.by for yes in given})
            raise NotAllowed(
                f"{name} is cleared already, by {' and '.join(by)}",
                f'to take that back: outreach return {name} --why "..."',
            )
        are = " and ".join(sorted({str(row.state) for row in every}))
        raise NotAllowed(f"{name} does not wait for clearance: it is {are}", listed)

    def trail(self, key: str = "") -> Iterator[tuple[datetime, str, str, str]]:
        """Everything that happened to a post (or to all), oldest first: when, who, what, why.

        Raises NotFound for a key that never was.
        """
        with self.store.reading() as session:
            if key:
                self._row(session, key)
            return iter(standing.trail(session, key))

    # --- publishing ----------------------------------------------------------------------

    def tick(self, *, wait: bool = True) -> None:
        """One turn of the clock: settle what is in doubt, send what is due, tell people.

        With `wait` it returns when everything due has been tried; the clock of `outreach run`
        does not wait. No network is asked but from its own channel's thread, so that a slow one
        delays no other.
        """
        self._compared = -COMPARE  # each turn looks anew
        self.store.duty.renew()
        copy = self.mind_the_gap(looking=True)
        channels = self.publisher.turn()
        # Before anything is sent, so that a copy of the database from before is known for one.
        if wait or copy or channels or time.monotonic() >= self._beaten + BEAT:
            self._beat(copy)
        self.dispatch.ring(channels)
        if wait:
            self.dispatch.wait()
        self.tell()
        if wait:
            self.mail()

    def tell(self) -> None:
        """Write the notices that the trail asks for."""
        with self.store.reading() as session:  # mostly it asks for none, and nobody need wait
            if not notices.asked_for(session):
                return
        with self.store.writing() as session:
            notices.write(session, people.in_force(session), self.now())

    def mail(self) -> int:
        """Send the notices that wait; returns how many went. Slow where the mail server is."""
        with self.store.reading() as session:
            known = people.in_force(session)
        return notices.send(
            self.store,
            self.configuration.settings.mail,
            self.configuration.secret("mail_password"),
            known,
            self.now(),
        )

    def _beat(self, copy: bool) -> None:
        """Write the heartbeat; and down, where this surely is an older copy of the database."""
        # Beside those who send, as a row's lock is enough; but for the first one, which makes it.
        with self.store.writing(shared=self._beaten > -BEAT) as session:
            pulse = self.store.pulse.beat(session)
            beat = Heartbeat(id=1, real=self.real(), now=self.now(), ticked=True, pulse=pulse)
            session.merge(beat)
            if copy:
                why = "it is older than what was last seen of it, or was moved"
                clearing.record(session, self.now(), clearing.PROGRAM, "database put back", why=why)
            if self.name:
                me = Process(name=self.name, started_at=self._since, seen_at=self.real())
                session.merge(me)
                long_gone = Process.seen_at < self.real() - FORGOTTEN
                session.execute(delete(Process).where(long_gone))
        self._beaten = time.monotonic()

    def mind_the_gap(self, *, looking: bool = False) -> bool:
        """Where nothing ticked for a while, mark what fell due meanwhile: it may be live.

        A restored copy of the database has an old heartbeat, whoever restored it; or none, if it
        was made before the first tick.
        Returns whether the database surely is an older copy that was put back. Then the gap may
        be of seconds; and who is `looking` looks for all of it at once.
        """
        with self.store.reading() as session:
            last = session.get(Heartbeat, 1)
            copy = last is not None and self.store.pulse.lost(session, last.pulse)
        if copy:  # or a desk was just about to write its heartbeat down
            with self.store.writing() as session:
                last = session.get_one(Heartbeat, 1)
                copy = self.store.pulse.lost(session, last.pulse)
        if last is None or copy or self.real() - last.real > GAP:
            since = last.now if last else None
            self.publisher.fell_due(since, self.now(), restored=copy and looking)
        return copy

    def once(self, job: str, slot: str) -> bool:
        """Whether this process is the first to take this clock's job for this local slot."""
        with self.store.writing() as session:
            if session.get(ClockJob, (job, slot)):
                return False
            session.add(ClockJob(job=job, slot=slot, at=self.now()))
            return True

    def hold(self, scope: str, why: str, *, by: Person) -> None:
        """Stop "all", "campaign:ID", "channel:NAME" or "message:CAMPAIGN/ID", at once."""
        by.must_be(MAY_WRITE, MAY_CLEAR, MAY_ADMINISTER)
        with self.store.writing() as session:
            holds.place(session, scope, why, channels=self.channels, by=by.id, now=self.now())

    def release(self, scope: str, *, by: Person) -> list[standing.Line]:
        """End a hold. Returns what became late meanwhile: a person decides about each."""
        by.must_be(MAY_WRITE, MAY_CLEAR, MAY_ADMINISTER)
        self.publisher.overdue()  # what is late by now is late because of the hold
        with self.store.writing() as session:
            hold = holds.lift(session, scope, by=by.id, now=self.now())
        with self.store.reading() as session:
            missed = session.scalars(select(Delivery).where(Delivery.state == State.MISSED))
            return [
                standing.line(session, row)
                for row in missed
                if f"on hold ({scope})" in row.reason and row.late_after >= hold.at
            ]

    def settle(self, key: str, answer: "Answer", *, by: Person, url: str = "") -> standing.Line:
        """A person decides what the program cannot know, or should not do alone.

        "live" (with the address), "absent", "retry", "send-now" or "skip". Sending again needs
        a clearance that still holds. Raises NotAllowed where the answer does not fit.
        """
        from outreach import settle as settling

        by.must_be(MAY_WRITE, MAY_CLEAR, MAY_ADMINISTER)
        now = self.now()
        with self.store.writing() as session:
            row = self._row(session, key)
            told: object = self.platforms.get(row.channel) if row.state is State.HANDED else None
            by_hand = isinstance(told, Told) and answer in ("live", "absent")
            if by_hand:
                if answer == "live":
                    settling.its_own(session, row, url, now)
                token = self.publisher.token(session, row)
            else:
                clearing.record(session, now, by.id, f"settled: {answer}", row, why=url)
                settling.settle(session, row, answer, url=url, now=now)
        if by_hand and isinstance(told, Told):
            if answer == "live":
                told.done(token, url, now)
            else:
                told.absent(token)
            with self.store.writing() as session:
                row = self._row(session, key)
                clearing.record(session, now, by.id, f"settled: {answer}", row, why=url)
        self.publisher.look_at(key)
        with self.store.reading() as session:
            return standing.line(session, self._row(session, key))

    def status(self) -> standing.Status:
        """Where everything stands."""
        differing = self.held_back()
        with self.store.reading() as session:
            return standing.status(
                session,
                now=self.now(),
                unready=self.unready,
                roster=self._pending_roster(session),
                differs=differing,
                alarms=alarms.lasting(session),
                paces=self.paces,
            )

    def in_full(self, key: str) -> standing.Line:
        """One post as the public sees it, or would: its text, and its pictures as applied.

        Raises NotFound, and NotAllowed while the post cannot be made.
        """
        with self.store.reading() as session:
            return standing.in_full(session, self._row(session, key))

    def look_at_links(self) -> int:
        """Ask the addresses that posts print whether they work, where that is due; how many."""
        from outreach.compose.reachable import check, check_all

        with self.store.reading() as session:
            wanted = addresses.wanted(session, self.now())
        if not wanted:
            return 0
        answers = check_all(wanted, ask=self.ask or check)
        with self.store.writing() as session:
            addresses.keep(session, answers.values(), wanted, self.now())
            notices.write(session, people.in_force(session), self.now())
        return len(answers)

    def ask_links(
        self, files: Files, progress: Callable[[int, int], None] | None = None
    ) -> tuple[Problem, ...]:
        """What the addresses in the campaign files answer now: mistakes for what is surely dead,
        advice for what could not be told."""
        from outreach.compose.reachable import check, check_all

        places = {
            url: campaign.where("links", name)
            for campaign in files.loaded.campaigns
            for name, url in campaign.links.items()
            if isinstance(url, str)
        }
        answers = check_all(places, ask=self.ask or check, progress=progress)
        return tuple(
            Problem(places[url], f"{url} {one.what}", one.hint, advice=one.ok is None)
            for url, one in answers.items()
            if not one.ok
        )

    def look_into_pictures(
        self, files: Files, progress: Callable[[int, int], None] | None = None
    ) -> list[Problem]:
        """Advice for alt texts that leave out what their pictures say, where that can be read."""
        from outreach.compose.pictures import untold_words

        campaigns, drafts = files.loaded.campaigns, files.drafts.values()
        return untold_words(campaigns, drafts, home=self.home, progress=progress)

    # --- figures and report --------------------------------------------------------------

    def follow(self, code: str, *, method: str, headers: Mapping[str, str]) -> str:
        """Where a short link leads; one visit more where it was a person's.

        Raises NotFound for a code that was never registered, and before its post is public.
        """
        from outreach.measure import collect as collecting
        from outreach.measure.clicks import is_person

        with self.store.reading() as session:
            link = session.get(ShortLink, code)
            public = link is not None and _may_be_public(session, link.key)
        if link is None or not public:
            raise NotFound("there is no such link")
        if is_person(method, headers, self._bots):
            try:
                with self.store.writing() as session:
                    collecting.count_click(session, link, self.now())
            except Unusable as error:  # whoever follows a link gets there, counted or not
                log.warning("a visit of %s was not counted: %s", code, error)
        return link.target

    @cached_property
    def _bots(self) -> "Bots":
        from outreach.measure.clicks import load_bots

        return load_bots(self.home / "config" / "bots.txt")

    def collect(self) -> int:
        """Take the figures that are due; returns how many snapshots were kept."""
        from outreach.measure import collect as collecting

        return collecting.collect(
            self.store, self.platforms, self.now(), zone=self.configuration.report_zone
        )

    def collect_audience(self) -> int:
        """Ask every account how many follow it; returns how many snapshots were kept."""
        from outreach.measure import collect as collecting

        return collecting.audience(self.store, self.platforms, self.now())

    def read_figures(self, data: bytes, *, file: str) -> "Import":
        """What a CSV of figures would bring: rows to look at, and every mistake. Keeps nothing."""
        from outreach.measure import collect as collecting
        from outreach.measure.imports import read_figures
        from outreach.measure.metrics import load_metrics

        found = read_figures(
            data,
            channels=[*self.channels, *(f"partner:{name}" for name in self._getting_kits())],
            metrics=load_metrics(self.home / "config" / "metrics.toml"),
            filename=file,
            running=collecting.month_of(self.now(), self.configuration.report_zone),
        )
        with self.store.reading() as session:
            unknown = collecting.unpublished(session, found)
        return replace(found, problems=(*found.problems, *unknown))

    def import_figures(
        self, data: bytes, *, file: str, by: Person, sample: bool = False
    ) -> "Import":
        """Keep the figures of a CSV. Raises WrongFiles where there is any mistake in it."""
        from outreach.measure import collect as collecting

        by.must_be(MAY_WRITE)
        figures = self.read_figures(data, file=file)
        if figures.problems:
            raise WrongFiles(figures.problems)
        with self.store.writing() as session:
            collecting.keep_import(
                session, figures, data, file=file, by=by.id, now=self.now(), sample=sample
            )
            clearing.record(session, self.now(), by.id, f"figures imported: {file}")
        return figures

    def report(self, month: str, *, by: Person) -> "Report":
        """Compute a month ("2025-08") in the report's zone, freeze it, and return it."""
        from outreach.report import gather

        with self.store.reading() as session:
            given = gather.gather(
                session,
                month,
                configuration=self.configuration,
                channels=self.channels,
                offers={name: load(c.platform).offers for name, c in self.channels.items()},
                now=self.now(),
                partners={
                    name: partner.called("en", "en") for name, partner in self._directory().items()
                },
            )
        with self.store.writing() as session:
            made = gather.freeze(session, given, by=by.id, now=self.now())
            clearing.record(session, self.now(), by.id, f"report {month} made")
        return made

    # --- partners ------------------------------------------------------------------------

    def toolkit(
        self,
        campaign: str,
        *,
        partners: Sequence[str] = (),
        languages: Sequence[str] = (),
        by: Person,
    ) -> "list[Kit]":
        """Kits of a campaign's cleared texts, for each partner with a utm-source, or these alone.

        Raises NotFound for a campaign, partner or language that there is not, NotAllowed where
        nothing of it is cleared.
        """
        from outreach import toolkit as kits

        by.must_be(MAY_WRITE, MAY_CLEAR, MAY_ADMINISTER)
        files = self.files()
        known = {one.campaign: one for one in files.loaded.campaigns}
        if campaign not in known:
            hint = did_you_mean(campaign, known) or f"known are: {', '.join(sorted(known))}"
            raise NotFound(f"there is no campaign {campaign!r}", hint)
        its = known[campaign].languages.all
        for language in languages:
            if language not in its:
                what = f"{campaign} has no texts in {language!r}"
                raise NotFound(what, f"its languages are: {', '.join(its)}")
        wanted = self._partners(partners)
        differs = self.held_back()
        made = []
        with self.store.writing() as session:
            for name, partner in wanted.items():
                for language in partner.languages or its:
                    if language not in (languages or its):
                        continue
                    kit = kits.make(
                        session,
                        known[campaign],
                        name,
                        partner,
                        language,
                        channels=self.channels,
                        office=self.office,
                        zone=self.configuration.settings.office.zone,
                        public_url=self.public_url,
                        differs=differs,
                        messages={key: draft.of for key, draft in files.drafts.items()},
                        by=by.id,
                        now=self.now(),
                    )
                    if kit:
                        what = f"toolkit {kit.stem} made"
                        clearing.record(session, self.now(), by.id, what)
                        made.append(kit)
        if not made:
            raise NotAllowed(
                f"nothing of {campaign} is cleared yet: there is nothing to give",
                "what waits is listed by: outreach review",
            )
        return made

    def _directory(self) -> "Mapping[str, Partner]":
        from outreach.campaign.directory import load_directory

        return load_directory(self.home / "config", root=self.home).partners

    def _getting_kits(self) -> "dict[str, Partner]":
        return {name: one for name, one in self._directory().items() if one.utm_source}

    def _partners(self, names: Sequence[str]) -> "dict[str, Partner]":
        """The partners of these names who get kits, or all who do."""
        from outreach.toolkit import fit_for_files

        directory = self._directory()
        for name in names:
            if name not in directory:
                hint = did_you_mean(name, directory) or "partners stand in config/partners.toml"
                raise NotFound(f"there is no partner {name!r}", hint)
            if not directory[name].utm_source:
                raise NotAllowed(
                    f"{name} has no utm-source, by which its readers are told from others'",
                    f'at [{name}] in config/partners.toml, write utm-source = "{name}"',
                )
        wanted = self._getting_kits()
        if not wanted:
            raise NotAllowed(
                "no partner gets kits yet",
                'write utm-source = "…" for those who do, in config/partners.toml',
            )
        for name in wanted:
            if not fit_for_files(name):
                raise NotAllowed(
                    f"{name!r} cannot name a folder",
                    "name the partner with letters, digits and hyphens in config/partners.toml",
                )
        return {name: wanted[name] for name in (names or wanted)}

    # --- the public pages ----------------------------------------------------------------

    def feeds(self) -> "list[FeedInfo]":
        """The public feeds of this office."""
        from outreach.platforms.feed import FeedInfo

        return [
            FeedInfo(
                name,
                settings.options.get("title") or self.channels[name].title,
                settings.options.get("description", ""),
                settings.languages[0],
            )
            for name, settings in self.configuration.channels.items()
            if settings.platform == "feed"
        ]

    def feed(self, channel: str) -> "list[FeedEntry]":
        """A feed's entries, newest first. Raises NotFound for a channel that is no feed."""
        from outreach.platforms.feed import entries

        settings = self.configuration.channels.get(channel)
        if settings is None or settings.platform != "feed":
            raise NotFound(f"there is no feed {channel!r}")
        return entries(TableShelf(self.store, channel, self.now), channel, self.public_url)

    def feed_entry(self, channel: str, entry: str) -> "FeedEntry":
        """One entry of a feed. Raises NotFound."""
        found = next((one for one in self.feed(channel) if one.id == entry), None)
        if found is None:
            raise NotFound(f"there is no entry {entry!r} on {channel}")
        return found

    def links(self) -> "list[addresses.Shown]":
        """The addresses of current posts, for a page that networks without links can name."""
        with self.store.reading() as session:
            return addresses.current(session, self.now())

    def published_picture(self, sha256: str) -> tuple[bytes, str]:
        """A picture's bytes and type, once a feed shows it. NotFound before."""
        shown = {
            picture.sha256
            for name, channel in self.channels.items()
            if channel.platform == "feed"
            for entry in self.feed(name)
            for picture in entry.pictures
        }
        with self.store.reading() as session:
            asset = session.get(Asset, sha256) if sha256 in shown else None
        if asset is None:
            raise NotFound("there is no such picture")
        return asset.data, asset.type

    # --- people and care -----------------------------------------------------------------

    def ask_account(self, channel: str) -> credentials.Answer:
        """Ask an account who we are, and keep what it said: one that refuses us is an alarm."""
        answer = credentials.ask(self.platforms[channel])
        with suppress(Unusable), self.store.writing() as session:
            credentials.keep(session, channel, answer, self.real())
        return answer

    def ask_accounts(self) -> int:
        """Ask the accounts whose turn it is; how many."""
        with self.store.reading() as session:
            due = credentials.due(session, self.platforms, self.real())
        for channel in due:
            self.ask_account(channel)
        return len(due)

    def person(self, name: str) -> Person:
        """The person of this id, confirmed. Raises NotFound."""
        with self.store.reading() as session:
            return people.person(session, name)

    def whose(self, token: str) -> Person:
        """The person who holds this token. Raises NotAllowed."""
        with self.store.reading() as session:
            return people.whose(session, token)

    def people(self) -> Mapping[str, Person]:
        """Everybody in force."""
        with self.store.reading() as session:
            return people.in_force(session)

    def confirm_people(self, *, by: str, first: bool = False) -> bool:
        """Confirm config/people.toml as it is; True once it is in force."""
        with self.store.writing() as session:
            row = people.confirm(session, self._roster(), by=by, now=self.now(), first=first)
            return row.confirmed_at is not None

    def token_for(self, name: str, *, by: Person | None) -> str:
        """A fresh personal token, shown once; only an administrator's, or one's own, renewal.

        `by` is None while the office is made.
        """
        with self.store.writing() as session:
            person = people.person(session, name)
            if by and by.id != person.id:
                by.must_be(MAY_ADMINISTER)
            clearing.record(session, self.now(), by.id if by else person.id, f"token for {name}")
            return people.new_token(session, name, now=self.now())

    def _roster(self) -> dict[str, Any]:
        return {
            name: {"name": p.name, "email": p.email, "roles": list(p.roles)}
            for name, p in self.configuration.people.items()
        }

    def _pending_roster(self, session: Session) -> str:
        row = session.scalar(
            select(Roster)
            .where(Roster.confirmed_at.is_not(None))
            .order_by(Roster.id.desc())
            .limit(1)
        )
        if row and row.sha256 == people.fingerprint_of(self._roster()):
            return ""
        return "config/people.toml has changed: two people confirm it with outreach people confirm"

    def back_up(
        self,
        where: Path | None = None,
        *,
        keep: int | None = None,
        tell: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> "Made":
        """Make a backup while the desk goes on: see `backup.make`, whose errors it raises."""
        from outreach import backup

        made = backup.make(
            self.store, self.configuration, where, now=self.real(), keep=keep, tell=tell
        )
        with suppress(Unusable), self.store.writing() as session:  # it is made all the same
            _remember(session, backup.LAST, self.real().isoformat())
        return made

    def restore(
        self,
        file: Path,
        *,
        token: str = "",
        acting: str = "",
        replace: bool = False,
        tell: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> "Restored":
        """Put a backup in the place of the database: see `backup.restore`, whose errors it raises.

        Who may do what is what is being restored, so nobody is asked; who did it is `acting`, or
        whoever holds this token in the backup, or the program.
        """

        def who(session: Session) -> str:
            with suppress(NotAllowed):
                return acting or people.whose(session, token).id
            return clearing.PROGRAM

        from outreach import backup

        return backup.restore(
            self.store,
            file,
            self.configuration,
            now=self.now(),
            real=self.real(),
            who=who,
            replace=replace,
            tell=tell,
        )

    def close(self) -> None:
        """Finish what is being sent and let go of the database."""
        if "dispatch" in self.__dict__:
            self.ending.ask()
            self.dispatch.close()
        self.store.close()

    def _row(self, session: Session, key: str) -> Delivery:
        row = session.get(Delivery, key)
        if row is None:
            near = difflib.get_close_matches(key, session.scalars(select(Delivery.key)), 1)
            raise NotFound(
                f"there is no post {key!r}",
                f"did you mean {near[0]}?" if near else "posts are listed by: outreach status",
            )
        return row


def _files_below(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Every file below a folder, with what is known of it; nothing where there is no folder."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(entry.path)
            elif entry.is_file():
                yield entry.path, entry.stat()


def _ahead(now: datetime) -> datetime:
    """Until when recurring messages have their posts: the end of a day, so that a plan that is
    made twice within minutes is the same."""
    return (now + AHEAD).replace(hour=0, minute=0, second=0, microsecond=0)


def _may_be_public(session: Session, key: str) -> bool:
    """Whether a post, or a part of it, is live or may be; a partner's address always may."""
    if partner_of(key):
        return True
    row = session.get(Delivery, key)
    if row is None or row.state in (State.PUBLISHED, *IN_FLIGHT):
        return row is not None
    return bool(session.scalar(select(ReceiptRow.key).where(ReceiptRow.key == key).limit(1)))


def _remember(session: Session, name: str, value: str) -> None:
    row = session.get(Meta, name)
    if row:
        row.value = value
    else:
        session.add(Meta(name=name, value=value))


def open_desk(
    home: Path | None = None,
    *,
    now: Callable[[], datetime] = real_now,
    prepare: bool = True,
    make: bool = False,
) -> Outreach:
    """The office's desk: configuration read, database opened, tables made or upgraded.

    `home` is a folder in or above which config/outreach.toml stands; here, unless given.
    `prepare=False` leaves the database alone, for looking at files only; `make` makes one where
    there is none, for a new office. Raises NotFound,
    WrongFiles or Unusable.
    """
    configuration = read_configuration(home_of(home))
    store = Store(configuration.database)
    if prepare:
        store.prepare(make=make)
    return Outreach(configuration=configuration, store=store, now=now)
