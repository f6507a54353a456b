"""Command for a campaign's languages as a set: languages."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import typer

from outreach.cli import rows
from outreach.cli.door import Door, as_json, command
from outreach.cli.rows import Row, counted, row
from outreach.errors import NotFound

if TYPE_CHECKING:
    from outreach.compose import Draft

_STYLES = {
    "source": "dim",
    "ready": "green",
    "missing": "bold red",
    "wrong": "bold red",
    "stale": "yellow",
    "unreviewed": "cyan",
}
_WORST_FIRST = tuple(_STYLES)[::-1]
_TO_DO = {
    "missing": "to be written",
    "wrong": "in another language",
    "stale": "to be compared with its source, which has changed",
    "unreviewed": "to be read against its source",
}
_OF_THE_REVIEWER = ("unreviewed",)


@command("outreach languages", "outreach languages forum-2025", "outreach languages --json")
def languages(
    ctx: typer.Context,
    campaign: str = typer.Argument("", metavar="[CAMPAIGN]", help="One campaign; else all."),
    json: bool = typer.Option(False, "--json", help="For machines."),
) -> None:
    """Show every message in every language, and who has to do what.

    A translation is missing, stale (its source has changed since), wrong (in another language or
    script), unreviewed, or ready to be cleared. Texts for several channels count as one here: the
    worst of them.
    """
    door: Door = ctx.obj
    with door.desk(prepare=False) as desk:
        drafts = list(desk.files().drafts.values())
    known = list(dict.fromkeys(draft.campaign for draft in drafts))
    if campaign and campaign not in known:
        raise NotFound(
            f"there is no campaign {campaign!r} that can be read", f"there are: {', '.join(known)}"
        )
    drafts = [draft for draft in drafts if draft.channel and campaign in ("", draft.campaign)]
    table, tasks = matrix(drafts), to_do(drafts)
    if json:
        as_json(
            {
                "messages": [
                    {"campaign": c, "message": m, "languages": states}
                    for (c, m), states in table.items()
                ],
                "to-do": [
                    {"who": who, "campaign": c, "message": m, "language": language, "state": state}
                    for who, those in tasks.items()
                    for c, m, language, state in those
                ],
            }
        )
        return
    rows.say(_shown(table))
    rows.say(_asked(tasks))
    if not table:
        typer.echo("There are no messages yet.")


def matrix(drafts: Iterable["Draft"]) -> dict[tuple[str, str], dict[str, str]]:
    """By (campaign, message of the file): the state of each language, the worst of its channels."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for draft in drafts:
        states = found.setdefault((draft.campaign, draft.of or draft.message), {})
        old, new = states.get(draft.language, "source"), str(draft.translation)
        worse = min(old, new, key=_WORST_FIRST.index)
        states[draft.language] = worse
    return found


def to_do(drafts: Iterable["Draft"]) -> dict[str, list[tuple[str, str, str, str]]]:
    """By person: (campaign, message, language, state) of each translation that waits for them."""
    tasks: dict[str, list[tuple[str, str, str, str]]] = {}
    for draft in drafts:
        state = str(draft.translation)
        if state in _TO_DO:
            reviewers = state in _OF_THE_REVIEWER
            who = draft.reviewer if reviewers else draft.translator
            if who in ("", "open"):
                who = f"a {'reviewer' if reviewers else 'translator'} of {draft.language}"
            task = (draft.campaign, draft.of or draft.message, draft.language, state)
            if task not in tasks.setdefault(who, []):
                tasks[who].append(task)
    return tasks


def _shown(table: dict[tuple[str, str], dict[str, str]]) -> Iterator[Row]:
    columns = list(dict.fromkeys(language for states in table.values() for language in states))
    wide = max((len(message) for _, message in table), default=0)
    width = max(map(len, _STYLES)) + 2
    last = ""
    for (campaign, message), states in table.items():
        if campaign != last:
            if last:
                yield row()
            heads = "".join(f"{language:<{width}}" for language in columns)
            yield row((campaign, "bold"))
            yield row((f"{'':<{wide}}  {heads}".rstrip(), "bold"), indent=2)
            last = campaign
        cells = [
            (f"{states.get(language, '-'):<{width}}", _STYLES.get(states.get(language, ""), ""))
            for language in columns
        ]
        yield row(f"{message:<{wide}}  ", *cells, indent=2)


def _asked(tasks: dict[str, list[tuple[str, str, str, str]]]) -> Iterator[Row]:
    for who, those in sorted(tasks.items()):
        yield row()
        yield row((who, "bold"), f": {counted(len(those), 'text')}")
        for campaign, message, language, state in those:
            yield row(f"{campaign}/{message}/{language}  {_TO_DO[state]}", indent=2)
