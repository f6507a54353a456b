"""Commands for figures and what is made of them: import, adopt, report."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outreach.cli import rows
from outreach.cli.door import FOUND, Door, as_json, command, nobody_to_ask, write_whole
from outreach.errors import NotAllowed

if TYPE_CHECKING:
    from outreach.measure.imports import Columns


@command(
    "outreach import august.csv",
    "outreach import august.csv --yes",
    "outreach import export.csv --kind wechat",
    "outreach import export.csv --channel vk --month 2025-08 --column 'Views=displays'",
    "outreach import --undo 3",
    name="import",
)
def import_(
    ctx: typer.Context,
    file: Path | None = typer.Argument(
        None,
        exists=True,
        dir_okay=False,
        help="A CSV file of figures; those that were imported, without one.",
    ),
    kind: str = typer.Option("", help="A table of config/columns.toml: what its heads mean."),
    column: list[str] = typer.Option(
        [], metavar="HEAD=NAME", help="What one head means; NAME is - to leave it out."
    ),
    channel: str = typer.Option("", help="The channel of every row, where no column says it."),
    month: str = typer.Option("", metavar="YYYY-MM", help="The month of every row, likewise."),
    undo: int | None = typer.Option(None, metavar="NUMBER", help="Take an import back."),
    yes: bool = typer.Option(False, "--yes", help="Keep them without asking."),
    json: bool = typer.Option(False, "--json", help="Show them for machines; keeps with --yes."),
) -> None:
    """Show the figures of a CSV file, ask, and keep them.

    For channels that no program reads: a month each line (channel, month, posts, displays, ...)
    or a post each line (post, displays, likes). A missing figure is `..`, with its reason; never 0.
    Exit code 1 where there are mistakes in it: then nothing is kept.
    """
    door: Door = ctx.obj
    if undo is not None and file is not None:
        raise NotAllowed("a file is imported, or an import is taken back", "give one of the two")
    if undo is not None or file is None:
        _imported(door, undo, json=json)
        return
    data = file.read_bytes()
    columns = _columns(column, channel, month)
    with door.desk() as desk:
        figures = desk.figures.read(data, file=file.name, kind=kind, columns=columns)
        if json:
            as_json(asdict(figures))
        else:
            rows.say(rows.row(line, whole=True) for line in figures.preview())
        if figures.problems:
            raise typer.Exit(FOUND)
        if json and not yes:
            return
        if not yes and not door.asks:
            raise nobody_to_ask("these figures are not kept yet", f"outreach import {file} --yes")
        if not yes and not typer.confirm("Keep these figures?"):
            typer.echo("Nothing was kept.")
            return
        by = door.person(desk)
        made = desk.figures.keep(data, file=file.name, by=by, kind=kind, columns=columns)
    if not json:
        count = rows.counted(len(figures.months) + len(figures.posts), "row")
        typer.echo(f"Kept: {count}. To take them back: outreach import --undo {made.number}")
        if column:
            typer.echo("For the next time, in config/columns.toml:\n")
            typer.echo(f"[{kind or channel or 'NAME'}]")
            typer.echo("\n".join(f'"{head}" = "{name}"' for head, name in columns.names.items()))


def _imported(door: Door, undo: int | None, *, json: bool) -> None:
    """List what was imported, or take one of it back."""
    with door.desk() as desk:
        if undo is not None:
            back = desk.figures.undo(undo, by=door.person(desk))
            typer.echo(f"Taken back: {back.file}. Its figures count in no report from now on.")
            return
        found, zones = desk.figures.imports(), rows.Zones.of(desk)
        if json:
            as_json(
                [
                    {
                        "number": one.id,
                        "file": one.file,
                        "by": one.by,
                        "at": one.at,
                        "undone_by": one.undone_by,
                        "undone_at": one.undone_at,
                    }
                    for one in found
                ]
            )
            return
        for one in found:
            line = f"{one.id}  {one.file}, by {one.by}, {zones.show(one.at)}"
            if one.undone_at:
                line += f"; taken back by {one.undone_by}, {zones.show(one.undone_at)}"
            rows.say([rows.row(line, whole=True)])
        if not found:
            typer.echo("No file of figures was imported.")


def _columns(given: list[str], channel: str, month: str) -> "Columns":
    from outreach.measure.imports import Columns

    names = {}
    for one in given:
        head, equals, name = one.rpartition("=")
        if not equals or not head.strip() or not name.strip():
            raise NotAllowed(
                f"{one!r} does not say what a column means", "--column 'Views=displays'"
            )
        names[head.strip()] = name.strip()
    return Columns(names, channel, month)


@command(
    "outreach adopt https://www.linkedin.com/posts/… --campaign forum-2025 --channel linkedin",
    "outreach adopt",
)
def adopt(
    ctx: typer.Context,
    url: str = typer.Argument("", metavar="[ADDRESS]", help="Its address; all, without one."),
    campaign: str = typer.Option("", help="The campaign that it is about."),
    channel: str = typer.Option("", help="A channel of ours on the network where it stands."),
    whose: str = typer.Option("", help="Who published it."),
    on: str = typer.Option("", metavar="YYYY-MM-DD", help="When it was published; today."),
    remove: bool = typer.Option(False, "--remove", help="Let it go: it is not reported any more."),
    json: bool = typer.Option(False, "--json", help="List them for machines."),
) -> None:
    """Adopt a post that others made about a campaign of ours.

    It is reported in a table of its own, and never added to what is ours. Its figures come by CSV,
    by its address: outreach import.
    """
    door: Door = ctx.obj
    with door.desk() as desk:
        if not url:
            found = desk.figures.adopted()
            if json:
                as_json([asdict(one) for one in found])
                return
            for one in found:
                by = f" by {one.whose}" if one.whose else ""
                rows.say([rows.row(one.url, whole=True)])
                day = rows.Zones.of(desk).show(one.published_on)
                rows.say([rows.row(f"{one.campaign}, {one.channel}{by}, {day}", indent=4)])
            if not found:
                typer.echo("No post of others is adopted.")
            return
        by_whom = door.person(desk)
        if remove:
            desk.figures.let_go(url, by=by_whom)
            typer.echo("Let go: it is not reported any more.")
            return
        if not campaign or not channel:
            raise NotAllowed("say what it is about, and where", "--campaign NAME --channel NAME")
        desk.figures.adopt(
            url, campaign=campaign, channel=channel, by=by_whom, whose=whose, on=_day(on)
        )
        typer.echo("Adopted: it is reported apart from our own posts.")
        typer.echo("Its figures come by its address: outreach import FILE.csv (post,displays,…)")


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotAllowed(f"{text!r} is not a day", "write it as 2025-08-20") from None


@command("outreach report 2025-08", "outreach report 2025-08 --out ~/Documents")
def report(
    ctx: typer.Context,
    month: str = typer.Argument(..., help="Year and month: 2025-08."),
    out: Path | None = typer.Option(None, metavar="DIR", help="Where to write; reports/ if not."),
    json: bool = typer.Option(False, "--json", help="Print it for machines; writes no file."),
) -> None:
    """Compute a month and write it as Word, web page and JSON.

    It is frozen as it was computed. The month is one of the report's zone, and figures are those
    known at the cut-off; a month that is not over has those up to now, and says so. A figure that
    a network does not give is absent and says why; it is never zero.
    """
    from outreach.report.documents import FORMATS

    door: Door = ctx.obj
    with door.desk() as desk:
        made = desk.figures.report(month, by=door.person(desk))
        if made.made_at < made.ends:
            typer.echo(f"{month} is not over: the report has what is known up to now.", err=True)
        if json:
            as_json(made.as_data())
            return
        folder = out or desk.home / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        for kind in FORMATS.values():
            data = kind.write(made, template_folder=desk.home / "templates" / "reports")
            file = folder / f"outreach-{made.month}{kind.suffix}"
            write_whole(file, data)
            typer.echo(f"wrote {file}")
    typer.echo()
    rows.say(rows.row(sentence) for sentence in made.summary)
