"""People who agreed elsewhere to receive a newsletter: a CSV file of who, when and where.

    address, language, source, date

`source` says where the consent can be found again ("sign-up sheet, Forum 2025"); `date` is the day
on which it was given. Mistakes are Problems with file and line, all of them at once.
"""

import csv
import io
from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import Final

from outreach.errors import Problem, WrongFiles
from outreach.hints import did_you_mean
from outreach.subscribers import Consent, address_of

HEADS: Final = ("address", "language", "source", "date")


def read_consents(
    data: bytes, *, file: str, languages: Collection[str], today: date
) -> list[Consent]:
    """The people in a file. Raises WrongFiles with every mistake in it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = Problem(f"{file}:{line}", "this line is not UTF-8 text", "save it as CSV UTF-8")
        raise WrongFiles([problem]) from error
    head = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    heads = [name.strip().lower() for name in next(rows, [])]
    problems = [
        Problem(f"{file}:1", f"the column {name} is missing", did_you_mean(name, heads) or _COLUMNS)
        for name in HEADS
        if name not in heads
    ]
    if problems:
        raise WrongFiles(problems)
    found: dict[str, Consent] = {}
    for cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        where = f"{file}:{rows.line_num}"
        row = {
            name: cell.strip()
            for name, cell in zip(heads, [*cells, *[""] * len(heads)], strict=False)
        }
        wrong = list(_mistakes(row, where, languages, today))
        key = address_of(row["address"]).casefold()
        if not wrong and key in found:
            wrong.append(Problem(where, f"{row['address']} stands here twice", "leave one of them"))
        problems += wrong
        if not wrong:
            at = datetime.combine(date.fromisoformat(row["date"]), time(), UTC)
            address = address_of(row["address"])
            found[key] = Consent(address, row["language"], row["source"][:200], at)
    if problems:
        raise WrongFiles(problems)
    return list(found.values())


_COLUMNS: Final = f"its first line should be: {','.join(HEADS)}"


def _mistakes(
    row: dict[str, str], where: str, languages: Collection[str], today: date
) -> list[Problem]:
    problems = []
    if not address_of(row["address"]):
        what = f"{row['address']!r} is no e-mail address"
        problems.append(Problem(where, what, "write it like name@example.org"))
    if row["language"] not in languages:
        what = f"the newsletter is not sent in {row['language'] or 'no language'!r}"
        problems.append(Problem(where, what, f"it is sent in: {', '.join(languages)}"))
    if not row["source"]:
        what = "it is not said where they agreed"
        problems.append(Problem(where, what, "write the source: sign-up sheet, Forum 2025"))
    try:
        if date.fromisoformat(row["date"]) > today:
            problems.append(
                Problem(where, f"{row['date']} is yet to come", "write when they agreed")
            )
    except ValueError:
        what = f"{row['date']!r} is no day"
        problems.append(Problem(where, what, "write it like 2026-08-25"))
    return problems
