"""From the database to a month's report, and its freezing.

For each channel the figures of a month are, where somebody imported that month's totals, those;
otherwise the sum over the posts published in the month, each as last read before the cut-off.
Clicks are visits within the month through the links of the channel's posts. A sum over posts of
which one has no figure has none either. A figure can be known where the platform offers it, or
where the metric dictionary says what it is on that network, so that a person can read it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach import people
from outreach.clearance import Clearance
from outreach.config import Configuration
from outreach.delivery import CORRECTION, Correction, Delivery, ReceiptRow, State
from outreach.errors import NotAllowed
from outreach.measure.adopted import adopted
from outreach.measure.imports import OF_PARTNER
from outreach.measure.metrics import Metric, Reason, add, combine, load_metrics
from outreach.measure.months import (
    before,
    bounds,
    day,
    following,
    named,
    parse_month,
    year_before,
)
from outreach.platforms import Channel
from outreach.report.compute import compute
from outreach.report.facts import (
    ChannelMonth,
    Corrected,
    Figure,
    IncidentFacts,
    Masthead,
    MonthFacts,
    Others,
    Override,
    PartnerClicks,
    Planned,
    PostLine,
    ReportInput,
    Withdrawn,
)
from outreach.report.value import Report
from outreach.store.tables import (
    PARTNER,
    Click,
    Incident,
    ReportRow,
    ShortLink,
    Snapshot,
    TakeDown,
    partner_of,
)

DERIVED = ("displays", "engagements")  # what the comparison needs of a network, beside clicks


def gather(
    session: Session,
    month: str,
    *,
    configuration: Configuration,
    channels: Mapping[str, Channel],
    offers: Mapping[str, frozenset[str]],
    now: datetime,
    partners: Mapping[str, str] | None = None,
) -> ReportInput:
    """Everything the report of this month ("2025-08") is computed from.

    The cut-off is the configured number of days after the month's end in the report's zone, or
    now, where that has not come yet. Raises NoSuchMonth for anything that is no month, NotAllowed
    for one that has not begun.
    """
    month = parse_month(month)
    zone = configuration.report_zone
    settings = configuration.settings
    begins, over = bounds(month, zone)
    if begins > now:
        raise NotAllowed(
            f"{named(month)} has not begun: there is nothing to report",
            f"make its report when it is over: {day(over, zone)} or later",
        )
    ends = over.astimezone(ZoneInfo(zone))
    cut_off = min(ends + timedelta(days=settings.report.cut_off_days), now)
    metrics = load_metrics(configuration.home / "config" / "metrics.toml")
    months = _Months(session, metrics, channels, offers, zone, cut_off)
    return ReportInput(
        month=month,
        zone=zone,
        cut_off=cut_off,
        made_at=now,
        office=settings.office.name,
        metrics=metrics,
        this=months.facts(month),
        before=months.facts(before(month)),
        year_ago=months.facts(year_before(month)),
        posts=tuple(months.posts(month)),
        incidents=tuple(months.incidents(month)),
        corrected=tuple(months.corrected(month)),
        others=tuple(months.others(month)),
        overrides=tuple(_overrides(session, bounds(month, zone))),
        missed=_count(session, State.MISSED, bounds(month, zone)),
        failed=_count(session, State.FAILED, bounds(month, zone)),
        uncertain=_count(session, State.UNCERTAIN, bounds(month, zone)),
        plan_next=tuple(_planned(session, channels, bounds(following(month), zone))),
        partners=tuple(_partners(session, month, partners, zone)),
        masthead=Masthead(
            programme=settings.report.programme or Masthead.programme,
            distribution=settings.report.distribution,
            languages=settings.report.languages,
            symbol=settings.report.symbol,
        ),
    )


def freeze(session: Session, given: ReportInput, *, by: str, now: datetime) -> Report:
    """Compute the report and keep it as the month's next version."""
    made = compute(given)
    last = session.scalar(select(func.max(ReportRow.version)).where(ReportRow.month == made.month))
    session.add(
        ReportRow(
            month=made.month,
            version=(last or 0) + 1,
            made_at=now,
            by=by,
            cut_off=made.cut_off,
            data=made.as_data(),
        )
    )
    return made


class _Months:
    """Reads whole months with one zone and one cut-off."""

    def __init__(
        self,
        session: Session,
        metrics: Mapping[str, Metric],
        channels: Mapping[str, Channel],
        offers: Mapping[str, frozenset[str]],
        zone: str,
        cut_off: datetime,
    ) -> None:
        self.session, self.metrics, self.channels = session, metrics, channels
        self.offers, self.zone, self.cut_off = offers, zone, cut_off

    def facts(self, month: str) -> MonthFacts:
        """Every channel that published or was typed in, in the month."""
        typed = self._typed(month)
        lines = list(self.posts(month))
        names = [n for n in self.channels if n in typed or any(p.channel == n for p in lines)]
        return MonthFacts(
            month,
            tuple(
                typed[name]
                if name in typed
                else self._computed(
                    name,
                    month,
                    [p for p in lines if p.channel == name and p.withdrawn_at is None],
                )
                for name in names
            ),
        )

    def posts(self, month: str) -> list[PostLine]:
        """The posts published in the month, with their figures as last read before the cut-off."""
        start, end = bounds(month, self.zone)
        rows = self.session.scalars(
            select(Delivery)
            .where(Delivery.published_at >= start, Delivery.published_at < end)
            .order_by(Delivery.published_at, Delivery.key)
        ).all()
        return [
            PostLine(
                key=row.key,
                title=row.message,
                channel=row.channel,
                language=row.language,
                published_at=row.published_at or row.at,
                url=self.session.scalar(
                    select(ReceiptRow.url)
                    .where(ReceiptRow.key == row.key)
                    .order_by(ReceiptRow.part)
                    .limit(1)
                )
                or "",
                figures=self._of_post(row),
                linked=_linked(row),
                withdrawn_at=self._withdrawn_at(row),
            )
            for row in rows
        ]

    def _withdrawn_at(self, row: Delivery) -> datetime | None:
        placed = self.session.get(TakeDown, row.key)
        return placed.ended_at if placed and row.state is State.TAKEN_DOWN else None

    def incidents(self, month: str) -> list[IncidentFacts]:
        """What was ordered to be taken down in the month, and what has become of it by now."""
        known = people.in_force(self.session)
        start, end = bounds(month, self.zone)
        found = self.session.scalars(
            select(Incident).where(Incident.at >= start, Incident.at < end).order_by(Incident.id)
        ).all()
        return [
            IncidentFacts(
                one.id,
                one.at,
                known[one.by].name if one.by in known else one.by,
                one.why,
                tuple(
                    self._withdrawn(placed)
                    for placed in self.session.scalars(
                        select(TakeDown).where(TakeDown.incident == one.id).order_by(TakeDown.key)
                    )
                ),
            )
            for one in found
        ]

    def corrected(self, month: str) -> list[Corrected]:
        """The posts whose text was replaced in the month."""
        start, end = bounds(month, self.zone)
        found = self.session.scalars(
            select(Correction).where(
                Correction.state == "corrected",
                Correction.ended_at >= start,
                Correction.ended_at < end,
            )
        )
        return [
            Corrected(
                one.key,
                one.message.removesuffix(CORRECTION),
                self._title(one.channel),
                one.ended_at or one.made_at,
                one.why,
            )
            for one in found
        ]

    def _title(self, channel: str) -> str:
        known = self.channels.get(channel)
        return (known.title if known else "") or channel

    def _withdrawn(self, placed: TakeDown) -> Withdrawn:
        row = self.session.get_one(Delivery, placed.key)
        first = self.session.scalar(
            select(ReceiptRow).where(ReceiptRow.key == row.key).order_by(ReceiptRow.part).limit(1)
        )
        return Withdrawn(
            key=row.key,
            title=row.message,
            channel=self._title(row.channel),
            language=row.language,
            state=placed.state,
            reason=placed.reason,
            url=first.url if first else "",
            published_at=row.published_at or (first.at if first else None),
            ended_at=placed.ended_at,
            figures=self._latest(row.key, known=True),
        )

    def others(self, month: str) -> list[Others]:
        """What others published in the month, with the figures that people have read of it."""
        return [
            Others(
                url=one.url,
                campaign=one.campaign,
                channel=self.channels[one.channel].title
                if one.channel in self.channels
                else one.channel,
                whose=one.whose,
                published_at=one.published_on,
                figures=self._latest(one.url),
            )
            for one in adopted(self.session, *bounds(month, self.zone))
        ]

    def _of_post(self, row: Delivery) -> dict[str, Figure]:
        figures = self._latest(row.key, known=row.state is State.TAKEN_DOWN)
        ours = select(ShortLink.code).where(ShortLink.key == row.key).limit(1)
        if "clicks" not in figures and _linked(row) and not self.session.scalar(ours):
            figures["clicks"] = Figure(
                "clicks", None, reason=Reason.DIRECT_LINKS, taken_at=self.cut_off, source="link"
            )
        return figures

    def _latest(self, key: str, *, known: bool = False) -> dict[str, Figure]:
        """Its figures as last read; with `known`, as last known: what is gone has none any more."""
        rows = self.session.scalars(
            select(Snapshot)
            .where(
                Snapshot.subject == key, Snapshot.period == "", Snapshot.taken_at <= self.cut_off
            )
            .order_by(Snapshot.taken_at, Snapshot.id)
        )
        figures: dict[str, Figure] = {}
        for row in rows:
            if not known or row.value is not None or row.metric not in figures:
                figures[row.metric] = _figure(row)
        return figures

    def _typed(self, month: str) -> dict[str, ChannelMonth]:
        rows = self.session.scalars(
            select(Snapshot)
            .where(Snapshot.period == month)
            .order_by(Snapshot.taken_at, Snapshot.id)
        )
        found: dict[str, dict[str, Snapshot]] = {}
        for row in rows:
            found.setdefault(row.channel, {})[row.metric] = row
        return {
            name: ChannelMonth(
                channel=name,
                title=self.channels[name].title,
                posts=rows["posts"].value if "posts" in rows else None,
                figures={m: _figure(row) for m, row in rows.items() if m != "posts"},
                sample=any(row.sample for row in rows.values()),
            )
            for name, rows in found.items()
            if name in self.channels
        }

    def _computed(self, name: str, month: str, posts: list[PostLine]) -> ChannelMonth:
        platform, offered = self.channels[name].platform, self.offers.get(name, frozenset())
        # Of what is never added (reach), posts have a figure each, and a month has none.
        added = {name for name in offered & self.metrics.keys() if self.metrics[name].sum_posts}
        figures = {
            metric: self._sum(metric, platform, offered, posts)
            for metric in sorted({*DERIVED, *added})
        }
        figures["clicks"] = self._clicks(name, month, linked=any(post.linked for post in posts))
        followers = self._followers(name, month)
        if followers:
            figures["followers"] = followers
        shown = any(m in offered or platform in self.metrics[m].networks for m in DERIVED)
        return ChannelMonth(name, self.channels[name].title, len(posts), figures, shown=shown)

    def _sum(
        self, metric: str, platform: str, offered: frozenset[str], posts: list[PostLine]
    ) -> Figure:
        word = self.metrics[metric]
        parts = word.networks[platform].parts if platform in word.networks else ()
        values = [
            combine(word, platform, {m: f.value for m, f in post.figures.items()}) for post in posts
        ]
        total = add(word, values, over="posts") if word.sum_posts else None
        if total is not None:
            return Figure(metric, total, taken_at=self.cut_off)
        reasons = [
            post.figures[m].reason
            for post in posts
            for m in (metric, *parts)
            if m in post.figures and post.figures[m].reason
        ]
        missing = sum(value is None for value in values)
        if reasons:
            reason = reasons[0]
        elif metric in offered or (parts and set(parts) <= offered):
            reason = Reason.NOT_YET_FINAL
        elif missing < len(values) or platform in word.networks:
            reason = Reason.MANUAL_PENDING  # the program is not given it, but a person can read it
        else:
            return Figure(metric, None, reason=Reason.NOT_OFFERED)
        return Figure(
            metric, None, reason=reason, note=f"missing for {missing} of {len(posts)} posts"
        )

    def _clicks(self, channel: str, month: str, *, linked: bool) -> Figure:
        has_links = self.session.scalar(
            select(ShortLink.code)
            .join(Delivery, Delivery.key == ShortLink.key)
            .where(Delivery.channel == channel)
            .limit(1)
        )
        if not has_links:
            why = Reason.DIRECT_LINKS if linked else Reason.NO_LINKS
            return Figure("clicks", None, reason=why, source="link")
        start, end = bounds(month, self.zone)
        count = self.session.scalar(
            select(func.count())
            .select_from(Click)
            .join(Delivery, Delivery.key == Click.key)
            .where(
                Delivery.channel == channel,
                Delivery.state != State.TAKEN_DOWN,
                Click.at >= start,
                Click.at < end,
            )
        )
        return Figure("clicks", count or 0, taken_at=min(end, self.cut_off), source="link")

    def _followers(self, channel: str, month: str) -> Figure | None:
        start, end = bounds(month, self.zone)
        row = self.session.scalar(
            select(Snapshot)
            .where(
                Snapshot.subject == channel,
                Snapshot.metric == "followers",
                Snapshot.period == "",
                Snapshot.taken_at >= start,
                Snapshot.taken_at < end,
            )
            .order_by(Snapshot.taken_at.desc())
            .limit(1)
        )
        return _figure(row) if row else None


def _partners(
    session: Session, month: str, names: Mapping[str, str] | None, zone: str
) -> list[PartnerClicks]:
    """The clicks of each partner who has kits with short links, or for whom some were typed in."""
    start, end = bounds(month, zone)
    counted: dict[str, int] = {}
    for key in session.scalars(
        select(ShortLink.key)
        .where(ShortLink.key.startswith(PARTNER), ShortLink.at < end)
        .distinct()
    ):
        counted.setdefault(partner_of(key), 0)
    followed = (
        select(Click.key, func.count())
        .where(Click.key.startswith(PARTNER), Click.at >= start, Click.at < end)
        .group_by(Click.key)
    )
    for key, clicks in session.execute(followed):
        counted[partner_of(key)] = counted.get(partner_of(key), 0) + clicks
    typed = {
        row.channel.removeprefix(OF_PARTNER): row.value
        for row in session.scalars(
            select(Snapshot)
            .where(
                Snapshot.period == month,
                Snapshot.channel.startswith(OF_PARTNER),
                Snapshot.metric == "clicks",
            )
            .order_by(Snapshot.taken_at, Snapshot.id)
        )
    }
    return [
        PartnerClicks((names or {}).get(one, one), counted.get(one), typed.get(one))
        for one in sorted(counted.keys() | typed.keys())
    ]


def _linked(row: Delivery) -> bool:
    """Whether it prints an address; without one there is nothing to click."""
    return any("://" in part.text for part in row.post.parts)


def _figure(row: Snapshot) -> Figure:
    return Figure(
        metric=row.metric,
        value=row.value,
        reason=row.reason if row.value is None else "",
        taken_at=row.taken_at,
        source=row.source,
        snapshot=row.id,
        by=row.by,
        note=row.note,
    )


def _count(session: Session, state: State, month: tuple[datetime, datetime]) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(Delivery)
            .where(Delivery.state == state, Delivery.at >= month[0], Delivery.at < month[1])
        )
        or 0
    )


def _overrides(session: Session, month: tuple[datetime, datetime]) -> list[Override]:
    rows = session.scalars(
        select(Clearance)
        .where(Clearance.override != "", Clearance.at >= month[0], Clearance.at < month[1])
        .order_by(Clearance.at)
    )
    return [Override(row.key, row.by, row.override, row.at) for row in rows]


def _planned(
    session: Session, channels: Mapping[str, Channel], month: tuple[datetime, datetime]
) -> list[Planned]:
    rows = session.scalars(
        select(Delivery)
        .where(
            Delivery.state.in_([State.PROPOSED, State.CLEARED]),
            Delivery.at >= month[0],
            Delivery.at < month[1],
        )
        .order_by(Delivery.at, Delivery.key)
    )
    return [
        Planned(
            row.at,
            row.message,
            channels[row.channel].title if row.channel in channels else row.channel,
            row.language,
            str(row.state),
        )
        for row in rows
    ]
