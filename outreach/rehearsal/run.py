"""The fast clock: from before the first slot to after the last report, event by event.

It stands at every slot, at the moment from which a post would be late, on the working day by
which a text has to be cleared, and when figures and reports are due. At each the desk ticks as
it would by itself; what people do is done by stand-ins: a clearer clears what is due for it, and
somebody posts what was handed over, some minutes later.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from outreach.campaign.calendar import Calendar
from outreach.campaign.models import Campaign
from outreach.campaign.occasions import occasions
from outreach.clearance import MAY_CLEAR, MAY_WRITE, Person, Reading
from outreach.compose import Draft
from outreach.config import PersonSettings
from outreach.delivery import Delivery, State
from outreach.errors import OutreachError
from outreach.measure.collect import ladder, month_of
from outreach.measure.months import bounds
from outreach.post import Slot
from outreach.rehearsal.networks import CLICKS, drawn
from outreach.rehearsal.office import Rehearsed
from outreach.rehearsal.value import Needed
from outreach.report.value import Report
from outreach.store.tables import Click, ShortLink

OFFICER = Person("rehearsal", "the rehearsal", "", frozenset({MAY_WRITE}))
CLEARER = Person("stand-in", "a stand-in clearer", "", frozenset({MAY_CLEAR}))

BEFORE = timedelta(days=7)  # the rehearsal begins so long before its first slot
BY_HAND = timedelta(minutes=5)  # a person needs them to post what was handed over
READ_AT = time(9)  # on the last working day before a slot its text is cleared
SERIES = timedelta(days=45)  # of the 60 days for which a series has its posts
VISITED = timedelta(hours=1)  # after a post its links are followed
LAST_LOOK = timedelta(hours=1)  # before a month's end its followers are read
MOST_MONTHS = 24  # reports; a slip in a year would otherwise ask for hundreds


class FastClock:
    """A clock that stands still until it is moved on. Aware, UTC."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def to(self, at: datetime) -> None:
        """Go to an instant, never back."""
        self.at = max(self.at, at)


@dataclass(frozen=True)
class Outcome:
    """Where the desk has left one post."""

    state: str
    reason: str = ""
    at: datetime | None = None


def begins(campaigns: tuple[Campaign, ...], zone: str, lead: int = 0) -> datetime | None:
    """When to begin: before the first slot, and before anybody has to read its text; where another
    office is asked, `lead` working days earlier, with as many weekends and holidays as may lie
    between."""
    slots = [
        (one.slot, campaign)
        for campaign in campaigns
        for one in occasions(campaign)
        if isinstance(one.slot, Slot)
    ]
    if not slots:
        return None
    first = min(slot.at for slot, _ in slots)
    read = min(_reading_begins(last_day(slot, campaign, zone), zone) for slot, campaign in slots)
    earlier = timedelta(days=lead * 2 + 14) if lead else timedelta(0)
    return min(first - BEFORE, read - timedelta(days=1)) - earlier


def _last_of_series(campaigns: tuple[Campaign, ...]) -> datetime | None:
    return max(
        (
            one.slot.at
            for campaign in campaigns
            for one in occasions(campaign)
            if one.local and isinstance(one.slot, Slot)
        ),
        default=None,
    )


def last_day(slot: Slot, campaign: Campaign, zone: str) -> date:
    """The latest working day before a slot, where the office is."""
    day = slot.at.astimezone(ZoneInfo(zone)).date()
    return Calendar(campaign.defaults.holidays).moved(day - timedelta(days=1), -1)


def _posted(row: Delivery) -> datetime:
    """When a stand-in gives the address of what is posted by hand: some minutes after its task, or
    after the time for which another office was asked."""
    wanted = (row.content or {}).get("wanted")
    return (Slot.read(wanted).at if wanted else row.at) + BY_HAND


def _reading_begins(day: date, zone: str) -> datetime:
    return datetime.combine(day, READ_AT, ZoneInfo(zone)).astimezone(UTC)


def packages(drafts: Iterable[Draft]) -> dict[tuple[str, str], Slot]:
    """When the first package of a message goes that waits for all its languages, by campaign and
    message: all of them have to be cleared by then."""
    found: dict[tuple[str, str], Slot] = {}
    for draft in drafts:
        if draft.wanted and draft.slot and draft.release == "together":
            at = draft.campaign, draft.message
            found[at] = min(found.get(at, draft.slot), draft.slot, key=lambda slot: slot.at)
    return found


def clearers(draft: Draft, people: Mapping[str, PersonSettings]) -> tuple[str, ...]:
    """The names of those who may clear a draft."""
    return tuple(
        one.name
        for identity, one in people.items()
        if MAY_CLEAR in one.roles and identity not in draft.authors
    )


class Run:
    """One run of the fast clock over a rehearsal's desk."""

    def __init__(self, desk: Rehearsed, clock: FastClock) -> None:
        self.desk, self.clock = desk, clock
        self.zone = desk.configuration.settings.office.zone
        self.campaigns: Mapping[str, Campaign] = {}
        self.reports: list[Report] = []
        self.remarks: list[str] = []
        self._ahead: list[datetime] = []
        self._expected: set[str] = set()
        self._counted: set[str] = set()
        self._months: set[str] = set()
        self._reports_due: dict[str, datetime] = {}
        self._next_series = clock() + SERIES

    def whole(
        self, holds: list[tuple[str, str, str]], tell: Callable[[int, int], None] | None = None
    ) -> dict[str, Outcome]:
        """Apply, then go from event to event to the end; what became of each post, by key."""
        desk = self.desk
        self.campaigns = {campaign.campaign: campaign for campaign in desk.campaigns}
        desk.tick()
        desk.apply(desk.plan().hash, by=OFFICER)
        for scope, why, by in holds:
            try:
                desk.hold(scope, why, by=Person(by, by, "", frozenset({MAY_WRITE})))
            except OutreachError:
                continue  # a hold on what is not rehearsed here
        self._expect()
        self._carry_on_until(_last_of_series(desk.campaigns))
        done = 0
        while self._ahead:
            at = heapq.heappop(self._ahead)
            done += 1
            if at > self.clock():
                self.clock.to(at)
                self._turn()
            if tell:
                tell(done, done + len(self._ahead))
        return self._outcomes()

    def _turn(self) -> None:
        desk = self.desk
        if self.clock() >= self._next_series:
            self._next_series = self.clock() + SERIES
            if desk.carry_on():
                self._expect()
        desk.tick()
        if self._clear() + self._post_by_hand():
            desk.tick()
        self._follow_up()
        desk.figures.collect()
        self._report()

    def _expect(self) -> None:
        """Put everything that will happen to the posts that are new on the list."""
        with self.desk.store.reading() as session:
            rows = session.scalars(select(Delivery)).all()
        for row in rows:
            if row.key in self._expected or row.state in (State.PAST, State.DROPPED):
                continue
            self._expected.add(row.key)
            campaign = self.campaigns[row.campaign]
            read = _reading_begins(last_day(row.due, campaign, self.zone), self.zone)
            self._at(read, row.at, _posted(row), row.late_after)
            if row.not_after:
                self._at(row.not_after)

    def _carry_on_until(self, last: datetime | None) -> None:
        """Go on giving series their posts until the last of them."""
        at = self._next_series
        while last and at <= last:
            self._at(at)
            at += SERIES

    def _at(self, *instants: datetime) -> None:
        for at in instants:
            if at > self.clock():
                heapq.heappush(self._ahead, at)

    # --- what people do ------------------------------------------------------------------

    def _clear(self) -> int:
        """The stand-in clearer clears what has to be cleared today; how many readings."""
        cleared = 0
        for reading in self.desk.readings():
            if reading.renderings and self._is_due(reading) and self._somebody_may(reading):
                decided = "a person decides; the rehearsal goes on"
                self.desk.clear(reading.name, reading.fingerprint, by=CLEARER, decided=decided)
                cleared += 1
        return cleared

    def _is_due(self, reading: Reading) -> bool:
        first = min((one.slot for one in reading.renderings), key=lambda slot: slot.at)
        waits = packages(self.desk.written.values()).get((reading.campaign, reading.message))
        first = min(filter(None, (first, waits)), key=lambda slot: slot.at)
        day = last_day(first, self.campaigns[reading.campaign], self.zone)
        return _reading_begins(day, self.zone) <= self.clock()

    def _somebody_may(self, reading: Reading) -> bool:
        """Whether anybody of the office may clear it: nobody clears what they wrote."""
        people = self.desk.configuration.people
        drafts = (self.desk.written[one.key] for one in reading.renderings)
        return all(clearers(draft, people) for draft in drafts)

    def _post_by_hand(self) -> int:
        """Somebody posts what was handed over some minutes ago, and gives its address."""
        with self.desk.store.reading() as session:
            handed = session.scalars(select(Delivery).where(Delivery.state == State.HANDED))
            keys = [row.key for row in handed if _posted(row) <= self.clock()]
        for key in keys:
            address = f"https://rehearsal.invalid/{key}"
            self.desk.settle(key, "live", by=OFFICER, url=address)
        return len(keys)

    def _follow_up(self) -> None:
        """Readers follow the links of what is new; its figures and its report become due."""
        zone = self.desk.configuration.report_zone
        live = select(Delivery.key, Delivery.published_at).where(Delivery.published_at.is_not(None))
        with self.desk.store.reading() as session:
            told = session.execute(live).all()
            new = {key: at for key, at in told if at and key not in self._counted}
            links = session.scalars(select(ShortLink).where(ShortLink.key.in_(new))).all()
        self._counted |= new.keys()
        for at in new.values():
            self._at(*ladder(at, zone).values())
            self._month(month_of(at, zone))
        visits = [
            Click(code=link.code, key=link.key, at=new[link.key] + VISITED)
            for link in links
            for _ in range(int(drawn(*CLICKS, link.key, link.target, "clicks")))
        ]
        if visits:
            with self.desk.store.writing() as session:
                session.add_all(visits)

    def _month(self, month: str) -> None:
        """Have the month's report made when its figures are cut off."""
        if month in self._months:
            return
        if len(self._months) >= MOST_MONTHS:
            words = f"Reports are shown for the first {MOST_MONTHS} months only."
            if words not in self.remarks:
                self.remarks.append(words)
            return
        settings = self.desk.configuration.settings
        end = bounds(month, self.desk.configuration.report_zone)[1]
        due = end + timedelta(days=settings.report.cut_off_days, minutes=1)
        self._months.add(month)
        self._reports_due[month] = due
        self._at(end - LAST_LOOK, due)

    def _report(self) -> None:
        for month, due in list(self._reports_due.items()):
            end = bounds(month, self.desk.configuration.report_zone)[1]
            if end - LAST_LOOK <= self.clock() < end and self.desk.presence.once(
                "followers", month
            ):
                self.desk.figures.collect_audience()
            if due <= self.clock():
                del self._reports_due[month]
                self.reports.append(self.desk.reports.make(month, by=OFFICER))

    def _outcomes(self) -> dict[str, Outcome]:
        with self.desk.store.reading() as session:
            rows = session.scalars(select(Delivery)).all()
        return {row.key: Outcome(str(row.state), row.reason, row.published_at) for row in rows}


def needed(desk: Rehearsed) -> list[Needed]:
    """Every clearance that the campaigns will need, soonest first."""
    zone, people = desk.configuration.settings.office.zone, desk.configuration.people
    campaigns = {campaign.campaign: campaign for campaign in desk.campaigns}
    groups: dict[tuple[str, str, str], list[Draft]] = {}
    for draft in desk.written.values():
        if draft.slot:
            key = (draft.campaign, draft.message, draft.language)
            groups.setdefault(key, []).append(draft)
    found = []
    waits = packages(desk.written.values())
    for (campaign, message, language), drafts in groups.items():
        slots = sorted({d.slot for d in drafts if d.slot}, key=lambda slot: slot.at)
        may = [clearers(draft, people) for draft in drafts]
        authors = sorted({people[a].name if a in people else a for d in drafts for a in d.authors})
        found.append(
            Needed(
                campaign=campaign,
                message=message,
                language=language,
                channels=tuple(dict.fromkeys(d.channel for d in drafts)),
                slots=tuple(slots),
                by=last_day(
                    min(
                        filter(None, (slots[0], waits.get((campaign, message)))),
                        key=lambda slot: slot.at,
                    ),
                    campaigns[campaign],
                    zone,
                ),
                who=tuple(name for name in may[0] if all(name in others for others in may)),
                authors=tuple(authors),
                waits=tuple(dict.fromkeys(p.what for d in drafts for p in d.blocked)),
                questions=tuple(dict.fromkeys(p.what for d in drafts for p in d.questions)),
            )
        )
    return sorted(found, key=lambda one: (one.by, one.slots[0].at, one.message, one.language))
