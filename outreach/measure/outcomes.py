"""What came of it, in the order of AMEC's framework: outputs, out-takes, outcomes.

Outputs and out-takes here are those that the desk counts by itself: newsletters, and visits
through its short links. Outcomes are what people entered, from exports or by hand. Each figure is
a value, or none with the reason; each says where it stands and who entered it. Breakdowns hide
counts of few people (see `outreach/measure/few.py`); impact is not claimed by a month.

Breakdowns of periods that overlap could be subtracted from each other. So a report prints them
for one kind of period alone, and totals for all others: `broken_down=False`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.delivery import Delivery
from outreach.measure.amec import COSTS, MEASURES, STAGES, Measure, Stage
from outreach.measure.countries import MEMBERS, name
from outreach.measure.few import protected
from outreach.measure.months import Period
from outreach.pace import KEEP, Call
from outreach.platforms import Fate
from outreach.store.tables import (
    PARTNER,
    PRINTED,
    Click,
    CostRow,
    OutcomeCount,
    OutcomeEntry,
    ShortLink,
)
from outreach.subscribers import CONFIRMED, Mailing, MailingReader, Subscriber

NOTHING_ENTERED: Final = "Nobody has entered this figure"
NOT_FOR_THIS: Final = "Nothing that was entered is of this period"
NOT_ADDED: Final = (
    "It was counted several times, and the same person may be in more than one count: they are "
    "not added"
)
NO_SHORT_LINKS: Final = "The campaign printed no short links of this desk, so nobody counted visits"
NO_MAILS: Final = "No newsletter of the campaign was sent"


@dataclass(frozen=True)
class Cell:
    """One line of a breakdown: None is suppressed, because it is of few people."""

    label: str
    value: int | None


@dataclass(frozen=True)
class Outcome:
    """One figure of one campaign, in a period; `so_far` from its beginning to the period's end.

    A missing value has its `reason`. An empty breakdown was not collected, or may not be printed:
    then `withheld` says so. `sources` are files, or what somebody wrote; `by` and `at`, who
    entered it and when last.
    """

    campaign: str
    measure: str
    label: str
    stage: Stage
    definition: str
    value: int | None
    so_far: int | None
    reason: str = ""
    by_state: tuple[Cell, ...] = ()  # member States in official order, others, not said
    by_sex: tuple[Cell, ...] = ()
    by_youth: tuple[Cell, ...] = ()
    by_organisation: tuple[Cell, ...] = ()
    by_session: tuple[Cell, ...] = ()
    by_document: tuple[Cell, ...] = ()
    by_language: tuple[Cell, ...] = ()
    withheld: tuple[str, ...] = ()  # "by_sex": too few people to print any of it
    sources: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    at: datetime | None = None

    @property
    def printed(self) -> str:
        """The value as reports print it."""
        return ".." if self.value is None else f"{self.value:,}"


@dataclass(frozen=True)
class Clicks:
    """Visits of one campaign's short links, by who printed them. None where none are registered."""

    campaign: str
    posts: int | None
    partners: int | None
    printed: int | None

    @property
    def total(self) -> int | None:
        known = [one for one in (self.posts, self.partners, self.printed) if one is not None]
        return sum(known) if known else None


@dataclass(frozen=True)
class Cost:
    """One cost. `number` is that of its entry, 0 where the desk counted it."""

    number: int
    campaign: str  # "" where it is of the whole office
    kind: str
    label: str
    amount: Decimal
    unit: str  # "USD", "days"
    day: str
    source: str
    by: str
    at: datetime | None


def outcomes_of(
    session: Session,
    period: Period,
    *,
    cut_off: datetime,
    campaigns: Iterable[str] = (),
    broken_down: bool = True,
) -> tuple[Outcome, ...]:
    """Every campaign's figures in AMEC's order, as they were known at the cut-off.

    `campaigns` are told even where nothing is known of them. What was undone is not told.
    """
    entries = list(
        session.scalars(
            select(OutcomeEntry)
            .where(OutcomeEntry.at <= cut_off, OutcomeEntry.undone_at.is_(None))
            .order_by(OutcomeEntry.id)
        )
    )
    asked = frozenset(campaigns)
    clicks, all_clicks = (
        {one.campaign: one for one in clicks_of(session, period, cut_off=cut_off, so_far=so_far)}
        for so_far in (False, True)
    )
    mails, all_mails = (_mails(session, period, cut_off, so_far=one) for one in (False, True))
    names = sorted({*asked, *(one.campaign for one in entries), *clicks, *all_mails})
    found: list[Outcome] = []
    for campaign in names:
        for measure in MEASURES.values():
            if measure.entered:
                mine = [e for e in entries if (e.campaign, e.measure) == (campaign, measure.name)]
                if mine or campaign in asked:
                    made = _entered(session, campaign, measure, mine, period)
                    found.append(made if broken_down else _whole(made))
            elif measure.name == "clicks":
                found.append(_visits(campaign, clicks.get(campaign), all_clicks.get(campaign)))
            elif measure.name != "subscribers":
                found.append(_mailed(campaign, measure, mails, all_mails))
    return tuple(sorted(found, key=lambda one: (one.campaign, STAGES.index(one.stage))))


def _made(campaign: str, measure: Measure, value: int | None, so_far: int | None) -> Outcome:
    return Outcome(
        campaign, measure.name, measure.label, measure.stage, measure.definition, value, so_far
    )


def _whole(outcome: Outcome) -> Outcome:
    """Without its breakdowns."""
    empty: Mapping[str, tuple[Cell, ...]] = {f"by_{one}": () for one in _BREAKDOWNS}
    return replace(outcome, withheld=(), **empty)  # type: ignore[arg-type] # names of its own fields


# --- what people entered ------------------------------------------------------------------


def _entered(
    session: Session,
    campaign: str,
    measure: Measure,
    entries: Sequence[OutcomeEntry],
    period: Period,
) -> Outcome:
    if not entries:
        return replace(_made(campaign, measure, None, None), reason=NOTHING_ENTERED)
    counts = list(
        session.scalars(
            select(OutcomeCount).where(OutcomeCount.entry.in_([one.id for one in entries]))
        )
    )
    until = [one for one in counts if one.day < period.after]
    within = [one for one in until if one.day >= period.first]
    covered = any(one.first < period.after and one.last >= period.first for one in entries)
    value, reason = _sum(measure, within) if covered else (None, NOT_FOR_THIS)
    so_far, why = _sum(measure, until) if until else (None, NOT_FOR_THIS)
    used = {one.entry for one in until}
    told = [one for one in entries if one.id in used] or list(entries)
    made = replace(
        _made(campaign, measure, value, so_far),
        reason=reason or (why if so_far is None else ""),
        sources=tuple(dict.fromkeys(one.source for one in told)),
        by=tuple(dict.fromkeys(one.by for one in told)),
        at=max(one.at for one in told),
    )
    return _broken_down(made, measure, within)


def _sum(measure: Measure, counts: Sequence[OutcomeCount]) -> tuple[int | None, str]:
    """The sum, or none with the reason: where one is missing, or where they may not be added."""
    if missing := next((one for one in counts if one.value is None), None):
        return None, missing.reason
    if not measure.adds:
        whole = {one.entry for one in counts if not one.session}
        parts = {(one.entry, one.session) for one in counts if one.session}
        if len(whole) > 1 or (not whole and len(parts) > 1):
            return None, NOT_ADDED
        if whole:  # the event's own count; its sessions are parts of it
            counts = [one for one in counts if not one.session]
    return sum(one.value or 0 for one in counts), ""


_BREAKDOWNS: Final = ("state", "sex", "youth", "organisation", "session", "document", "language")
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "sex": {"f": "Women", "m": "Men", "x": "Other"},
    "youth": {"yes": "Youth (15 to 24)", "no": "Other ages"},
}
OTHERS: Final = "Other countries"
NOT_SAID: Final = "Not said"


def _broken_down(made: Outcome, measure: Measure, counts: Sequence[OutcomeCount]) -> Outcome:
    found: dict[str, tuple[Cell, ...]] = {}
    withheld: list[str] = []
    for what in _BREAKDOWNS:
        # Who is in two sessions is one person of one country.
        if made.value is None and what != "session":
            continue
        used = counts
        if not measure.adds and what != "session" and any(not one.session for one in counts):
            used = [one for one in counts if not one.session]
        cells = _cells(what, used)
        if not cells:
            continue
        shown = protected(cells) if measure.people else cells
        if shown is None:
            withheld.append(f"by_{what}")
        else:
            found[f"by_{what}"] = tuple(Cell(label, value) for label, value in shown.items())
    return replace(made, withheld=tuple(withheld), **found)  # type: ignore[arg-type] # as above


def _cells(what: str, counts: Sequence[OutcomeCount]) -> dict[str, int]:
    """By label, in the order to print; nothing where it was not collected."""
    attribute = "country" if what == "state" else what
    found: Counter[str] = Counter()
    for one in counts:
        found[getattr(one, attribute)] += one.value or 0
    if not set(found) - {""}:
        return {}
    unsaid = found.pop("", 0)
    if what == "state":
        members = {name(code): found.pop(code, 0) for code in MEMBERS}
        cells = {**members, OTHERS: sum(found.values())}
    else:
        words = _WORDS.get(what, {})
        ordered = [*(one for one in words if one in found), *sorted(set(found) - set(words))]
        cells = {words.get(one, one): found[one] for one in ordered}
    return {**cells, NOT_SAID: unsaid} if unsaid else cells


# --- what the desk counts by itself -------------------------------------------------------


def campaign_of(key: str) -> tuple[str, str]:
    """The campaign of a short link's key, and who prints it: "posts", "partners", "printed"."""
    if key.startswith(PRINTED):
        return key.removeprefix(PRINTED).partition("/")[0], "printed"
    if key.startswith(PARTNER):
        return [*key.split("/", 2), ""][1], "partners"
    return key.partition("/")[0], "posts"


def clicks_of(
    session: Session, period: Period, *, cut_off: datetime, so_far: bool = False
) -> tuple[Clicks, ...]:
    """Visits by people through the short links of each campaign that has any.

    `so_far`: from the beginning to the period's end.
    """
    ends = min(period.ends, cut_off)
    keys = session.scalars(select(ShortLink.key).where(ShortLink.at < ends).distinct())
    counted = (
        select(Click.key, func.count())
        .where(Click.at >= (datetime(1970, 1, 1, tzinfo=UTC) if so_far else period.starts))
        .where(Click.at < ends)
        .group_by(Click.key)
    )
    visits = {row[0]: row[1] for row in session.execute(counted)}
    totals: dict[str, Counter[str]] = {}
    for key in keys:
        campaign, whose = campaign_of(key)
        totals.setdefault(campaign, Counter())[whose] += visits.get(key, 0)
    return tuple(
        Clicks(campaign, found.get("posts"), found.get("partners"), found.get("printed"))
        for campaign, found in sorted(totals.items())
    )


def _visits(campaign: str, clicks: Clicks | None, every: Clicks | None) -> Outcome:
    measure = MEASURES["clicks"]
    if clicks is None or every is None or clicks.total is None:
        return replace(_made(campaign, measure, None, None), reason=NO_SHORT_LINKS)
    parts = (("posts", clicks.posts), ("partners", clicks.partners), ("print", clicks.printed))
    told = ", ".join(f"{what} {count:,}" for what, count in parts if count is not None)
    return replace(
        _made(campaign, measure, clicks.total, every.total), sources=(f"own short links: {told}",)
    )


_Mails = Mapping[str, Mapping[str, int]]


def _mails(session: Session, period: Period, cut_off: datetime, *, so_far: bool) -> _Mails:
    """By campaign and measure, of the mailings that began in the period."""
    begins = datetime(1970, 1, 1, tzinfo=UTC) if so_far else period.starts
    rows = session.execute(
        select(
            Delivery.campaign,
            MailingReader.fate,
            MailingReader.bounced_at.is_not(None),
            MailingReader.left_at.is_not(None),
            func.count(),
        )
        .select_from(MailingReader)
        .join(Mailing, Mailing.token == MailingReader.token)
        .join(Delivery, Delivery.key == Mailing.key)
        .where(Mailing.begun_at >= begins, Mailing.begun_at < min(period.ends, cut_off))
        .group_by(
            Delivery.campaign,
            MailingReader.fate,
            MailingReader.bounced_at.is_not(None),
            MailingReader.left_at.is_not(None),
        )
    )
    found: dict[str, Counter[str]] = {}
    for campaign, fate, bounced, left, number in rows:
        mine = found.setdefault(campaign, Counter())
        mine["mails-sent"] += number if fate == Fate.SENT else 0
        mine["mails-bounced"] += number if bounced or fate == Fate.REFUSED else 0
        mine["mails-delivered"] += number if fate == Fate.SENT and not bounced else 0
        mine["unsubscribed"] += number if left else 0
    return found


def _mailed(campaign: str, measure: Measure, mails: _Mails, every: _Mails) -> Outcome:
    if campaign not in every:
        return replace(_made(campaign, measure, None, None), reason=NO_MAILS)
    value = mails.get(campaign, {}).get(measure.name, 0)
    made = _made(campaign, measure, value, every[campaign].get(measure.name, 0))
    return replace(made, sources=("own newsletters",))


def subscribers(session: Session) -> int:
    """Confirmed readers of all newsletters, now: who has left is deleted, and cannot be told."""
    asked = select(func.count()).select_from(Subscriber).where(Subscriber.state == CONFIRMED)
    return session.scalar(asked) or 0


# --- costs --------------------------------------------------------------------------------


def costs(
    session: Session, period: Period, *, cut_off: datetime, campaign: str = ""
) -> tuple[Cost, ...]:
    """What was spent in the period: typed by hand, and what the desk counted call by call.

    The latter are the whole office's, by account, and kept for a few weeks only: they are told
    where all of the period is still known at the cut-off. Amounts of different units are not added.
    """
    found = [*_typed_costs(session, period, cut_off, campaign)]
    if not campaign:
        found += _counted_costs(session, period, cut_off)
    return tuple(found)


def _typed_costs(
    session: Session, period: Period, cut_off: datetime, campaign: str
) -> Iterator[Cost]:
    asked = (
        select(CostRow)
        .where(CostRow.at <= cut_off, CostRow.undone_at.is_(None))
        .where(CostRow.day >= period.first, CostRow.day < period.after)
    )
    if campaign:
        asked = asked.where(CostRow.campaign == campaign)
    for row in session.scalars(asked.order_by(CostRow.campaign, CostRow.day, CostRow.id)):
        yield Cost(
            number=row.id,
            campaign=row.campaign,
            kind=row.kind,
            label=COSTS.get(row.kind, row.kind),
            amount=Decimal(row.amount),
            unit=row.unit,
            day=row.day,
            source=row.source,
            by=row.by,
            at=row.at,
        )


def _counted_costs(session: Session, period: Period, cut_off: datetime) -> Iterator[Cost]:
    if period.starts < cut_off - KEEP:
        return
    asked = (
        select(Call.account, func.sum(Call.cost))
        .where(Call.at >= period.starts, Call.at < min(period.ends, cut_off), Call.cost > 0)
        .group_by(Call.account)
        .order_by(Call.account)
    )
    for account, millionths in session.execute(asked):
        yield Cost(
            number=0,
            campaign="",
            kind="network-fees",
            label=f"{COSTS['network-fees']}: {account}",
            amount=Decimal(millionths) / 1_000_000,
            unit="USD",
            day=period.first,
            source="counted by the desk, call by call, at the prices of config/channels.toml",
            by="outreach",
            at=None,
        )
