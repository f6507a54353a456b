"""From the database to a month's report, and its freezing.

For each channel the figures of a month are, where somebody imported that month's totals, those;
otherwise the sum over the posts published in the month, each as last read before the cut-off:
see `outreach/measure/latest.py`. What this costs follows the posts of the months that are compared.
Clicks are visits within the month through the links of the channel's posts. A sum over posts of
which one has no figure has none either. A figure can be known where the platform offers it, or
where the metric dictionary says what it is on that network, so that a person can read it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

from outreach import people
from outreach.clearance import Clearance
from outreach.config import Configuration
from outreach.delivery import CORRECTION, Correction, Delivery, ReceiptRow, State
from outreach.errors import NotAllowed
from outreach.measure import latest
from outreach.measure.adopted import adopted
from outreach.measure.imports import OF_PARTNER
from outreach.measure.latest import Reading
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
    OF_A_KIT,
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
        masthead=Masthead(distribution=settings.report.distribution),
    )


def freeze(session: Session, given: ReportInput, *, by: str, now: datetime) -> Report:
    """Compute the report and keep it as the month's next version."""
    made = compute(given)
    last = session.scalar(select(func.max(ReportRow.version)).where(ReportRow.month == made.month))
    latest.cite(session, _of_accounts(given))
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


def _of_accounts(given: ReportInput) -> Iterator[int]:
    """The readings of accounts that it was made from."""
    for month in (given.this, given.before, given.year_ago):
        for one in month.channels:
            for name in latest.ACCOUNT & one.figures.keys():
                if (number := one.figures[name].snapshot) is not None:
                    yield number


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
        self._there = ZoneInfo(zone)
        self._months: dict[str, Sequence[_Published]] = {}
        self._links: dict[str, Set[str]] = {}
        self._visits: dict[str, Mapping[str, int]] = {}
        self._dated: dict[tuple[str, str, str], str | None] = {}

    def facts(self, month: str) -> MonthFacts:
        """Every channel that published or was typed in, in the month."""
        typed = self._typed(month)
        by_channel: dict[str, list[_Published]] = {}
        for post in self._published(month):
            by_channel.setdefault(post.channel, []).append(post)
        names = [name for name in self.channels if name in typed or name in by_channel]
        return MonthFacts(
            month,
            tuple(
                typed[name]
                if name in typed
                else self._computed(
                    name, month, [p for p in by_channel[name] if p.state is not State.TAKEN_DOWN]
                )
                for name in names
            ),
        )

    def posts(self, month: str) -> list[PostLine]:
        """The posts published in the month, with their figures as last read before the cut-off."""
        ours = {key for (key,) in self._rows(month, ShortLink.key)}
        placed = dict(self._rows(month, TakeDown.key, TakeDown.ended_at))
        parts = self._rows(month, ReceiptRow.key, ReceiptRow.part, ReceiptRow.url)
        first = {key: url for key, _, url in sorted(parts, key=lambda one: -one[1])}
        lines = []
        for post in self._published(month):
            linked = post.key in self._linked(month)
            figures = {name: self._figure(post.channel, one) for name, one in post.figures.items()}
            if "clicks" not in figures and linked and post.key not in ours:
                figures["clicks"] = Figure(
                    "clicks", None, reason=Reason.DIRECT_LINKS, taken_at=self.cut_off, source="link"
                )
            down = post.state is State.TAKEN_DOWN
            lines.append(
                PostLine(
                    key=post.key,
                    title=post.message,
                    channel=post.channel,
                    language=post.language,
                    published_at=post.published_at,
                    url=first.get(post.key, ""),
                    figures=figures,
                    linked=linked,
                    withdrawn_at=placed.get(post.key) if down else None,
                )
            )
        return lines

    def _linked(self, month: str) -> Set[str]:
        """The posts of the month that print an address; without one there is nothing to click."""
        if month not in self._links:
            written = cast(Delivery.content, Text)
            rows = self._rows(month, Delivery.key, written)
            self._links[month] = {
                key for key, text in rows if text and "://" in text and _prints_address(text)
            }
        return self._links[month]

    def _rows(self, month: str, key: Any, *more: Any) -> Iterator[Any]:
        """These columns, the first of them a post's key, of the posts published in the month.

        By their keys, some at a time: told to find them itself, a server may read a whole table.
        """
        keys = [post.key for post in self._published(month)]
        for start in range(0, len(keys), latest.MANY):
            some = key.in_(keys[start : start + latest.MANY])
            yield from self.session.execute(select(key, *more).where(some))

    def _published(self, month: str) -> Sequence["_Published"]:
        """The posts published in the month, oldest first; read once."""
        if month not in self._months:
            start, end = bounds(month, self.zone)
            rows = self.session.execute(
                select(
                    Delivery.key,
                    Delivery.message,
                    Delivery.channel,
                    Delivery.language,
                    Delivery.state,
                    Delivery.published_at,
                )
                .where(Delivery.published_at >= start, Delivery.published_at < end)
                .order_by(Delivery.published_at, Delivery.key)
            ).all()
            read = latest.readings(self.session, [row.key for row in rows], self.cut_off)
            gone = [row.key for row in rows if row.state is State.TAKEN_DOWN]
            read |= latest.readings(self.session, gone, self.cut_off, known=True)
            self._months[month] = [
                _Published(*row, found, {name: one.value for name, one in found.items()})  # type: ignore[arg-type] # published: it has the time
                for row in rows
                for found in (read.get(row[0], {}),)
            ]
        return self._months[month]

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
            figures=self._latest(row.key, row.channel, known=True),
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
                figures=self._latest(one.url, one.channel),
            )
            for one in adopted(self.session, *bounds(month, self.zone))
        ]

    def _latest(self, key: str, channel: str, *, known: bool = False) -> dict[str, Figure]:
        """Its figures as last read; with `known`, as last known: what is gone has none any more."""
        read = latest.readings(self.session, [key], self.cut_off, known=known).get(key, {})
        return {metric: self._figure(channel, one) for metric, one in read.items()}

    def _figure(self, channel: str, read: Reading) -> Figure:
        return Figure(
            metric=read.metric,
            value=read.value,
            reason=read.reason if read.value is None else "",
            taken_at=read.taken_at,
            source=read.source,
            snapshot=read.snapshot,
            by=read.by,
            note=read.note,
            series=self._series(channel, read),
        )

    def _series(self, channel: str, read: Reading) -> str:
        """What its network counted when this was read."""
        if read.source == "link" or read.metric not in self.metrics:
            return ""
        word = self.metrics[read.metric]
        known = self.channels.get(channel)
        platform = known.platform if known else ""
        if platform not in word.networks and not read.called:
            return ""
        there = self._dated.setdefault(
            (read.metric, platform, read.called),
            None
            if any(one.begins or one.until for one in word.networks.get(platform, ()))
            else word.series(platform, date.max, read.called),
        )
        if there is None:
            there = word.series(platform, self._day(read.taken_at), read.called)
        return there

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._there).date()

    def _typed(self, month: str) -> dict[str, ChannelMonth]:
        rows = self.session.scalars(
            select(Snapshot).where(*latest.of_month(month)).order_by(Snapshot.taken_at, Snapshot.id)
        )
        found: dict[str, dict[str, Snapshot]] = {}
        for row in rows:
            found.setdefault(row.channel, {})[row.metric] = row
        start, end = bounds(month, self.zone)
        days = (self._day(start), self._day(end - timedelta(seconds=1)))
        return {
            name: ChannelMonth(
                channel=name,
                title=self.channels[name].title,
                posts=rows["posts"].value if "posts" in rows else None,
                figures={
                    metric: Figure(
                        metric=metric,
                        value=row.value,
                        reason=row.reason if row.value is None else "",
                        taken_at=row.taken_at,
                        source=row.source,
                        snapshot=row.id,
                        by=row.by,
                        note=row.note,
                        series=self._over(name, metric, days),
                    )
                    for metric, row in rows.items()
                    if metric != "posts"
                },
                sample=any(row.sample for row in rows.values()),
            )
            for name, rows in found.items()
            if name in self.channels
        }

    def _over(self, channel: str, metric: str, days: tuple[date, date]) -> str:
        """What a network counted over a month, first day and last."""
        if metric not in self.metrics or metric == "clicks":  # whose clicks they are, nobody said
            return ""
        word, platform = self.metrics[metric], self.channels[channel].platform
        parts = (self.metrics[name] for name in word.parts(platform))
        words = [word, *(one for one in parts if len(one.networks.get(platform, ())) > 1)]
        return _joined({one.series(platform, day) for one in words for day in days})

    def _computed(self, name: str, month: str, posts: "Sequence[_Published]") -> ChannelMonth:
        platform, offered = self.channels[name].platform, self.offers.get(name, frozenset())
        # Of what is never added (reach), posts have a figure each, and a month has none.
        added = {name for name in offered & self.metrics.keys() if self.metrics[name].sum_posts}
        figures = {
            metric: self._sum(metric, name, offered, posts) for metric in sorted({*DERIVED, *added})
        }
        figures["clicks"] = self._clicks(name, month, posts)
        figures |= self._account(name, month, offered)
        shown = any(m in offered or platform in self.metrics[m].networks for m in DERIVED)
        return ChannelMonth(name, self.channels[name].title, len(posts), figures, shown=shown)

    def _sum(
        self, metric: str, channel: str, offered: frozenset[str], posts: "Sequence[_Published]"
    ) -> Figure:
        word, platform = self.metrics[metric], self.channels[channel].platform
        parts = word.parts(platform)
        values = [combine(word, platform, post.values) for post in posts]
        total = add(word, values, over="posts") if word.sum_posts else None
        if total is not None:
            series = self._counted(word, channel, posts)
            return Figure(metric, total, taken_at=self.cut_off, series=_joined(series))
        reasons = [
            post.figures[m].reason
            for post in posts
            for m in (metric, *parts)
            if m in post.figures and post.figures[m].value is None
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

    def _counted(self, word: Metric, channel: str, posts: "Sequence[_Published]") -> Set[str]:
        """What was counted in these posts' figures; where a network gives one in parts, its sum,
        and those of its parts whose meaning has changed there."""
        platform, found = self.channels[channel].platform, set[str]()
        parts = word.parts(platform)
        dated = [name for name in parts if len(self.metrics[name].networks.get(platform, ())) > 1]
        plain = len(word.networks.get(platform, ())) < 2 and not dated
        known: set[str] = set()
        for post in posts:
            if (one := post.figures.get(word.name)) is not None:
                if not plain or one.called not in known:
                    known.add(one.called)
                    found.add(self._series(channel, one))
            elif plain and found:
                continue
            else:
                found |= {self._series(channel, post.figures[name]) for name in dated}
                found.add(word.series(platform, self._day(post.figures[parts[0]].taken_at)))
        return found

    def _clicks(self, channel: str, month: str, posts: "Sequence[_Published]") -> Figure:
        followed = self._followed(month).get(channel, 0)
        if not followed and not self._has_links(channel, month):
            linked = self._linked(month)
            why = Reason.DIRECT_LINKS if any(p.key in linked for p in posts) else Reason.NO_LINKS
            return Figure("clicks", None, reason=why, source="link")
        end = bounds(month, self.zone)[1]
        return Figure("clicks", followed, taken_at=min(end, self.cut_off), source="link")

    def _followed(self, month: str) -> Mapping[str, int]:
        """How often the links of each channel's posts were followed in the month."""
        if month not in self._visits:
            start, end = bounds(month, self.zone)
            visits = (
                select(Click.key, func.count().label("visits"))
                .where(Click.at >= start, Click.at < end)
                .group_by(Click.key)
                .subquery()
            )
            self._visits[month] = dict(
                self.session.execute(
                    select(Delivery.channel, func.sum(visits.c.visits))
                    .join(visits, visits.c.key == Delivery.key)
                    .where(Delivery.state != State.TAKEN_DOWN)
                    .group_by(Delivery.channel)
                ).all()
            )
        return {channel: int(visits) for channel, visits in self._visits[month].items()}

    def _has_links(self, channel: str, month: str) -> bool:
        """Whether a post of the year up to the month's end has printed a short link there."""
        start, end = bounds(month, self.zone)
        return (
            self.session.scalar(
                select(ShortLink.code)
                .join(Delivery, Delivery.key == ShortLink.key)
                .where(
                    Delivery.channel == channel,
                    Delivery.published_at >= start - timedelta(days=366),
                    Delivery.published_at < end,
                )
                .limit(1)
            )
            is not None
        )

    def _account(self, channel: str, month: str, offered: frozenset[str]) -> dict[str, Figure]:
        """Followers at the month's last reading; what was gained and lost, added over its days."""
        start, end = bounds(month, self.zone)
        found: dict[str, Figure] = {}
        for metric in sorted(latest.ACCOUNT & (offered | {latest.FOLLOWERS}) & self.metrics.keys()):
            read = latest.account(self.session, channel, metric, start, end)
            if read and metric == latest.FOLLOWERS:
                found[metric] = self._figure(channel, read[-1])
            elif read:
                days = {self._day(one.taken_at): one.value for one in read}
                total = add(self.metrics[metric], days.values(), over="days")
                why = "" if total is not None else read[-1].reason or Reason.COLLECTION_FAILED
                series = _joined({self._series(channel, one) for one in read})
                found[metric] = Figure(metric, total, why, read[-1].taken_at, series=series)
        return found


@dataclass(frozen=True, slots=True)
class _Published:
    """A post of a month, with its figures as last read."""

    key: str
    message: str
    channel: str
    language: str
    state: State
    published_at: datetime
    figures: Mapping[str, Reading]
    values: Mapping[str, int | None]


def _joined(series: Set[str]) -> str:
    """What was counted of several series is a series of its own."""
    return " + ".join(sorted(one for one in series if one))


def _partners(
    session: Session, month: str, names: Mapping[str, str] | None, zone: str
) -> list[PartnerClicks]:
    """The clicks of each partner who has kits with short links, or for whom some were typed in."""
    start, end = bounds(month, zone)
    counted: dict[str, int] = {}
    for key in session.scalars(
        select(ShortLink.key).where(OF_A_KIT, ShortLink.at < end).distinct()
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
                *latest.of_month(month),
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


def _prints_address(content: str) -> bool:
    """Whether what the public sees of a post, as it is kept, has an address in its text."""
    return any("://" in part["text"] for part in json.loads(content).get("parts", ()))


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
