"""Commands for the second person's yes: review, clear, return, trail."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outreach.cli import rows, show
from outreach.cli.door import Door, as_json, choose, command, nobody_to_ask
from outreach.errors import NotAllowed, NotFound, OutreachError

if TYPE_CHECKING:
    from outreach.app import Outreach
    from outreach.clearance import Person, Reading, Window


@command(
    "outreach review",
    "outreach review forum-2025/reminder",
    "outreach review forum-2025/reminder/en@wechat --save to-post",
    "outreach review --json",
)
def review(
    ctx: typer.Context,
    name: str = typer.Argument(
        "", metavar="[NAME]", help="A campaign, message or language of it; or one post's key."
    ),
    save: Path = typer.Option(
        None, metavar="FOLDER", help="With a key: write its text and pictures there."
    ),
    json: bool = typer.Option(False, "--json", help="For machines."),
) -> None:
    """Show what waits for clearance, as the public would see it.

    One reading is a message in one language on all its channels, with the command that clears
    exactly what is on the screen. Without NAME: everything, soonest first.

    With a post's key: that post in full, whatever its state, such as a task for a channel that
    is posted to by hand.
    """
    door: Door = ctx.obj
    with door.desk() as desk:
        if "@" in name:
            _in_full(desk, name, save, json=json)
            return
        if save:
            raise NotAllowed("only one post can be saved", "name it: outreach review KEY --save …")
        found = _chosen(desk.readings(), name)
        if json:
            as_json([show.reading_as_data(one, desk.channels) for one in found])
            return
        person = door.anybody(desk)
        for one in found:
            _show(desk, one, person)
    if not found:
        typer.echo("Nothing waits for clearance.")


def _in_full(desk: "Outreach", key: str, save: Path | None, *, json: bool) -> None:
    one = desk.in_full(key)
    if json:
        as_json(show.line_as_data(one))
    else:
        rows.say(show.in_full(one, desk.channels.get(key.rpartition("@")[2]), rows.Zones.of(desk)))
    if save and one.post:
        save.mkdir(parents=True, exist_ok=True)
        texts = "\n\n".join(part.text for part in one.post.parts)
        (save / "text.txt").write_text(texts + "\n", encoding="utf-8")
        pictures = [picture for part in one.post.parts for picture in part.pictures]
        for number, picture in enumerate(pictures, 1):
            file = save / f"{number}-{Path(picture.file).name}"
            file.write_bytes(picture.data)
            file.with_suffix(file.suffix + ".txt").write_text(picture.alt + "\n", encoding="utf-8")
            if captions := picture.captions:
                name = Path(captions.file).with_suffix("." + captions.type.rpartition("/")[2]).name
                (save / f"{number}-{name}").write_bytes(captions.data)
        for name, data in desk.preview(key).items():
            (save / name).write_bytes(data)
        typer.echo(
            f"Its text and {rows.counted(len(pictures), 'picture')} are in {save}.", err=True
        )


def _chosen(readings: list["Reading"], name: str) -> list["Reading"]:
    """The readings below a name ("forum-2025", "forum-2025/recap"). Raises NotFound."""
    wanted = name.rstrip("/")
    found = [r for r in readings if f"{r.name}/".startswith(f"{wanted}/")] if wanted else readings
    if wanted and not found:
        names = ", ".join(reading.name for reading in readings) or "nothing"
        raise NotFound(f"nothing of {name} waits for clearance", f"waiting: {names}")
    return found


def _show(desk: "Outreach", reading: "Reading", person: "Person | None") -> None:
    from outreach.clearance import MAY_CLEAR

    mine = person is not None and person.id in reading.authors
    clearer = person is None or MAY_CLEAR in person.roles
    zones = rows.Zones.of(desk)
    rows.say(show.reading(reading, desk.channels, zones, mine=mine, clearer=clearer))
    typer.echo()


@command(
    "outreach clear",
    "outreach clear forum-2025/reminder/en 1a2b3c4d",
    "outreach clear forum-2025/reminder/en 1a2b3c4d --window until=2025-08-24",
)
def clear(
    ctx: typer.Context,
    name: str = typer.Argument("", metavar="[NAME]", help="CAMPAIGN/MESSAGE/LANGUAGE."),
    fingerprint: str = typer.Argument(
        "", metavar="[FINGERPRINT]", help="What outreach review showed beside it."
    ),
    window: str = typer.Option(
        "day",
        metavar="time|day|until=YYYY-MM-DD",
        help="How far it may move and stay cleared: not at all, within its day (the default), "
        "or until that day has passed in the office's zone.",
    ),
    emergency: str = typer.Option(
        "", metavar="REASON", help="Clear your own post; told to all clearers and in the report."
    ),
    decided: str = typer.Option(
        "", metavar="DECISION", help="What is decided where the house's style asks, and why."
    ),
) -> None:
    """Say yes to a message, exactly as you have read it.

    Alone, on a terminal, it walks through what waits for you and asks about each. You cannot
    clear what you wrote.
    """
    from outreach.clearance import MAY_CLEAR

    door: Door = ctx.obj
    with door.desk() as desk:
        by = door.person(desk)
        until = _window(window, desk)
        if not fingerprint:
            if emergency:
                raise NotAllowed(
                    "an emergency needs the message's NAME and FINGERPRINT",
                    'outreach clear NAME FINGERPRINT --emergency "REASON"',
                )
            if not door.asks:
                raise nobody_to_ask(
                    "what was read has to be named",
                    "outreach review shows each message with the command that clears it",
                )
            by.must_be(MAY_CLEAR)
            _walk(desk, _chosen(desk.readings(for_=by), name), by, until)
            return
        cleared = desk.clear(
            name, fingerprint, by=by, window=until, emergency=emergency, decided=decided
        )
        if cleared.message.endswith("~correction"):
            typer.echo(f"Cleared {cleared.name}: outreach run edits what is live.")
            return
        for rendering in cleared.renderings:
            when = rows.Zones.of(desk).show(rendering.slot.at)
            typer.echo(f"Cleared {rendering.key}, due {when}.")


def _window(text: str, desk: "Outreach") -> "Window":
    from zoneinfo import ZoneInfo

    from outreach.clearance import Window

    if text in ("time", "day"):
        return Window("time" if text == "time" else "day")
    try:
        day = date.fromisoformat(text.removeprefix("until="))
    except ValueError:
        raise NotAllowed(
            f"{text!r} is no window", "--window time, --window day or --window until=2025-08-24"
        ) from None
    zone = ZoneInfo(desk.configuration.settings.office.zone)
    return Window("until", datetime.combine(day + timedelta(days=1), datetime.min.time(), zone))


def _walk(desk: "Outreach", readings: list["Reading"], by: "Person", window: "Window") -> None:
    waiting = [reading for reading in readings if reading.renderings]
    if not waiting:
        typer.echo("Nothing waits for you.")
    for number, reading in enumerate(waiting, 1):
        typer.echo(f"{number} of {len(waiting)}")
        _show(desk, reading, by)
        answer = choose("Clear it exactly as it stands? yes, return, later, quit", "yrlq")
        if answer == "q":
            return
        try:
            if answer == "y":
                decided = ""
                if reading.questions:
                    decided = typer.prompt("What is decided about it, and why")
                desk.clear(reading.name, reading.fingerprint, by=by, window=window, decided=decided)
                typer.echo(f"Cleared {reading.name}.\n")
            elif answer == "r":
                why = typer.prompt("What should change?", prompt_suffix=" ")
                desk.return_(reading.name, why, by=by)
                typer.echo(f"Returned {reading.name} to its authors.\n")
        except OutreachError as error:  # the others still wait
            typer.echo(f"{error}\n→ {error.hint}\n", err=True)


@command(
    'outreach return forum-2025/reminder/en --why "the room is another one now"', name="return"
)
def return_(
    ctx: typer.Context,
    name: str = typer.Argument(..., help="CAMPAIGN/MESSAGE/LANGUAGE, or one post's key."),
    why: str = typer.Option(..., help="What should change; its authors are told."),
) -> None:
    """Send a message back to its authors. If it was cleared, it no longer is."""
    door: Door = ctx.obj
    with door.desk() as desk:
        for key in desk.return_(name, why, by=door.person(desk)):
            typer.echo(f"Returned {key}.")


@command("outreach trail forum-2025/reminder/en@web", "outreach trail --json")
def trail(
    ctx: typer.Context,
    key: str = typer.Argument("", metavar="[KEY]", help="A post; without one, everything."),
    json: bool = typer.Option(False, "--json", help="For machines."),
) -> None:
    """Show everything that happened to a post: when, who, what, why."""
    door: Door = ctx.obj
    with door.desk() as desk:
        lines = desk.trail(key)
        if json:
            names = ("at", "who", "what", "why")
            as_json([dict(zip(names, line, strict=True)) for line in lines])
        else:
            rows.say(show.trail(lines, rows.Zones.of(desk)))
