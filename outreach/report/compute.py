"""Facts of a month in, a Report out: no database, no clock, no files.

What the documents print is decided here once, with its symbols and footnotes, so that Word, web
page and JSON cannot differ: `..` not available, `—` nil, `-` not applicable.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from outreach.measure import months
from outreach.measure.metrics import Reason
from outreach.report.arithmetic import (
    CORE,
    NIL,
    NOT_APPLICABLE,
    NOT_AVAILABLE,
    comparable,
    complete_sums,
    is_complete,
    like_for_like,
    no_percentage,
    rate,
)
from outreach.report.facts import ChannelMonth, Figure, MonthFacts, PostLine, ReportInput, Withdrawn
from outreach.report.value import (
    VERSION,
    Cell,
    Comparison,
    Line,
    Note,
    Report,
    Row,
    Table,
)
from outreach.report.words import count, figure, letter, listing, plural, sentence, signed

SAMPLE = "Sample figures: examples, not measured."
SAMPLE_BANNER = (
    "SAMPLE FIGURES. Figures in this report are examples that nobody measured. They show what "
    "a report looks like, and must not be quoted."
)
NOT_PERSONS = "Displays (definitions differ by channel), not persons"
NO_RECORD = "No figure was recorded"
RATE = "engagement-rate"


def compute(facts: ReportInput) -> Report:
    """The month's report. Pure: the same facts give the same Report, in whatever order.

    Raises NoSuchMonth for a month or a zone that does not exist.
    """
    return _Desk(facts).report()


@dataclass
class _Notes:
    """The notes of one table: the same words share a letter."""

    texts: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> str:
        if not text:
            return ""
        if text not in self.texts:
            self.texts.append(text)
        return letter(self.texts.index(text))

    def all(self) -> tuple[Note, ...]:
        return tuple(Note(letter(index), text) for index, text in enumerate(self.texts))


class _Desk:
    """One report in the making: it counts the tables."""

    def __init__(self, facts: ReportInput) -> None:
        self.facts = facts
        self.tables = 0
        self.month = months.named(facts.month)
        self.channels = sorted(facts.this.channels, key=_order)
        self.complete = [one.title for one in self.channels if is_complete(one)]
        self.incomplete = [one for one in self.channels if one.shown and not is_complete(one)]
        self.unshown = {one.channel: one.title for one in self.channels if not one.shown}

    def report(self) -> Report:
        facts = self.facts
        starts, ends = months.bounds(facts.month, facts.zone)
        every = (facts.this, facts.before, facts.year_ago)
        sampled = any(one.sample for month in every for one in month.channels)
        comparisons = (
            self.comparison("Compared with the month before", facts.before),
            self.comparison("Compared with the same month of the year before", facts.year_ago),
        )
        return Report(
            version=VERSION,
            month=facts.month,
            title=f"Outreach on social media: {self.month}",
            subtitle="Monthly report on reach",
            office=facts.office,
            programme=facts.masthead.programme,
            distribution=facts.masthead.distribution,
            languages=facts.masthead.languages,
            dated=months.day(facts.made_at, facts.zone),
            zone=facts.zone,
            starts=starts,
            ends=ends,
            cut_off=facts.cut_off,
            made_at=facts.made_at,
            sample=SAMPLE_BANNER if sampled else "",
            summary=tuple(self.summary(comparisons[0])),
            completeness=tuple(self.completeness()),
            complete=tuple(self.complete),
            incomplete=tuple(one.title for one in self.incomplete),
            displays=(
                "Displays say how often posts were shown, not how many persons saw them, and what "
                "counts as shown differs by channel.",
                "How many persons were reached on all channels together cannot be known, since one "
                "person may use several of them. No such sum is given.",
            ),
            comparisons=comparisons,
            channels=self.channel_table(),
            more=self.further_table(),
            partners=self.partner_table(),
            activity=tuple(self.activity()),
            incidents=tuple(self.incidents()),
            withdrawn=self.withdrawn_table(),
            notes=facts.notes,
            next_title=f"Planned for {months.named(months.following(facts.month))}",
            plan=self.plan_table(),
            posts=self.post_table(),
            others=self.others_table(),
            figures=self.figure_table(every),
            definitions=self.definition_table(every),
        )

    # Words

    def summary(self, previous: Comparison) -> Iterable[str]:
        """One paragraph with at most three numbers, and what is missing."""
        if not self.recorded():
            yield f"No figures were recorded for {self.month}."
            return
        if not self.complete:
            yield (
                f"No channel has complete figures for {self.month}, so that no sum and no "
                "comparison can be given."
            )
        elif previous.channels:
            yield _compared(previous, self.month)
        else:
            sums = complete_sums(self.facts.this, self.facts.metrics)
            yield (
                f"In {self.month}, posts on {_the_channels(len(self.complete))} with complete "
                f"figures were displayed {_times(sums['displays'])}, and their links were followed "
                f"{_times(sums['clicks'])}. There are no complete figures for the month before to "
                "compare them with."
            )
        if self.complete and self.incomplete:
            names = listing([one.title for one in self.incomplete])
            are = "is" if len(self.incomplete) == 1 else "are"
            yield (
                f"{names} {are} left out of every sum, since complete figures are not available."
            )

    def completeness(self) -> Iterable[str]:
        """How much of the month is known, since when, and in which zone."""
        facts = self.facts
        of = f"{len(self.complete)} of {len(self.complete) + len(self.incomplete)} channels"
        if self.complete or self.incomplete:
            names = f": {listing(self.complete)}" if self.complete else ""
            yield f"Figures are complete for {of}{names}."
        elif not self.channels:
            yield f"No channel was kept in {self.month}."
        for channel in self.incomplete:
            yield f"Not complete: {channel.title}. {' '.join(_missing(channel))}"
        if self.unshown:
            are = "is" if len(self.unshown) == 1 else "are"
            unseen = [one for one in self.channels if not one.shown]
            counted = any(one.value("clicks") is not None for one in unseen)
            yield (
                f"{listing(list(self.unshown.values()))} {are} not among these channels: how often "
                "posts are displayed there cannot be known."
                f"{' Clicks are counted.' if counted else ''}"
            )
        starts, ends = months.bounds(facts.month, facts.zone)
        if facts.made_at < ends:
            yield (
                f"{self.month} was not over when this report was made: posts and figures up to "
                f"{months.moment(facts.made_at, facts.zone)}, in the time zone {facts.zone}."
            )
        yield (
            f"{self.month} is counted from {months.moment(starts, facts.zone)}, to "
            f"{months.moment(ends, facts.zone)}, in the time zone {facts.zone}. Figures collected "
            f"before {months.moment(facts.cut_off, facts.zone)}, in that zone are taken into "
            "account."
        )

    def activity(self) -> Iterable[str]:
        """What was published, and what did not go as planned."""
        facts = self.facts
        known = [(one.title, one.posts) for one in self.channels if one.posts is not None]
        posts = sum(number for _, number in known)
        used = sum(1 for _, number in known if number)
        if posts:
            were = "was" if posts == 1 else "were"
            yield (
                f"In {self.month}, {plural(posts, 'post')} {were} published on "
                f"{plural(used, 'channel')}."
            )
        elif not self.channels:
            yield f"This desk published no post in {self.month}."
        elif len(known) == len(self.channels):
            yield f"No post was published in {self.month}."
        else:
            yield f"How many posts were published in {self.month} was not recorded."
        withdrawn = sum(one.withdrawn_at is not None for one in facts.posts)
        if withdrawn:
            were = "post was" if withdrawn == 1 else "posts were"
            yield (
                f"{count(withdrawn).capitalize()} further {were} published and withdrawn, and "
                f"{'its' if withdrawn == 1 else 'their'} figures are in no sum."
            )
        if 0 < len(facts.posts) - withdrawn < posts:
            yield (
                f"The annex lists the {plural(len(facts.posts), 'post')} that this desk published; "
                "of the others only the number is known."
            )
        if known and len(known) < len(self.channels):
            names = listing([one.title for one in self.channels if one.posts is None])
            yield f"Posts on {names} were not counted."
        driven = [(one.name, one.clicks) for one in facts.partners if one.clicks is not None]
        if driven:
            of = listing([f"{name} {figure(clicks)}" for name, clicks in driven])
            yield (
                f"Partner-driven clicks: {figure(sum(clicks for _, clicks in driven))} ({of}). "
                "They came by addresses in partners' kits and are in no channel's clicks."
            )
        troubles = [
            f"{count(number)} {words}"
            for number, words in (
                (facts.missed, f"missed {'its' if facts.missed == 1 else 'their'} time"),
                (facts.failed, "could not be published"),
                (facts.uncertain, f"{'is' if facts.uncertain == 1 else 'are'} of unknown outcome"),
            )
            if number
        ]
        if troubles:
            yield sentence(f"Of the posts planned, {listing(troubles)}")
        else:
            yield "No post missed its time, failed or is of unknown outcome."
        for override in sorted(facts.overrides, key=lambda one: (one.at, one.key)):
            yield (
                f"Emergency override: {override.key} was cleared on "
                f"{months.moment(override.at, facts.zone)}, by decision of {override.by} and "
                f"without clearance by a second person. Reason given: {sentence(override.reason)}"
            )

    def incidents(self) -> Iterable[str]:
        """One paragraph for each: who, when, why, how long it was live, and what is live still."""
        for one in sorted(self.facts.incidents, key=lambda one: one.number):
            were = [post for post in one.posts if post.state != "never live"]
            down = [post for post in were if post.state == "down"]
            told = (
                f"Incident {one.number}: on {months.moment(one.at, self.facts.zone)}, {one.by} "
                f"ordered {plural(len(were), 'post')} to be taken down. Reason given: "
                f"{sentence(one.why)}"
            )
            if down:
                are = "was" if len(down) == 1 else "were"
                of = plural(len(down), "post")
                told += f" {sentence(f'{of} {are} withdrawn{_after(down)}')}"
            if staying := [post for post in were if post.state != "down"]:
                are = "is" if len(staying) == 1 else "are"
                places = listing([f"{post.channel} ({_how(post)})" for post in staying])
                told += f" Not withdrawn when this report was made {are} {places}."
            yield told
        for post in sorted(self.facts.corrected, key=lambda post: (post.at, post.key)):
            yield (
                f"Corrected: {post.title} on {post.channel} ({post.key}), on "
                f"{months.moment(post.at, self.facts.zone)}. Reason given: {sentence(post.why)}"
            )

    def withdrawn_table(self) -> Table | None:
        """The posts of the month's incidents. Figures of what is withdrawn are in no sum."""
        notes = _Notes()
        zone = self.facts.zone
        rows = [
            Row(
                post.title,
                (
                    Cell(str(one.number)),
                    Cell(f"{post.channel}, {post.language}"),
                    Cell(months.moment(post.published_at, zone))
                    if post.published_at
                    else Cell(NOT_APPLICABLE),
                    Cell(months.moment(post.ended_at, zone))
                    if post.state == "down" and post.ended_at
                    else Cell(NIL, note=notes(sentence(_how(post)))),
                    *(self.cell(post.figures.get(name), notes) for name in CORE),
                ),
            )
            for one in sorted(self.facts.incidents, key=lambda one: one.number)
            for post in sorted(one.posts, key=lambda post: post.key)
            if post.state != "never live"
        ]
        if not rows:
            return None
        return self.table(
            f"Posts to be withdrawn in {self.month}, with their last figures",
            (
                "Post",
                "No.",
                "Channel",
                f"Published ({zone})",
                f"Withdrawn ({zone})",
                *(self.facts.metrics[name].label for name in CORE),
            ),
            rows,
            notes,
        )

    def recorded(self) -> bool:
        return any(
            one.value is not None for channel in self.channels for one in channel.figures.values()
        )

    def moment_of(self, post: PostLine) -> str:
        return months.moment(post.published_at, self.facts.zone)

    # Comparisons

    def comparison(self, title: str, other: MonthFacts) -> Comparison:
        facts = self.facts
        shared = comparable(facts.this, other)
        lines = like_for_like(facts.this, other, facts.metrics)
        by = {line.metric: line for line in lines}
        rates = (
            (
                rate(by["engagements"].this, by["displays"].this),
                rate(by["engagements"].before, by["displays"].before),
            )
            if by
            else (None, None)
        )
        titles = tuple(one.title for one in self.channels if one.channel in shared)
        names = self.names(other)
        return Comparison(
            title=title,
            month=facts.month,
            with_month=other.month,
            channels=titles,
            left_out=tuple(
                sorted((name for key, name in names.items() if key not in shared), key=str.casefold)
            ),
            lines=lines,
            rate=None if rates[0] is None else str(rates[0]),
            rate_before=None if rates[1] is None else str(rates[1]),
            paragraphs=tuple(self.compared(other, titles, shared, lines)),
            table=self.comparison_table(other, shared, lines, rates) if lines else None,
        )

    def compared(
        self, other: MonthFacts, titles: Sequence[str], shared: Sequence[str], lines: Sequence[Line]
    ) -> Iterable[str]:
        then = months.named(other.month)
        if not lines:
            yield (
                f"No channel has complete figures for both {self.month} and {then}, and the two "
                "months are therefore not compared."
            )
            return
        posts, displays, engagements, clicks = lines
        if len(titles) == 1:
            where = f"{titles[0]}, the one channel with complete figures in both months,"
        else:
            where = f"the {count(len(titles))} channels with complete figures in both months"
        subject = "posts" if posts.this is None else f"the {plural(posts.this, 'post')}"
        were = "was" if posts.this == 1 else "were"
        yield (
            f"In {self.month}, {subject} on {where} {were} displayed {_times(displays.this)} "
            f"and drew {_nil(engagements.this)} engagements, and links were followed "
            f"{_times(clicks.this)}, compared with {_nil(displays.before)}, "
            f"{_nil(engagements.before)} and {_nil(clicks.before)}, respectively, on the same "
            f"{'channel' if len(titles) == 1 else 'channels'} in {then}."
        )
        whys: dict[str, list[str]] = {}
        for key, name in sorted(
            self.names(other).items(), key=lambda item: (item[1].casefold(), item[0])
        ):
            if key not in shared:
                lacking = [
                    months.named(month.month)
                    for month in (self.facts.this, other)
                    if not is_complete(month.get(key))
                ]
                whys.setdefault(" and ".join(lacking), []).append(name)
        covered = f"The comparison covers {listing(titles)} only."
        for lacking_in, names in whys.items():
            are, their = ("is", "its") if len(names) == 1 else ("are", "their")
            covered += (
                f" {listing(names)} {are} left out, since {their} figures for {lacking_in} are not "
                "complete."
            )
        yield covered

    def names(self, other: MonthFacts) -> dict[str, str]:
        """Titles of the channels of both months that can be compared at all."""
        both = (*other.channels, *self.facts.this.channels)
        return {one.channel: one.title for one in both if one.shown}

    def comparison_table(
        self,
        other: MonthFacts,
        shared: Sequence[str],
        lines: Sequence[Line],
        rates: tuple[Decimal | None, Decimal | None],
    ) -> Table:
        facts = self.facts
        notes = _Notes()
        heads = {"posts": "Posts", "displays": NOT_PERSONS}
        rows = [
            Row(
                heads.get(line.metric) or facts.metrics[line.metric].label,
                (_number(line.before), _number(line.this), _changed(line)),
            )
            for line in lines
        ]
        pooled = notes("Pooled: all engagements for every hundred of all displays.")
        displays = lines[1]
        rows.append(
            Row(
                f"{facts.metrics[RATE].label} (per cent)",
                (
                    _rate(rates[1], displays.before),
                    _rate(rates[0], displays.this),
                    Cell(NOT_APPLICABLE),
                ),
                note=pooled,
            )
        )
        sample = any(
            one.sample
            for month in (facts.this, other)
            for one in month.channels
            if one.channel in shared
        )
        return self.table(
            f"{self.month} and {months.named(other.month)}, on channels complete in both",
            ("Measure", months.named(other.month), self.month, "Change (per cent)"),
            rows,
            notes,
            sample=sample,
        )

    # Tables

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Row],
        notes: _Notes,
        *,
        sample: bool = False,
        sourced: bool = True,
    ) -> Table:
        self.tables += 1
        facts = self.facts
        source = (
            f"Source: {facts.office}; figures collected before "
            f"{months.moment(facts.cut_off, facts.zone)} ({facts.zone})."
        )
        return Table(
            number=self.tables,
            title=title,
            columns=tuple(columns),
            rows=tuple(rows),
            notes=notes.all(),
            source=source if sourced else "",
            sample=SAMPLE if sample else "",
        )

    def channel_table(self) -> Table:
        facts = self.facts
        notes = _Notes()
        rows = []
        for channel in self.channels:
            displays, engagements = channel.value("displays"), channel.value("engagements")
            cells = [
                self.cell(one, notes, shown=channel.shown or _uncounted(one))
                for one in (channel.figures.get(name) for name in CORE)
            ]
            if not channel.shown:
                cells.append(Cell(NOT_APPLICABLE))
            elif displays is None or engagements is None:
                lacking = cells[0] if displays is None else cells[1]
                cells.append(Cell(NOT_AVAILABLE, note=lacking.note))
            else:
                cells.append(_rate(rate(engagements, displays), displays))
            rows.append(Row(channel.title, (_number(channel.posts), *cells)))
        if len(self.complete) > 1:
            sums = complete_sums(facts.this, facts.metrics)
            pooled = rate(sums["engagements"], sums["displays"])
            rows.append(
                Row(
                    "Complete channels",
                    (
                        _number(sums["posts"]),
                        *(_number(sums[name]) for name in CORE),
                        _rate(pooled, sums["displays"]),
                    ),
                    total=True,
                    note=notes(
                        "Sum of the channels with complete figures. "
                        f"{NOT_PERSONS}. {facts.metrics[RATE].label} is pooled from the sums."
                    ),
                )
            )
        return self.table(
            f"Channels in {self.month}",
            (
                "Channel",
                "Posts",
                *(facts.metrics[name].label for name in CORE),
                f"{facts.metrics[RATE].label} (per cent)",
            ),
            rows,
            notes,
            sample=any(one.sample for one in self.channels),
        )

    def cell(self, one: Figure | None, notes: _Notes, *, shown: bool = True) -> Cell:
        if not shown and (one is None or one.value is None):
            return Cell(NOT_APPLICABLE)
        if one is None:
            return Cell(NOT_AVAILABLE, note=notes(f"{NO_RECORD}."))
        if one.value is None:
            return Cell(NOT_AVAILABLE, note=notes(_why(one)))
        return Cell(_number(one.value).text, one.value, notes(sentence(one.note)))

    def further_table(self) -> Table | None:
        """Figures beyond the three, each for one channel: nothing here is ever added."""
        notes = _Notes()
        rows = [
            Row(
                channel.title,
                (
                    Cell(metric.label, metric.name),
                    Cell(self.collected(channel.figures[metric.name])),
                    self.cell(channel.figures[metric.name], notes),
                ),
            )
            for channel in self.channels
            for metric in self.facts.metrics.values()
            if metric.name in channel.figures and metric.name not in CORE
        ]
        if not rows:
            return None
        return self.table(
            f"Further figures in {self.month}, each for its channel alone",
            ("Channel", "Measure", "Collected", "Figure"),
            rows,
            notes,
            sample=any(one.sample for one in self.channels),
        )

    def partner_table(self) -> Table | None:
        """Clicks that partners' readers made; none of them is in a channel's figures."""
        if not self.facts.partners:
            return None
        notes = _Notes()
        rows = [
            Row(
                one.name,
                (
                    Cell("utm_source, imported" if one.counted is None else "short links"),
                    Cell(NOT_AVAILABLE) if one.clicks is None else _number(one.clicks),
                ),
            )
            for one in self.facts.partners
        ]
        title = f"Partner-driven clicks in {self.month}"
        return self.table(title, ("Partner", "Counted by", "Clicks"), rows, notes)

    def collected(self, one: Figure) -> str:
        if one.taken_at is None:
            return NOT_AVAILABLE if one.value is None else NOT_APPLICABLE
        return months.moment(one.taken_at, self.facts.zone)

    def plan_table(self) -> Table | None:
        rows = [
            Row(
                months.moment(one.at, self.facts.zone),
                (Cell(one.title), Cell(one.channel), Cell(one.language), Cell(one.state)),
            )
            for one in sorted(
                self.facts.plan_next, key=lambda one: (one.at, one.title, one.channel, one.language)
            )
        ]
        if not rows:
            return None
        title = f"Posts planned for {months.named(months.following(self.facts.month))}"
        return self.table(
            title,
            (f"Time ({self.facts.zone})", "Post", "Channel", "Language", "State"),
            rows,
            _Notes(),
            sourced=False,
        )

    def post_table(self) -> Table | None:
        notes = _Notes()
        rows = []
        for post in sorted(self.facts.posts, key=lambda one: (one.published_at, one.key)):
            withdrawn = ""
            if post.withdrawn_at is not None:
                withdrawn = notes(
                    f"Withdrawn on {months.moment(post.withdrawn_at, self.facts.zone)}."
                )
            rows.append(
                Row(
                    post.title,
                    (
                        Cell(post.channel),
                        Cell(post.language),
                        Cell(self.moment_of(post)),
                        *(
                            self.cell(
                                post.figures.get(name),
                                notes,
                                shown=post.linked
                                if name == "clicks"
                                else post.channel not in self.unshown,
                            )
                            for name in CORE
                        ),
                    ),
                    note=withdrawn,
                )
            )
        if not rows:
            return None
        return self.table(
            f"Posts published in {self.month}",
            (
                "Post",
                "Channel",
                "Language",
                f"Published ({self.facts.zone})",
                *(self.facts.metrics[name].label for name in CORE),
            ),
            rows,
            notes,
        )

    def others_table(self) -> Table | None:
        """What others published: listed by itself, and never added to what is ours."""
        notes = _Notes()
        shown = [name for name in CORE if name != "clicks"]  # counted on our own links alone
        apart = notes(
            "Published by others on accounts that are not ours. In no sum of this report."
        )
        rows = [
            Row(
                one.url,
                (
                    Cell(one.whose or NOT_AVAILABLE),
                    Cell(one.channel),
                    Cell(one.campaign),
                    Cell(months.day(one.published_at, self.facts.zone)),
                    *(self.cell(one.figures.get(name), notes) for name in shown),
                ),
                note=apart,
            )
            for one in self.facts.others
        ]
        if not rows:
            return None
        labels = (self.facts.metrics[name].label for name in shown)
        columns = ("Post", "By", "Channel", "Campaign", "Published", *labels)
        title = f"Posts by others about our campaigns, published in {self.month}"
        return self.table(title, columns, rows, notes)

    def figure_table(self, every: Sequence[MonthFacts]) -> Table | None:
        """Every figure that went into the report, so that each number can be traced."""
        notes = _Notes()
        rows = [
            Row(
                channel.title,
                (
                    Cell(months.named(month.month), month.month),
                    Cell(metric.label, metric.name),
                    Cell(_from(channel.figures[metric.name])),
                    Cell(self.collected(channel.figures[metric.name])),
                    _identity(channel.figures[metric.name].snapshot),
                    self.cell(channel.figures[metric.name], notes),
                ),
            )
            for month in every
            for channel in sorted(month.channels, key=_order)
            for metric in self.facts.metrics.values()
            if metric.name in channel.figures
            and (channel.shown or channel.value(metric.name) is not None)
        ]
        if not rows:
            return None
        return self.table(
            "Figures that this report is made from",
            ("Channel", "Month", "Measure", "Source", "Collected", "Record", "Figure"),
            rows,
            notes,
            sample=any(one.sample for month in every for one in month.channels),
        )

    def definition_table(self, every: Sequence[MonthFacts]) -> Table:
        used = {name for month in every for one in month.channels for name in one.figures}
        rows = [
            Row(metric.label, (Cell(metric.unit), Cell(metric.definition)))
            for metric in self.facts.metrics.values()
            if metric.name in used | {*CORE, RATE}
        ]
        return self.table(
            "What the measures mean",
            ("Measure", "Unit", "Definition"),
            rows,
            _Notes(),
            sourced=False,
        )


def _order(channel: ChannelMonth) -> tuple[bool, bool, int, str, str]:
    """Complete channels first, the most displayed on top; the others by name, unshown ones last."""
    complete = is_complete(channel)
    displays = (channel.value("displays") or 0) if complete else 0
    return (
        not channel.shown,
        not complete,
        -displays,
        channel.title.casefold(),
        channel.channel,
    )


def _number(value: int | None) -> Cell:
    if value is None:
        return Cell(NOT_AVAILABLE)
    return Cell(figure(value) if value else NIL, value)


def _changed(line: Line) -> Cell:
    if line.change is None:
        return Cell(f"n/a ({line.why})")
    return Cell(signed(Decimal(line.change)), line.change)


def _rate(value: Decimal | None, base: int | None) -> Cell:
    """A rate on `base`; a base that is missing makes it not available, a small one n/a."""
    if base is None:
        return Cell(NOT_AVAILABLE)
    if value is None:
        return Cell(f"n/a ({no_percentage(base)})")
    return Cell(str(value) if value else NIL, str(value))


def _why(one: Figure) -> str:
    return f"{sentence(Reason(one.reason).sentence)} {sentence(one.note)}".strip()


def _uncounted(one: Figure | None) -> bool:
    """Whether there was something to count, and nobody did."""
    return one is not None and one.reason == Reason.DIRECT_LINKS


def _missing(channel: ChannelMonth) -> list[str]:
    """Why the channel is not complete: its reasons, each said once."""
    found = [channel.figures.get(name) for name in CORE]
    whys = [_why(one) if one else f"{NO_RECORD}." for one in found if not one or one.value is None]
    return list(dict.fromkeys(whys))


def _from(one: Figure) -> str:
    by = f" by {one.by}" if one.by else ""
    return {
        "network": "Network",
        "link": "Short links",
        "import": f"Typed{by}" if by else "Imported file",
    }.get(one.source, one.source) + (by if by and one.source != "import" else "")


def _identity(snapshot: int | None) -> Cell:
    return Cell(NOT_APPLICABLE) if snapshot is None else Cell(str(snapshot), snapshot)


def _times(value: int | None) -> str:
    if value is None:
        return "an unknown number of times"
    return {0: "not once", 1: "once"}.get(value) or f"{figure(value)} times"


def _nil(value: int | None) -> str:
    return NOT_AVAILABLE if value is None else {0: "no"}.get(value) or figure(value)


def _the_channels(number: int) -> str:
    return f"the {plural(number, 'channel')}"


def _after(posts: Sequence[Withdrawn]) -> str:
    """ " after 17 minutes", or " after two to 17 minutes"."""
    minutes = sorted(
        int((post.ended_at - post.published_at).total_seconds() // 60)
        for post in posts
        if post.ended_at and post.published_at
    )
    if not minutes:
        return ""
    if minutes[-1] < 1:
        return " within a minute"
    if minutes[-1] >= 2 * 24 * 60:
        return f" after up to {plural(minutes[-1] // (24 * 60), 'day')}"
    if minutes[-1] >= 2 * 60:
        return f" after up to {plural(minutes[-1] // 60, 'hour')}"
    if minutes[0] == minutes[-1]:
        return f" after {plural(minutes[0], 'minute')}"
    return f" after {count(minutes[0])} to {plural(minutes[-1], 'minute')}"


def _how(post: Withdrawn) -> str:
    """Why it is not withdrawn."""
    return {
        "by hand": "to be deleted by hand",
        "refused": f"refused: {post.reason}",
        "sent": post.reason,
        "open": post.reason or "still being taken down",
    }.get(post.state, post.state)


def _compared(comparison: Comparison, month: str) -> str:
    """One sentence on displays and clicks with three numbers at most."""
    displays, clicks = comparison.line("displays"), comparison.line("clicks")
    then = months.named(comparison.with_month)
    opening = (
        f"In {month}, posts on {_the_channels(len(comparison.channels))} with complete figures "
        f"in both months were displayed {_times(displays.this)}, "
    )
    if displays.change is None:
        against = f"compared with {_nil(displays.before)} in {then}"
    else:
        percent = Decimal(displays.change)
        if percent:
            size = f"{abs(percent):,} per cent {'more' if percent > 0 else 'less'} than"
        else:
            size = "about as often as"
        against = f"{size} on the same channels in {then}"
    return f"{opening}{against}. Their links were followed {_times(clicks.this)}."
