"""
Everything this program can do. The command line, the web pages and the bot all call these.

    files        check, plan, apply                      what the campaign files ask for
    clearance    readings, clear, return_, trail         a second person's yes to exactly that
    publishing   tick, hold, release, settle, status,    once, or somebody is asked
                 in_full, look_at_links
    taking down  would_take_down, take_down, see_to,     gone everywhere, and nothing forgotten
                 incident, would_correct, correct        or put right where it stands
    tasks        task, complete, decline, tasks          what people publish for us
    figures      follow, collect, import_figures, undo_import, adopt  values, or none with a reason
    report       report                                  a month, frozen
    partners     toolkit                                 cleared texts to give away
    care         doctor, watch, ask_account,             before the day, and while it runs
                 connecting, renew_permits,
                 confirm_people, token_for
    newsletters  subscribers, take_subscribers,          who receives them, and what comes back
                 give_subscribers, read_bounces
    backups      back_up, restore                        and after one that went wrong

A verb opens a transaction, orders what is read and written, or joins two modules. The rules
themselves stand on the values and rows of those modules.
"""

from __future__ import annotations

import gc
import hashlib
import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from outreach import kept, planning
from outreach.about import about
from outreach.campaign import moved
from outreach.campaign.moved import Held
from outreach.campaign.plan import Kind, Plan, plan
from outreach.campaign.values import Loaded
from outreach.config import FOLDERS, Configuration, home_of, read_configuration, real_now
from outreach.ending import Ending
from outreach.errors import (
    Changed,
    NotAllowed,
    NotFound,
    PlatformError,
    Problem,
    Refused,
    TooMuch,
    Unusable,
    WrongFiles,
)
from outreach.hints import did_you_mean
from outreach.platforms import PLATFORMS, Asks, Channel, Platform, Previews, Returns, Told, load
from outreach.store import Store
from outreach.store.plain import Ask, asking

# A verb imports what it alone works with. Looking at files that have not changed takes a tenth of
# a second, and SQLAlchemy alone, with which all others begin, takes two more.
if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from outreach import alarms, credentials, standing
    from outreach.accounts import Accounts
    from outreach.addresses import Shown
    from outreach.backup import Made, Restored
    from outreach.campaign.directory import Partner
    from outreach.clearance import Person, Reading, Window
    from outreach.compose import Draft, reachable
    from outreach.compose.style import House
    from outreach.connect import Connecting
    from outreach.correction import Corrections, Differs
    from outreach.delivery import Delivery, State
    from outreach.dispatch import Dispatch, Embedded
    from outreach.handover import Handover, Task, Waiting
    from outreach.measure.adopted import Post as Adoption
    from outreach.measure.clicks import Bots
    from outreach.measure.collect import Round
    from outreach.measure.imports import Columns, Import
    from outreach.pace import Pace
    from outreach.permits import Permits
    from outreach.platforms.feed import FeedEntry, FeedInfo
    from outreach.post import Part
    from outreach.publish import Leases, Publisher
    from outreach.report.value import Report
    from outreach.settle import Answer
    from outreach.store.tables import ImportBatch
    from outreach.subscribers import Subscribers
    from outreach.takedown import Affected, Standing, TakeDowns
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
    """What the office's folder asks for: drafts by key, and every mistake and open fact.

    `held` is when each campaign's events are, by its name.
    """

    loaded: Loaded
    drafts: Mapping[str, Draft]
    problems: tuple[Problem, ...]
    held: Mapping[str, Sequence[Held]]

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
        leases: Leases | None = None,
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
        self.ask: reachable.Ask | None = None  # how an address is asked, if not as usual

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

    @property
    def blind(self) -> frozenset[str]:
        """The accounts whose networks show no history: there only a person can look."""
        limits = {name: one.limits for name, one in self.channels.items()}
        limits |= {name: one.limits for name, one in self.platforms.items()}
        return frozenset(name for name, one in limits.items() if not one.shows)

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
            name: broken.why for name in self._strange if (broken := self._accounts.broken(name))
        }

    @cached_property
    def _strange(self) -> Sequence[str]:
        """The channels whose networks other packages add."""
        channels = self.configuration.channels.items()
        return [name for name, one in channels if one.platform not in PLATFORMS]

    def _strangers(self) -> Sequence[str]:
        """Those packages as they are installed: what was composed with others may differ."""
        if not self._strange:
            return ()
        from outreach.platforms.plugins import versions

        return versions()

    @cached_property
    def platforms(self) -> Mapping[str, Platform]:
        """The accounts that can publish."""
        return self._accounts.platforms()

    @cached_property
    def _accounts(self) -> Accounts:
        from outreach.accounts import Accounts

        return Accounts(self.configuration, self.store, self.now, self.permits, self._package)

    def _package(self, channel: str, part: Part) -> None:
        self.handover.package(channel, part)

    @cached_property
    def permits(self) -> Permits:
        """What networks permit for a time: tokens that are renewed."""
        from outreach.permits import Permits

        return Permits(self.store, lambda: self.configuration.secret("secret_key"), self.real)

    def renew_permits(self) -> int:
        """Renew the tokens whose turn it is; how many. One that fails is tried again, and hinders
        no other."""
        renewed = 0
        for channel in self.permits.due(self._accounts.permitted()):
            with about(channel=channel):
                try:
                    self.permits.renew(channel, partial(self._accounts.app, channel))
                    renewed += 1
                except PlatformError as error:
                    log.warning("the token of %s was not renewed: %s", channel, error)
        return renewed

    def connecting(self, channel: str) -> Connecting:
        """A person's way of giving us a channel's credentials. Raises NotFound, NotAllowed."""
        from outreach.connect import Connecting

        if channel not in self.channels:
            near = did_you_mean(channel, self.channels)
            known = "channels stand in config/channels.toml"
            raise NotFound(f"there is no channel {channel!r}", near or known)
        return Connecting(
            channel,
            account=self._accounts.account(channel),
            configuration=self.configuration,
            store=self.store,
            permits=self.permits,
            now=self.real,
        )

    @cached_property
    def handover(self) -> Handover:
        """Tasks for people, and requests to other offices."""
        from outreach.handover import Handover

        return Handover(
            store=self.store,
            configuration=self.configuration,
            now=self.now,
            chat=self.watch.say if self.configuration.settings.alarms.telegram_chat else None,
        )

    @cached_property
    def publisher(self) -> Publisher:
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
    def take_downs(self) -> TakeDowns:
        from outreach.publish import lease_clock
        from outreach.takedown import TakeDowns

        return TakeDowns(
            store=self.store,
            platforms=self.platforms,
            now=self.now,
            leases=self._leases or lease_clock(self.store),
            ending=self.ending,
            last_look=lambda channel, key: self._looks().last_look(channel, key),
        )

    @cached_property
    def _taking_down(self) -> Embedded:
        """Threads of their own: no post that is being sent keeps a wrong one up."""
        from outreach.dispatch import Embedded

        return Embedded(self._put_right, len(self.platforms))

    @cached_property
    def corrections(self) -> Corrections:
        from outreach.correction import Corrections
        from outreach.publish import lease_clock

        return Corrections(
            store=self.store,
            platforms=self.platforms,
            now=self.now,
            leases=self._leases or lease_clock(self.store),
            ending=self.ending,
        )

    def _to_put_right(self) -> Set[str]:
        """Channels where something is to be taken down or corrected; mostly one look."""
        from outreach.correction import anything

        with self.store.reading() as session:
            if not anything(session):
                return frozenset()
        return {*self.take_downs.channels(), *self.corrections.channels()}

    def _put_right(self, channel: str) -> None:
        self.take_downs.work(channel)
        self.corrections.work(channel)

    @cached_property
    def paces(self) -> Mapping[str, Pace]:
        """What each channel has to keep to: its network's limits, and the office's own."""
        return self._accounts.paces()

    @cached_property
    def dispatch(self) -> Dispatch:
        from outreach.dispatch import Embedded

        return Embedded(self._send, len(self.platforms))

    @contextmanager
    def on_duty(self, name: str) -> Iterator[None]:
        """Be the process of this name that runs the clock; on PostgreSQL, one of several.

        Raises Unusable where another process of this name is on duty.
        """
        from sqlalchemy import delete

        from outreach.store.tables import Process

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
    def watch(self) -> Watch:
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
        from sqlalchemy import select

        from outreach import alarms
        from outreach.store.tables import Process

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
            head: Files = found[0]
            return replace(head, drafts={one.key: one for one in found[1:]})
        made = self._compose(progress)
        if key == self._composed():  # nothing was written while they were read
            packed = replace(made.loaded, campaigns=kept.Packed(made.loaded.campaigns))
            head = replace(made, loaded=packed, drafts={})
            kept.keep(self.home, key, chain([head], made.drafts.values()))
        return made

    def _composed(self) -> str:
        """What the office's files are composed from: the files, the settings, the day."""
        given = (
            self._tree(),
            self.configuration.people_text,
            self.configuration.settings,
            self.configuration.channels,
            _ahead(self.now()),
            self.broken,
            self._strangers(),
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
        return Files(
            loaded,
            {draft.key: draft for draft in drafts},
            tuple(dict.fromkeys(problems)),
            {one.campaign: moved.held(one) for one in loaded.campaigns},
        )

    def house(self) -> House | None:
        """The rules of config/house-style; None in an office that has none."""
        folder = self.home / "config" / "house-style"
        if not folder.is_dir():
            return None
        from outreach.compose.style import load_style

        return load_style(folder, root=self.home)

    def plan(self, files: Files | None = None) -> Plan:
        """What applying the files would change. Changes nothing."""
        files = files or self.files()
        with self.store.looking() as ask:
            return self._plan(ask, files)[0]

    def _plan(self, ask: Ask, files: Files) -> tuple[Plan, Mapping[str, Draft]]:
        """The plan, and the drafts that it was made from: what an event's move blocks included."""
        applied = planning.applied_events(ask)
        drafts = planning.outdate(files.loaded.campaigns, files.held, files.drafts, applied)
        standing = [row for row in planning.standing(ask) if row.channel not in self.broken]
        with kept.nothing_collected():
            made = plan(
                drafts.values(),
                standing,
                now=self.now(),
                unreadable=files.loaded.unreadable,
                emptied=not files.loaded.campaigns,
            )
        made = planning.with_texts(ask, made)
        return planning.events_moved(files.held, made, applied), drafts

    def apply(self, hash_: str, *, by: Person, really: bool = False) -> Plan:
        """Carry out exactly the plan that was shown.

        Raises Changed where the files or the database have moved on since; TooMuch where it
        drops more than a third of what is cleared, unless `really`.
        """
        from outreach import apply as applying
        from outreach import clearance as clearing
        from outreach import notices, people
        from outreach.clearance import MAY_WRITE
        from outreach.store.tables import Heartbeat

        by.must_be(MAY_WRITE)
        tree = self._tree()  # before they are read: what is written meanwhile was not applied
        files = self.files()
        self.mind_the_gap()  # before anything moves: what fell due in it may be live
        with self.store.writing() as session:
            made, drafts = self._plan(asking(session), files)
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
        from outreach import apply as applying
        from outreach import notices, people
        from outreach.store.tables import Meta

        tree = self._tree()
        with self.store.reading() as session:
            applied, by = session.get(Meta, "applied tree"), session.get(Meta, "applied by")
        if applied is None or by is None or applied.value != tree:
            return 0
        files = self.files()
        with self.store.writing() as session:
            made, drafts = self._plan(asking(session), files)
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
        from outreach.store.tables import Meta

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
            for path, told in sorted(kept.files_below(str(self.home / folder))):
                if not path.endswith("/people.toml"):
                    seen.update(f"{path}|{told.st_mtime_ns}|{told.st_size}\n".encode())
        return seen.hexdigest()

    # --- clearance -----------------------------------------------------------------------

    def readings(self, *, for_: Person | None = None) -> list[Reading]:
        """What waits for clearance, soonest first; for one clearer, without what they wrote."""
        from sqlalchemy import select

        from outreach import clearance as clearing
        from outreach.delivery import Correction, Delivery, State

        with self.store.reading() as session:
            rows = session.scalars(select(Delivery).where(Delivery.state == State.PROPOSED))
            corrections = session.scalars(select(Correction).where(Correction.state == "proposed"))
            found = clearing.readings([*rows, *corrections])
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
        from outreach import clearance as clearing
        from outreach import notices, people
        from outreach.clearance import Window
        from outreach.delivery import CORRECTION

        days = self.configuration.settings.clearance.max_age_days
        if f"{CORRECTION}/" in name:
            from outreach import correction

            with self.store.writing() as session:
                return correction.clear(
                    session,
                    name,
                    seen,
                    by=by,
                    now=self.now(),
                    override=emergency,
                    decided=decided,
                )
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
        from outreach import clearance as clearing
        from outreach import notices, people
        from outreach.clearance import MAY_CLEAR
        from outreach.delivery import CORRECTION, State

        by.must_be(MAY_CLEAR)
        if not why.strip():
            raise NotAllowed("a reason is needed", "say what should change, in a sentence")
        now = self.now()
        if f"{CORRECTION}/" in name:
            from outreach import correction

            with self.store.writing() as session:
                keys = correction.send_back(session, name, why, by=by.id, now=now)
                notices.write(session, people.in_force(session), now)
                return keys
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
        from outreach import clearance as clearing
        from outreach.delivery import State

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
        from sqlalchemy import select

        from outreach import clearance as clearing
        from outreach import people
        from outreach.delivery import Delivery, State

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
        from outreach import standing

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
        self._taking_down.ring(self._to_put_right())
        self.dispatch.ring(channels)
        if wait:
            self.dispatch.wait()
            self._taking_down.wait()
            self.handover.round()
        self.tell()
        if wait:
            self.mail()

    def tell(self) -> None:
        """Write the notices that the trail asks for."""
        from outreach import notices, people

        with self.store.reading() as session:  # mostly it asks for none, and nobody need wait
            if not notices.asked_for(session):
                return
        with self.store.writing() as session:
            notices.write(session, people.in_force(session), self.now())

    @cached_property
    def subscribers(self) -> Subscribers:
        """Those who receive the newsletters: their lists, and what the public can do there."""
        from outreach.subscribers import Newsletter, Subscribers

        newsletters = {
            name: Newsletter(name, self.channels[name].title, settings.languages)
            for name, settings in self.configuration.channels.items()
            if settings.platform == "email"
        }
        return Subscribers(self.store, self.now, newsletters, self._accounts.readers)

    def take_subscribers(
        self, channel: str, data: bytes, *, file: str, by: Person
    ) -> tuple[int, int]:
        """Add the people of a CSV who agreed elsewhere: how many, and how many were left out.

        Raises WrongFiles where there is any mistake in it.
        """
        from outreach.clearance import MAY_WRITE
        from outreach.consents import read_consents

        by.must_be(MAY_WRITE)
        languages = self.subscribers.newsletters[channel].languages
        today = self.now().date()
        agreed = read_consents(data, file=file, languages=languages, today=today)
        return self.subscribers.take(channel, agreed, file=file, by=by.id)

    def give_subscribers(self, channel: str, *, by: Person) -> tuple[bytes, int]:
        """The list of a channel as CSV, and how many are on it."""
        import csv

        from outreach.clearance import MAY_ADMINISTER, MAY_WRITE

        by.must_be(MAY_WRITE, MAY_ADMINISTER)
        everybody = self.subscribers.everybody(channel, by=by.id)
        file = io.StringIO(newline="")
        # A spreadsheet would take some addresses for formulas.
        rows = [[f"'{cell}" if cell[:1] in "=+-@" else cell for cell in one] for one in everybody]
        heads = ("address", "language", "source", "date", "consent")
        csv.writer(file).writerows([heads, *rows])
        return file.getvalue().encode("utf-8-sig"), len(everybody)

    def read_bounces(self, data: bytes | None = None) -> tuple[int, int]:
        """Keep what has come back of newsletters: from these bytes, or from every mailbox.

        How many were ours, and how many addresses are written to no more. Raises Unusable.
        """
        from outreach import bounces

        if data is not None:
            return self.subscribers.bounced(bounces.read(data))
        found = [
            bounce
            for platform in self.platforms.values()
            if isinstance(platform, Returns)
            for bounce in platform.returned()
        ]
        return self.subscribers.bounced(found)

    def mail(self) -> int:
        """Send the mails that wait: notices, tasks, and questions whether somebody has subscribed.

        Returns how many went. Slow where the mail server is.
        """
        from outreach import notices, people

        with self.store.reading() as session:
            known = people.in_force(session)
        asked = self.subscribers.invite(self.platforms, self.public_url)
        return (
            asked
            + self.handover.send()
            + notices.send(
                self.store,
                self.configuration.settings.mail,
                self.configuration.secret("mail_password"),
                known,
                self.now(),
            )
        )

    def _beat(self, copy: bool) -> None:
        """Write the heartbeat; and down, where this surely is an older copy of the database."""
        from sqlalchemy import delete

        from outreach import clearance as clearing
        from outreach.store.tables import Heartbeat, Process

        # Beside those who send, as a row's lock is enough; but for the first one, which makes it.
        with self.store.writing(shared=self._beaten > -BEAT) as session:
            pulse = self.store.pulse.beat(session)
            beat = Heartbeat(id=1, real=self.real(), now=self.now(), ticked=True, pulse=pulse)
            session.merge(beat)
            if copy:
                from outreach.publish import unseen

                why = "it is older than what was last seen of it, or was moved"
                if later := len(unseen(session, self.now(), self.blind)):
                    why += f"; what is due later where nobody can look goes out ({later})"
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
        from outreach.store.tables import Heartbeat

        with self.store.reading() as session:
            last = session.get(Heartbeat, 1)
            copy = last is not None and self.store.pulse.lost(session, last.pulse)
        if copy:  # or a desk was just about to write its heartbeat down
            with self.store.writing() as session:
                last = session.get_one(Heartbeat, 1)
                copy = self.store.pulse.lost(session, last.pulse)
        if last is None or copy or self.real() - last.real > GAP:
            since = last.now if last else None
            restored = copy and looking
            self.publisher.fell_due(since, self.now(), restored=restored, blind=self.blind)
        return copy

    def once(self, job: str, slot: str) -> bool:
        """Whether this process is the first to take this clock's job for this local slot."""
        from outreach.store.tables import ClockJob

        with self.store.writing() as session:
            if session.get(ClockJob, (job, slot)):
                return False
            session.add(ClockJob(job=job, slot=slot, at=self.now()))
            return True

    def hold(self, scope: str, why: str, *, by: Person) -> None:
        """Stop "all", "campaign:ID", "channel:NAME" or "message:CAMPAIGN/ID", at once."""
        from outreach import holds
        from outreach.clearance import MAY_ADMINISTER, MAY_CLEAR, MAY_WRITE

        by.must_be(MAY_WRITE, MAY_CLEAR, MAY_ADMINISTER)
        with self.store.writing() as session:
            holds.place(session, scope, why, channels=self.channels, by=by.id, now=self.now())

    def release(self, scope: str, *, by: Person) -> list[standing.Line]:
        """End a hold. Returns what became late meanwhile: a person decides about each."""
        from sqlalchemy import select

        from outreach import holds, standing
        from outreach.clearance import MAY_ADMINISTER, MAY_CLEAR, MAY_WRITE
        from outreach.delivery import Delivery, State

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

    def settle(self, key: str, answer: Answer, *, by: Person, url: str = "") -> standing.Line:
        """A person decides what the program cannot know, or should not do alone.

        "live" (with the address), "absent", "retry", "send-now", "skip", or "gone" of what was to
        be deleted by hand. Sending again needs a clearance that still holds. Raises NotAllowed
        where the answer does not fit.
        """
        from outreach import standing
        from outreach.clearance import MAY_ADMINISTER, MAY_CLEAR, MAY_WRITE

        by.must_be(MAY_WRITE, MAY_CLEAR, MAY_ADMINISTER)
        self._settle(key, answer, who=by.id, url=url)
        with self.store.reading() as session:
            return standing.line(session, self._row(session, key))

    def _settle(self, key: str, answer: Answer, *, who: str, url: str = "") -> None:
        from outreach import clearance as clearing
        from outreach import settle as settling
        from outreach import takedown
        from outreach.delivery import State

        now = self.now()
        with self.store.writing() as session:
            row = self._row(session, key)
            platform: object = self.platforms.get(row.channel)
            if answer == "live" and isinstance(platform, Told):
                url = platform.address(url)
            told = platform if row.state is State.HANDED else None
            # What another office will not publish is not asked of it again.
            by_hand = answer == "live" or (answer == "absent" and not isinstance(told, Asks))
            if by_hand and isinstance(told, Told):
                if answer == "live":
                    settling.its_own(session, row, url, now)
                token = self.publisher.token(session, row)
            else:
                by_hand = False
                clearing.record(session, now, who, f"settled: {answer}", row, why=url)
                if answer == "gone":
                    takedown.gone(session, row, now=now)
                else:
                    settling.settle(session, row, answer, url=url, now=now)
            if answer == "live":
                takedown.reopen(session, key)
        if answer == "gone" and row.channel in self.platforms:
            self.take_downs.work(row.channel)
        if by_hand and isinstance(told, Told):
            if answer == "live":
                told.done(token, url, now)
            else:
                told.absent(token)
            with self.store.writing() as session:
                row = self._row(session, key)
                clearing.record(session, now, who, f"settled: {answer}", row, why=url)
        self.publisher.look_at(key)

    # --- tasks -----------------------------------------------------------------------------

    def task(self, secret: str) -> Task:
        """What a task's link opens. NotFound for a link that never was, or has ended."""
        return self.handover.open(secret)

    def complete(self, secret: str, url: str, *, wording: str = "") -> Task:
        """Whoever has a task's link says where it is, and how it is worded if not as asked.

        Saying the same twice is saying it once. Raises NotFound, and NotAllowed where the address
        is none of that network, or the task is not open.
        """
        task = self.handover.open(secret)
        if task.state == "done" and url.strip() == task.url:
            return task
        if task.state != "open":
            raise NotAllowed("this task is not open any more", "ask the desk")
        who = task.who or "the staff chat"
        self._settle(task.sheet.key, "live", who=who, url=url)
        if wording.strip() and _words(wording) != _words(task.sheet.text):
            from outreach import clearance as clearing

            with self.store.writing() as session:
                row = self._row(session, task.sheet.key)
                why = wording.strip().replace("\r\n", "\n")
                clearing.record(session, self.now(), who, "worded otherwise", row, why=why)
        return self.handover.open(secret)

    def decline(self, secret: str, why: str) -> Task:
        """Another office says that it will not publish a request. Raises as `complete` does."""
        task = self.handover.open(secret)
        if task.state != "open" or not task.sheet.wanted:
            raise NotAllowed("this task is not open any more", "ask the desk")
        if not why.strip():
            raise NotAllowed("a reason is needed", "say in a sentence why not")
        from outreach import clearance as clearing
        from outreach.delivery import State

        key, who = task.sheet.key, task.who
        with self.store.reading() as session:
            state = self._row(session, key).state
        if state is State.UNCERTAIN:  # whoever answers it has it
            self._settle(key, "arrived", who=who)
        if state is not State.MISSED:
            self._settle(key, "absent", who=who)
        with self.store.writing() as session:
            clearing.record(
                session, self.now(), who, "declined", self._row(session, key), why=why.strip()
            )
        return self.handover.open(secret)

    def tasks(self, *, for_: Person | None = None) -> list[Waiting]:
        """What waits for somebody to publish it, with the links of one person."""
        return self.handover.waiting(for_.id if for_ else "")

    # --- taking down ---------------------------------------------------------------------

    def would_take_down(self, name: str, *, every: bool = False) -> Affected:
        """What taking a message down would do: a message, one language of it, a post's key, or the
        address of a post. Changes nothing. Raises NotFound and NotAllowed: see `affected`.
        """
        from outreach import takedown

        with self.store.reading() as session:
            return takedown.affected(session, name, self.platforms, every=every)

    def take_down(self, name: str, why: str, *, by: Person, every: bool = False) -> Standing:
        """Order that a message be taken down wherever it is live, or turns out to be.

        One person is enough: an emergency waits for nobody. The evidence is kept and the order
        committed when this returns; the running desk carries it out within a second, or whoever
        calls `see_to`.
        """
        from outreach import notices, people, takedown
        from outreach.clearance import MAY_ADMINISTER, MAY_CLEAR, MAY_WRITE

        by.must_be(MAY_WRITE, MAY_CLEAR, MAY_ADMINISTER)
        with self.store.writing() as session:
            what = takedown.affected(session, name, self.platforms, every=every)
            made = takedown.order(session, what, why, by=by.id, now=self.now())
            notices.write(session, people.in_force(session), self.now())
            return takedown.standing(session, made.id, self.unready)

    def see_to(self, number: int, *, seconds: float) -> Standing:
        """Take down what an incident orders, from this process, for so long at most.

        Beside a desk that runs it does no harm: each post is claimed by one of them.
        """
        ends = time.monotonic() + seconds
        while True:
            self._taking_down.ring(self.take_downs.channels())
            self._taking_down.finish(max(0.0, ends - time.monotonic()))
            stands = self.incident(number)
            waits = any(one.state == "open" and one.urls for one in stands.results)
            if not waits or time.monotonic() >= ends:
                self.tell()
                return stands
            time.sleep(0.2)

    def would_correct(self, name: str) -> list[Differs]:
        """The live posts of a message whose file says something else now, and how each can be put
        right. Changes nothing. Raises NotFound and NotAllowed: see `differing`."""
        from outreach import correction

        files = self.files()
        with self.store.reading() as session:
            return correction.differing(session, name, files.drafts, self.platforms)

    def correct(self, name: str, why: str, *, by: Person) -> list[str]:
        """Propose what the file says now as the new text of what is live; the names under which a
        second person reads and clears it. The running desk then edits it in place."""
        from outreach import apply as applying
        from outreach import correction, notices, people
        from outreach.clearance import MAY_WRITE

        by.must_be(MAY_WRITE)
        files = self.files()
        with self.store.writing() as session:
            posts = correction.differing(session, name, files.drafts, self.platforms)
            for one in posts:
                if not one.instead:
                    applying.register(session, files.drafts[one.key], self.now())
            names = correction.propose(session, posts, files.drafts, why, by=by.id, now=self.now())
            notices.write(session, people.in_force(session), self.now())
            return names

    def incident(self, number: int) -> Standing:
        """How an incident stands, channel by channel. Raises NotFound."""
        from outreach import takedown

        with self.store.reading() as session:
            return takedown.standing(session, number, self.unready)

    def status(self) -> standing.Status:
        """Where everything stands."""
        from outreach import alarms, credentials, standing

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
                accounts=credentials.to_connect(session, self.channels, self.real()),
            )

    def in_full(self, key: str) -> standing.Line:
        """One post as the public sees it, or would: its text, and its pictures as applied.

        Raises NotFound, and NotAllowed while the post cannot be made.
        """
        from outreach import standing

        with self.store.reading() as session:
            return standing.in_full(session, self._row(session, key))

    def preview(self, key: str) -> Mapping[str, bytes]:
        """One post as it will be seen, in files by name, where that is more than its text.

        Raises as `in_full` does.
        """
        post = self.in_full(key).post
        channel = key.rpartition("@")[2]
        known = channel in self.configuration.channels
        platform: object = self._accounts.platform(channel) if known else None
        if post is None or not isinstance(platform, Previews):
            return {}
        try:
            return platform.preview(post.parts[0])
        except Refused as error:
            raise NotAllowed(str(error), "put that right, then look again") from error

    def look_at_links(self) -> int:
        """Ask the addresses that posts print whether they work, where that is due; how many."""
        from outreach import addresses, notices, people
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
        from outreach.store.tables import ShortLink

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
    def _bots(self) -> Bots:
        from outreach.measure.clicks import load_bots

        return load_bots(self.home / "config" / "bots.txt")

    def collect(self) -> int:
        """Take the figures that are due; returns how many snapshots were kept."""
        return self._looks().collect()

    def collect_audience(self) -> int:
        """Ask every account how many follow it; returns how many snapshots were kept.

        Those that have told it today are left alone.
        """
        return self._looks().audience()

    def tidy_figures(self) -> int:
        """What is done once a day: see that no post is missing on the ladder, and thin what is old.

        Returns how many snapshots went.
        """
        from outreach.measure import latest

        looks, settings = self._looks(), self.configuration.settings.figures
        with self.store.writing() as session:
            looks.schedule(session, datetime.min.replace(tzinfo=UTC))
            return latest.thin(
                session,
                self.channels,
                months=settings.daily_months,
                zone=self.configuration.report_zone,
                now=self.now(),
            )

    def _looks(self) -> Round:
        from outreach import pace
        from outreach.measure.collect import Round
        from outreach.measure.metrics import load_metrics
        from outreach.publish import lease_clock

        leases = self._leases or lease_clock(self.store)
        try:
            metrics = load_metrics(self.home / "config" / "metrics.toml")
        except WrongFiles as error:  # figures that are not read in time may be gone for good
            log.warning("figures are collected without the dictionary: %s", error)
            metrics = {}
        with self.store.reading() as session:
            told = pace.told_to_wait(session, leases)
        return Round(
            store=self.store,
            platforms=self.platforms,
            now=self.now(),
            zone=self.configuration.report_zone,
            leases=leases,
            kinds={name: channel.platform for name, channel in self.channels.items()},
            offers=self._offers(),
            quiet={name for name, keeps in self.paces.items() if keeps.account in told},
            metrics=metrics,
        )

    def _offers(self) -> dict[str, frozenset[str]]:
        """What each channel's network can ever tell, ready or not."""
        return {name: load(one.platform).offers for name, one in self.channels.items()}

    def read_figures(
        self, data: bytes, *, file: str, kind: str = "", columns: Columns | None = None
    ) -> Import:
        """What a CSV of figures would bring: rows to look at, and every mistake. Keeps nothing.

        `kind` is a table of config/columns.toml, which says what the heads of a tool's own export
        mean; `columns` says it for this file alone, or more of it. Raises NotFound for a kind that
        is not there, WrongFiles where that file is wrong.
        """
        from outreach.measure import collect as collecting
        from outreach.measure.imports import OF_PARTNER, Columns, load_columns, read_figures
        from outreach.measure.metrics import load_metrics

        metrics = load_metrics(self.home / "config" / "metrics.toml")
        given = columns or Columns()
        if kind:
            told = self.home / "config" / "columns.toml"
            kinds = load_columns(told, channels=self.channels, metrics=metrics)
            if kind not in kinds:
                known = f"known are: {', '.join(sorted(kinds)) or 'none yet'}"
                hint = did_you_mean(kind, kinds) or known
                raise NotFound(f"config/columns.toml has no [{kind}]", hint)
            names = {**kinds[kind].names, **given.names}
            given = Columns(names, given.channel or kinds[kind].channel, given.month)
        found = read_figures(
            data,
            channels=[*self.channels, *(f"{OF_PARTNER}{name}" for name in self._getting_kits())],
            metrics=metrics,
            filename=file,
            running=collecting.month_of(self.now(), self.configuration.report_zone),
            given=given,
        )
        with self.store.reading() as session:
            unknown = collecting.unpublished(session, found)
        return replace(found, problems=(*found.problems, *unknown))

    def import_figures(
        self,
        data: bytes,
        *,
        file: str,
        by: Person,
        sample: bool = False,
        kind: str = "",
        columns: Columns | None = None,
    ) -> Import:
        """Keep the figures of a CSV. Raises WrongFiles where there is any mistake in it."""
        from outreach import clearance as clearing
        from outreach.clearance import MAY_WRITE
        from outreach.measure import collect as collecting

        by.must_be(MAY_WRITE)
        figures = self.read_figures(data, file=file, kind=kind, columns=columns)
        if figures.problems:
            raise WrongFiles(figures.problems)
        with self.store.writing() as session:
            number = collecting.keep_import(
                session, figures, data, file=file, by=by.id, now=self.now(), sample=sample
            )
            clearing.record(session, self.now(), by.id, f"figures imported: {file}")
        return replace(figures, number=number)

    def imports(self) -> list[ImportBatch]:
        """The files of figures that were imported, oldest first; also those taken back."""
        from sqlalchemy import select

        from outreach.store.tables import ImportBatch

        with self.store.reading() as session:
            return list(session.scalars(select(ImportBatch).order_by(ImportBatch.id)))

    def undo_import(self, number: int, *, by: Person) -> ImportBatch:
        """Take an import back: nothing of it counts in a report that is made from now on.

        Raises NotFound, or NotAllowed where it was taken back already.
        """
        from outreach import clearance as clearing
        from outreach.clearance import MAY_WRITE
        from outreach.measure import collect as collecting

        by.must_be(MAY_WRITE)
        with self.store.writing() as session:
            undone = collecting.undo_import(session, number, by=by.id, now=self.now())
            clearing.record(session, self.now(), by.id, f"figures taken back: {undone.file}")
        return undone

    def adopt(
        self,
        url: str,
        *,
        campaign: str,
        channel: str,
        by: Person,
        whose: str = "",
        on: date | None = None,
    ) -> None:
        """Keep a post that others made: counted and reported apart from ours.

        `on` is the day on which it was published, in the report's zone; today, unless said. Raises
        NotAllowed and NotFound as `measure.adopted.adopt` does, and for a channel there is not.
        """
        from outreach.campaign.load import campaign_files
        from outreach.clearance import MAY_WRITE
        from outreach.measure import adopted

        by.must_be(MAY_WRITE)
        if channel not in self.channels:
            near = did_you_mean(channel, self.channels)
            known = f"known are: {', '.join(sorted(self.channels))}"
            raise NotFound(f"there is no channel {channel!r}", near or known)
        platform = self.platforms.get(channel)
        url = platform.address(url) if isinstance(platform, Told) else url.strip()
        zone = ZoneInfo(self.configuration.report_zone)
        at = datetime.combine(on, datetime.min.time(), zone) if on else self.now()
        names = {path.stem for path in campaign_files(self.home / "campaigns")}
        post = adopted.Post(url, campaign, channel, whose.strip(), at)
        with self.store.writing() as session:
            adopted.adopt(session, post, campaigns=names, by=by.id, now=self.now())

    def let_go(self, url: str, *, by: Person) -> None:
        """Do not report an adopted post any more. NotFound where it is none."""
        from outreach.clearance import MAY_WRITE
        from outreach.measure import adopted

        by.must_be(MAY_WRITE)
        with self.store.writing() as session:
            adopted.let_go(session, url.strip(), by=by.id, now=self.now())

    def adopted(self) -> list[Adoption]:
        """The posts of others that were adopted, oldest first."""
        from outreach.measure import adopted

        with self.store.reading() as session:
            return adopted.adopted(session)

    def report(self, month: str, *, by: Person) -> Report:
        """Compute a month ("2025-08") in the report's zone, freeze it, and return it."""
        from outreach import clearance as clearing
        from outreach.report import gather

        with self.store.reading() as session:
            given = gather.gather(
                session,
                month,
                configuration=self.configuration,
                channels=self.channels,
                offers=self._offers(),
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
    ) -> list[Kit]:
        """Kits of a campaign's cleared texts, for each partner with a utm-source, or these alone.

        Raises NotFound for a campaign, partner or language that there is not, NotAllowed where
        nothing of it is cleared.
        """
        from outreach import clearance as clearing
        from outreach import toolkit as kits
        from outreach.clearance import MAY_ADMINISTER, MAY_CLEAR, MAY_WRITE

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

    def _directory(self) -> Mapping[str, Partner]:
        from outreach.campaign.directory import load_directory

        return load_directory(self.home / "config", root=self.home).partners

    def _getting_kits(self) -> dict[str, Partner]:
        return {name: one for name, one in self._directory().items() if one.utm_source}

    def _partners(self, names: Sequence[str]) -> dict[str, Partner]:
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

    def feeds(self) -> list[FeedInfo]:
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

    def feed(self, channel: str) -> list[FeedEntry]:
        """A feed's entries, newest first. Raises NotFound for a channel that is no feed."""
        from outreach.platforms.feed import entries
        from outreach.store.shelf import TableShelf

        settings = self.configuration.channels.get(channel)
        if settings is None or settings.platform != "feed":
            raise NotFound(f"there is no feed {channel!r}")
        return entries(TableShelf(self.store, channel, self.now), channel, self.public_url)

    def feed_entry(self, channel: str, entry: str) -> FeedEntry:
        """One entry of a feed. Raises NotFound."""
        found = next((one for one in self.feed(channel) if one.id == entry), None)
        if found is None:
            raise NotFound(f"there is no entry {entry!r} on {channel}")
        return found

    def links(self) -> list[Shown]:
        """The addresses of current posts, for a page that networks without links can name."""
        from outreach import addresses

        with self.store.reading() as session:
            return addresses.current(session, self.now())

    def published_picture(self, sha256: str) -> tuple[bytes, str]:
        """A picture's bytes and type, once a feed shows it. NotFound before."""
        from outreach.store.tables import Asset

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
        from outreach import credentials

        answer = credentials.ask(self.platforms[channel])
        with suppress(Unusable), self.store.writing() as session:
            credentials.keep(session, channel, answer, self.real())
        return answer

    def ask_accounts(self) -> int:
        """Ask the accounts whose turn it is; how many."""
        from outreach import credentials

        with self.store.reading() as session:
            due = credentials.due(session, self.platforms, self.real())
        for channel in due:
            self.ask_account(channel)
        return len(due)

    def person(self, name: str) -> Person:
        """The person of this id, confirmed. Raises NotFound."""
        from outreach import people

        with self.store.reading() as session:
            return people.person(session, name)

    def whose(self, token: str) -> Person:
        """The person who holds this token. Raises NotAllowed."""
        from outreach import people

        with self.store.reading() as session:
            return people.whose(session, token)

    def people(self) -> Mapping[str, Person]:
        """Everybody in force."""
        from outreach import people

        with self.store.reading() as session:
            return people.in_force(session)

    def confirm_people(self, *, by: str, first: bool = False) -> bool:
        """Confirm config/people.toml as it is; True once it is in force."""
        from outreach import people

        with self.store.writing() as session:
            row = people.confirm(session, self._roster(), by=by, now=self.now(), first=first)
            return row.confirmed_at is not None

    def token_for(self, name: str, *, by: Person | None) -> str:
        """A fresh personal token, shown once; only an administrator's, or one's own, renewal.

        `by` is None while the office is made.
        """
        from outreach import clearance as clearing
        from outreach import people
        from outreach.clearance import MAY_ADMINISTER

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
        from sqlalchemy import select

        from outreach import people
        from outreach.store.tables import Roster

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
    ) -> Made:
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
    ) -> Restored:
        """Put a backup in the place of the database: see `backup.restore`, whose errors it raises.

        Who may do what is what is being restored, so nobody is asked; who did it is `acting`, or
        whoever holds this token in the backup, or the program.
        """

        from outreach import clearance as clearing
        from outreach import people

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
            blind=self.blind,
            replace=replace,
            tell=tell,
        )

    def close(self) -> None:
        """Finish what is being sent and let go of the database."""
        for name in ("dispatch", "_taking_down"):
            if name in self.__dict__:
                self.ending.ask()
                self.__dict__[name].close()
        self.store.close()

    def _row(self, session: Session, key: str) -> Delivery:
        from sqlalchemy import select

        from outreach.delivery import Delivery

        row = session.get(Delivery, key)
        if row is None:
            import difflib

            near = difflib.get_close_matches(key, session.scalars(select(Delivery.key)), 1)
            raise NotFound(
                f"there is no post {key!r}",
                f"did you mean {near[0]}?" if near else "posts are listed by: outreach status",
            )
        return row


def _ahead(now: datetime) -> datetime:
    """Until when recurring messages have their posts: the end of a day, so that a plan that is
    made twice within minutes is the same."""
    return (now + AHEAD).replace(hour=0, minute=0, second=0, microsecond=0)


def _words(text: str) -> list[str]:
    """What tells two wordings apart: not how their lines are broken."""
    return text.split()


def _may_be_public(session: Session, key: str) -> bool:
    """Whether a post, or a part of it, is live or may be; a partner's address always may."""
    from sqlalchemy import select

    from outreach.delivery import IN_FLIGHT, Delivery, ReceiptRow, State
    from outreach.store.tables import partner_of

    if partner_of(key):
        return True
    row = session.get(Delivery, key)
    if row is None or row.state in (State.PUBLISHED, *IN_FLIGHT):
        return row is not None
    return bool(session.scalar(select(ReceiptRow.key).where(ReceiptRow.key == key).limit(1)))


def _remember(session: Session, name: str, value: str) -> None:
    from outreach.store.tables import Meta

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
