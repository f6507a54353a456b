"""The report as one page of HTML: no file beside it, printable, readable on a phone."""

from pathlib import Path
from typing import Any

from markupsafe import escape

from outreach.report.documents import charts
from outreach.report.documents.template import environment, missing, readable
from outreach.report.value import Chart, Report

NAME = "monthly.html"


def write(report: Report, *, template_folder: Path) -> bytes:
    """UTF-8. Raises WrongFiles where the template is missing or wrong."""
    file = template_folder / NAME
    try:
        source = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise missing(file) from error
    with readable(file):
        return environment().from_string(source).render(report=_with_charts(report)).encode()


def _with_charts(report: Report) -> dict[str, Any]:
    data = report.as_data()
    for section, its in zip(report.sections, data["sections"], strict=True):
        for chart, one in zip(section.charts, its["charts"], strict=True):
            one["svg"] = Drawn(chart)
    return data


class Drawn:
    """A chart as `<svg>`, drawn where a template prints it, and read out as its `alt`."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart

    def __html__(self) -> str:
        opening, drawn = charts.svg(self._chart).split(">", 1)
        return f'{opening} role="img" aria-label="{escape(self._chart.alt)}">{drawn}'
