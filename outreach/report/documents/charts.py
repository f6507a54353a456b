"""Charts: one definition for page and documents, as SVG and as PNG.

Nothing is told by colour alone: bars carry their series' name and figure, lines have each a dash,
a shape and their name at the end. So they are read in grey, in print and by the colour-blind. Where
there is no figure there is no mark: a bar is `..`, and a line has a gap. The same chart gives the
same bytes.
"""

import json
import textwrap
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from outreach.report import fonts
from outreach.report.value import Chart
from outreach.report.words import figure

WIDTH = 430  # pixels at 96 to the inch: 11.4 cm, and readable on a telephone
SCALE = 3  # of the PNG: 288 dots to the inch

_FONT = f"{fonts.SANS}, Arial, sans-serif"
_INK, _GREY = "#1b1b1b", "#d0d0d0"
# From dark to light, and each as different in grey as in colour.
_FILLS = ("#1f4e79", "#a6c8e4", "#5b7f3a", "#e3cf8a", "#6d5a7a", "#d9d9d9")
_LINES = ("#1f4e79", "#b0562b", "#4c7a34", "#6d5a7a", "#8a6d00", "#444444")
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [1, 3], [12, 3])
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
_SIZE = 13  # pixels of its text
_BAR, _PLOT = 20, 220  # pixels of a bar with its gap, and of the height of lines
_MISSING = ".."


def also(folder: Path) -> None:
    """Take the fonts of this folder too, if there is one."""
    if folder.is_dir():
        import vl_convert

        vl_convert.register_font_directory(str(folder))


@cache
def svg(chart: Chart) -> str:
    """The chart as one `<svg>`, with its words as text. It has no title: the caption is outside."""
    import vl_convert

    vl_convert.register_font_directory(str(fonts.FOLDER))
    drawn: str = vl_convert.vegalite_to_svg(_definition(chart), vl_version="6.4")
    return drawn


@cache
def png(chart: Chart) -> bytes:
    """The chart as a picture, at 288 dots to the inch."""
    import vl_convert

    picture: bytes = vl_convert.svg_to_png(svg(chart), scale=SCALE)
    return picture


def _definition(chart: Chart) -> dict[str, Any]:
    import altair as alt

    made = _lines(chart) if chart.kind == "lines" else _bars(chart)
    made = made.configure(
        background="white",
        font=_FONT,
        padding=4,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor=_INK, titleColor=_INK, labelFontSize=_SIZE, titleFontSize=_SIZE,
            titleFontWeight="normal", domainColor=_INK, gridColor=_GREY, tickColor=_INK,
            labelLimit=400,
        ),
        header=alt.HeaderConfig(labelColor=_INK, labelFontSize=_SIZE, labelLimit=400),
    )  # fmt: skip
    defined: dict[str, Any] = made.to_dict()
    return defined


def _bars(chart: Chart) -> Any:
    """A bar for each label and series, named on its left, with its figure at its end.

    With one series the labels are the names; with several, each label is a group of bars.
    """
    import altair as alt

    groups, names = [_wrapped(one, 20) for one in chart.labels], [""]
    grouped = len(chart.series) > 1
    if grouped:
        names = [_wrapped(one.name, 16) for one in chart.series]
    points = [
        {
            "group": group,
            "name": name if grouped else group,
            "series": name,
            "value": _number(value),
            "end": max(_number(value) or 0, 0),
            "zero": 0,
            "says": _MISSING if value is None else _printed(value),
        }
        for name, one in enumerate(chart.series)
        for group, value in enumerate(one.values)
    ]
    said = max(_breadth(str(one["says"])) for one in points) + 8
    width = WIDTH - max(map(_breadth, groups)) - (max(map(_breadth, names)) if grouped else 0) - 40
    width = max(width, 120)
    ends = [float(Decimal(value)) for one in chart.series for value in one.values if value]
    low, top = min([*ends, 0]), max([*ends, 0])
    # Room for the figure at the end of the longest bar.
    room = (top - low or 1) * said / max(width - said, 60)
    scale = alt.Scale(domain=[low, top + room], nice=False)
    y = alt.Y(
        "name:O",
        title=None,
        axis=alt.Axis(
            labelExpr=_words(names if grouped else groups), ticks=False, domain=False,
            labelPadding=6,
        ),
    )  # fmt: skip
    fills = alt.Scale(domain=list(range(len(_FILLS))), range=list(_FILLS))
    base = alt.Chart().encode(y=y)
    layers = alt.layer(
        base.mark_rule(color=_INK, strokeWidth=1).encode(x=alt.X("zero:Q", axis=None, scale=scale)),
        base.mark_bar(stroke=_INK, strokeWidth=0.8, height={"band": 0.78}).encode(
            x=alt.X("value:Q", axis=None, scale=scale),
            color=alt.Color("series:O", legend=None, scale=fills),
        ),
        base.mark_text(align="left", dx=5, fontSize=_SIZE, color=_INK).encode(
            x=alt.X("end:Q", axis=None, scale=scale), text=alt.Text("says:N")
        ),
    )
    lines = max(name.count("\n") for name in (names if grouped else groups))
    layers = layers.properties(width=width, height=alt.Step(_BAR + lines * (_SIZE + 2)))
    data = alt.InlineData(values=points)
    if not grouped:
        return layers.properties(data=data)
    head = alt.Header(labelExpr=_words(groups), labelAngle=0, labelAlign="left", labelPadding=8)
    return layers.facet(data=data, row=alt.Row("group:O", title=None, header=head), spacing=9)


def _lines(chart: Chart) -> Any:
    """A line for each series over the labels, with its name at its end."""
    import altair as alt

    points = [
        {"label": label, "series": series, "value": _number(value)}
        for series, one in enumerate(chart.series)
        for label, value in enumerate(one.values)
    ]
    known = [one["value"] for one in points if one["value"] is not None]
    top, low = max([*known, 0]) or 1, min([*known, 0])
    names = [_wrapped(one.name, 18) for one in chart.series]
    each = list(range(len(names)))
    x = alt.X(
        "label:O",
        title=None,
        axis=alt.Axis(
            labelExpr=_words([_wrapped(one, 9) for one in chart.labels]), labelAngle=0,
            labelOverlap="greedy", labelPadding=4, grid=False,
        ),
        scale=alt.Scale(domain=list(range(len(chart.labels)))),
    )  # fmt: skip
    y = alt.Y(
        "value:Q",
        title=chart.unit,
        axis=alt.Axis(
            format=",~f", tickCount=5, titleAngle=0, titleAlign="left", titleAnchor="end",
            titleY=-14, titleX=-40, domain=False, ticks=False,
        ),
        scale=alt.Scale(domain=[low, top], nice=True),
    )  # fmt: skip
    base = alt.Chart(alt.InlineData(values=points)).encode(x=x, y=y)

    def told(channel: Any, by: Sequence[Any]) -> Any:
        some = [by[one % len(by)] for one in each]
        return channel("series:O", legend=None, scale=alt.Scale(domain=each, range=some))

    colour = told(alt.Color, _LINES)
    names_at = alt.Chart(alt.InlineData(values=_ends(chart, names, float(top - low))))
    layers = alt.layer(
        base.mark_line(strokeWidth=2, invalid="break-paths-show-path-domains").encode(
            color=colour, strokeDash=told(alt.StrokeDash, _DASHES)
        ),
        base.mark_point(filled=True, size=45, opacity=1, invalid="filter").encode(
            color=colour, shape=told(alt.Shape, _SHAPES)
        ),
        names_at.mark_text(
            align="left", dx=10, fontSize=_SIZE, color=_INK, lineBreak="\n", baseline="middle"
        ).encode(x=x, y=y, text=alt.Text("says:N")),
    )
    width = WIDTH - max(map(_breadth, names)) - _breadth(figure(int(top))) - 10
    return layers.properties(width=width, height=_PLOT)


def _ends(chart: Chart, names: Sequence[str], span: float) -> list[dict[str, Any]]:
    """Where each series' name stands: beside its last figure, and not upon another name."""
    found: list[dict[str, Any]] = []
    for one, says in zip(chart.series, names, strict=True):
        known = [value for value in one.values if value is not None]
        if known:
            at = len(chart.labels) - 1
            found.append({"label": at, "value": _number(known[-1]), "says": says})
    found.sort(key=lambda one: one["value"])
    step = span * (_SIZE + 3) / _PLOT
    for before, after in pairwise(found):
        apart = step * (before["says"].count("\n") + after["says"].count("\n") + 2) / 2
        after["value"] = max(after["value"], before["value"] + apart)
    return found


def _words(labels: Sequence[str]) -> str:
    """The expression that gives a place its label, in lines: two labels may read alike."""
    return f"{json.dumps([one.split(chr(10)) for one in labels])}[datum.value]"


def _wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(text, width) or [""])


def _breadth(text: str) -> int:
    """Pixels that a text takes, in lines."""
    longest = max(fonts.length(line, "NotoSans-Regular") for line in text.split("\n"))
    return round(longest * _SIZE) + 1


def _number(value: int | str | None) -> float | int | None:
    return float(Decimal(value)) if isinstance(value, str) else value


def _printed(value: int | str) -> str:
    return value if isinstance(value, str) else figure(value)
