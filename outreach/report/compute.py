"""Facts of a period in, a Report out: no database, no clock, no files.

What the documents print is decided here once, with its symbols and footnotes, so that no two of
them can differ. Each section is a module of `sections`.
"""

from collections.abc import Iterator

from outreach.measure import months
from outreach.measure.metrics import Reason
from outreach.report.facts import Figure, ReportInput
from outreach.report.paper import SAMPLE_BANNER, Paper
from outreach.report.sections import SECTIONS, som
from outreach.report.sections.compared import comparisons
from outreach.report.sections.summary import completeness, summary
from outreach.report.value import VERSION, Report, Traced

DRAFT = "DRAFT. This report is not kept: figures and words may change. It must not be quoted."
_WHY = {True: Reason.MANUAL_PENDING, False: ""}


def compute(facts: ReportInput) -> Report:
    """The report. Pure: the same facts give the same Report, in whatever order.

    Raises NoSuchMonth for a zone that does not exist.
    """
    paper = Paper(facts)
    period = facts.period
    sampled = any(one.sample for of in facts.every for one in of.channels)
    compared = comparisons(paper)
    return Report(
        version=VERSION,
        period=facts.name,
        kind=period.kind,
        about=period.title,
        within=period.within,
        file_name=_file_name(facts),
        edition=0 if facts.draft else facts.edition,
        supersedes=facts.earlier.edition if facts.earlier else 0,
        by=facts.by,
        draft=DRAFT if facts.draft else "",
        title=f"Outreach on social media: {period.heading}",
        subtitle=_subtitle(facts),
        office=facts.office,
        programme=facts.masthead.programme,
        distribution=facts.masthead.distribution,
        languages=facts.masthead.languages,
        dated=months.day(facts.made_at, facts.zone),
        zone=facts.zone,
        starts=period.starts,
        ends=period.ends,
        cut_off=facts.cut_off,
        made_at=facts.made_at,
        sample=SAMPLE_BANNER if sampled else "",
        summary=(*som.summary(paper), *summary(paper, compared[0] if compared else None)),
        completeness=tuple(completeness(paper)),
        complete=tuple(paper.complete),
        incomplete=tuple(one.title for one in paper.incomplete),
        comparisons=compared,
        sections=tuple(section for make in SECTIONS for section in make(paper)),
        traced=tuple(traced(facts)),
        symbol=facts.masthead.symbol,
    )


def _file_name(facts: ReportInput) -> str:
    som, draft = "som-" if facts.som else "", "-draft" if facts.draft else ""
    return f"outreach-{som}{facts.period.file_name}{draft}"


def _subtitle(facts: ReportInput) -> str:
    """What it is, and which version."""
    what = "Monthly report on reach" if facts.period.kind == "month" else "Report on reach"
    if facts.som:
        what = "Report to the Senior Officials Meeting"
    if facts.draft:
        return f"DRAFT. {what}"
    if not facts.earlier:
        return what
    of = months.day(facts.earlier.made_at, facts.zone)
    return (
        f"{what}, version {facts.edition}, which supersedes version {facts.earlier.edition} of {of}"
    )


def traced(facts: ReportInput) -> Iterator[Traced]:
    """Every figure that it is made from: channels' and standing posts', of every period."""
    of_posts = {facts.period.name: facts.posts}
    of_posts |= {one.facts.period.name: one.posts for one in facts.against}
    for of in facts.every:
        period = of.period.name
        for channel in sorted(of.channels, key=lambda one: one.channel):
            yield _trace(
                channel.channel, period, Figure("posts", channel.posts, _WHY[channel.posts is None])
            )
            for name in sorted(channel.figures):
                yield _trace(channel.channel, period, channel.figures[name])
        for post in sorted(of_posts[period], key=lambda one: one.key):
            if post.withdrawn_at is None:
                yield _trace(post.key, period, Figure("posts", 1))
                for name in sorted(post.figures):
                    yield _trace(post.key, period, post.figures[name])


def _trace(subject: str, period: str, one: Figure) -> Traced:
    return Traced(
        subject,
        period,
        one.metric,
        one.value,
        one.reason,
        one.source,
        one.by,
        one.taken_at,
        one.snapshot,
    )
