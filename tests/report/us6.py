"""August 2025 with one platform missing: the figures of the sample file, as a report's facts."""

from datetime import UTC, datetime
from pathlib import Path

from outreach.measure import months
from outreach.measure.imports import MonthRow, read_figures
from outreach.measure.metrics import Metric, load_metrics
from outreach.report.facts import ChannelMonth, Figure, MonthFacts, ReportInput

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "outreach" / "demo" / "sample-figures.csv"
TEMPLATES = ROOT / "templates" / "reports"
METRICS = dict(load_metrics(ROOT / "config" / "metrics.toml"))
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


def month_facts(month: str, *, sample: bool = False) -> MonthFacts:
    found = (channel_month(row, sample=sample) for row in rows() if row.month == month)
    return MonthFacts(month, tuple(found))


def facts(month: str = "2025-08", *, sample: bool = False, **more: object) -> ReportInput:
    values: dict[str, object] = {
        "month": month,
        "zone": "Asia/Bangkok",
        "cut_off": months.default_cut_off(month, "Asia/Bangkok"),
        "made_at": datetime(2025, 9, 6, 2, tzinfo=UTC),
        "office": "NEASPEC secretariat",
        "metrics": METRICS,
        "this": month_facts(month, sample=sample),
        "before": month_facts(months.before(month), sample=sample),
        "year_ago": month_facts(months.year_before(month), sample=sample),
    }
    return ReportInput(**{**values, **more})  # type: ignore[arg-type]  # a fixture's keywords


__all__ = ["METRICS", "TEMPLATES", "TITLES", "Metric", "channel_month", "facts", "month_facts"]
