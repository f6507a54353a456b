"""Commands for campaign files: check, plan, apply."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outreach.cli import rows, show
from outreach.cli.door import FOUND, Door, as_json, command, nobody_to_ask
from outreach.errors import NotAllowed, Problem, WrongFiles

if TYPE_CHECKING:
    from outreach.app import Outreach
    from outreach.campaign.plan import Plan
    from outreach.folder import Files


@command(
    "outreach check", "outreach check --links", "outreach check --json", "outreach check --watch"
)
def check(
    ctx: typer.Context,
    links: bool = typer.Option(False, "--links", help="Ask the addresses whether they work."),
    json: bool = typer.Option(False, "--json", help="For machines."),
    watch: bool = typer.Option(False, "--watch", help="Check again after every change."),
) -> None:
    """Show every mistake of every file, with its line and what to do.

    What is to be confirmed is listed apart: it is no mistake, but a post that prints it waits.
    Exit code 1 where there are mistakes.
    """
    door: Door = ctx.obj
    if watch:
        from outreach.cli.watching import again_and_again

        if json:
            raise NotAllowed("--watch is for people, and --json for machines", "leave one out")
        again_and_again(door, lambda: _checked(door, links=links, json=json))
    if _checked(door, links=links, json=json):
        raise typer.Exit(FOUND)


def _checked(door: Door, *, links: bool, json: bool) -> bool:
    """Show what is wrong with the office's files; whether there are mistakes."""
    try:
        with door.desk(prepare=False) as desk:
            files = composed(desk)
            problems, count = list(files.problems), len(files.drafts)
            with rows.progress("Reading words in pictures", many=0) as tell:
                problems += desk.folder.look_into_pictures(files, tell)
            if links:
                with rows.progress("Asking addresses", many=0) as tell:
                    problems += desk.folder.ask_links(files, desk.ask, tell)
    except WrongFiles as error:  # the configuration: posts cannot be made, but files can be read
        problems, count = [*error.problems, *_campaign_problems(door.office)], 0
    problems += _list_problems(door.office)
    mistakes = [problem for problem in problems if problem.mistake]
    open_ = [problem for problem in problems if problem.open]
    advice = [problem for problem in problems if problem.advice]
    if json:
        as_json(
            {
                "mistakes": [asdict(problem) for problem in mistakes],
                "open": [asdict(problem) for problem in open_],
                "advice": [asdict(problem) for problem in advice],
                "posts": count,
            }
        )
    else:
        rows.say(show.problems(mistakes, open_, advice))
        if not mistakes:
            typer.echo(f"No mistakes in {rows.counted(count, 'post')}.")
    return bool(mistakes)


def _campaign_problems(home: Path) -> Iterable[Problem]:
    from outreach.campaign.load import load_campaigns

    return load_campaigns(home / "campaigns", root=home).problems


def _list_problems(home: Path) -> list[Problem]:
    """Mistakes in the lists that only a running desk or a report would read."""
    from outreach.campaign.care import load_dates
    from outreach.measure.clicks import load_bots
    from outreach.measure.metrics import load_metrics
    from outreach.measure.som import som

    readers: tuple[tuple[Callable[[Path], object], str], ...] = (
        (load_bots, "bots.txt"),
        (load_metrics, "metrics.toml"),
        (load_dates, "dates.toml"),
        (som, "som.toml"),
    )
    problems: list[Problem] = []
    for read, name in readers:
        try:
            read(home / "config" / name)
        except WrongFiles as error:
            problems += [
                replace(problem, where=problem.where.removeprefix(f"{home}/"))
                for problem in error.problems
            ]
    return problems


def composed(desk: "Outreach") -> "Files":
    with rows.progress("Composing") as tell:
        return desk.files(progress=tell)


@command("outreach plan", "outreach plan --json")
def plan(
    ctx: typer.Context,
    json: bool = typer.Option(False, "--json", help="For machines."),
) -> None:
    """Show what applying the campaign files would change, and why.

    It changes nothing. The hash at its end is what `outreach apply` records.
    """
    door: Door = ctx.obj
    with door.desk() as desk:
        files = composed(desk)
        made = desk.plan(files)
        if json:
            as_json({**made.as_data(), "mistakes": [asdict(problem) for problem in files.mistakes]})
        else:
            _show(desk, files, made)


def _show(desk: "Outreach", files: "Files", made: "Plan") -> None:
    rows.say(show.plan(made, files.mistakes, rows.Zones.of(desk)))


@command("outreach apply", "outreach apply 3f2a9c4b1d77", "outreach apply 3f2a9c4b1d77 --really")
def apply(
    ctx: typer.Context,
    hash: str = typer.Argument("", metavar="[HASH]", help="What outreach plan showed."),
    really: bool = typer.Option(False, "--really", help="Drop more than a third of the cleared."),
) -> None:
    """Record a plan, exactly as it was shown.

    With HASH it is that plan or none; without, the plan is shown and you are asked. What is
    recorded waits for clearance by somebody else: you become an author of it.
    """
    door: Door = ctx.obj
    with door.desk() as desk:
        by = door.person(desk)
        shown = hash
        if not shown:
            files = composed(desk)
            made = desk.plan(files)
            if not made.operations:
                _show(desk, files, made)
                if files.mistakes:
                    raise typer.Exit(FOUND)
                return
            if not door.asks:
                raise nobody_to_ask(
                    "there is a plan to look at",
                    f"outreach plan, then to record exactly that: outreach apply {made.hash}",
                )
            _show(desk, files, made)
            if not typer.confirm("Record this plan?"):
                typer.echo("Nothing was recorded.")
                return
            shown = made.hash
        applied = desk.apply(shown, by=by, really=really)
        waiting = len([reading for reading in desk.readings() if reading.renderings])
    count = rows.counted(len(applied.operations), "change")
    typer.echo(f"Recorded: {count}." if applied.operations else "There was nothing to record.")
    if waiting:
        verb = "waits" if waiting == 1 else "wait"
        typer.echo(f"{rows.counted(waiting, 'message')} {verb} for a colleague: outreach review")
