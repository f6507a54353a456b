"""What `outreach report` does with a report beside writing it: a note's paragraph, and mails."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outreach.cli import rows
from outreach.cli.door import FOUND, Door, as_json, choose, nobody_to_ask
from outreach.errors import NotAllowed

if TYPE_CHECKING:
    from outreach.app import Outreach
    from outreach.report.documents.tracked import Note, Place
    from outreach.reporting import Sending, Traced

NOTES = ("som",)
"""Whom a paragraph can be for."""


def paragraph(
    door: Door,
    period: str,
    *,
    whom: str,
    number: int | None,
    into: Path | None,
    after: str,
    out: Path | None,
    promoting: Sequence[str],
    json: bool,
) -> None:
    """Print the paragraph and where each of its numbers comes from; put it into a note."""
    if whom not in NOTES:
        raise NotAllowed(
            "say for whom the paragraph is" if not whom else f"there is no note for {whom}",
            "outreach report paragraph --for som",
        )
    if into is None and (after or out):
        raise NotAllowed("--after and --out belong to a note", "name it: --into NOTE.docx")
    with door.desk() as desk:
        made = desk.reporting.paragraph(period, promoting=promoting)
        house, titles = desk.folder.house(), [*promoting, *desk.reporting.titles().values()]
        text = made.paragraph.text
        findings = house.lint(text, profile="document", titles=titles) if house else []
        if json:
            as_json({**asdict(made), "findings": [str(one) for one in findings]})
        else:
            _print(made, number)
        for one in findings:
            typer.echo(f"against the house's style: {one}", err=True)
        if into is not None:
            _into(door, desk, made, into, after=after, number=number, out=out)
    if findings:
        raise typer.Exit(FOUND)


def _print(made: "Traced", number: int | None) -> None:
    given = made.paragraph
    if given.sample:
        typer.echo(f"{given.sample}\n", err=True)
    before = "" if number is None else f"{number}. "
    rows.say([rows.row(f"{before}{given.text}")])
    typer.echo()
    said = f"{given.words} words, from the report on {made.period}, version {made.version}:"
    rows.say([rows.row(said, whole=True)])
    for one, records in made.sources:
        rows.say([rows.row(f"{one.text}: {one.where}", whole=True)])
        rows.say(rows.row(record, indent=4, whole=True) for record in records)
    table = given.table
    typer.echo(f"\nAnnex. {table.title}")
    lines = [[column.head for column in table.columns]]
    for row in table.rows:
        cells = [(row.head, row.note), *((cell.text, cell.note) for cell in row.cells)]
        lines.append([f"{text} ({note})" if note else text for text, note in cells])
    widths = [max(len(line[n]) for line in lines) for n in range(len(table.columns))]
    for line in lines:
        texts = [
            text.rjust(width) if n else text.ljust(width)
            for n, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        rows.say([rows.row("  ".join(texts).rstrip(), whole=True)])
    for note in table.notes:
        rows.say([rows.row(f"({note.letter}) {note.text}", whole=True)])


def _into(
    door: Door,
    desk: "Outreach",
    made: "Traced",
    file: Path,
    *,
    after: str,
    number: int | None,
    out: Path | None,
) -> None:
    from outreach.report.documents.tracked import Note

    by = door.person(desk)
    target = out or file.with_name(f"{file.stem}-outreach.docx")
    if target.exists():
        raise NotAllowed(
            f"{target} exists, and nothing is ever written over",
            "name another file: --out NAME.docx",
        )
    note = Note.read(file.read_bytes(), name=file.name)
    place = _place(door, note, after)
    done = desk.reporting.into(note, place, made, by=by, number=number)
    with target.open("xb") as new:  # never over a file that came meanwhile
        new.write(done.data)
    rows.say(
        [
            rows.row(""),
            rows.row(f"wrote {target}", whole=True),
            rows.row(f"paragraph {done.number or ''} after “{place.text}”".replace("  ", " ")),
            rows.row(f"{done.annex} at its end, as tracked changes of {by.name}"),
            *(rows.row(f"renumbered: {one}") for one in done.renumbered),
            *(rows.row(f"to be seen to: {one}") for one in done.left),
            rows.row("to be seen to: the list of contents, and numbers in other paragraphs"),
        ]
    )


def _place(door: Door, note: "Note", after: str) -> "Place":
    """Where it stands; a person is asked where there are several places."""
    found = note.places(after)
    if len(found) < 2 or not door.asks:
        return note.only_place(after)
    shown = found[:9]
    typer.echo(f"\n{note.name} has several places where it could stand, after:")
    rows.say(rows.row(f"{n}  {one.text}", indent=2) for n, one in enumerate(shown, 1))
    letters = "".join(str(n) for n in range(1, len(shown) + 1))
    return shown[int(choose("After which?", letters)) - 1]


def send(door: Door, month: str, *, again: Sequence[str], yes: bool, json: bool) -> None:
    """Show what a report is without, ask, freeze it, and send it to whoever receives it."""
    if not month:
        raise NotAllowed("say which month's report is sent", "outreach report send 2025-08")
    with door.desk() as desk:
        by = door.person(desk)
        to, lacking = desk.reporting.would_send(month)
        before = desk.reporting.sendings(month)
        if not json:
            _ahead(to, lacking, before)
        if not yes:
            if not door.asks:
                raise nobody_to_ask(
                    f"the report on {month} is not sent yet", f"outreach report send {month} --yes"
                )
            if not typer.confirm("Send it?"):
                typer.echo("Nothing was sent.")
                return
        after = desk.reporting.send(month, by=by, again=again)
    version = max((one.version for one in after), default=0)
    newest = [one for one in after if one.version == version]
    if json:
        as_json([asdict(one) for one in after])
    else:
        _became(month, newest, before)
    if any(one.outcome in ("refused", "in doubt") for one in newest):
        raise typer.Exit(FOUND)


def _ahead(to: Sequence[str], lacking: Sequence[str], before: Sequence["Sending"]) -> None:
    rows.say(rows.row(one) for one in lacking or ["Every channel is complete."])
    rows.say([rows.row(f"It goes to: {', '.join(to)}")])
    if before:
        rows.say([rows.row("Of versions sent before:")])
        rows.say(rows.row(f"version {one.version}, {one}", indent=2) for one in before)


def _became(month: str, newest: Sequence["Sending"], before: Sequence["Sending"]) -> None:
    if not newest:
        return
    typer.echo(f"The report on {month}, version {newest[0].version}:")
    if list(newest) == [one for one in before if one.version == newest[0].version]:
        typer.echo("It was sent before; nothing was sent again.")
    rows.say(rows.row(str(one), indent=2) for one in newest)
    if any(not one.outcome for one in newest):
        typer.echo("What waits is tried again while outreach run runs.")
    for one in newest:
        if one.outcome in ("refused", "in doubt"):
            ask = "ask there whether it arrived; if not" if one.outcome == "in doubt" else "then"
            rows.say(
                [rows.row(f"{ask}: outreach report send {month} --again {one.to}", whole=True)]
            )
