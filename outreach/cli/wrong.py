"""Commands for a post that went wrong: take-down, correct."""

from dataclasses import asdict

import typer

from outreach.cli import rows, show
from outreach.cli.door import FOUND, Door, as_json, choose, command, nobody_to_ask
from outreach.errors import NotAllowed

PATIENCE = 30.0  # seconds until the rest is left to the desk that runs


@command(
    'outreach take-down https://x.com/example/status/1 --why "wrong map"',
    'outreach take-down forum-2025/recap --why "wrong map"',
    'outreach take-down forum-2025/recap/en@x --why "wrong account" --yes',
    "outreach take-down",
    name="take-down",
)
def take_down(
    ctx: typer.Context,
    name: str = typer.Argument(
        "",
        metavar="[MESSAGE]",
        help="CAMPAIGN/MESSAGE, one /LANGUAGE of it, one post's key, or the address of a post. "
        "Or an incident's number, to see how it stands.",
    ),
    why: str = typer.Option("", help="What is wrong with it; it stands in the trail and report."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
    every: bool = typer.Option(False, "--every", help="Of a series: every time that it went out."),
    json: bool = typer.Option(False, "--json", help="For machines."),
) -> None:
    """Delete a wrong post on every channel, now.

    It shows what will go, and asks. What was live is kept as evidence first. Nothing more of the
    message goes out until somebody releases it. An address means its message on all channels.

    One person is enough. Without MESSAGE: what is still live of what was ordered.
    """
    door: Door = ctx.obj
    with door.desk() as desk:
        zones = rows.Zones.of(desk)
        if not name or name.isdigit():
            found = [desk.incidents.standing(int(name))] if name else list(desk.status().incidents)
            if json:
                as_json([asdict(one) for one in found])
            elif not found:
                typer.echo("Nothing that was ordered to be taken down is live still.")
            for one in () if json else found:
                rows.say(show.incident(one, zones))
            if not all(one.done for one in found):
                raise typer.Exit(FOUND)
            return
        by = door.person(desk)
        what = desk.incidents.would_take_down(name, every=every)
        if not json:
            rows.say(show.affected(what))
        asked = not why.strip()
        if asked or not yes:
            if not door.asks:
                raise nobody_to_ask(
                    "a reason is needed" if asked else "it has to be confirmed",
                    f'outreach take-down {name} --why "what is wrong" --yes',
                )
            why = typer.prompt("What is wrong with it?", prompt_suffix=" ") if asked else why
            if not yes and choose("Take it down?", "yn") == "n":
                raise NotAllowed("nothing was taken down", "it is all as it was")
        number = desk.incidents.take_down(name, why, by=by, every=every).number
        stands = desk.incidents.see_to(number, seconds=PATIENCE)
        if json:
            as_json(asdict(stands))
        else:
            rows.say(show.incident(stands, zones))
    if not stands.done:
        raise typer.Exit(FOUND)


@command(
    "outreach correct https://x.com/example/status/1",
    'outreach correct forum-2025/recap --why "the room was wrong" --yes',
)
def correct(
    ctx: typer.Context,
    name: str = typer.Argument(
        ...,
        metavar="MESSAGE",
        help="CAMPAIGN/MESSAGE, one /LANGUAGE of it, one post's key, or the address of a post.",
    ),
    why: str = typer.Option("", help="What was wrong; it stands in the trail and the report."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
) -> None:
    """Put another text in place of a live one, where it stands.

    Change the message's text file first. This shows what would change on each channel, and where
    a network edits nothing what to do instead; then a colleague clears it like any other text,
    and the running desk edits the posts.
    """
    door: Door = ctx.obj
    with door.desk() as desk:
        by = door.person(desk)
        posts = desk.incidents.would_correct(name)
        rows.say(show.differing(posts))
        asked = not why.strip()
        possible = any(not one.instead for one in posts)
        if possible and (asked or not yes):
            if not door.asks:
                raise nobody_to_ask(
                    "a reason is needed" if asked else "it has to be confirmed",
                    f'outreach correct {name} --why "what was wrong" --yes',
                )
            why = typer.prompt("What was wrong?", prompt_suffix=" ") if asked else why
            if not yes and choose("Propose this correction?", "yn") == "n":
                raise NotAllowed("nothing was proposed", "it is all as it was")
        for proposed in desk.incidents.correct(name, why, by=by):
            typer.echo("It waits for a colleague who clears:")
            typer.echo(f"  → outreach review {proposed}")
