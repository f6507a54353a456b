"""From the database to a report, and its freezing.

For each channel the figures of a month are, where somebody imported that month's totals, those;
otherwise the sum over the posts published in the month, each as last read before the cut-off:
see `outreach/measure/latest.py`. What this costs follows the posts of the periods compared.
Days that are whole months are added up from them. Totals of a month say nothing of any other days,
so that a channel with such totals has no figures for these. Of a campaign only its own posts count.
Clicks are visits within the period through the links of the channel's posts. A sum over posts of
which one has no figure has none either. A figure can be known where the platform offers it, or
where the metric dictionary says what it is on that network, so that a person can read it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Text, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach import people
from outreach.clearance import Clearance
from outreach.config import Configuration
from outreach.delivery import CORRECTION, Correction, Delivery, ReceiptRow, State
from outreach.errors import Changed, NotAllowed
from outreach.measure import latest
from outreach.measure.adopted import adopted
from outreach.measure.collect import RUNGS
from outreach.measure.imports import OF_PARTNER
from outreach.measure.latest import Reading
from outreach.measure.metrics import Metric, Reason, add, combine, load_metrics
from outreach.measure.months import before, bounds, day, named
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
    known: Dates | None = None,
) -> ReportInput:
    """Everything the report about this is computed from: "2025-08", "campaign:forum-2025".

    `against` is what it is compared with, where that is not the usual; `known` the campaign files,
    where they were read already. The cut-off is the
    configured number of days after the period's end in the report's zone, or now, where that has
    not come yet. Raises NoSuchPeriod or NoSuchMonth for what is none, NotFound for a campaign or
    event there is not, NotAllowed for what has not begun.
    """
    zone = configuration.report_zone
    settings = configuration.settings
    known = known or Dates(session, configuration)
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
    latest.cite(session, _of_accounts(given))
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


def _of_accounts(given: ReportInput) -> Iterator[int]:
    """The readings of accounts that it was made from."""
    figures = [
        one.figures[name]
        for period in given.every
        for one in period.channels
        for name in latest.ACCOUNT & one.figures.keys()
    ]
    figures += [one for of in given.audience for one in (of.before, of.after) if one is not None]
    yield from (one.snapshot for one in figures if one.snapshot is not None)


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
        self._there = ZoneInfo(zone)
        self._posts: dict[Period, Sequence[_Published]] = {}
        self._links: dict[Period, Set[str]] = {}
        self._visits: dict[Period, Mapping[str, int]] = {}
        self._totals: dict[str, Mapping[str, ChannelMonth]] = {}
        self._dated: dict[tuple[str, str, str], str | None] = {}

    def facts(self, period: Period) -> MonthFacts:
        """Every channel that published or was typed in, in the period."""
        typed = self._entered(period)
        by_channel: dict[str, list[_Published]] = {}
        for post in self._published(period):
            by_channel.setdefault(post.channel, []).append(post)
        names = [name for name in self.channels if name in typed or name in by_channel]
        return MonthFacts(
            period,
            tuple(
                typed[name]
                if name in typed
                else self._computed(
                    name, period, [p for p in by_channel[name] if p.state is not State.TAKEN_DOWN]
                )
                for name in names
            ),
        )

    def _entered(self, period: Period) -> Mapping[str, ChannelMonth]:
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
                series=_joined({one.series for one in each if one}),
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
        ours = {key for (key,) in self._rows(period, ShortLink.key)}
        placed = dict(self._rows(period, TakeDown.key, TakeDown.ended_at))
        parts = self._rows(period, ReceiptRow.key, ReceiptRow.part, ReceiptRow.url)
        first = {key: url for key, _, url in sorted(parts, key=lambda one: -one[1])}
        weeks = self._weeks(period)
        lines = []
        for post in self._published(period):
            linked = post.key in self._linked(period)
            figures = {name: self._figure(post.channel, one) for name, one in post.figures.items()}
            if "clicks" not in figures and linked and post.key not in ours:
                figures["clicks"] = Figure(
                    "clicks", None, reason=Reason.DIRECT_LINKS, taken_at=self.cut_off, source="link"
                )
            week = weeks.get(post.key, {})
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
                    campaign=post.campaign,
                    week=self._known(post.channel, {m: one.value for m, one in week.items()}),
                    series=self._kinds(post.channel, week),
                    totals=self._known(post.channel, post.values),
                    withdrawn_at=placed.get(post.key) if down else None,
                )
            )
        return lines

    def _linked(self, period: Period) -> Set[str]:
        """The posts of the period that print an address; without one there is nothing to click."""
        if period not in self._links:
            written = cast(Delivery.content, Text)
            rows = self._rows(period, Delivery.key, written)
            self._links[period] = {
                key for key, text in rows if text and "://" in text and _prints_address(text)
            }
        return self._links[period]

    def _rows(self, period: Period, key: Any, *more: Any) -> Iterator[Any]:
        """These columns, the first of them a post's key, of the posts published in the period.

        By their keys, some at a time: told to find them itself, a server may read a whole table.
        """
        keys = [post.key for post in self._published(period)]
        for start in range(0, len(keys), latest.MANY):
            some = key.in_(keys[start : start + latest.MANY])
            yield from self.session.execute(select(key, *more).where(some))

    def _published(self, period: Period) -> Sequence["_Published"]:
        """The posts published in the period, oldest first; read once."""
        if period not in self._posts:
            rows = self.session.execute(
                select(
                    Delivery.key,
                    Delivery.message,
                    Delivery.channel,
                    Delivery.language,
                    Delivery.state,
                    Delivery.published_at,
                    Delivery.campaign,
                )
                .where(
                    *within(Delivery.published_at, period),
                    *of_campaign(Delivery.campaign, period),
                )
                .order_by(Delivery.published_at, Delivery.key)
            ).all()
            read = latest.readings(self.session, [row.key for row in rows], self.cut_off)
            gone = [row.key for row in rows if row.state is State.TAKEN_DOWN]
            read |= latest.readings(self.session, gone, self.cut_off, known=True)
            self._posts[period] = [
                _Published(*row, found, {name: one.value for name, one in found.items()})  # type: ignore[arg-type] # published: it has the time
                for row in rows
                for found in (read.get(row[0], {}),)
            ]
        return self._posts[period]

    def _known(self, channel: str, values: Mapping[str, int | None]) -> dict[str, int]:
        """A post's three figures, those that its network gives in parts added up."""
        platform = self._platform(channel)
        found = {name: combine(self.metrics[name], platform, values) for name in CORE}
        return {name: value for name, value in found.items() if value is not None}

    def _kinds(self, channel: str, read: Mapping[str, Reading]) -> dict[str, str]:
        """What was counted in each of a post's figures, also in those that are given in parts."""
        words = [self.metrics[name] for name in CORE]
        return {
            word.name: _joined({self._series(channel, read[name]) for name in names & read.keys()})
            for word in words
            for names in (({word.name} & read.keys()) or set(word.parts(self._platform(channel))),)
        }

    def _platform(self, channel: str) -> str:
        known = self.channels.get(channel)
        return known.platform if known else ""

    def _weeks(self, period: Period) -> Mapping[str, Mapping[str, Reading]]:
        """What the posts of the period had seven days after publishing: by post, by measure.

        A look that came a day late or more is of another age, and does not count.
        """
        published = {post.key: post.published_at for post in self._published(period)}
        found: dict[str, dict[str, Reading]] = {}
        if not published:
            return found
        times, late = published.values(), RUNGS[AGE] + timedelta(days=1)
        parts = {
            m
            for one in self.channels.values()
            for n in CORE
            for m in self.metrics[n].parts(one.platform)
        }
        for read in latest.at_rung(
            self.session, published, {*CORE, *parts}, AGE, min(times), max(times) + late
        ):
            if read.taken_at <= self.cut_off and read.taken_at - published[read.subject] < late:
                found.setdefault(read.subject, {})[read.metric] = read
        return found

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
            now = self._account(name, period) | self._entered_account(name, period)
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

    def _entered_account(self, channel: str, period: Period) -> dict[str, Figure]:
        """The figures of the account itself that were typed in for the month."""
        typed = self._typed(period.name).get(channel) if period.kind == "month" else None
        figures = typed.figures if typed else {}
        return {name: figures[name] for name in latest.ACCOUNT & figures.keys()}

    def _followers_of(self, channel: str, period: Period) -> Figure | None:
        """Followers at a month's end: typed in for it, or as they were last read in it."""
        typed = self._entered_account(channel, period).get(latest.FOLLOWERS)
        return typed if typed and typed.value is not None else self._followers(channel, period)

    def _followers_before(self, channel: str, period: Period) -> Figure | None:
        """The last reading in the month before the period."""
        start = period.starts - timedelta(days=31)
        return self._last_of(channel, latest.FOLLOWERS, start, period.starts)

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
            figures=self._latest(row.key, row.channel, known=True),
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
                figures=self._latest(one.url, one.channel),
            )
            for one in adopted(self.session, period.starts, period.ends)
            if period.campaign in ("", one.campaign)
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
        platform = self._platform(channel)
        if platform not in word.networks and not read.called:
            return ""
        which = (read.metric, platform, read.called)
        if which not in self._dated:
            dated = any(one.begins or one.until for one in word.networks.get(platform, ()))
            self._dated[which] = None if dated else word.series(platform, date.max, read.called)
        there = self._dated[which]
        if there is None:
            there = word.series(platform, self._day(read.taken_at), read.called)
        return there

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._there).date()

    def _typed(self, month: str) -> Mapping[str, ChannelMonth]:
        """The totals of a month that people typed in; read once."""
        if month not in self._totals:
            self._totals[month] = self._read_typed(month)
        return self._totals[month]

    def _read_typed(self, month: str) -> dict[str, ChannelMonth]:
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

    def _computed(self, name: str, period: Period, posts: "Sequence[_Published]") -> ChannelMonth:
        platform, offered = self.channels[name].platform, self.offers.get(name, frozenset())
        # Of what is never added (reach), posts have a figure each, and a month has none.
        added = {name for name in offered & self.metrics.keys() if self.metrics[name].sum_posts}
        figures = {
            metric: self._sum(metric, name, offered, posts) for metric in sorted({*DERIVED, *added})
        }
        figures["clicks"] = self._clicks(name, period, posts)
        figures |= self._account(name, period)
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

    def _clicks(self, channel: str, period: Period, posts: "Sequence[_Published]") -> Figure:
        followed = self._followed(period).get(channel, 0)
        if not followed and not self._has_links(channel, period):
            linked = self._linked(period)
            why = Reason.DIRECT_LINKS if any(p.key in linked for p in posts) else Reason.NO_LINKS
            return Figure("clicks", None, reason=why, source="link")
        return Figure("clicks", followed, taken_at=min(period.ends, self.cut_off), source="link")

    def _followed(self, period: Period) -> Mapping[str, int]:
        """How often the links of each channel's posts were followed in the period."""
        if period not in self._visits:
            visits = (
                select(Click.key, func.count().label("visits"))
                .where(*within(Click.at, period))
                .group_by(Click.key)
                .subquery()
            )
            self._visits[period] = dict(
                self.session.execute(
                    select(Delivery.channel, func.sum(visits.c.visits))
                    .join(visits, visits.c.key == Delivery.key)
                    .where(
                        Delivery.state != State.TAKEN_DOWN,
                        *of_campaign(Delivery.campaign, period),
                    )
                    .group_by(Delivery.channel)
                ).all()
            )
        return {channel: int(visits) for channel, visits in self._visits[period].items()}

    def _has_links(self, channel: str, period: Period) -> bool:
        """Whether a post of the year up to the period's end has printed a short link there."""
        return (
            self.session.scalar(
                select(ShortLink.code)
                .join(Delivery, Delivery.key == ShortLink.key)
                .where(
                    Delivery.channel == channel,
                    Delivery.published_at >= period.starts - timedelta(days=366),
                    Delivery.published_at < period.ends,
                    *of_campaign(Delivery.campaign, period),
                )
                .limit(1)
            )
            is not None
        )

    def _followers(self, channel: str, period: Period) -> Figure | None:
        """The period's last reading."""
        return self._last_of(channel, latest.FOLLOWERS, period.starts, period.ends)

    def _last_of(self, channel: str, metric: str, start: datetime, end: datetime) -> Figure | None:
        read = latest.account(self.session, channel, metric, start, end, last=True)
        return self._figure(channel, read[-1]) if read else None

    def _account(self, channel: str, period: Period) -> dict[str, Figure]:
        """Followers at the period's last reading; what was gained and lost, added over its days."""
        found: dict[str, Figure] = {}
        offered = self.offers.get(channel, frozenset()) | {latest.FOLLOWERS}
        for metric in sorted(latest.ACCOUNT & offered & self.metrics.keys()):
            if metric == latest.FOLLOWERS:
                if (last := self._followers(channel, period)) is not None:
                    found[metric] = last
                continue
            read = latest.account(self.session, channel, metric, period.starts, period.ends)
            if read:
                days = {self._day(one.taken_at): one.value for one in read}
                total = add(self.metrics[metric], days.values(), over="days")
                why = "" if total is not None else read[-1].reason or Reason.COLLECTION_FAILED
                series = _joined({self._series(channel, one) for one in read})
                found[metric] = Figure(metric, total, why, read[-1].taken_at, series=series)
        return found


@dataclass(frozen=True, slots=True)
class _Published:
    """A post of a period, with its figures as last read."""

    key: str
    message: str
    channel: str
    language: str
    state: State
    published_at: datetime
    campaign: str
    figures: Mapping[str, Reading]
    values: Mapping[str, int | None]


def _joined(series: Set[str]) -> str:
    """What was counted of several series is a series of its own."""
    return " + ".join(sorted(one for one in series if one))


def _partners(
    session: Session, period: Period, names: Mapping[str, str] | None
) -> list[PartnerClicks]:
    """The clicks of each partner who has kits with short links, or for whom some were typed in."""
    counted: dict[str, int] = {}
    for key in session.scalars(
        select(ShortLink.key).where(OF_A_KIT, ShortLink.at < period.ends).distinct()
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
                *latest.of_month(period.name),
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


def _prints_address(content: str) -> bool:
    """Whether what the public sees of a post, as it is kept, has an address in its text."""
    return any("://" in part["text"] for part in json.loads(content).get("parts", ()))


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
