"""Commands for publishing: status, tasks, run, tick, alarms, hold, release, settle."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import typer

from outreach.cli import logs, rows, show
from outreach.cli.door import FOUND, Door, as_json, choose, command
from outreach.errors import NotAllowed, OutreachError, Unusable

if TYPE_CHECKING:
    from fastapi import FastAPI

    from outreach.app import Outreach
    from outreach.settle import Answer
    from outreach.watch import Unkept


@command("outreach status", "outreach status --json")
def status(
    ctx: typer.Context,
    json: bool = typer.Option(False, "--json", help="For machines."),
) -> None:
    """Show what needs a person, what is next, what cannot go out."""
    door: Door = ctx.obj
    with door.desk() as desk:
        now = desk.status()
        if json:
            as_json(asdict(now))
        else:
            rows.say(show.status(now, desk.real(), rows.Zones.of(desk)))


@command("outreach tasks", "outreach tasks --json")
def tasks(
    ctx: typer.Context,
    json: bool = typer.Option(False, "--json", help="For machines."),
) -> None:
    """Show what waits for somebody to publish it by hand.

    Or for another office that was asked to.

    Each with who was told what, until when it waits, and your own link to its page.
    """
    door: Door = ctx.obj
    with door.desk() as desk:
        person = door.anybody(desk)
        found = desk.handover.waiting(person.id if person else "")
        if json:
            as_json([asdict(one) for one in found])
        else:
            rows.say(show.tasks(found, rows.Zones.of(desk)))
            if not found:
                typer.echo("No task waits.")


@command("outreach tick")
def tick(ctx: typer.Context) -> None:
    """Take one turn of the clock: publish what is due.

    What is in doubt is looked for, and people are told what waits for them.

    outreach run does the same every second. Only one of them may publish at a time.
    """
    door: Door = ctx.obj
    with door.desk() as desk, desk.store.duty.begin():
        before = sum(1 for _ in desk.trail())
        desk.tick()
        happened = list(desk.trail())[before:]
        rows.say(show.trail(happened, rows.Zones.of(desk)))
    if not happened:
        typer.echo("Nothing was due.")


@command("outreach run", "outreach run --no-web", "outreach run --log-format json")
def run(
    ctx: typer.Context,
    web: bool = typer.Option(True, "--web/--no-web", help="Serve the public pages as well."),
    log_format: logs.Format = typer.Option("text", help="How lines of the log are written."),
) -> None:
    """Run the desk: publish what is due, serve the public pages.

    Figures are collected as well. It runs until it is told to end (Ctrl-C or SIGTERM): then it
    begins nothing more, and finishes what is being sent. Its log goes to stderr.
    """
    door: Door = ctx.obj
    with ExitStack() as held:
        held.enter_context(logs.to_stderr(door.office, sys.stderr, log_format))
        desk = held.enter_context(door.desk())
        held.enter_context(desk.store.duty.begin())  # before anything is said or served
        pages = desk.configuration.settings.web
        served = [
            held.enter_context(page)
            for page in _pages(desk, pages.listen if web else "", pages.watch)
        ]
        typer.echo(f"Running {desk.office} from {desk.home}; Ctrl-C ends it.", err=True)
        _run(desk, served, "desk")


@command(
    "outreach worker",
    "outreach worker --name second-machine",
    "outreach worker --name third --watch 127.0.0.1:8027",
)
def worker(
    ctx: typer.Context,
    name: str = typer.Option(
        "", help="What it is called in status and alarms; this machine's name unless said."
    ),
    watch: str = typer.Option(
        "", metavar="ADDRESS", help="Serve health and metrics there: 127.0.0.1:8027."
    ),
    log_format: logs.Format = typer.Option("text", help="How lines of the log are written."),
) -> None:
    """Help the desk to send, from here or another machine.

    It needs the office's config folder, the secrets, and a PostgreSQL database that it shares
    with outreach run. Run as many as you like, each under a name of its own.
    """
    import socket

    door: Door = ctx.obj
    with ExitStack() as held:
        held.enter_context(logs.to_stderr(door.office, sys.stderr, log_format))
        desk = held.enter_context(door.desk())
        if desk.store.embedded:
            raise Unusable(
                "an SQLite database has one process that sends, and that is outreach run",
                "several machines share a PostgreSQL database: operations.md says how",
            )
        desk.has_folder = False
        name = name or socket.gethostname()
        typer.echo(f"Working for {desk.office} as {name}; Ctrl-C ends it.", err=True)
        served = [held.enter_context(page) for page in _pages(desk, "", watch)]
        _run(desk, served, name)


def _run(desk: "Outreach", served: list["_Page"], name: str) -> None:
    """Run the clock, and these pages, until told to end."""
    from outreach import clock

    if not clock.run(desk, serve=lambda stop: _serve(served, stop), name=name):
        sys.stderr.flush()
        os._exit(FOUND)  # what hangs would be waited for otherwise


def _pages(desk: "Outreach", listen: str, watched: str) -> list["_Page"]:
    """What this process serves: the public pages, and those for whoever watches the machine."""
    from outreach.web import app, watch

    pages = []
    if listen:
        make = partial(app.create_app, desk)
        pages.append(_Page("The public pages are", make, listen, "listen"))
    if watched:
        make = partial(watch.create_app, desk)
        pages.append(_Page("Health and metrics are", make, watched, "watch"))
    return pages


def _serve(pages: list["_Page"], stop: threading.Event) -> None:
    """Serve until told to stop; raises Unusable where a server ends by itself."""
    for page in pages:
        page.start()
    try:
        while all(page.alive for page in pages) and not stop.wait(0.5):
            pass
        if not stop.is_set():
            raise Unusable("the pages have ended by themselves", "see the log above")
    finally:
        for page in pages:
            page.end()


class _Page:
    """A server of pages: its address is taken before the clock starts, or the reason said."""

    def __init__(self, what: str, make: "Callable[[], FastAPI]", listen: str, key: str) -> None:
        import socket

        host, _, port = listen.rpartition(":")
        self._what, self._make = what, make
        self._host, self._port = host.strip("[]"), int(port)
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._socket = socket.socket(family)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((self._host, self._port))
            self._socket.listen()  # whoever comes while the server starts waits for it
        except OSError as error:
            self._socket.close()
            without = ", or: outreach run --no-web" if key == "listen" else ""
            raise Unusable(
                f"the pages cannot be served on {listen}: {error.strerror}",
                f"end what serves there, or choose another {key} of [web]{without}",
            ) from None

    def __enter__(self) -> "_Page":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def start(self) -> None:
        from outreach.web.app import server

        self._server = server(self._make(), host=self._host, port=self._port)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="pages"
        )
        self._thread.start()
        host = f"[{self._host}]" if ":" in self._host else self._host
        port = self._socket.getsockname()[1]
        typer.echo(f"{self._what} on http://{host}:{port}/", err=True)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@command("outreach alarms", "outreach alarms --tell", "outreach alarms --test")
def alarms(
    ctx: typer.Context,
    tell: bool = typer.Option(False, "--tell", help="Tell what is new or over, as a timer does."),
    test: bool = typer.Option(False, "--test", help="Send a test message to whoever is told."),
    json: bool = typer.Option(False, "--json", help="For machines."),
) -> None:
    """Show what is wrong with the machine, the accounts or a post, now.

    A running desk looks by itself, and tells whom [alarms] of config/outreach.toml names. --tell
    does it once, from outside: a timer finds out that the desk itself has ended.
    """
    door: Door = ctx.obj
    with ExitStack() as held:
        if tell:  # what a timer's journal should have: what was told, and what did not arrive
            held.enter_context(logs.to_stderr(door.office, sys.stderr))
        desk = held.enter_context(door.desk())
        if test:
            _try_alarms(desk)
            return
        found = desk.watch.round(_unkept(desk)) if tell else desk.watch.look()
        if json:
            as_json([asdict(one) for one in found])
        else:
            rows.say(show.alarms(found, rows.Zones.of(desk)))
            if not found:
                typer.echo("Nothing is wrong.")
    if found:
        raise typer.Exit(FOUND)


def _try_alarms(desk: "Outreach") -> None:
    ways = desk.watch.ways()
    if not ways:
        raise NotAllowed(
            "nobody is told of alarms here",
            "set mail or telegram-chat of [alarms] in config/outreach.toml",
        )
    failed = desk.watch.try_()
    for way in ways:
        typer.echo(f"{way}: {failed.get(way, 'taken')}")
    if failed:
        raise typer.Exit(FOUND)


def _unkept(desk: "Outreach") -> "Unkept":
    """A desk that runs beside us remembers what it told, and we would tell it again."""
    try:
        with desk.store.duty.begin():
            return "tell"
    except Unusable:
        return "leave"
    except OSError:  # the disk is full for the lock as well
        return "tell"


@command(
    'outreach hold all --why "the venue is closed"',
    'outreach hold campaign:forum-2025 --why "postponed"',
    'outreach hold channel:x --why "the account is being looked at"',
    'outreach hold message:forum-2025/reminder --why "the date may change"',
)
def hold(
    ctx: typer.Context,
    scope: str = typer.Argument(
        ..., help="all, campaign:ID, channel:NAME or message:CAMPAIGN/MESSAGE."
    ),
    why: str = typer.Option(..., help="The reason; it stands in the trail."),
) -> None:
    """Stop publishing at once: all, a campaign, channel or message."""
    door: Door = ctx.obj
    with door.desk() as desk:
        desk.hold(scope, why, by=door.person(desk))
    typer.echo(f"On hold: {scope}. To go on: outreach release {scope}")


@command("outreach release all", "outreach release channel:x")
def release(
    ctx: typer.Context,
    scope: str = typer.Argument(..., help="As it was held; outreach status lists holds."),
) -> None:
    """End a hold, and show what became late meanwhile.

    Nothing of that goes out by itself. On a terminal it asks about each: send it now, skip it,
    or decide later.
    """
    door: Door = ctx.obj
    with door.desk() as desk:
        by = door.person(desk)
        late = desk.release(scope, by=by)
        typer.echo(f"Released: {scope}.")
        if late:
            typer.echo(f"{rows.counted(len(late), 'post')} became late meanwhile:")
        for one in late:
            rows.say(show.line(one, rows.Zones.of(desk)))
            if not door.asks:
                typer.echo(f"  → outreach settle {one.key} --send-now   or --skip")
                continue
            answer = choose("Send it now, skip it, or decide later?", "nsl")
            try:
                if answer == "n":
                    desk.settle(one.key, "send-now", by=by)
                elif answer == "s":
                    desk.settle(one.key, "skip", by=by)
            except OutreachError as error:  # the others still wait
                typer.echo(f"{error}\n→ {error.hint}", err=True)


@command(
    "outreach settle forum-2025/reminder/en@x --live https://x.com/example/status/1",
    "outreach settle forum-2025/reminder/en@x --absent",
)
def settle(
    ctx: typer.Context,
    key: str = typer.Argument(..., help="The post; outreach status lists what needs a person."),
    live: str = typer.Option("", metavar="ADDRESS", help="It is live, there."),
    absent: bool = typer.Option(False, "--absent", help="Somebody looked: it is not live."),
    arrived: bool = typer.Option(
        False, "--arrived", help="The other office has the package that perhaps was lost."
    ),
    retry: bool = typer.Option(False, "--retry", help="It was refused: try again."),
    send_now: bool = typer.Option(False, "--send-now", help="Its time passed: send it late."),
    skip: bool = typer.Option(False, "--skip", help="Leave it: it is never sent."),
    gone: bool = typer.Option(False, "--gone", help="It was to be deleted by hand, and is."),
) -> None:
    """Decide what the program cannot know, or should not do alone.

    Give exactly one of the options. Sending again always needs a clearance that still holds.
    """
    given: dict[Answer, bool] = {
        "live": bool(live),
        "absent": absent,
        "arrived": arrived,
        "retry": retry,
        "send-now": send_now,
        "skip": skip,
        "gone": gone,
    }
    chosen = [answer for answer, wanted in given.items() if wanted]
    if len(chosen) != 1:
        raise NotAllowed(
            "say one thing about it" if chosen else "say what became of it",
            "--live ADDRESS, --absent, --arrived, --retry, --send-now, --skip or --gone",
        )
    door: Door = ctx.obj
    with door.desk() as desk:
        line = desk.settle(key, chosen[0], by=door.person(desk), url=live)
        rows.say(show.line(line, rows.Zones.of(desk)))
