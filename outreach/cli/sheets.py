"""Command for people who work in Excel: sheet."""

import difflib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outreach.cli import rows, show
from outreach.cli.door import Door, as_json, command, nobody_to_ask, write_whole
from outreach.cli.files import composed
from outreach.cli.rows import Row, Zones, row
from outreach.errors import NotAllowed, NotFound, Problem, WrongFiles

if TYPE_CHECKING:
    from outreach.app import Outreach
    from outreach.campaign.plan import Plan
    from outreach.campaign.values import Loaded
    from outreach.folder import Files
    from outreach.sheets.book import Book, Got
    from outreach.sheets.office import Import, Made, Planned

WAYS = "[translations|calendar|import]"


@command(
    "outreach sheet translations korean.xlsx --language ko",
    "outreach sheet calendar plan.xlsx --campaign forum-2025",
    "outreach sheet import korean.xlsx",
)
def sheet(
    ctx: typer.Context,
    action: str = typer.Argument(..., metavar=WAYS),
    file: Path = typer.Argument(..., metavar="FILE.xlsx", dir_okay=False),
    language: str = typer.Option("", help="The language to translate into: ko."),
    campaign: str = typer.Option("", metavar="ID", help="Of this campaign alone."),
    yes: bool = typer.Option(False, "--yes", help="Write without asking."),
    json: bool = typer.Option(False, "--json", help="Show an import for machines."),
) -> None:
    """Write an Excel sheet for a translator or an officer; read it back.

    `translations` has a row for each text that a language needs, `calendar` a row for each
    message. `import` takes either: it shows what would change, asks, and writes the campaign
    files and texts. With any mistake in the sheet nothing is written, and the exit code is 1.
    """
    door: Door = ctx.obj
    if action == "import":
        if language or campaign:
            what = "--language and --campaign are for writing a sheet, not for reading one"
            raise NotAllowed(what, f"outreach sheet import {file}")
        _import(door, file, yes=yes, json=json)
    elif action in ("translations", "calendar"):
        _may_write(file, yes=yes)
        if action == "translations":
            _translations(door, file, language, campaign)
        else:
            _calendar(door, file, campaign)
    else:
        raise NotAllowed(f"{action} is nothing to do with sheets", f"outreach sheet {WAYS} FILE")


# --- out ----------------------------------------------------------------------------------


def _may_write(file: Path, *, yes: bool) -> None:
    if file.suffix.lower() != ".xlsx":
        raise NotAllowed(f"{file} is not the name of an Excel file", f"name it {file.stem}.xlsx")
    if file.exists() and not yes:
        hint = "name another file, or write over it with --yes"
        raise NotAllowed(f"{file} is there already: somebody may have worked in it", hint)


def _translations(door: Door, file: Path, language: str, campaign: str) -> None:
    from outreach.sheets import translations
    from outreach.sheets.book import cannot_export
    from outreach.sheets.office import by_message, chosen, messages

    if not language:
        raise NotAllowed("it is not said into which language", "write --language ko")
    with door.desk(prepare=False) as desk:
        files = composed(desk)
        told = messages(desk.home, chosen(files.loaded.campaigns, campaign))
        texts = translations.texts(told, language, desk.channels)
        if not texts:
            needed = sorted(
                {lg for one in told for lg in one.audience()}
                - {one.campaign.languages.source for one in told}
            )
            hint = f"translations are needed into: {', '.join(needed) or 'no language'}"
            raise NotFound(f"no message needs a text in {language}", hint)
        drafts = by_message(files.drafts.values())
        seen = [
            (text, translations.shown(text, drafts.get(text.key[:2], ()), desk.channels))
            for text in texts
        ]
        sources = [
            (f"{text.told.file}:{section.line}", section.source.strip("\n"))
            for text in texts
            for section in (text.source, text.translation)
            if section
        ]
        if problems := cannot_export(sources):
            raise WrongFiles(problems)
        _write(file, translations.book(seen, language, desk.office))
    counts: dict[str, int] = {}
    for text in texts:
        counts[str(text.state)] = counts.get(str(text.state), 0) + 1
    states = ", ".join(f"{count} {state}" for state, count in counts.items())
    typer.echo(f"wrote {file}: {rows.counted(len(texts), 'text')} ({states})")
    _left_out(files.loaded, told)


def _calendar(door: Door, file: Path, campaign: str) -> None:
    from outreach.planning import standing
    from outreach.sheets import calendar
    from outreach.sheets.book import cannot_export
    from outreach.sheets.office import by_message, chosen, messages

    with door.desk() as desk:
        files = composed(desk)
        told = messages(desk.home, chosen(files.loaded.campaigns, campaign))
        sources = [
            (f"{one.file}:{section.line}", section.source.strip("\n"))
            for one in told
            for section in one.texts.sections
        ]
        if problems := cannot_export(sources):
            raise WrongFiles(problems)
        with desk.store.looking() as ask:
            states = {one.key: one.state for one in standing(ask)}
        drafts = by_message(files.drafts.values())
        names = [(one.campaign.campaign, one.name) for one in told]
        office = desk.configuration.settings.office
        zones = dict.fromkeys(zone for zone in (office.zone, office.also_zone) if zone)
        made = calendar.book(
            told,
            office=desk.office,
            zones=[_shown_in(zone) for zone in zones],
            states={
                name: calendar.status(one, drafts.get(name, ()), states)
                for name, one in zip(names, told, strict=True)
            },
        )
        _write(file, made)
    typer.echo(f"wrote {file}: {rows.counted(len(told), 'message')}")
    _left_out(files.loaded, told)


def _shown_in(zone: str) -> tuple[str, "Callable[[datetime], str]"]:
    """A zone's city, and how it shows an instant: "Sat 26 Jul 2025, 08:00"."""
    city = rows.place(zone)
    return city, lambda at: Zones(zone).show(at).removesuffix(f" {city}")


def _write(file: Path, made: "Book") -> None:
    from outreach.sheets.book import write

    write_whole(file, write(made))


def _left_out(loaded: "Loaded", told: "list[Planned]") -> None:
    """Say what is not in a sheet, or not as it should be."""
    for name in sorted(loaded.unreadable):
        typer.echo(f"left out: {name}, whose file has mistakes: outreach check", err=True)
    for name in dict.fromkeys(one.file for one in told if one.broken):
        typer.echo(f"{name} has mistakes; texts of it may be left out: outreach check", err=True)


# --- in -----------------------------------------------------------------------------------


def _import(door: Door, file: Path, *, yes: bool, json: bool) -> None:
    from outreach.sheets import office
    from outreach.sheets.book import read
    from outreach.sheets.xlsx import MOST_BYTES

    if not file.exists():
        raise NotFound(f"there is no file {file}", "look at how it is written")
    with file.open("rb") as opened:
        got = read(opened.read(MOST_BYTES + 1), file.name)
    with door.desk() as desk:
        before = composed(desk)
        asked = _asked(desk, before, got)
        made, problems = office.files(desk.home, asked)
        if asked.problems or problems:
            raise _wrong([*asked.problems, *problems])
        with _as_it_would_be(desk, made) as trial:
            then = composed(trial)
            if broken := then.loaded.unreadable - before.loaded.unreadable:
                raise _wrong(_in_cells(then, broken, asked, made))
            plan = trial.plan(then)
        mistakes = _new_mistakes(before, then)
        if json:
            as_json(_as_data(asked, made, mistakes, plan))
        else:
            rows.say(_shown(asked, mistakes, plan if asked.keys or made else None, Zones.of(desk)))
        if not made or (json and not yes):
            return
        if not yes and not door.asks:
            raise nobody_to_ask("nothing is written yet", f"outreach sheet import {file} --yes")
        if not yes and not typer.confirm("Write these changes into the files?"):
            typer.echo("Nothing was written.")
            return
        office.write(desk.home, made)
    if not json:
        typer.echo(f"Written: {', '.join(made)}.")
        if plan.operations:
            typer.echo(f"To record that plan: outreach apply {plan.hash}")


def _asked(desk: "Outreach", files: "Files", got: "Got") -> "Import":
    from outreach.compose.texts import read_texts
    from outreach.sheets import calendar, translations
    from outreach.sheets.office import messages

    told = messages(desk.home, files.loaded.campaigns)
    got, unread = _without_unreadable(got, files.loaded)
    heads = {translations.KIND: translations.HEADS, calendar.KIND: calendar.HEADS}
    if missing := heads.get(got.kind, frozenset()) - set(got.heads):
        what = f"it lacks the column “{min(missing)}”, and cannot be read"
        raise _wrong([Problem(got.kind, what, "export a new sheet")])
    if got.kind == translations.KIND:
        asked = translations.read(got, told, desk.channels)
    elif got.kind == calendar.KIND:
        asked = calendar.read(
            got,
            told,
            files.loaded.campaigns,
            desk.channels,
            lambda file: read_texts(desk.home / file, file),
        )
    else:
        raise NotAllowed(f"a workbook of the kind {got.kind} is not known here", "export a new one")
    return replace(asked, problems=(*unread, *asked.problems))


def _without_unreadable(got: "Got", loaded: "Loaded") -> tuple["Got", list[Problem]]:
    """Without the rows of campaigns whose file has mistakes; each of those is told."""
    stays = tuple(one for one in got.rows if one["campaign"] not in loaded.unreadable)
    problems = [
        Problem(
            one.places["campaign"],
            f"the file of {one['campaign']} has mistakes, and cannot be changed from here",
            "put them right first: outreach check",
        )
        for one in got.rows
        if one["campaign"] in loaded.unreadable
    ]
    return replace(got, rows=stays), problems


def _wrong(problems: list[Problem]) -> WrongFiles:
    count = len(problems)
    these = "this" if count == 1 else f"these {count}"
    return WrongFiles(problems, f"nothing was written; put {these} right, and import it again")


@contextmanager
def _as_it_would_be(desk: "Outreach", made: Mapping[str, "Made"]) -> Iterator["Outreach"]:
    """A desk over a copy of the office's folder in which these files are written already.

    It shares the office's database, which planning only reads.
    """
    from outreach.app import Outreach

    with tempfile.TemporaryDirectory(prefix="outreach-") as folder:
        home = Path(folder)
        for name in ("campaigns", "templates"):
            if (desk.home / name).is_dir():
                shutil.copytree(desk.home / name, home / name)
        for name in ("config", "media"):  # read, and never written
            if (desk.home / name).exists():
                (home / name).symlink_to(desk.home / name, target_is_directory=True)
        for name, one in made.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(one.becomes)
        copy = Outreach(
            configuration=replace(desk.configuration, home=home),
            store=desk.store,
            now=desk.now,
        )
        copy.keeps = False
        yield copy


def _in_cells(
    files: "Files", broken: frozenset[str], asked: "Import", made: Mapping[str, "Made"]
) -> list[Problem]:
    """The mistakes that files would have, each at the cell that it comes from."""
    from outreach.campaign.reader import read_yaml

    problems = []
    for problem in files.mistakes:
        file, _, line = problem.where.rpartition(":")
        if file not in made or not file.startswith("campaigns/"):
            continue
        lines = read_yaml(made[file].becomes, file).lines
        paths = [path for path, number in lines.items() if str(number) == line]
        deepest = sorted(paths, key=len, reverse=True)
        cells = [
            cell
            for path in deepest
            for (name, *edited), cell in asked.where.items()
            if name == file and path[: len(edited)] == tuple(edited)[: len(path)] and len(path) > 1
        ]
        problems.append(replace(problem, where=cells[0] if cells else problem.where))
    return problems or [
        Problem(name, "could not be read any more", "change it in the file itself")
        for name in sorted(broken)
    ]


def _new_mistakes(before: "Files", then: "Files") -> list[Problem]:
    """What would be wrong that is not wrong now; lines may have moved."""
    known = {(problem.where.rpartition(":")[0], problem.what) for problem in before.mistakes}
    return [
        problem
        for problem in then.mistakes
        if (problem.where.rpartition(":")[0], problem.what) not in known
    ]


def _shown(
    asked: "Import", mistakes: list[Problem], plan: "Plan | None", zones: Zones
) -> Iterator[Row]:
    about = ""
    for change in asked.changes:
        name = f"{change.campaign}/{change.message}"
        if name != about:
            yield row((name, "bold"))
            about = name
        told = "; ".join(change.told)
        yield row((change.what, "cyan"), (f"  {change.where}", "dim"), f"  {told}", indent=2)
        for mark, line in _lines(change.old, change.new):
            colour = {"-": "red", "+": "green"}.get(mark, "dim")
            yield row((line, colour), indent=6, lead=f"{mark} ", style=colour)
    for line in asked.told:
        yield row((line, "dim"))
    if not asked.changes:
        yield row(("Nothing changes", "bold"), ": every cell is as its file has it.")
        return
    yield row((rows.counted(len(asked.changes), "change"), "bold"))
    if mistakes:
        yield row()
        yield from show.problems(mistakes, [], [])
    if plan is not None:
        yield row()
        yield row(("Once it is written, the plan is:", "bold"))
        yield from show.plan(plan, [], zones)


def _lines(old: str, new: str) -> Iterator[tuple[str, str]]:
    """The lines that change, with one around them."""
    if old == new:
        return
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), n=1, lineterm=""):
        if line[:3] not in ("---", "+++", "@@ "):
            yield line[:1], line[1:]


def _as_data(
    asked: "Import", made: Mapping[str, "Made"], mistakes: list[Problem], plan: "Plan"
) -> dict[str, object]:
    return {
        "kind": asked.kind,
        "changes": [asdict(change) for change in asked.changes],
        "told": list(asked.told),
        "files": list(made),
        "mistakes": [asdict(problem) for problem in mistakes],
        "plan": plan.as_data(),
    }
