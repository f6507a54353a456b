"""Reports of a rehearsal: the real ones, stamped so that no figure can be taken for measured."""

from dataclasses import replace

from outreach.report.value import Comparison, Report, Table

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
        comparisons=tuple(_comparison(one) for one in report.comparisons),
        channels=_table(report.channels),
        definitions=_table(report.definitions),
        more=report.more and _table(report.more),
        plan=report.plan and _table(report.plan),
        posts=report.posts and _table(report.posts),
        figures=report.figures and _table(report.figures),
    )


def _comparison(one: Comparison) -> Comparison:
    return replace(one, table=one.table and _table(one.table))


def _table(table: Table) -> Table:
    return replace(table, sample=UNDER_TABLES)
