"""August 2025 with one platform missing: the figures of the sample file, as a report's facts."""

from datetime import UTC, datetime
from pathlib import Path

from outreach.measure import months
from outreach.measure.imports import MonthRow, read_figures
from outreach.measure.metrics import Metric, load_metrics
from outreach.report import periods
from outreach.report.facts import Against, ChannelMonth, Figure, MonthFacts, ReportInput
from outreach.report.periods import Period

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "outreach" / "demo" / "sample-figures.csv"
TEMPLATES = ROOT / "templates" / "reports"
METRICS = dict(load_metrics(ROOT / "config" / "metrics.toml"))
ZONE = "Asia/Bangkok"
AGAINST = (
    ("month-before", "Compared with the month before"),
    ("year-before", "Compared with the same month of the year before"),
)
TITLES = {
    "x": "X",
    "linkedin": "LinkedIn",
    "telegram": "Telegram",
    "vk": "VK",
    "facebook": "Facebook",
}


def rows() -> tuple[MonthRow, ...]:
    read = read_figures(
        SAMPLE.read_bytes(), channels=TITLES, metrics=METRICS, filename="sample-figures.csv"
    )
    assert read.problems == ()
    return read.months


def channel_month(row: MonthRow, *, sample: bool = False) -> ChannelMonth:
    figures = {
        name: Figure(name, typed.value, typed.reason, source="import", by="officer", note=row.note)
        for name, typed in row.figures.items()
    }
    return ChannelMonth(row.channel, TITLES[row.channel], row.posts, figures, sample)


def period(name: str) -> Period:
    return periods.parse(name, ZONE)


def month_facts(month: str, *, sample: bool = False) -> MonthFacts:
    found = (channel_month(row, sample=sample) for row in rows() if row.month == month)
    return MonthFacts(period(month), tuple(found))


def facts(month: str = "2025-08", *, sample: bool = False, **more: object) -> ReportInput:
    """A month's; `before` and `year_ago` may be others than those of the sample file."""
    of = {"before": months.before(month), "year_ago": months.year_before(month)}
    against = [
        Against(name, title, more.pop(word, None) or month_facts(then, sample=sample))  # type: ignore[arg-type] # a fixture's keywords
        for (word, then), (name, title) in zip(of.items(), AGAINST, strict=True)
    ]
    values: dict[str, object] = {
        "zone": ZONE,
        "cut_off": months.default_cut_off(month, "Asia/Bangkok"),
        "made_at": datetime(2025, 9, 6, 2, tzinfo=UTC),
        "office": "NEASPEC secretariat",
        "metrics": METRICS,
        "this": month_facts(month, sample=sample),
        "against": tuple(against),
        "plan_within": f"in {months.named(months.following(month))}",
    }
    return ReportInput(**{**values, **more})  # type: ignore[arg-type]  # a fixture's keywords


__all__ = [
    "METRICS",
    "TEMPLATES",
    "TITLES",
    "Metric",
    "channel_month",
    "facts",
    "month_facts",
    "period",
]
