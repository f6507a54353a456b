"""
Everything this program can do. The command line, the web pages and the bot all call these.

    files        check, plan, apply                      what the campaign files ask for
    clearance    readings, clear, return_, trail         a second person's yes to exactly that
    publishing   tick, hold, release, settle, status,    once, or somebody is asked
                 in_full, look_at_links
    care         doctor, watch, ask_account,             before the day, and while it runs
                 connecting, renew_permits, announce,
                 confirm_people, token_for

What belongs together beside these is reached as one:

    folder       ask_links, look_into_pictures           what lies in the office's folder
    presence     mind_the_gap, once                      whether the clock ran, and who else runs it
    incidents    take_down, correct, standing            gone everywhere, or put right
    handover     open, waiting                           what people publish for us
    answers      complete, decline                       and what they say of it
    figures      collect, read, keep, undo, adopt        values, or none with a reason
    entries      look, keep, undo                        what people enter of what came of it
    reports      draft, make, kept, show, learn          a month or any period, version by version
    reporting    paragraph, into, ask, send              a report on its way out
    public       feeds, picture, links, follow           what anybody may see
    kits         give                                    cleared texts for partners
    newsletters  take, give, read_bounces                who receives them, and what comes back
    backups      make, restore                           and after one that went wrong

A verb opens a transaction, orders what is read and written, or joins two modules. The rules
themselves stand on the values and rows of those modules.
"""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from outreach import kept, planning
from outreach.about import about
from outreach.campaign.plan import Kind, Plan, plan
from outreach.config import Configuration, home_of, read_configuration, real_now
from outreach.ending import Ending
from outreach.errors import (
    Changed,
    NotAllowed,
    PlatformError,
    Problem,
    Refused,
    TooMuch,
    Unusable,
)
from outreach.folder import Files, Folder, ahead
from outreach.platforms import PLATFORMS, Announces, Channel, Platform, Previews
from outreach.store import Store
from outreach.store.plain import Ask, asking

# A verb imports what it alone works with. Looking at files that have not changed takes a tenth of
# a second, and SQLAlchemy alone, with which all others begin, takes two more.
if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from outreach import credentials, standing
    from outreach.accounts import Accounts
    from outreach.answers import Answers
    from outreach.backup import Backups
    from outreach.clearance import Person, Reading, Window
    from outreach.compose import Draft, reachable
    from outreach.connect import Connecting
    from outreach.dispatch import Dispatch
    from outreach.figures import Figures
    from outreach.handover import Handover
    from outreach.incidents import Incidents
    from outreach.leases import Leases
    from outreach.measure.entries import Entries
    from outreach.newsletters import Newsletters
    from outreach.pace import Pace
    from outreach.permits import Permits
    from outreach.post import Part
    from outreach.presence import Presence
    from outreach.public import Public
    from outreach.publish import Publisher
    from outreach.reporting import Reporting
    from outreach.reports import Reports
    from outreach.settle import Answer
    from outreach.subscribers import Subscribers
    from outreach.toolkit import Kits
    from outreach.watch import Watch

gc.freeze()  # what was imported stays: no collection, nor the one at the exit, looks at it again

log = logging.getLogger(__name__)

COMPARE = 1.0  # seconds between two looks at whether a file has changed, within one turn

HELD_BACK = "held back"  # what the desk's folder no longer says: why, by key, as JSON


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
        self._held_back: tuple[tuple[str, str], dict[str, str]] = (("", ""), {})
        self._comparing, self._compared = Lock(), -COMPARE
        self.ending = Ending()
        self.keeps = True  # False for a copy of the folder, which will never be read again
        self.has_folder = True  # False for a worker: what the desk holds back, it holds back
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

    def announce(self) -> None:
        """Have each feed's hub told of what is new there; in a demo nothing leaves this machine."""
        for platform in self.platforms.values():
            if isinstance(platform, Announces) and not self.configuration.settings.desk.demo:
                platform.announce()

    def connecting(self, channel: str) -> Connecting:
        """A person's way of giving us a channel's credentials. Raises NotFound, NotAllowed."""
        from outreach.connect import Connecting

        self.configuration.must_have(channel)
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
    def leases(self) -> Leases:
        """The clock of claims: real time, and one for all who share the database."""
        from outreach.leases import lease_clock

        return self._leases or lease_clock(self.store)

    @cached_property
    def publisher(self) -> Publisher:
        from outreach.publish import Publisher

        return Publisher(
            store=self.store,
            platforms=self.platforms,
            now=self.now,
            leases=self.leases,
            differs=self._held_back_lately,
            unready=self.unready,
            ending=self.ending,
            paces=self.paces,
        )

    @cached_property
    def incidents(self) -> Incidents:
        """What is live and wrong: taken down, or corrected."""
        from outreach.incidents import Incidents

        return Incidents(
            store=self.store,
            platforms=self.platforms,
            now=self.now,
            leases=self.leases,
            ending=self.ending,
            drafts=lambda: self.files().drafts,
            unready=lambda: self.unready,
            tell=self.tell,
            last_look=self.figures.last_look,
        )

    @cached_property
    def answers(self) -> Answers:
        """What people say of a post, at the desk or with a task's link."""
        from outreach.answers import Answers

        return Answers(
            store=self.store,
            platforms=self.platforms,
            now=self.now,
            doubt=self.publisher.doubt,
            take_downs=self.incidents.take_downs,
            handover=self.handover,
        )

    @cached_property
    def figures(self) -> Figures:
        """Every figure the office has."""
        from outreach.figures import Figures

        return Figures(
            store=self.store,
            configuration=self.configuration,
            channels=self.channels,
            platforms=lambda: self.platforms,
            paces=lambda: self.paces,
            leases=lambda: self.leases,
            now=self.now,
        )

    @cached_property
    def reports(self) -> Reports:
        """What was made of the figures: kept version by version, and shown again."""
        from outreach.reports import Reports

        return Reports(
            store=self.store,
            configuration=self.configuration,
            channels=self.channels,
            platforms=lambda: self.platforms,
            now=self.now,
        )

    @cached_property
    def entries(self) -> Entries:
        """What people enter of what came of it: files' counts, numbers by hand, costs."""
        from outreach.campaign.load import campaign_files
        from outreach.measure.entries import Entries

        return Entries(
            self.store,
            self.now,
            self.configuration.report_zone,
            lambda: {path.stem for path in campaign_files(self.home / "campaigns")},
        )

    @cached_property
    def reporting(self) -> Reporting:
        """A report on its way out: into a note, and to those who receive it."""
        from outreach.campaign.load import load_campaigns
        from outreach.reporting import Reporting

        def titles() -> dict[str, str]:
            found = load_campaigns(self.home / "campaigns", root=self.home).campaigns
            return {one.campaign: one.title for one in found}

        return Reporting(
            store=self.store,
            configuration=self.configuration,
            channels=self.channels,
            now=self.now,
            reports=self.reports,
            titles=titles,
        )

    @cached_property
    def public(self) -> Public:
        """What anybody may see: feeds, pictures, and where short links lead."""
        from outreach.public import Public

        return Public(
            store=self.store,
            configuration=self.configuration,
            channels=self.channels,
            now=self.now,
        )

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

    @cached_property
    def kits(self) -> Kits:
        """What partners are given: cleared texts, for their own channels."""
        from outreach.toolkit import Kits

        return Kits(
            store=self.store,
            configuration=self.configuration,
            channels=self.channels,
            now=self.now,
            files=self.files,
            differs=self.held_back,
        )

    @cached_property
    def newsletters(self) -> Newsletters:
        """The lists of those who receive them, and what comes back."""
        from outreach.newsletters import Newsletters

        return Newsletters(
            subscribers=self.subscribers, platforms=lambda: self.platforms, now=self.now
        )

    @cached_property
    def backups(self) -> Backups:
        """Made while the desk goes on; and the way back to one."""
        from outreach.backup import Backups

        return Backups(
            store=self.store,
            configuration=self.configuration,
            now=self.now,
            real=self.real,
            blind=lambda: self.blind,
        )

    @cached_property
    def paces(self) -> Mapping[str, Pace]:
        """What each channel has to keep to: its network's limits, and the office's own."""
        return self._accounts.paces()

    @cached_property
    def folder(self) -> Folder:
        """The office's folder, as it lies there now."""
        return Folder(self.configuration, self.now)

    @cached_property
    def presence(self) -> Presence:
        """This process's heartbeat, and what it missed."""
        from outreach.presence import Presence

        return Presence(
            store=self.store,
            now=self.now,
            real=self.real,
            doubt=lambda: self.publisher.doubt,
            blind=lambda: self.blind,
        )

    @cached_property
    def dispatch(self) -> Dispatch:
        from outreach.dispatch import Embedded

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
            self.presence.begin(name)
            try:
                yield
            finally:
                self.presence.name = ""
                if not self.dispatch.finish(0):  # what hangs is not waited for
                    self.dispatch.close()
                self.presence.forget(name)

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
            processes=self.presence.processes,
        )

    def _send(self, channel: str) -> None:
        """Look for what is in doubt on this channel, and send what it has due."""
        for outcome in chain(self.publisher.doubt.look(channel), self.publisher.send(channel)):
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
            self.folder.tree(),
            self.configuration.people_text,
            self.configuration.settings,
            self.configuration.channels,
            ahead(self.now()),
            self.broken,
            self._strangers(),
        )
        return hashlib.sha256(repr(given).encode()).hexdigest()

    def _compose(self, progress: Callable[[int, int], None] | None) -> Files:
        made = self.folder.compose(self.channels, without=self.broken, progress=progress)
        problems = [*made.problems, *self._accounts.over_money(made.drafts.values())]
        for name, why in self.broken.items():
            what, hint = f"the channel {name} cannot be used: {why}", self.remedies[name]
            problems.append(Problem("config/channels.toml", what, hint))
        return replace(made, problems=tuple(dict.fromkeys(problems)))

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
        from outreach.store.tables import Heartbeat, Meta

        by.must_be(MAY_WRITE)
        tree = self.folder.tree()  # before they are read: what is written meanwhile was not applied
        files = self.files()
        self.presence.mind_the_gap()  # before anything moves: what fell due in it may be live
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
            session.merge(Meta(name="applied tree", value=tree))
            session.merge(Meta(name="applied by", value=by.id))
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

        tree = self.folder.tree()
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
            tree = self.folder.tree()
            with self.store.reading() as session:
                row = session.get(Meta, "applied tree")
            applied = row.value if row else tree
            if self._held_back[0] != (tree, applied):
                why = "its file has changed and was not applied yet"
                operations = self.plan().operations if applied != tree else ()
                differing = {op.key: why for op in operations if op.state}
                self._held_back = ((tree, applied), differing)
                if self.presence.name and not self.store.embedded:
                    with self.store.writing() as session:  # for workers without a folder
                        session.merge(Meta(name=HELD_BACK, value=json.dumps(differing)))
            self._compared = time.monotonic()
            return self._held_back[1]

    def _held_back_lately(self) -> Mapping[str, str]:
        """The same, of this turn of the clock or a second ago: a drain asks for every post."""
        if self.has_folder and time.monotonic() < self._compared + COMPARE:
            return self._held_back[1]
        return self.held_back()

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
            reading, rows = clearing.to_clear(session, name, people.in_force(session))
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
        from outreach.delivery import CORRECTION, State, find

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
                rows = [find(session, name)]
            else:
                known = people.in_force(session)
                waiting = State.PROPOSED, State.CLEARED
                rows = clearing.named(session, name, *waiting, known=known)
            for row in rows:
                row.must_be(State.PROPOSED, State.CLEARED)
                clearing.void(session, row, f"returned: {why}", now=now, who=by.id)
                row.returned = f"returned by {by.name}: {why}"
                clearing.record(session, now, by.id, "returned", row, why=why)
            notices.write(session, people.in_force(session), now)
            return [row.key for row in rows]

    def trail(self, key: str = "") -> Iterator[tuple[datetime, str, str, str]]:
        """Everything that happened to a post (or to all), oldest first: when, who, what, why.

        Raises NotFound for a key that never was.
        """
        from outreach import standing
        from outreach.delivery import find

        with self.store.reading() as session:
            if key:
                find(session, key)
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
        copy = self.presence.mind_the_gap(looking=True)
        channels = self.publisher.turn()
        # Before anything is sent, so that a copy of the database from before is known for one.
        if wait or copy or channels or self.presence.silent:
            self.presence.beat(copy)
        self.incidents.ring()
        self.dispatch.ring(channels)
        if wait:
            self.dispatch.wait()
            self.incidents.wait()
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
            + self.reporting.deliver()
            + notices.send(
                self.store,
                self.configuration.settings.mail,
                self.configuration.secret("mail_password"),
                known,
                self.now(),
            )
        )

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
        from outreach.delivery import find

        by.must_be(MAY_WRITE, MAY_CLEAR, MAY_ADMINISTER)
        self.answers.take(key, answer, who=by.id, url=url)
        with self.store.reading() as session:
            return standing.line(session, find(session, key))

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
        from outreach.delivery import find

        with self.store.reading() as session:
            return standing.in_full(session, find(session, key))

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

    def close(self) -> None:
        """Finish what is being sent and let go of the database."""
        for name in ("dispatch", "incidents"):
            if name in self.__dict__:
                self.ending.ask()
                self.__dict__[name].close()
        self.store.close()


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
