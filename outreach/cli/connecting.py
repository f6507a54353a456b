"""The command that connects an account: it asks, or leads through the network's own pages."""

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from outreach.cli.door import FOUND, Door, command, nobody_to_ask
from outreach.errors import NotAllowed

if TYPE_CHECKING:
    from outreach.clearance import Person
    from outreach.connect import Connected, Connecting
    from outreach.platforms import Ask


@command(
    "outreach connect telegram",
    "outreach connect x --paste          the browser is on another machine",
    "outreach connect bluesky --stdin < FILE",
)
def connect(
    ctx: typer.Context,
    channel: str = typer.Argument(..., metavar="CHANNEL", help="As in config/channels.toml."),
    by_hand: bool = typer.Option(
        False, "--by-hand", help="Ask for tokens, also where the network gives them in a browser."
    ),
    paste: bool = typer.Option(
        False, "--paste", help="Listen at no port: paste the address that the browser ends at."
    ),
    port: int = typer.Option(
        0, min=0, max=65535, metavar="N", help="Listen at this port of 127.0.0.1."
    ),
    stdin: bool = typer.Option(
        False, "--stdin", help="Read what is asked from stdin, a line each."
    ),
) -> None:
    """Connect an account: ask for its credentials, try and keep them.

    They are tried by asking the network who we are, which posts nothing. Nothing that is secret is
    shown, or belongs on the command line. Run it again for an account whose token has ended.
    """
    door: Door = ctx.obj
    with door.desk() as desk:
        by = door.person(desk)
        way = desk.connecting(channel)
        asked = _Asked(door, stdin, channel)
        if way.in_browser and not by_hand:
            done = _in_browser(
                way, asked, by, port, paste or ("SSH_CONNECTION" in os.environ and not port)
            )
        else:
            way.places(tuple(one.name for one in way.how.asks if not one.optional))
            for number, step in enumerate(way.how.steps, 1):
                typer.echo(f"{number}. {step}")
            done = way.give(asked.all(way.how.asks), by=by)
    typer.echo(done.said)
    for place in done.kept:
        typer.echo(f"Kept: {place}.")
    if not done.tried:
        typer.echo(f"It could not be tried now. {done.todo}", err=True)
        raise typer.Exit(FOUND)
    typer.echo("An outreach run that is under way takes it when it is started again.")


def _in_browser(
    way: "Connecting", asked: "_Asked", by: "Person", port: int, paste: bool
) -> "Connected":
    import webbrowser

    from outreach.connect import Landing, redirect_to

    port = port or way.how.port
    landing = None if paste else Landing(port)
    try:
        redirect = landing.redirect if landing else redirect_to(port or 8027)
        for number, step in enumerate(way.how.browser, 1):
            typer.echo(f"{number}. {step.replace('{redirect}', redirect)}")
        app = asked.all(one for one in way.how.app if way.lacks(one.name))
        walk = way.begin(redirect, app, by=by)
        typer.echo(f"\nOpen this address in a browser, and agree:\n\n  {walk.address}\n")
        if landing is None:
            typer.echo(
                f"The browser ends at {redirect}, which does not open there. Copy the whole "
                "address of that page."
            )
            return way.finish(walk, asked.one("Paste it here", optional=False), app, by=by)
        with landing.waiting(walk):
            typer.echo("Waiting for the browser to come back; --paste if it is on another machine.")
            if asked.door.asks and {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
                webbrowser.open(walk.address)
            address = landing.answer()
        return way.finish(walk, address, app, by=by)
    finally:
        if landing:
            landing.close()


class _Asked:
    """Where answers come from: a person who types, unseen, or stdin."""

    def __init__(self, door: Door, stdin: bool, channel: str) -> None:
        self.door, self._stdin, self._channel = door, stdin, channel

    def all(self, asks: "Iterable[Ask]") -> dict[str, str]:
        """The answers by name; those that were left out are not there."""
        given = {
            one.name: self.one(one.what[:1].upper() + one.what[1:], optional=one.optional)
            for one in asks
        }
        return {name: value for name, value in given.items() if value}

    def one(self, what: str, *, optional: bool) -> str:
        if self._stdin:
            answer = sys.stdin.readline().strip()
        elif self.door.asks:
            more = " (may be left empty)" if optional else ""
            answer = str(
                typer.prompt(
                    f"{what}{more}",
                    hide_input=True,
                    default="" if optional else None,
                    show_default=False,
                )
            ).strip()
        else:
            raise nobody_to_ask(
                f"{what[:1].lower()}{what[1:]} is needed",
                f"outreach connect {self._channel} --stdin < FILE",
            )
        if not answer and not optional:
            raise NotAllowed(
                f"{what[:1].lower()}{what[1:]} is missing", "give a line for each that is asked"
            )
        if any(not letter.isprintable() for letter in answer) or len(answer) > 8000:
            raise NotAllowed(
                f"what was given for {what[:1].lower()}{what[1:]} is no text of one line",
                "copy it once more",
            )
        return answer
