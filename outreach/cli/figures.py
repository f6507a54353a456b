"""Commands for figures and what is made of them: import, adopt, report."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outreach.cli import rows
from outreach.cli.door import FOUND, Door, as_json, command, nobody_to_ask, write_whole
from outreach.errors import NotAllowed, Problem, WrongFiles

if TYPE_CHECKING:
    from outreach.app import Outreach
    from outreach.measure.imports import Columns
    from outreach.report.value import Report


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


ACTIONS = ("list", "show", "lessons", "som", "paragraph", "send")


@command(
    "outreach report 2025-08",
    "outreach report 2025-08 --format pdf --format xlsx",
    "outreach report 2025-07-26..2025-09-01 --draft",
    "outreach report event:forum-2025 --against event:forum-2024",
    "outreach report som",
    "outreach report paragraph 2025-08 --for som --into note.docx",
    "outreach report send 2025-08",
    "outreach report list",
    "outreach report show 3",
    "outreach report lessons 2025-08 --add 'Pictures helped.'",
)
def report(
    ctx: typer.Context,
    about: str = typer.Argument(..., metavar="PERIOD|ACTION", help="See below."),
    what: str = typer.Argument("", metavar="[WHAT]", help="Of an action: which report."),
    against: str = typer.Option("", metavar="PERIOD", help="Compare with this instead."),
    draft: bool = typer.Option(False, "--draft", help="Keep nothing; the report says DRAFT."),
    add: list[str] = typer.Option([], metavar="TEXT", help="One more lesson."),
    edit: bool = typer.Option(False, "--edit", help="Write the lessons in your editor."),
    out: Path | None = typer.Option(None, metavar="DIR", help="Where to write; reports/ if not."),
    whom: str = typer.Option("", "--for", metavar="som", help="For whose note a paragraph is."),
    number: int | None = typer.Option(None, min=1, max=999, help="The paragraph's number."),
    into: Path | None = typer.Option(
        None, metavar="NOTE.docx", exists=True, dir_okay=False, help="Put it into a copy of this."
    ),
    after: str = typer.Option("", metavar="TEXT", help="After the paragraph with these words."),
    promoting: list[str] = typer.Option([], metavar="TITLE", help="What was promoted, by title."),
    again: list[str] = typer.Option([], metavar="ADDRESS", help="Send anew to this one."),
    yes: bool = typer.Option(False, "--yes", help="Send without asking."),
    format: list[str] = typer.Option(
        [], metavar="NAME", help="docx, pdf, html, xlsx, csv or json; all, without it."
    ),
    json: bool = typer.Option(False, "--json", help="Print it for machines; writes no file."),
) -> None:
    """Compute a report, keep it as a version, write it in every format.

    PERIOD: a month (2025-08), days (2025-07-26..2025-09-01), campaign:NAME, or the days around its
    event (event:NAME, event:NAME:T-30..T+7). Days are those of the report's zone, and figures
    those known at the cut-off. A figure that a network does not give is absent and says why; it is
    never zero. list: what was kept. show: one of these as it was, by number or period. lessons:
    what was learnt of a period, printed in its reports.

    som: the report to the Senior Officials Meeting, of the days since the last one, or of others.
    paragraph: 60 to 120 words of a kept report for a note, each number with the records that it was
    read from, and an annex; --into puts both into a copy of a note, as tracked changes. send: mails
    a month's report to those of [report] send-to, once to each.
    """
    door: Door = ctx.obj
    note: dict[str, object] = {"--for": whom, "--number": number, "--into": into}
    note |= {"--after": after, "--promoting": promoting}
    sending: dict[str, object] = {"--again": again, "--yes": yes}
    for action, options in (("paragraph", note), ("send", sending)):
        if about != action and (stray := [name for name, value in options.items() if value]):
            raise NotAllowed(f"{stray[0]} belongs to {action}", f"outreach report {action} --help")
    if about == "paragraph":
        from outreach.cli import reporting

        reporting.paragraph(
            door,
            what,
            whom=whom,
            number=number,
            into=into,
            after=after,
            out=out,
            promoting=promoting,
            json=json,
        )
        return
    if about == "send":
        from outreach.cli import reporting

        reporting.send(door, what, again=again, yes=yes, json=json)
        return
    if about not in ACTIONS and what:
        raise NotAllowed(f"{about} {what}: write one period", "outreach report --help")
    _must_be_formats(format)
    with door.desk() as desk:
        if about == "list":
            _list(desk, json=json)
        elif about == "show":
            _write(desk, desk.reports.show(what), out, format, json=json)
        elif about == "lessons":
            _lessons(door, desk, what, add, edit=edit, json=json)
        else:
            by, som = door.person(desk), about == "som"
            about = what if som else about
            if draft:
                made = desk.reports.draft(about, against=against, by=by.name, som=som)
            else:
                made = desk.reports.make(about, against=against, by=by, som=som)
            if made.made_at < made.ends:
                words = (
                    f"{about or made.about} is not over: the report has what is known up to now."
                )
                typer.echo(words, err=True)
            if not made.comparisons:
                hint = "compared-with in the campaign's file, or --against"
                typer.echo(f"It is compared with nothing: name an earlier one, {hint}.", err=True)
            _write(desk, made, out, format, json=json)


def _must_be_formats(names: list[str]) -> None:
    from outreach.report.documents import FORMATS

    for name in names:
        if name not in FORMATS:
            raise NotAllowed(f"{name!r} is no format", f"--format {' or '.join(FORMATS)}")


def _write(
    desk: "Outreach", made: "Report", out: Path | None, formats: list[str], *, json: bool
) -> None:
    """Its documents, one of each format, or JSON alone."""
    from outreach.report.documents import FORMATS

    if json:
        as_json(made.as_data())
        return
    folder = out or desk.home / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    wrong: list[Problem] = []
    for name, kind in FORMATS.items():
        if formats and name not in formats:
            continue
        try:
            data = kind.write(made, template_folder=desk.home / "templates" / "reports")
        except WrongFiles as error:  # of this format's template; the others are written
            wrong += error.problems
            continue
        file = folder / f"{made.file_name}{kind.suffix}"
        write_whole(file, data)
        typer.echo(f"wrote {file}")
    typer.echo()
    rows.say(rows.row(sentence) for sentence in made.summary)
    if wrong:
        raise WrongFiles(wrong)


def _list(desk: "Outreach", *, json: bool) -> None:
    found = desk.reports.kept()
    if json:
        as_json([asdict(one) for one in found])
        return
    zones = rows.Zones.of(desk)
    for one in found:
        over = ", superseded" if one.superseded else ""
        rows.say([rows.row(f"{one.number}  {one.period}, version {one.version}{over}")])
        rows.say([rows.row(f"made {zones.show(one.made_at)} by {one.by}", indent=4)])
    if not found:
        typer.echo("No report was kept yet: outreach report 2025-08")


def _lessons(
    door: Door, desk: "Outreach", about: str, add: list[str], *, edit: bool, json: bool
) -> None:
    if not about:
        raise NotAllowed("say of which period", "outreach report lessons 2025-08")
    kept = desk.reports.lessons(about)
    texts = [one.text for one in kept]
    if edit:
        if not door.asks:
            raise nobody_to_ask("there is no terminal to edit in", "--add TEXT")
        from click import edit as in_editor

        written = in_editor("\n".join([*texts, LESSONS]), require_save=True)
        if written is None:
            typer.echo("Nothing was changed.")
            return
        lines = [line.strip() for line in written.splitlines()]
        texts = [line for line in lines if line and not line.startswith("#")]
    if edit or add:
        kept = desk.reports.learn(about, [*texts, *add], by=door.person(desk))
    if json:
        as_json([asdict(one) for one in kept])
        return
    zones = rows.Zones.of(desk)
    for one in kept:
        rows.say([rows.row(f"{one.number}  {one.text}", whole=True)])
        rows.say([rows.row(f"{one.by}, {zones.show(one.at)}", indent=4)])
    if not kept:
        typer.echo("Nothing is written yet: --add TEXT, or --edit.")


LESSONS = "# One lesson a line. They are printed in the report, each with who wrote it and when."
