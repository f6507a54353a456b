"""Facts of a month in, a Report out: no database, no clock, no files.

What the documents print is decided here once, with its symbols and footnotes, so that no two of
them can differ. Each section is a module of `sections`.
"""

from outreach.measure import months
from outreach.report.facts import ReportInput
from outreach.report.paper import SAMPLE_BANNER, Paper
from outreach.report.sections import SECTIONS
from outreach.report.sections.compared import comparisons
from outreach.report.sections.summary import completeness, summary
from outreach.report.value import VERSION, Report


def compute(facts: ReportInput) -> Report:
    """The month's report. Pure: the same facts give the same Report, in whatever order.

    Raises NoSuchMonth for a month or a zone that does not exist.
    """
    paper = Paper(facts)
    starts, ends = months.bounds(facts.month, facts.zone)
    every = (facts.this, facts.before, facts.year_ago)
    sampled = any(one.sample for month in every for one in month.channels)
    compared = comparisons(paper)
    return Report(
        version=VERSION,
        month=facts.month,
        title=f"Outreach on social media: {paper.month}",
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
        summary=tuple(summary(paper, compared[0])),
        completeness=tuple(completeness(paper)),
        complete=tuple(paper.complete),
        incomplete=tuple(one.title for one in paper.incomplete),
        comparisons=compared,
        sections=tuple(section for make in SECTIONS for section in make(paper)),
    )
