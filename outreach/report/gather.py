"""From the database to a report, and its freezing.

For each channel the figures of a month are, where somebody imported that month's totals, those;
otherwise the sum over the posts published in the month, each as last read before the cut-off.
Days that are whole months are added up from them. Totals of a month say nothing of any other days,
so that a channel with such totals has no figures for these. Of a campaign only its own posts count.
Clicks are visits within the period through the links of the channel's posts. A sum over posts of
which one has no figure has none either. A figure can be known where the platform offers it, or
where the metric dictionary says what it is on that network, so that a person can read it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach import people
from outreach.clearance import Clearance
from outreach.config import Configuration
from outreach.delivery import CORRECTION, Correction, Delivery, ReceiptRow, State
from outreach.errors import Changed, NotAllowed
from outreach.measure.adopted import adopted
from outreach.measure.collect import RUNGS
from outreach.measure.imports import OF_PARTNER
from outreach.measure.metrics import Metric, Reason, add, combine, load_metrics
from outreach.measure.months import before, day, named
from outreach.platforms import Channel
from outreach.report import frozen, lessons
from outreach.report.arithmetic import CORE
from outreach.report.compute import compute
from outreach.report.dates import Dates
from outreach.report.facts import (
    Against,
    Audience,
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
from outreach.report.periods import (
    Period,
    compared_with,
    following,
    month,
    parse,
    touched,
    whole_months,
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

AGE = "7 d"  # the rung at which posts of any day can be compared
MONTHS_SHOWN = 6  # of followers, up to the period's end
DERIVED = ("displays", "engagements")  # what the comparison needs of a network, beside clicks


def gather(
    session: Session,
    about: str,
    *,
    configuration: Configuration,
    channels: Mapping[str, Channel],
    offers: Mapping[str, frozenset[str]],
    now: datetime,
    by: str = "",
    against: str = "",
    draft: bool = False,
    partners: Mapping[str, str] | None = None,
) -> ReportInput:
    """Everything the report about this is computed from: "2025-08", "campaign:forum-2025".

    `against` is what it is compared with, where that is not the usual. The cut-off is the
    configured number of days after the period's end in the report's zone, or now, where that has
    not come yet. Raises NoSuchPeriod or NoSuchMonth for what is none, NotFound for a campaign or
    event there is not, NotAllowed for what has not begun.
    """
    zone = configuration.report_zone
    settings = configuration.settings
    known = Dates(session, configuration)
    period = parse(about, zone, known)
    if period.starts > now:
        raise NotAllowed(
            f"{period.subject} has not begun: there is nothing to report",
            f"make its report when it is over: {day(period.ends, zone)} or later",
        )
    others = compared_with(period, zone, known, told=against)
    version, earlier = frozen.last(session, period.name)
    ends = period.ends.astimezone(ZoneInfo(zone))
    cut_off = min(ends + timedelta(days=settings.report.cut_off_days), now)
    metrics = load_metrics(configuration.home / "config" / "metrics.toml")
    periods = _Periods(session, metrics, channels, offers, zone, cut_off)
    ahead = following(period, zone)
    return ReportInput(
        zone=zone,
        cut_off=cut_off,
        made_at=now,
        office=settings.office.name,
        metrics=metrics,
        this=periods.facts(period),
        against=tuple(
            Against(
                one.name,
                one.title,
                periods.facts(one.period),
                tuple(periods.posts(one.period)),
            )
            for one in others
        ),
        audience=tuple(periods.audience(period)),
        titles=known.titles,
        notes=tuple(lessons.printed(session, period.name, zone)),
        edition=version + 1,
        earlier=earlier,
        by=by,
        draft=draft,
        posts=tuple(periods.posts(period)),
        incidents=tuple(periods.incidents(period)),
        corrected=tuple(periods.corrected(period)),
        others=tuple(periods.others(period)),
        overrides=tuple(_overrides(session, period)),
        missed=_count(session, State.MISSED, period),
        failed=_count(session, State.FAILED, period),
        uncertain=_count(session, State.UNCERTAIN, period),
        plan_next=tuple(_planned(session, channels, ahead, period.campaign)),
        plan_within=ahead.within,
        partners=tuple(_partners(session, period, partners)),
        masthead=Masthead(
            programme=settings.report.programme or Masthead.programme,
            distribution=settings.report.distribution,
            languages=settings.report.languages,
            symbol=settings.report.symbol,
        ),
    )


def freeze(session: Session, given: ReportInput, *, by: str, now: datetime) -> Report:
    """Compute the report and keep it as the period's next version.

    Raises Changed where a version was kept since it was gathered.
    """
    made = compute(given)
    last = session.scalar(
        select(func.max(ReportRow.version)).where(ReportRow.period == made.period)
    )
    if (last or 0) + 1 != made.edition:
        raise Changed(
            f"version {last} of this report was made meanwhile", "make it again: it is one more"
        )
    session.add(
        ReportRow(
            period=made.period,
            version=made.edition,
            made_at=now,
            by=by,
            cut_off=made.cut_off,
            data=made.as_data(),
        )
    )
    return made


class _Periods:
    """Reads whole periods with one zone and one cut-off."""

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

    def facts(self, period: Period) -> MonthFacts:
        """Every channel that published or was typed in, in the period."""
        typed = self._entered(period)
        lines = list(self.posts(period))
        names = [n for n in self.channels if n in typed or any(p.channel == n for p in lines)]
        return MonthFacts(
            period,
            tuple(
                typed[name]
                if name in typed
                else self._computed(
                    name,
                    period,
                    [p for p in lines if p.channel == name and p.withdrawn_at is None],
                )
                for name in names
            ),
        )

    def _entered(self, period: Period) -> dict[str, ChannelMonth]:
        """The channels whose totals were typed in: nobody typed those of a campaign."""
        if period.campaign:
            return {}
        if period.kind == "month":
            return self._typed(period.name)
        months = whole_months(period, self.zone)
        typed = {n for one in months or touched(period, self.zone) for n in self._typed(one)}
        if months:
            found = [self.facts(month(one, self.zone)) for one in months]
            return {name: self._added(name, [of.get(name) for of in found]) for name in typed}
        return {
            name: ChannelMonth(
                name,
                self.channels[name].title,
                None,
                {m: Figure(m, None, Reason.WHOLE_MONTHS, source="import") for m in CORE},
            )
            for name in typed
        }

    def _added(self, name: str, parts: Sequence[ChannelMonth | None]) -> ChannelMonth:
        """A channel over several months; what is missing in one of them is missing."""
        kept = [one for one in parts if one is not None]
        figures: dict[str, Figure] = {}
        for metric in sorted({m for one in kept for m in one.figures}):
            each = [one and one.figures.get(metric) for one in parts]
            word = self.metrics[metric]
            if word.kind == "gauge" and each[-1]:
                figures[metric] = each[-1]
            if not word.sum_days:
                continue
            total = add(word, [one.value if one else None for one in each], over="days")
            lacking = [one.reason if one else "" for one in each if not one or one.value is None]
            figures[metric] = Figure(
                metric,
                total,
                (lacking[0] or Reason.MANUAL_PENDING) if lacking else "",
                max((one.taken_at for one in each if one and one.taken_at), default=None),
                source="import",
                note=f"missing for {len(lacking)} of {len(parts)} months" if lacking else "",
            )
        posts = [one.posts if one else None for one in parts]
        known = [number for number in posts if number is not None]
        return ChannelMonth(
            name,
            self.channels[name].title,
            sum(known) if len(known) == len(posts) else None,
            figures,
            sample=any(one.sample for one in kept),
        )

    def posts(self, period: Period) -> list[PostLine]:
        """The posts published in the period, with their figures as last read before the cut-off."""
        rows = self.session.scalars(
            select(Delivery)
            .where(*within(Delivery.published_at, period), *of_campaign(Delivery.campaign, period))
            .order_by(Delivery.published_at, Delivery.key)
        ).all()
        weeks = self._weeks(period)
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
                figures=figures,
                linked=_linked(row),
                campaign=row.campaign,
                week=weeks.get(row.key, {}),
                totals=self._known(row.channel, figures),
                withdrawn_at=self._withdrawn_at(row),
            )
            for row, figures in ((row, self._of_post(row)) for row in rows)
        ]

    def _known(self, channel: str, figures: Mapping[str, Figure]) -> dict[str, int]:
        """A post's three figures, those that its network gives in parts added up."""
        known = self.channels.get(channel)
        values = {name: one.value for name, one in figures.items()}
        found = {m: combine(self.metrics[m], known.platform if known else "", values) for m in CORE}
        return {name: value for name, value in found.items() if value is not None}

    def _weeks(self, period: Period) -> dict[str, dict[str, int]]:
        """What the posts of the period had seven days after publishing: by post, by measure.

        A look that came a day late or more is of another age, and does not count.
        """
        rows = self.session.execute(
            select(Snapshot, Delivery.channel, Delivery.published_at)
            .join(Delivery, Delivery.key == Snapshot.subject)
            .where(
                *within(Delivery.published_at, period),
                *of_campaign(Delivery.campaign, period),
                Snapshot.rung == AGE,
                Snapshot.taken_at <= self.cut_off,
                Snapshot.value.is_not(None),
            )
            .order_by(Snapshot.taken_at, Snapshot.id)
        )
        found: dict[str, tuple[str, dict[str, Figure]]] = {}
        for row, channel, published in rows:
            if published and row.taken_at - published < RUNGS[AGE] + timedelta(days=1):
                found.setdefault(row.subject, (channel, {}))[1][row.metric] = _figure(row)
        return {key: self._known(channel, figures) for key, (channel, figures) in found.items()}

    def audience(self, period: Period) -> list[Audience]:
        """Who follows each channel that anybody has read the followers of."""
        last = touched(period, self.zone)[-1]
        labels = [last]
        while len(labels) < MONTHS_SHOWN:
            labels.insert(0, before(labels[0]))
        found = []
        for name, channel in self.channels.items():
            over = [self._followers_of(name, month(one, self.zone)) for one in labels]
            over[-1] = self._followers(name, period) or over[-1]
            first = touched(period, self.zone)[0]
            start = self._followers_before(name, period) or self._followers_of(
                name, month(before(first), self.zone)
            )
            if not any(over) and not start:
                continue
            now = self._account(name, period)
            found.append(
                Audience(
                    name,
                    channel.title,
                    start,
                    over[-1],
                    now.get("followers-gained"),
                    now.get("followers-lost"),
                    tuple(
                        (named(label), one.value if one else None)
                        for label, one in zip(labels, over, strict=True)
                    ),
                    sample=any(one.sample for one in self._typed(last).values()),
                )
            )
        return found

    def _account(self, channel: str, period: Period) -> Mapping[str, Figure]:
        """The figures of the account itself that were typed in for the month."""
        if period.kind != "month":
            return {}
        typed = self._typed(period.name).get(channel)
        return typed.figures if typed else {}

    def _followers_of(self, channel: str, period: Period) -> Figure | None:
        """Followers at a month's end: typed in for it, or as they were last read in it."""
        typed = self._account(channel, period).get("followers")
        return typed if typed and typed.value is not None else self._followers(channel, period)

    def _followers_before(self, channel: str, period: Period) -> Figure | None:
        """The last reading in the month before the period."""
        row = self.session.scalar(
            select(Snapshot)
            .where(
                Snapshot.subject == channel,
                Snapshot.metric == "followers",
                Snapshot.period == "",
                Snapshot.taken_at >= period.starts - timedelta(days=31),
                Snapshot.taken_at < period.starts,
            )
            .order_by(Snapshot.taken_at.desc())
            .limit(1)
        )
        return _figure(row) if row else None

    def _withdrawn_at(self, row: Delivery) -> datetime | None:
        placed = self.session.get(TakeDown, row.key)
        return placed.ended_at if placed and row.state is State.TAKEN_DOWN else None

    def incidents(self, period: Period) -> list[IncidentFacts]:
        """What was ordered to be taken down in the period, and what has become of it by now."""
        known = people.in_force(self.session)
        found = self.session.scalars(
            select(Incident).where(*within(Incident.at, period)).order_by(Incident.id)
        ).all()
        if period.campaign:
            placed = select(TakeDown.incident).where(TakeDown.key.startswith(f"{period.campaign}/"))
            touching = set(self.session.scalars(placed))
            found = [one for one in found if one.id in touching]
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

    def corrected(self, period: Period) -> list[Corrected]:
        """The posts whose text was replaced in the period."""
        found = self.session.scalars(
            select(Correction).where(
                Correction.state == "corrected",
                *within(Correction.ended_at, period),
                *of_campaign(Correction.campaign, period),
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

    def others(self, period: Period) -> list[Others]:
        """What others published in the period, with the figures that people have read of it."""
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
            for one in adopted(self.session, period.starts, period.ends)
            if period.campaign in ("", one.campaign)
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

    def _computed(self, name: str, period: Period, posts: list[PostLine]) -> ChannelMonth:
        platform, offered = self.channels[name].platform, self.offers.get(name, frozenset())
        # Of what is never added (reach), posts have a figure each, and a month has none.
        added = {name for name in offered & self.metrics.keys() if self.metrics[name].sum_posts}
        figures = {
            metric: self._sum(metric, platform, offered, posts)
            for metric in sorted({*DERIVED, *added})
        }
        figures["clicks"] = self._clicks(name, period, linked=any(post.linked for post in posts))
        followers = self._followers(name, period)
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

    def _clicks(self, channel: str, period: Period, *, linked: bool) -> Figure:
        has_links = self.session.scalar(
            select(ShortLink.code)
            .join(Delivery, Delivery.key == ShortLink.key)
            .where(Delivery.channel == channel, *of_campaign(Delivery.campaign, period))
            .limit(1)
        )
        if not has_links:
            why = Reason.DIRECT_LINKS if linked else Reason.NO_LINKS
            return Figure("clicks", None, reason=why, source="link")
        count = self.session.scalar(
            select(func.count())
            .select_from(Click)
            .join(Delivery, Delivery.key == Click.key)
            .where(
                Delivery.channel == channel,
                Delivery.state != State.TAKEN_DOWN,
                *within(Click.at, period),
                *of_campaign(Delivery.campaign, period),
            )
        )
        return Figure("clicks", count or 0, taken_at=min(period.ends, self.cut_off), source="link")

    def _followers(self, channel: str, period: Period) -> Figure | None:
        row = self.session.scalar(
            select(Snapshot)
            .where(
                Snapshot.subject == channel,
                Snapshot.metric == "followers",
                Snapshot.period == "",
                *within(Snapshot.taken_at, period),
            )
            .order_by(Snapshot.taken_at.desc())
            .limit(1)
        )
        return _figure(row) if row else None


def _partners(
    session: Session, period: Period, names: Mapping[str, str] | None
) -> list[PartnerClicks]:
    """The clicks of each partner who has kits with short links, or for whom some were typed in."""
    counted: dict[str, int] = {}
    for key in session.scalars(
        select(ShortLink.key)
        .where(ShortLink.key.startswith(PARTNER), ShortLink.at < period.ends)
        .distinct()
    ):
        if _about(key, period):
            counted.setdefault(partner_of(key), 0)
    followed = (
        select(Click.key, func.count())
        .where(Click.key.startswith(PARTNER), *within(Click.at, period))
        .group_by(Click.key)
    )
    for key, clicks in session.execute(followed):
        if not _about(key, period):
            continue
        counted[partner_of(key)] = counted.get(partner_of(key), 0) + clicks
    typed = {
        row.channel.removeprefix(OF_PARTNER): row.value
        for row in session.scalars(
            select(Snapshot)
            .where(
                Snapshot.period == period.name,
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


def _about(key: str, period: Period) -> bool:
    """Whether a partner's link, "toolkit:iclei/forum-2025/…", is of the period's campaign."""
    return not period.campaign or key.split("/")[1] == period.campaign


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


def within(column: InstrumentedAttribute[Any], period: Period) -> tuple[ColumnElement[bool], ...]:
    """What holds of an instant in the period."""
    return column >= period.starts, column < period.ends


def of_campaign(
    column: InstrumentedAttribute[str], period: Period
) -> tuple[ColumnElement[bool], ...]:
    """What holds of a campaign that the period is about; nothing where it is about all of them."""
    return (column == period.campaign,) if period.campaign else ()


def _count(session: Session, state: State, period: Period) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(Delivery)
            .where(
                Delivery.state == state,
                *within(Delivery.at, period),
                *of_campaign(Delivery.campaign, period),
            )
        )
        or 0
    )


def _overrides(session: Session, period: Period) -> list[Override]:
    rows = session.scalars(
        select(Clearance)
        .where(Clearance.override != "", *within(Clearance.at, period))
        .order_by(Clearance.at)
    )
    return [
        Override(row.key, row.by, row.override, row.at)
        for row in rows
        if not period.campaign or row.key.startswith(f"{period.campaign}/")
    ]


def _planned(
    session: Session, channels: Mapping[str, Channel], ahead: Period, campaign: str
) -> list[Planned]:
    rows = session.scalars(
        select(Delivery)
        .where(
            Delivery.state.in_([State.PROPOSED, State.CLEARED]),
            *within(Delivery.at, ahead),
            *([Delivery.campaign == campaign] if campaign else []),
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
