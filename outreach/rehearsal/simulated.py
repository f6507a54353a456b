"""Reports of a rehearsal: the real ones, stamped so that no figure can be taken for measured."""

from dataclasses import replace

from outreach.report.value import Report, Section

STAMP = "SIMULATED"
UNDER_TABLES = f"{STAMP}: drawn by the program, not measured."
BANNER = (
    f"{STAMP} FIGURES. Nothing was published and nobody measured anything: the figures are drawn "
    "by the program, to show what the report will look like. They must not be quoted."
)


def stamped(report: Report) -> Report:
    """The report with its banner, and the stamp on its title and on every table."""
    return replace(
        report,
        title=f"{STAMP} – {report.title}",
        sample=BANNER,
        sections=tuple(_section(one) for one in report.sections),
    )


def _section(one: Section) -> Section:
    return replace(
        one,
        tables=tuple(replace(table, sample=UNDER_TABLES) for table in one.tables),
        charts=tuple(replace(chart, sample=UNDER_TABLES) for chart in one.charts),
    )
