"""The report as PDF, by Typst: tagged, and held to PDF/UA-1, so that it can be read aloud.

The template `monthly.typ` gets the report as data (JSON in `sys.inputs`), never as code, and reads
no file outside its folder. A letter that no font has is told with the text that it stands in.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

from outreach.errors import Problem, WrongFiles
from outreach.report import fonts
from outreach.report.documents import charts
from outreach.report.documents.template import missing, printable
from outreach.report.documents.widths import widths
from outreach.report.value import Report
from outreach.report.words import listing

NAME = "monthly.typ"


def write(report: Report, *, template_folder: Path) -> bytes:
    """A PDF; the same report gives the same bytes. Raises WrongFiles for a template or a font."""
    import typst

    file = template_folder / NAME
    if not file.is_file():
        raise missing(file)
    folders = [one for one in (fonts.FOLDER, template_folder / "fonts") if one.is_dir()]
    try:
        made: bytes = typst.compile(
            file,
            root=template_folder,
            font_paths=folders,
            sys_inputs={"report": json.dumps(_data(report), ensure_ascii=False)},
            pdf_standards="ua-1",
            timestamp=report.made_at.astimezone(UTC).replace(microsecond=0),
        )
    except typst.TypstError as error:
        raise WrongFiles(list(_problems(error.diagnostic, file, report))) from error
    return made


def _data(report: Report) -> dict[str, Any]:
    """The report's data; with each chart its drawing, with each table its columns' parts."""
    data: dict[str, Any] = _clean(report.as_data())
    for section, its in zip(report.sections, data["sections"], strict=True):
        for chart, one in zip(section.charts, its["charts"], strict=True):
            one["svg"] = charts.svg(chart)
        for table, one in zip(section.tables, its["tables"], strict=True):
            one["widths"] = widths(table)
    return data


def _clean(data: Any) -> Any:
    """The same without the characters that no document may hold."""
    if isinstance(data, str):
        return printable(data)
    if isinstance(data, list):
        return [_clean(one) for one in data]
    if isinstance(data, dict):
        return {name: _clean(one) for name, one in data.items()}
    return data


# What Typst says, as it is written for a terminal.
_NO_GLYPH = re.compile(r"the text `\"(.+?)\"` could not be displayed")
_PLACE = re.compile(r"┌─ (?:.*/)?([^/\n]+):(\d+):\d+")
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")


def _problems(said: str, file: Path, report: Report) -> Iterator[Problem]:
    """Every mistake of a template with its line; then every text that has a letter of no font."""
    lacking: list[str] = []
    for one in re.split(r"^error: ", said, flags=re.MULTILINE)[1:]:
        what = one.split("\n", 1)[0].removeprefix("PDF/UA-1 error: ")
        if found := _NO_GLYPH.match(what):
            lacking += _ESCAPED.sub(lambda code: chr(int(code[1], 16)), found[1])
        else:
            place = _PLACE.search(one)
            where = f"{file.parent / place[1]}:{place[2]}" if place else str(file)
            yield Problem(where, what, _todo(what, one))
    letters = [one for one in dict.fromkeys(lacking) if not one.isspace()]
    for text in dict.fromkeys(_texts(report.as_data())) if letters else ():
        if here := [one for one in letters if one in text]:
            yield Problem(
                str(file), f"no font has {_named(here)}, in “{_about(text, here)}”", _FONT
            )
            letters = [one for one in letters if one not in here]
    if letters:
        yield Problem(str(file), f"no font has {_named(letters)}, which it prints", _FONT)


_FONT = (
    "install a font that has it (on Debian `apt install fonts-noto-cjk`, for emoji "
    "`fonts-noto-color-emoji`), or put its file into templates/reports/fonts"
)


def _todo(what: str, said: str) -> str:
    if what.startswith("failed to download package"):
        return "write what you need into the template: nothing is fetched for a report"
    hints = re.findall(r"= hint: (.+)", said)
    return "; ".join(hints) or "`outreach init` writes the template that came with the program"


def _named(letters: list[str]) -> str:
    return listing([f"{one} (U+{ord(one):04X})" for one in letters[:6]]) + (
        f" and {len(letters) - 6} more" if len(letters) > 6 else ""
    )


def _about(text: str, letters: list[str]) -> str:
    """The part of a text in which these letters stand."""
    start = max(min(text.index(one) for one in letters) - 30, 0)
    part = text[start : start + 80]
    return f"{'…' if start else ''}{part}{'…' if start + 80 < len(text) else ''}"


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, list | dict):
        for one in data.values() if isinstance(data, dict) else data:
            yield from _texts(one)
