"""Commands for whoever writes campaign files: new, fmt, schema."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outreach.cli import rows, starter
from outreach.cli.door import FOUND, Door, command
from outreach.errors import NotAllowed, NotFound, Problem, WrongFiles

if TYPE_CHECKING:
    from outreach.campaign.anew import Anew
    from outreach.campaign.edit import Document
    from outreach.campaign.models import Campaign

PLANNED_AHEAD = timedelta(days=60)  # for a first event whose day is to be confirmed


@command(
    "outreach new campaign forum-2026 --from forum-2025 --event 2026-09-01",
    "outreach new campaign study-tour",
    'outreach new message forum-2026/one-week --at "forum - 7 days"',
)
def new(
    ctx: typer.Context,
    kind: str = typer.Argument(..., metavar="campaign|message", help="What to make."),
    name: str = typer.Argument(..., help="Of the campaign; of a message CAMPAIGN/NAME."),
    source: str = typer.Option("", "--from", metavar="CAMPAIGN", help="Make it from this one."),
    event: str = typer.Option("", "--event", metavar="DATE", help="The day of its (first) event."),
    at: str = typer.Option("", "--at", metavar="TIME", help="When the message is due."),
    to: str = typer.Option("", "--to", metavar="AUDIENCE", help="The message's audience."),
) -> None:
    """Make a campaign, the next one from the last, or a message.

    Nothing is written over. From an earlier campaign, messages, slots, audiences and texts are
    copied. What was true of the last event is to be confirmed, translations are stale, and what
    to look at has a comment that ends with "check". Nothing is planned or cleared by it.
    """
    home = ctx.obj.office
    if kind == "campaign":
        _unused("a campaign", **{"--at": at, "--to": to})
        _new_campaign(home, name, source, event)
    elif kind == "message":
        _unused("a message", **{"--from": source, "--event": event})
        _new_message(home, name, at, to)
    else:
        raise NotAllowed(
            f"{kind} is nothing that can be made here",
            "outreach new campaign NAME, or outreach new message CAMPAIGN/NAME",
        )


def _unused(of: str, **options: str) -> None:
    if given := next((option for option, value in options.items() if value), ""):
        raise NotAllowed(f"{given} is not for {of}", "outreach new --help")


def _new_campaign(home: Path, name: str, source: str, event: str) -> None:
    from outreach.campaign.anew import first_campaign, next_campaign

    _a_name(name)
    known = _campaigns(home)
    if name in known:
        raise NotAllowed(
            f"there is a campaign {name} already, in {known[name]}", "choose another name"
        )
    day = _a_day(event) if event else None
    if source:
        document, campaign = _opened(home, source)
        made = next_campaign(document, campaign, name=name, on=day, office=home)
    else:
        author, channel = _usual(home)
        ahead = _today() + PLANNED_AHEAD
        made = first_campaign(name, author=author, channel=channel, event=day, plan_with=ahead)
    _write(home, made)


def _new_message(home: Path, name: str, at: str, to: str) -> None:
    from outreach.campaign.anew import new_message
    from outreach.campaign.tidy import mistakes
    from outreach.hints import did_you_mean

    of, slash, message = name.partition("/")
    if not slash or "/" in message:
        raise NotAllowed(f"{name} names no message of a campaign", "write it as forum-2026/recap")
    _a_name(message)
    document, campaign = _opened(home, of)
    if message in campaign.messages:
        where = campaign.where("messages", message)
        raise NotAllowed(f"{of} has a message {message} already: {where}", "choose another name")
    if to and to not in campaign.audiences:
        hint = did_you_mean(to, campaign.audiences) or f"known: {', '.join(campaign.audiences)}"
        raise NotFound(f"there is no audience {to} in {of}", hint)
    _a_time(at)
    texts = new_message(document, campaign, name=message, at=at, to=to)
    if wrong := mistakes(document.data(), document.shown):
        raise NotAllowed(f"nothing was written: {wrong[0].what}", wrong[0].hint)
    document.write()
    typer.echo(f"added {message} to {document.shown}")
    _made(starter.written(home, {file: text.encode() for file, text in texts.items()}), texts)
    _next("write its texts below their headings", "outreach check", "outreach plan")


def _a_time(text: str) -> None:
    from outreach.campaign.when import parse_when, said

    try:
        _ = text and parse_when(text)
    except ValueError as error:
        raise NotAllowed(*said(error)) from None


def _a_name(text: str) -> None:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text) or len(text) > 60:
        fits = re.sub(r"[^a-z0-9]+", "-", text.lower())[:60].strip("-")
        raise NotAllowed(
            f"“{text[:60]}” cannot be a name: small letters a to z, digits and hyphens, at most 60",
            f"write {fits}" if fits else "write one like forum-2026",
        )


def _a_day(text: str) -> date:
    from outreach.campaign.when import parse_day, said

    try:
        return parse_day(text)
    except ValueError as error:
        raise NotAllowed(*said(error)) from None


def _today() -> date:
    from outreach.config import real_now

    return real_now().date()


def _usual(home: Path) -> tuple[str, str]:
    """Who writes, and where to, as far as the office's settings tell."""
    from outreach.config import read_configuration

    configuration = read_configuration(home)
    officers = [name for name, p in configuration.people.items() if "officer" in p.roles]
    channels = configuration.channels
    feeds = [name for name, channel in channels.items() if channel.platform == "feed"]
    return next(iter(officers), "officer"), next(iter([*feeds, *channels]), "web")


# --- files --------------------------------------------------------------------------------


def _campaigns(home: Path) -> dict[str, str]:
    """The office's campaigns, broken ones too: each with its file."""
    from outreach.campaign.load import campaign_files
    from outreach.campaign.reader import MAX_BYTES, read_yaml

    known: dict[str, str] = {}
    for path in campaign_files(home / "campaigns"):
        shown = path.relative_to(home).as_posix()
        with path.open("rb") as file:
            read = read_yaml(file.read(MAX_BYTES + 1), shown)
        given = read.value.get("campaign") if isinstance(read.value, dict) else None
        known.setdefault(given if isinstance(given, str) and given else path.stem, shown)
    return known


def _opened(home: Path, name: str) -> "tuple[Document, Campaign]":
    """A campaign's file, for changes. NotFound with the nearest name; WrongFiles if broken."""
    from outreach.campaign.edit import Document
    from outreach.campaign.reader import read_yaml
    from outreach.campaign.tidy import mistakes
    from outreach.campaign.typed import typed
    from outreach.hints import did_you_mean

    known = _campaigns(home)
    if name not in known:
        hint = did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}"
        raise NotFound(f"there is no campaign {name}", hint)
    shown = known[name]
    document = Document.read(home / shown, shown=shown)
    if wrong := mistakes(document.data(), shown):
        raise WrongFiles(wrong)
    campaign, _ = typed(read_yaml(document.data(), shown), shown)
    if campaign is None:
        raise NotFound(f"{shown} holds no campaign")
    return document, campaign


def _write(home: Path, made: "Anew") -> None:
    if there := [name for name in made.files if (home / name).exists()]:
        raise NotAllowed(
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} there already, "
            "and nothing is written over",
            "choose another name, or move what is there away",
        )
    _made(starter.written(home, made.files), made.files)  # the campaign last
    for line in made.look_at:
        rows.say([rows.row(line, lead="look  ")])
    _next(
        "look at every “check” and tbc of the file, and read its texts",
        "outreach check",
        "outreach plan",
    )


def _made(made: list[str], wanted: Mapping[str, object]) -> None:
    for name in wanted:
        typer.echo(f"made  {name}" if name in made else f"left  {name} (it was there already)")


def _next(*steps: str) -> None:
    typer.echo("\nNext: " + "; then ".join(steps))


# --- fmt ----------------------------------------------------------------------------------


@command("outreach fmt", "outreach fmt campaigns/forum-2025.yaml", "outreach fmt --check")
def fmt(
    ctx: typer.Context,
    files: list[Path] = typer.Argument(None, metavar="[FILE]...", help="All campaigns, unless."),
    check: bool = typer.Option(False, "--check", help="Only say which files would change."),
) -> None:
    """Tidy campaign files, and never change what they say.

    Indentation, blanks and empty lines are put right. Comments stay. A file with mistakes is left
    alone. Exit code 1 where one has mistakes, or, with --check, where one would change.
    """
    named = _named(ctx.obj, files or [])
    found = [_tidied(path, shown, check=check) for path, shown in named]
    for word, (_, shown) in zip(found, named, strict=True):
        if word:
            typer.echo(f"{word} {shown}")
    same = found.count("")
    if same:
        typer.echo(f"{rows.counted(same, 'file')} {'is' if same == 1 else 'are'} tidy already.")
    if "mistakes in" in found:
        typer.echo("Files with mistakes are left alone: outreach check", err=True)
    if "mistakes in" in found or (check and "would tidy" in found):
        raise typer.Exit(FOUND)


def _named(door: Door, files: list[Path]) -> list[tuple[Path, str]]:
    from outreach.campaign.load import campaign_files

    if not files:
        there = campaign_files(door.office / "campaigns")
        return [(path, path.relative_to(door.office).as_posix()) for path in there]
    if missing := next((path for path in files if not path.is_file()), None):
        raise NotFound(f"there is no file {missing}", "outreach fmt alone tidies every campaign")
    return [(path, path.as_posix()) for path in files]


def _tidied(path: Path, shown: str, *, check: bool) -> str:
    """What was done with a file, in words; "" for nothing."""
    from outreach.campaign.edit import Document
    from outreach.campaign.tidy import mistakes, tidy

    try:
        document = Document.read(path, shown=shown)
    except WrongFiles:
        return "mistakes in"
    if mistakes(document.data(), shown):
        return "mistakes in"
    try:
        changes = tidy(document)
    except NotAllowed as error:
        rows.say([rows.row(str(Problem(shown, str(error), error.hint)))])
        return "left"
    if not changes:
        return ""
    if check:
        return "would tidy"
    document.write()
    return "tidied"


# --- schema -------------------------------------------------------------------------------


@command("outreach schema", "outreach schema --out campaign.schema.json")
def schema(
    ctx: typer.Context,
    out: Path | None = typer.Option(None, "--out", metavar="FILE", help="Write it there."),
) -> None:
    """Print the JSON Schema of campaign files, for editors.

    With it an editor completes keys, explains them and underlines slips. editors.md of the
    documentation says how an editor finds it.
    """
    import json

    from outreach.campaign import schema as campaigns

    made = json.dumps(campaigns.schema(), ensure_ascii=False, indent=2)
    if out is None:
        typer.echo(made)
        return
    out.write_text(made + "\n", encoding="utf-8")
    typer.echo(f"written {out}")
