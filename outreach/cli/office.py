"""Commands for the office itself: init, login, people, doctor."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outreach.cli import rows, show, starter, tokens
from outreach.cli.door import FOUND, Door, as_json, command, nobody_to_ask
from outreach.errors import NotAllowed, NotFound, OutreachError

if TYPE_CHECKING:
    from outreach.app import Outreach


@command(
    f'outreach init secretariat --person "{starter.SPELLING}" \\',
    '      --person "bo:Bo Example:bo@example.org:clearer,officer,administrator"',
    "outreach init        in an office's folder: makes or upgrades its database",
)
def init(
    ctx: typer.Context,
    folder: Path | None = typer.Argument(None, metavar="DIR", help="The folder; this one."),
    person: list[str] = typer.Option(
        [], metavar="ID:NAME:EMAIL:ROLES", help="One of the office's first people; twice or more."
    ),
) -> None:
    """Make an office's folder, its database and its first people.

    Nothing that exists is written over. The first two people confirm each other, and the token of
    each is shown once: hand it to them, they sign in with it.
    """
    from outreach.config import real_now

    door: Door = ctx.obj
    home = (folder or door.home or Path(os.environ.get("OUTREACH_HOME", ""))).resolve()
    door.home = home
    people = [starter.newcomer(text) for text in person]
    if not (home / "config" / "people.toml").is_file():
        people = people or _asked(door, home)
        starter.can_work(people)
    elif people:
        raise NotAllowed(
            f"the office in {home} has its people already",
            "add somebody in config/people.toml; two people confirm it: outreach people confirm",
        )
    made, left = starter.lay_out(home, people, today=real_now().date())
    for name in made:
        typer.echo(f"made  {name}")
    for name in left:
        typer.echo(f"left  {name} (it was there already)")
    with door.desk(make=True) as desk:
        typer.echo(f"ready {desk.store.place}")
        first = _first_people(desk)
    for name, token in first.items():
        typer.echo(f"\nThe token of {name}, shown this once:\n  {token}")
    if first:
        typer.echo(f"\nEach signs in with their own: outreach --home {home} login")
        typer.echo(f"The documentation is in {starter.documentation()}: begin with guide.md.")


def _asked(door: Door, home: Path) -> list[starter.Newcomer]:
    if not door.asks:
        raise nobody_to_ask(
            "an office needs its first two people",
            f'outreach init {home} --person "{starter.SPELLING}" '
            '--person "bo:Bo Example:bo@example.org:clearer,officer,administrator"',
        )
    people: list[starter.Newcomer] = []

    def another_id(text: str) -> str:
        identity = starter.an_id(text)
        if identity in [person.id for person in people]:
            raise NotAllowed(f"{identity} is the first person's", "the second one needs another id")
        return identity

    for which, roles in (
        ("An outreach officer", ("officer", "administrator")),
        ("A colleague who clears", ("clearer", "officer", "administrator")),
    ):
        typer.echo(f"{which}:")
        identity = _ask("  id (small letters)", another_id)
        name = _ask("  name", starter.a_name)
        email = _ask("  address for notices", starter.an_address, default="")
        people.append(starter.Newcomer(identity, name, email, roles))
    return people


def _ask(question: str, right: Callable[[str], str], default: str | None = None) -> str:
    """An answer that is `right`; asks until there is one."""
    while True:
        answer = typer.prompt(question, default=default, show_default=False)
        try:
            return right(answer)
        except NotAllowed as error:
            typer.echo(f"  {error}\n  → {error.hint}", err=True)


def _first_people(desk: "Outreach") -> dict[str, str]:
    """Let the first people confirm each other; tokens by id, of nobody where they have."""
    if desk.people():
        return {}
    names = list(desk.configuration.people)
    if len(names) < 2:
        raise NotAllowed(
            "an office has at least two people: nobody clears their own posts",
            "describe them in config/people.toml, then: outreach init",
        )
    for name in names[:2]:
        desk.confirm_people(by=name, first=True)
    return {name: desk.token_for(name, by=None) for name in names}


@command("outreach login", "outreach login --token-stdin < token.txt")
def login(
    ctx: typer.Context,
    token_stdin: bool = typer.Option(False, "--token-stdin", help="Read the token from stdin."),
) -> None:
    """Sign in to this office with your personal token.

    It is kept in a file that only you can read, and sent nowhere. OUTREACH_TOKEN in the
    environment works as well, for one command.
    """
    door: Door = ctx.obj
    with door.desk() as desk:
        if token_stdin:
            token = sys.stdin.readline().strip()
        elif door.asks:
            token = typer.prompt("Your token", hide_input=True).strip()
        else:
            raise nobody_to_ask("a token is needed", "outreach login --token-stdin < FILE")
        person = desk.whose(token)
        file = tokens.keep(desk.home, token)
    typer.echo(f"You are {person.name}: {', '.join(sorted(person.roles))}.")
    typer.echo(f"Your token is kept in {file}.")


@command("outreach people", "outreach people confirm", "outreach people token ana")
def people(
    ctx: typer.Context,
    action: str = typer.Argument("list", metavar="[list|confirm|token]"),
    name: str = typer.Argument("", metavar="[NAME]", help="Whose token."),
) -> None:
    """List people, confirm a changed people.toml, or make a token.

    A changed config/people.toml takes effect when two people have confirmed it. A new token is
    shown once, and ends the one before it.
    """
    door: Door = ctx.obj
    with door.desk() as desk:
        if action == "confirm":
            done = desk.confirm_people(by=door.person(desk).id)
            told = "is in force" if done else "waits for a second person: outreach people confirm"
            typer.echo(f"config/people.toml {told}.")
        elif action == "token":
            by = door.person(desk)
            token = desk.token_for(name or by.id, by=by)
            typer.echo(f"The token of {name or by.id}, shown this once:\n  {token}")
        elif action == "list":
            for person in desk.people().values():
                roles = ", ".join(sorted(person.roles))
                typer.echo(f"{person.id:<12} {person.name} <{person.email}>: {roles}")
            if pending := desk.status().roster:
                typer.echo(pending)
        else:
            raise NotAllowed(
                f"{action} is nothing to do with people", "outreach people [list|confirm|token]"
            )


@command("outreach doctor", "outreach doctor --json")
def doctor(
    ctx: typer.Context,
    json: bool = typer.Option(False, "--json", help="For machines."),
) -> None:
    """Say which account will fail, and why, before the day.

    Asks each network who we are, and looks at the database, the people, the mail server and the
    clock. Publishes nothing. Exit code 1 where something fails.
    """
    from dataclasses import asdict

    from outreach.doctor import Finding, examine, unopened

    door: Door = ctx.obj
    found: list[Finding] = []
    try:
        with door.desk() as desk:
            for finding in examine(desk):
                found.append(finding)
                if not json:
                    rows.say(show.findings([finding]))
    except NotFound:  # no office at all: nothing to examine
        raise
    except OutreachError as error:
        found.append(unopened(error))
        if not json:
            rows.say(show.findings(found[-1:]))
    if json:
        as_json([asdict(finding) for finding in found])
    if any(finding.ok is False for finding in found):
        raise typer.Exit(FOUND)
