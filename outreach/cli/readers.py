"""The command for those who receive the newsletters: subscribers."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outreach.cli import rows
from outreach.cli.door import FOUND, Door, command, write_whole
from outreach.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from outreach.app import Outreach
    from outreach.clearance import Person


@command(
    "outreach subscribers",
    "outreach subscribers import list.csv",
    "outreach subscribers export list.csv --channel newsletter",
    "outreach subscribers forget name@example.org",
    "outreach subscribers bounces returned.mbox",
    "outreach subscribers doubts forum-2025/recap/en@newsletter",
)
def subscribers(
    ctx: typer.Context,
    action: str = typer.Argument("list", metavar="[list|import|export|forget|bounces|doubts]"),
    what: str = typer.Argument("", metavar="[WHAT]", help="A file, an address, or a post's key."),
    channel: str = typer.Option("", metavar="NAME", help="Of which newsletter, if not the one."),
) -> None:
    """Those who receive the newsletters: count, add, write out, forget.

    import: a CSV of people who agreed elsewhere (address, language, source, date). forget: deletes
    an address everywhere and writes to it no more. bounces: reads what came back, from a file, from
    - (what is piped in), or from the channel's mailbox. doubts: who does not surely have a post.
    Exit code 1 where doubts lists somebody.
    """
    door: Door = ctx.obj
    if action not in ACTIONS:
        raise NotAllowed(
            f"{action} is nothing to do with subscribers",
            f"outreach subscribers [{'|'.join(ACTIONS)}]",
        )
    with door.desk() as desk:
        if not desk.subscribers.newsletters:
            raise NotFound(
                "this office has no newsletter",
                "describe one in config/channels.toml: platforms.md in the documentation, at email",
            )
        by = door.person(desk) if action in _CHANGING else None
        ACTIONS[action](desk, what, channel, by)


def _list(desk: "Outreach", _what: str, _channel: str, _by: "Person | None") -> None:
    for one in desk.subscribers.tally():
        waits = f", {one.asked:,} asked and not confirmed yet" if one.asked else ""
        typer.echo(f"{one.channel} {one.language}: {one.confirmed:,} confirmed{waits}")
    if gone := desk.subscribers.suppressed():
        told = ", ".join(f"{count:,} {why}" for why, count in sorted(gone.items()))
        typer.echo(f"not written to any more: {told}")


def _import(desk: "Outreach", what: str, channel: str, by: "Person | None") -> None:
    file = Path(_named(what, "a CSV file", "outreach subscribers import FILE"))
    data = sys.stdin.buffer.read() if what == "-" else file.read_bytes()
    added, known = desk.newsletters.take(_channel(desk, channel), data, file=file.name, by=_who(by))
    left_out = f"; {known:,} are on it already, or have left" if known else ""
    typer.echo(f"{rows.counted(added, 'address', 'addresses')} added{left_out}.")


def _export(desk: "Outreach", what: str, channel: str, by: "Person | None") -> None:
    file = Path(_named(what, "a file to write", "outreach subscribers export FILE"))
    data, count = desk.newsletters.give(_channel(desk, channel), by=_who(by))
    write_whole(file, data)
    file.chmod(0o600)  # what people gave us in confidence
    typer.echo(f"{rows.counted(count, 'address', 'addresses')} written to {file}.")


def _forget(desk: "Outreach", what: str, _channel: str, by: "Person | None") -> None:
    from outreach.clearance import MAY_ADMINISTER, MAY_WRITE

    address = _named(what, "an address", "outreach subscribers forget ADDRESS")
    _who(by).must_be(MAY_WRITE, MAY_ADMINISTER)
    count = desk.subscribers.forget(address, by=_who(by).id)
    was = f"was on {rows.counted(count, 'list')} and is deleted" if count else "was on no list"
    typer.echo(f"It {was}; nothing is sent to it any more.")


def _bounces(desk: "Outreach", what: str, _channel: str, by: "Person | None") -> None:
    from outreach.clearance import MAY_ADMINISTER, MAY_WRITE

    _who(by).must_be(MAY_WRITE, MAY_ADMINISTER)
    data = sys.stdin.buffer.read() if what == "-" else Path(what).read_bytes() if what else None
    ours, gone = desk.newsletters.read_bounces(data)
    typer.echo(
        f"{rows.counted(ours, 'mail')} of ours came back; "
        f"{rows.counted(gone, 'address', 'addresses')} written to no more."
    )


def _doubts(desk: "Outreach", what: str, _channel: str, _by: "Person | None") -> None:
    key = _named(what, "a post's key", "outreach subscribers doubts KEY")
    progress, unclear = desk.subscribers.unclear(key)
    told = ", ".join(f"{count:,} {fate}" for fate, count in progress.fates.items() if count)
    typer.echo(f"{key}: {told}")
    for one in unclear:
        line = f"  {one.fate:<8} {one.address or '(gone)'}: {one.why}"
        typer.echo(rows.clean(f"{line}; Message-ID {one.number}"))
    if unclear:
        raise typer.Exit(FOUND)


_Action = Callable[["Outreach", str, str, "Person | None"], None]
ACTIONS: Mapping[str, _Action] = {
    "list": _list,
    "import": _import,
    "export": _export,
    "forget": _forget,
    "bounces": _bounces,
    "doubts": _doubts,
}
_CHANGING = frozenset(ACTIONS) - {"list", "doubts"}


def _named(what: str, needed: str, how: str) -> str:
    if not what:
        raise NotAllowed(f"{needed} is needed", how)
    return what


def _channel(desk: "Outreach", channel: str) -> str:
    known = list(desk.subscribers.newsletters)
    if channel in known or (not channel and len(known) == 1):
        return channel or known[0]
    if channel:
        raise NotFound(f"there is no newsletter {channel!r}", f"known are: {', '.join(known)}")
    raise NotAllowed("there are several newsletters", f"say which: --channel {known[0]}")


def _who(by: "Person | None") -> "Person":
    if by is None:  # only what changes nothing asks nobody
        raise NotAllowed("nobody is signed in", "outreach login")
    return by
