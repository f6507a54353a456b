"""Commands for what came of it: figures (imports, numbers by hand, costs), links on paper."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from outreach.cli import rows
from outreach.cli.door import FOUND, Door, as_json, command, nobody_to_ask, write_whole
from outreach.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from outreach.app import Outreach
    from outreach.measure.outcomes import Outcome


@dataclass(frozen=True)
class _Asked:
    """What stood on the command line beside the action and its words."""

    campaign: str
    event: str
    session: str
    names: Mapping[str, str]
    on: date | None
    dates: str
    instead: bool
    besides: bool
    source: str
    state: str
    reason: str
    currency: str
    month: str
    yes: bool
    json: bool


@command(
    "outreach figures",
    "outreach figures list forum-2025 --month 2025-08",
    "outreach figures import registrations indico.csv --campaign forum-2025 --event forum",
    "outreach figures import attendance-online teams.csv --campaign forum-2025 --session opening",
    "outreach figures outcome forum-2025 offers-to-host 1 --state Mongolia --source 'letter of …'",
    "outreach figures cost forum-2025 promotion 120.50 --source 'invoice 2025-118'",
    "outreach figures undo 12",
)
def figures(
    ctx: typer.Context,
    action: str = typer.Argument("list", metavar="[list|import|outcome|cost|undo]"),
    words: list[str] = typer.Argument(None, metavar="[WORDS]...", help="As in the examples."),
    campaign: str = typer.Option("", help="The campaign that a file is of."),
    event: str = typer.Option("", help="The event of the campaign, where it has several."),
    session: str = typer.Option("", help="The session that a file is of; else the whole event."),
    mapped: list[str] = typer.Option(
        [], "--map", metavar="HEAD=FIELD", help="What one column is; FIELD is - to leave it out."
    ),
    on: str = typer.Option("", metavar="YYYY-MM-DD", help="The day; today, for what is typed."),
    dates: str = typer.Option("", help="How 8/9/2025 is read: day-first or month-first."),
    instead: bool = typer.Option(False, "--instead", help="A newer export: undo the earlier one."),
    besides: bool = typer.Option(False, "--besides", help="Another form: both count."),
    source: str = typer.Option("", help="Where a typed number stands."),
    state: str = typer.Option("", help="The country that a typed number is of."),
    reason: str = typer.Option("", help="Why there is no number: with .. for the number."),
    currency: str = typer.Option("USD", help="Of a cost in money."),
    month: str = typer.Option("", metavar="YYYY-MM", help="List this month; all of it, without."),
    yes: bool = typer.Option(False, "--yes", help="Keep a file's counts without asking."),
    json: bool = typer.Option(False, "--json", help="For machines; keeps with --yes."),
) -> None:
    """What came of it: registrations, attendance, downloads, offers.

    import KIND FILE: counts an export (of registrations, attendance, attendance-online or
    downloads) after a preview; who people are is not kept. outcome CAMPAIGN MEASURE NUMBER: so
    many more on a day. cost CAMPAIGN KIND AMOUNT: network-fees, promotion or staff-days. undo
    NUMBER takes an entry back. Without an action: results, outcomes and entries. Exit code 1 where
    a file has mistakes: then nothing is kept.
    """
    if action not in ACTIONS:
        raise NotAllowed(
            f"{action} is nothing to do with figures", f"outreach figures [{'|'.join(ACTIONS)}]"
        )
    asked = _Asked(
        campaign=campaign,
        event=event,
        session=session,
        names=_names(mapped),
        on=_day(on),
        dates=_one_of(dates, ("day-first", "month-first"), "--dates"),
        instead=instead,
        besides=besides,
        source=source,
        state=state,
        reason=reason,
        currency=currency,
        month=month,
        yes=yes,
        json=json,
    )
    door: Door = ctx.obj
    with door.desk() as desk:
        ACTIONS[action](door, desk, words or [], asked)


def _list(door: Door, desk: "Outreach", words: list[str], asked: _Asked) -> None:
    from outreach.campaign.load import load_campaigns
    from outreach.measure.goals import goals_of, results
    from outreach.measure.months import Period, parse_month
    from outreach.measure.outcomes import costs, outcomes_of

    wanted = words[0] if words else asked.campaign
    loaded = load_campaigns(desk.home / "campaigns", root=desk.home)
    campaigns = [one for one in loaded.campaigns if wanted in ("", one.campaign)]
    entries = desk.entries.entries(wanted)
    if wanted and not campaigns and not entries:
        raise NotFound(f"there is no campaign {wanted!r}", "outreach check names them")
    zone, now = desk.configuration.report_zone, desk.now()
    period = (
        Period.month(parse_month(asked.month), zone)
        if asked.month
        else Period.of_days(date(2000, 1, 1), now.date(), zone)
    )
    with desk.store.reading() as at:
        of_goals = [
            result
            for one in campaigns
            for result in results(at, one.campaign, goals_of(one), period, now)
        ]
        names = [one.campaign for one in campaigns if one.goals]
        found = [
            one
            for one in outcomes_of(at, period, cut_off=now, campaigns=names)
            if wanted in ("", one.campaign)
        ]
        spent = costs(at, period, cut_off=now, campaign=wanted)
    if asked.json:
        parts: dict[str, Sequence[Any]] = {
            "results": of_goals,
            "outcomes": found,
            "costs": spent,
            "entries": entries,
        }
        as_json({what: [asdict(one) for one in several] for what, several in parts.items()})
        return
    for result in of_goals:
        goal = result.goal
        value = ".." if result.value is None else f"{result.value:,}"
        target = "tbc" if goal.target is None else f"{goal.target:,}"
        due = f", due {goal.due}" if goal.due else ""
        line = f"{result.campaign}: {goal.label}: {value} of {target}{due}"
        rows.say([rows.row(line, whole=True)])
        if result.reason:
            rows.say([rows.row(result.reason, indent=4)])
    for outcome in found:
        if outcome.value is not None or outcome.sources:
            rows.say(rows.row(line, whole=True) for line in _lines(outcome))
    for cost in spent:
        whose = cost.campaign or "the office"
        rows.say([rows.row(f"{whose}: {cost.label}: {cost.amount} {cost.unit}", whole=True)])
    if entries:
        typer.echo("\nEntered:")
    for entry in entries:
        undone = " (undone)" if entry.undone else ""
        line = f"{entry.number}  {entry.campaign}, {entry.what}: {entry.value}, {entry.days}"
        rows.say([rows.row(f"{line}, {entry.source}, {entry.by}{undone}", whole=True)])
    if not of_goals and not found and not entries:
        typer.echo("Nothing was entered, and no campaign has goals.")


def _lines(one: "Outcome") -> list[str]:
    lines = [f"{one.campaign}: {one.label}: {one.printed}" + f" ({one.reason})" * bool(one.reason)]
    for what in ("state", "sex", "youth", "organisation", "session", "document", "language"):
        cells = getattr(one, f"by_{what}")
        if f"by_{what}" in one.withheld:
            lines.append(f"    by {what}: too few people to be printed")
        elif cells:
            told = (f"{c.label} {'*' if c.value is None else f'{c.value:,}'}" for c in cells)
            lines.append(f"    by {what}: {'; '.join(told)}")
    if any(cell.value is None for cell in (*one.by_state, *one.by_sex, *one.by_youth)):
        lines.append("    * not printed: few people, or what few people could be computed from")
    return lines


def _import(door: Door, desk: "Outreach", words: list[str], asked: _Asked) -> None:
    from outreach.measure.exports import KINDS, read_export

    if len(words) != 2 or not asked.campaign:
        raise NotAllowed(
            "say what the file counts, the file, and its campaign",
            "outreach figures import registrations FILE --campaign NAME",
        )
    kind, file = _one_of(words[0], KINDS, "what a file counts"), Path(words[1])
    if not file.is_file():
        raise NotFound(f"there is no file {file}", "write its path as it is from here")
    export = read_export(
        file.read_bytes(),
        kind=kind,
        filename=file.name,
        given=asked.names,
        on=asked.on.isoformat() if asked.on else "",
        session=asked.session,
        day_first={"day-first": True, "month-first": False}.get(asked.dates),
    )
    stands = (
        []
        if export.problems
        else desk.entries.look(export, campaign=asked.campaign, event=asked.event)
    )
    if asked.json:
        as_json({**export.as_data(), "counted_already": stands})
    else:
        rows.say(rows.row(line, whole=True) for line in export.preview())
    if export.problems:
        raise typer.Exit(FOUND)
    if asked.json and not asked.yes:
        return
    if stands and not asked.instead and not asked.besides:
        raise NotAllowed(
            stands[0],
            "--instead: a newer export of the same; --besides: another form or session",
        )
    if not asked.yes and not door.asks:
        again = f"outreach figures import {kind} {file} --campaign {asked.campaign} --yes"
        raise nobody_to_ask("these counts are not kept yet", again)
    if not asked.yes and not typer.confirm("Keep these counts?"):
        typer.echo("Nothing was kept.")
        return
    number = desk.entries.keep(
        export,
        campaign=asked.campaign,
        event=asked.event,
        by=door.person(desk),
        besides=asked.besides,
        instead=asked.instead,
    )
    if not asked.json:
        typer.echo(f"Kept as entry {number}: {export.total:,} {kind}, and nobody's name.")
        typer.echo(f"To take it back: outreach figures undo {number}")


def _outcome(door: Door, desk: "Outreach", words: list[str], asked: _Asked) -> None:
    if len(words) != 3:
        raise NotAllowed(
            "say the campaign, the outcome and the number",
            "outreach figures outcome forum-2025 offers-to-host 1 --source '…'",
        )
    number = desk.entries.type(
        words[0],
        words[1],
        words[2],
        source=asked.source,
        by=door.person(desk),
        on=asked.on,
        state=asked.state,
        reason=asked.reason,
    )
    typer.echo(f"Entered as {number}. To take it back: outreach figures undo {number}")


def _cost(door: Door, desk: "Outreach", words: list[str], asked: _Asked) -> None:
    if len(words) != 3:
        raise NotAllowed(
            "say the campaign, the kind of cost and the amount",
            "outreach figures cost forum-2025 promotion 120.50 --source '…'",
        )
    number = desk.entries.cost(
        words[0],
        words[1],
        words[2],
        source=asked.source,
        by=door.person(desk),
        on=asked.on,
        currency=asked.currency,
    )
    typer.echo(f"Entered as {number}. To take it back: outreach figures undo {number}")


def _undo(door: Door, desk: "Outreach", words: list[str], asked: _Asked) -> None:
    if len(words) != 1:
        raise NotAllowed("say which entry", "they are numbered in: outreach figures")
    what = desk.entries.undo(words[0], by=door.person(desk))
    typer.echo(f"Undone: {what}. It counts no more, and stays in the trail.")


ACTIONS: Mapping[str, Callable[[Door, "Outreach", list[str], _Asked], None]] = {
    "list": _list,
    "import": _import,
    "outcome": _outcome,
    "cost": _cost,
    "undo": _undo,
}


@command(
    "outreach links qr forum-2025 register poster-lobby",
    "outreach links qr forum-2025 register programme-back --out ~/Print --png",
)
def links(
    ctx: typer.Context,
    action: str = typer.Argument(..., metavar="qr"),
    campaign: str = typer.Argument(..., help="A campaign: forum-2025."),
    link: str = typer.Argument(..., help="The name of one of its links: register."),
    place: str = typer.Argument(..., help="Where it is printed: poster-lobby."),
    out: Path | None = typer.Option(None, metavar="DIR", help="Where to write; print/ if not."),
    png: bool = typer.Option(False, "--png", help="A PNG picture as well, for office programs."),
) -> None:
    """A QR code for paper, whose visits are told apart from posts'.

    It leads through a short link of its own, marked utm_medium=print and with the place, so that
    posters and programmes are counted each by itself. SVG, for printers.
    """
    from outreach.campaign.load import load_campaigns

    if action != "qr":
        raise NotAllowed(f"{action} is nothing to do with links", "outreach links qr …")
    door: Door = ctx.obj
    with door.desk() as desk:
        loaded = load_campaigns(desk.home / "campaigns", root=desk.home)
        found = next((one for one in loaded.campaigns if one.campaign == campaign), None)
        if found is None:
            known = ", ".join(sorted(one.campaign for one in loaded.campaigns))
            raise NotFound(f"there is no campaign {campaign!r}", f"known are: {known or 'none'}")
        url = found.links.get(link)
        if url is None:
            known = ", ".join(found.links) or "none"
            raise NotFound(f"{campaign} has no link {link!r}", f"known are: {known}")
        if not isinstance(url, str):
            raise NotAllowed(
                f"the link {link} is to be confirmed", f"write its address in {found.file}"
            )
        address = desk.entries.on_paper(
            campaign, url, place, public_url=desk.public_url, by=door.person(desk)
        )
        folder = (out or desk.home / "print").expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, data in _qr(address, png=png).items():
        file = folder / f"{campaign}-{link}-{place}{suffix}"
        write_whole(file, data)
        typer.echo(f"wrote {file}")
    typer.echo(f"It leads to {address}")
    if "/l/" not in address:
        typer.echo("It is not a short link, so its visits are not counted: set [desk] public-url.")


def _qr(address: str, *, png: bool) -> dict[str, bytes]:
    """The code as files, by suffix: level M survives a fold, and four modules of white around."""
    import io

    import segno

    code = segno.make(address, error="m", micro=False)
    made = {}
    for suffix, more in ((".svg", {"unit": "mm", "svgclass": None, "lineclass": None}),) + (
        ((".png", {"dpi": 300}),) if png else ()
    ):
        file = io.BytesIO()
        scale = 1 if suffix == ".svg" else 16
        code.save(file, kind=suffix[1:], scale=scale, border=4, dark="black", light="white", **more)
        made[suffix] = file.getvalue()
    return made


def _names(given: list[str]) -> dict[str, str]:
    names = {}
    for one in given:
        head, equals, name = one.rpartition("=")
        if not equals or not head.strip() or not name.strip():
            raise NotAllowed(f"{one!r} does not say what a column is", "--map 'Pays=country'")
        names[head.strip()] = name.strip()
    return names


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise NotAllowed(f"{text!r} is not a day", "write it as 2025-08-25") from None


def _one_of(text: str, known: tuple[str, ...], what: str) -> str:
    if text and text not in known:
        raise NotAllowed(f"{text!r} is not {what}", f"one of: {', '.join(known)}")
    return text
