"""What a plan is made from beside the files: what stands in the database, and events that moved.

Looking changes nothing and is done many times a day, so what is asked here is plain SQL
(`outreach/store/plain.py`). What a plan leads to is written by `outreach/apply.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from outreach.campaign import moved
from outreach.campaign.moved import Held
from outreach.campaign.plan import Kind, Notice, Plan, Standing
from outreach.compose import Draft
from outreach.post import Slot
from outreach.store.plain import Ask, instant, value

if TYPE_CHECKING:  # pydantic is heavy, and a plan of what was composed before needs none
    from outreach.campaign.models import Campaign


def standing(ask: Ask) -> list[Standing]:
    """Every delivery as the database has it. Columns, not rows: there may be ten thousands."""
    cleared = {
        number: (instant(starts), instant(ends), "" if override else by)
        for number, starts, ends, by, override in ask(_IN_FORCE)
    }
    begun = {key for (key,) in ask("SELECT key FROM receipt UNION SELECT key FROM mailing")}
    asked = {key for key, content in ask(_HANDED) if (value(content) or {}).get("wanted")}
    authors: dict[str, frozenset[str]] = {}  # the same few wrote nearly everything
    found = []
    for row in ask(f"SELECT {', '.join(_STANDING)} FROM delivery"):  # noqa: S608 - our own names
        key, campaign, message, channel, state, fingerprint, blocked = row[:7]
        wrote, clearance, at, wall, zone, late_seconds, not_after, together = row[7:]
        starts, ends, by = cleared.get(clearance, (None, None, ""))
        if (those := authors.get(told := str(wrote))) is None:
            those = authors[told] = frozenset(value(wrote))
        found.append(
            Standing(
                key=key,
                campaign=campaign,
                message=message,
                channel=channel,
                state=state,
                fingerprint=fingerprint,
                slot=Slot(instant(at), wall, zone),
                late_seconds=late_seconds,
                not_after=instant(not_after) if not_after else None,
                together=bool(together),
                blocked=blocked,
                window=(starts, ends) if starts and ends else None,
                cleared_by=by,
                authors=those,
                begun=key in begun,
                asked=key in asked,
            )
        )
    return found


_IN_FORCE = (
    'SELECT clearance.id, starts, ends, "by", override FROM clearance'
    " JOIN delivery ON delivery.clearance = clearance.id WHERE voided_at IS NULL"
)
_HANDED = "SELECT key, content FROM delivery WHERE state = 'handed'"
_STANDING = (
    *("key", "campaign", "message", "channel", "state", "fingerprint", "blocked"),
    *("authors", "clearance", "at", "wall", "zone", "late_seconds", "not_after", "together"),
)


def with_texts(ask: Ask, made: Plan) -> Plan:
    """The plan, its operations with the texts that they start from."""
    keys = [op.key for op in made.operations if op.state]
    had: dict[str, str] = {}
    for n in range(0, len(keys), 500):  # a database takes so many names in one question
        some = {f"key{m}": key for m, key in enumerate(keys[n : n + 500])}
        names = ", ".join(f":{name}" for name in some)
        those = f"SELECT key, content FROM delivery WHERE key IN ({names})"  # noqa: S608 - as above
        for key, content in ask(those, **some):
            parts = (value(content) or {}).get("parts", ())
            had[key] = "\n---\n".join(part["text"] for part in parts)
    if not had:
        return made
    operations = (replace(op, was_text=had.get(op.key, "")) for op in made.operations)
    return replace(made, operations=tuple(operations))


# --- events that move ---------------------------------------------------------------------


Applied = Mapping[str, Sequence[Held]]
"""By campaign, everything that was ever applied of its events, the last of each at the end."""

EVENTS = "events of "  # and the campaign: the name of the row of `meta`


def applied_events(ask: Ask) -> Applied:
    """What stands of every campaign's events."""
    rows = ask("SELECT name, value FROM meta WHERE name LIKE :those", those=f"{EVENTS}%")
    return {name.removeprefix(EVENTS): moved.of_data(value(held)) for name, held in rows}


def outdate(
    campaigns: "Iterable[Campaign]",
    held: Mapping[str, Sequence[Held]],
    drafts: Mapping[str, Draft],
    applied: Applied,
) -> Mapping[str, Draft]:
    """The drafts, those blocked that say in free words where or when an event was before.

    `held` is when the events of the campaigns are now, by campaign.
    """
    gone = {name for name, now in held.items() if set(applied.get(name, ())) - set(now)}
    if not gone:
        return drafts
    earlier = {
        one.campaign: (one, applied[one.campaign]) for one in campaigns if one.campaign in gone
    }
    found = dict(drafts)
    for draft in drafts.values():
        if draft.campaign in earlier and draft.post:
            text = "\n".join(part.text for part in draft.post.parts)
            if said := moved.outdated(text, *earlier[draft.campaign]):
                blocked = (moved.problem(draft.key, said), *draft.blocked)
                found[draft.key] = replace(draft, outdated=said, blocked=blocked)
    return found


def events_moved(held: Mapping[str, Sequence[Held]], made: Plan, applied: Applied) -> Plan:
    """The plan, headed by what each event's move does to its campaign."""
    told = [
        Notice("event", "", _what_moves(campaign, was, now, made))
        for campaign, those in held.items()
        for was, now in moved.moves(those, applied.get(campaign, ()))
    ]
    return replace(made, notices=(*told, *made.notices)) if told else made


def _what_moves(campaign: str, was: Held, now: Held, made: Plan) -> str:
    theirs = [op for op in made.operations if op.key.startswith(f"{campaign}/")]
    out = [
        one
        for one in made.notices
        if one.kind == "correction needed" and one.key.startswith(f"{campaign}/")
    ]
    counts = (
        (sum(op.kind is Kind.MOVE for op in theirs), "move"),
        (sum(op.kind is Kind.CHANGE for op in theirs), "change their text"),
        (sum(op.kind is Kind.BLOCK for op in theirs), "are blocked"),
        (sum(op.voids for op in theirs), "lose their clearance"),
        (len(out), "that are published need a correction"),
    )
    told = ", ".join(f"{count} {words}" for count, words in counts)
    return f"{campaign}: {now.event} moves from {was} to {now}: {told}"
