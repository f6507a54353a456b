"""Commands for figures and what is made of them: import, report."""

from dataclasses import asdict
from pathlib import Path

import typer

from outreach.cli import rows
from outreach.cli.door import FOUND, Door, as_json, command, nobody_to_ask, write_whole


@command("outreach import august.csv", "outreach import august.csv --yes", name="import")
def import_(
    ctx: typer.Context,
    file: Path = typer.Argument(..., exists=True, dir_okay=False, help="A CSV file of figures."),
    yes: bool = typer.Option(False, "--yes", help="Keep them without asking."),
    json: bool = typer.Option(False, "--json", help="Show them for machines; keeps with --yes."),
) -> None:
    """Show the figures of a CSV file, ask, and keep them.

    For channels that no program reads: a month each line (channel, month, posts, displays, ...)
    or a post each line (post, displays, likes). A missing figure is `..`, with its reason; never 0.
    Exit code 1 where there are mistakes in it: then nothing is kept.
    """
    door: Door = ctx.obj
    data = file.read_bytes()
    with door.desk() as desk:
        figures = desk.read_figures(data, file=file.name)
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
        desk.import_figures(data, file=file.name, by=door.person(desk))
    if not json:
        typer.echo(f"Kept: {rows.counted(len(figures.months) + len(figures.posts), 'row')}.")


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
        made = desk.report(month, by=door.person(desk))
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
