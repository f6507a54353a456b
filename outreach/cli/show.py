"""How values look in a terminal: each function turns one into rows."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from outreach.cli.rows import Row, Zones, ago, counted, row
from outreach.errors import Problem
from outreach.post import HEARD, Slot, called

if TYPE_CHECKING:  # these bring the database with them
    from outreach.alarms import Alarm
    from outreach.backup import Restored
    from outreach.campaign.plan import Notice, Operation, Plan
    from outreach.clearance import Reading, Rendering
    from outreach.correction import Differs
    from outreach.doctor import Finding
    from outreach.handover import Waiting
    from outreach.platforms import Channel
    from outreach.post import Part, Picture, Post
    from outreach.standing import Line, Status
    from outreach.takedown import Affected, Standing

LISTED = 20  # posts that are named one by one; more are counted

# --- files --------------------------------------------------------------------------------


def problems(
    mistakes: Sequence[Problem], open_: Sequence[Problem], advice: Sequence[Problem]
) -> Iterator[Row]:
    """What `outreach check` found: mistakes, what is to be confirmed, what is good to know."""
    if mistakes:
        yield row((counted(len(mistakes), "mistake") + " to put right", "bold red"))
    for problem in mistakes:
        yield from _problem(problem)
    for heading, those in (
        ("to be confirmed: what prints it waits", open_),
        ("to think about: nothing waits for it", advice),
    ):
        same: dict[tuple[str, str], list[str]] = {}
        for problem in those:
            same.setdefault((problem.what, problem.hint), []).append(problem.where)
        if same:
            yield row((f"{len(same)} {heading}", "bold yellow"))
        for (what, hint), places in same.items():
            yield from _problem(Problem(_places(places), what, hint))


def _places(places: Iterable[str]) -> str:
    """ "a.md:3, 9, b.md:2": each file once, with its lines."""
    lines: dict[str, list[str]] = {}
    for place in places:
        file, _, line = place.rpartition(":")
        lines.setdefault(file or line, []).extend([line] if file else [])
    return ", ".join(f"{file}:{', '.join(ls)}" if ls else file for file, ls in lines.items())


def _problem(problem: Problem) -> Iterator[Row]:
    yield row((problem.where, "cyan"), ": ", problem.what, indent=2)
    if problem.hint:
        yield row(problem.hint, indent=6, lead="→ ")


# --- plan ---------------------------------------------------------------------------------

_MARKS = {
    "add": ("+", "green"),
    "change": ("~", "yellow"),
    "move": (">", "cyan"),
    "rules": ("=", "cyan"),
    "block": ("!", "magenta"),
    "drop": ("-", "red"),
}
_WORDS = {
    "add": "to add",
    "change": "to change",
    "move": "to move",
    "rules": "with other rules",
    "block": "to block",
    "drop": "to drop",
}
_NOTICES = {
    "event": "Moved",
    "past": "Past: listed, and never sent",
    "idea": "Ideas: without a time they are listed and never sent",
    "blocked": "Waiting: these cannot be cleared until",
    "unreadable": "Unreadable: left as they are",
    "in flight": "Being sent: left as they are",
    "correction needed": "Correction needed: a person decides (outreach correct, or take-down)",
    "moved after": "Moved after it was published: a person decides",
    "advice": "To think about: nothing waits for it",
    "empty": "Nothing to go by",
}


def plan(made: "Plan", mistakes: Sequence[Problem], zones: Zones) -> Iterator[Row]:
    """A plan, message by message, then what it will not do, and how to record it.

    Where the files have `mistakes` it says so: what they ask for is not known in full.
    """
    campaign = ""
    for (name, message, language), operations in _by_message(made.operations):
        if name != campaign:
            yield row((name, "bold"))
            campaign = name
        yield from _message(message, language, operations, zones)
    for kind, heading in _NOTICES.items():
        found = [notice for notice in made.notices if notice.kind == kind]
        if found:
            yield row()
            yield row((heading, "bold"))
            yield from _noticed(found)
    yield row()
    if mistakes:
        where = _places(dict.fromkeys(problem.where.partition(":")[0] for problem in mistakes))
        told = f"{counted(len(mistakes), 'mistake')} in {where}"
        yield row((told, "bold red"), ": left out of this plan; see outreach check")
    yield from _summed(made, whole=not mistakes)


def _by_message(
    operations: Iterable["Operation"],
) -> list[tuple[tuple[str, str, str], list["Operation"]]]:
    """Operations by campaign, message and language; campaigns together, soonest first."""
    groups: dict[tuple[str, str, str], list[Operation]] = {}
    for op in operations:
        campaign, message, language, _ = split_key(op.key)
        groups.setdefault((campaign, message, language), []).append(op)
    order = {name: n for n, name in enumerate(dict.fromkeys(key[0] for key in groups))}
    return sorted(groups.items(), key=lambda item: order[item[0][0]])


def split_key(key: str) -> tuple[str, str, str, str]:
    """Campaign, message with its local slot, language and channel of a post's key."""
    rest, _, channel = key.rpartition("@")
    campaign, _, rest = rest.partition("/")
    message, _, language = rest.rpartition("/")
    return campaign, message, language, channel


def _message(
    message: str, language: str, operations: list["Operation"], zones: Zones
) -> Iterator[Row]:
    slots: dict[str, list[Operation]] = {}
    for op in operations:
        slots.setdefault(op.at or op.was_at, []).append(op)
    for at, here in slots.items():
        when = zones.show(datetime.fromisoformat(at))
        yield row((message, "bold"), f" {language}  ", (when, "dim"), indent=2)
        alike: dict[tuple[str, str, str, bool], list[Operation]] = {}
        for op in here:
            told = _diff(op) if op.kind == "change" else ""
            alike.setdefault((op.kind.value, op.why, told, op.voids), []).append(op)
        for (kind, why, told, voids), those in alike.items():
            mark, style = _MARKS[kind]
            channels = ", ".join(split_key(op.key)[3] for op in those)
            yield row((channels, style), f": {why}", indent=4, lead=f"{mark} ", style=style)
            if voids:
                words = "the clearance ends; somebody has to read it again"
                yield row((words, "bold red"), indent=6, lead="! ", style="bold red")
            for line in told.splitlines():
                colour = {"-": "red", "+": "green"}.get(line[:1], "dim")
                yield row((line[2:], colour), indent=8, lead=line[:2], style=colour)


def _diff(op: "Operation") -> str:
    """The lines that change, with one of context; nothing where there was no text before."""
    if not op.was_text or not op.text:
        return ""
    lines = difflib.unified_diff(op.was_text.splitlines(), op.text.splitlines(), n=1, lineterm="")
    return "\n".join(
        f"{line[0]} {line[1:]}" for line in lines if line[:3] not in ("---", "+++", "@@ ")
    )


def _noticed(notices: Iterable["Notice"]) -> Iterator[Row]:
    """Notices with the same words stand together, with the posts they are about."""
    same: dict[str, dict[str, list[str]]] = {}
    for notice in notices:
        campaign, message, language, channel = split_key(notice.key)
        about = f"{campaign}/{message}/{language}" if notice.key else ""
        same.setdefault(notice.what, {}).setdefault(about, []).append(channel)
    for what, messages in same.items():
        first, *rest = what.split("\n    → ")
        yield row(first, indent=2)
        for hint in rest:
            yield row(hint, indent=4, lead="→ ")
        for name, channels in messages.items():
            if name:
                yield row((f"{name} on {', '.join(channels)}", "dim"), indent=6)


def _summed(made: "Plan", *, whole: bool) -> Iterator[Row]:
    if not made.operations:
        told = ": what stands is what the files ask for." if whole else " from the other files."
        yield row(("Nothing to apply", "bold"), told)
        return
    counts = {kind: sum(op.kind == kind for op in made.operations) for kind in _WORDS}
    told = ", ".join(f"{n} {_WORDS[kind]}" for kind, n in counts.items() if n)
    voids = sum(op.voids for op in made.operations)
    yield row((counted(len(made.operations), "post"), "bold"), f": {told}")
    if voids:
        yield row((counted(voids, "clearance") + " would end", "bold red"))
    if made.too_much:
        words = f"it drops {made.dropped_cleared} of {made.cleared} cleared posts"
        yield row((words, "bold red"))
    really = " --really" if made.too_much else ""
    yield row(
        "To record exactly this: ", (f"outreach apply {made.hash}{really}", "bold"), whole=True
    )


# --- clearance ----------------------------------------------------------------------------


def reading(
    one: "Reading",
    channels: Mapping[str, "Channel"],
    zones: Zones,
    *,
    mine: bool = False,
    clearer: bool = True,
) -> Iterator[Row]:
    """A message in one language as its clearer reads it.

    `mine`: the reader is an author; `clearer`: they may clear at all, as far as is known.
    """
    yield row((one.name, "bold"), f"  by {', '.join(sorted(one.authors))}")
    by_key: dict[str, Rendering] = {rendering.key: rendering for rendering in one.renderings}
    alike: dict[tuple[str, str], list[Rendering]] = {}  # a series: one text, several times
    for rendering in one.renderings:
        first = rendering.same_as or rendering.key
        alike.setdefault((rendering.channel, first), []).append(rendering)
    for (channel, _), (rendering, *later) in alike.items():
        yield row()
        yield from _rendering(rendering, channels.get(channel), by_key, zones)
        if later:
            yield row(f"and again, {counted(len(later), 'time')}:", indent=4)
            yield from (row((zones.show(one.slot.at), "dim"), indent=6) for one in later)
    for key, why in one.blocked:
        yield row()
        words = f"not to be cleared: {why}"
        yield row((split_key(key)[3], "bold magenta"), f"  {words}", indent=2)
    if not one.renderings:
        return
    for question in one.questions:
        yield row()
        yield row(("a person decides", "bold magenta"), f"  {question}", indent=2)
    yield row()
    if mine:
        words = f"You are an author: a colleague clears it (fingerprint {one.fingerprint})."
        yield row(words, indent=2)
    elif not clearer:
        yield row(f"Somebody with the role clearer clears it ({one.fingerprint}).", indent=2)
    else:
        to_clear = f"outreach clear {one.name} {one.fingerprint}"
        if one.questions:
            to_clear += ' --decided "WHAT, AND WHY"'
        yield row("To clear it:  ", (to_clear, "bold"), indent=2, whole=True)
        to_return = f'outreach return {one.name} --why "..."'
        yield row("To return it: ", to_return, indent=2, whole=True)


def _rendering(
    rendering: "Rendering",
    channel: "Channel | None",
    others: Mapping[str, "Rendering"],
    zones: Zones,
) -> Iterator[Row]:
    where = rendering.post.account or rendering.channel
    when = zones.show(rendering.slot.at)
    yield row((rendering.channel, "bold cyan"), f"  {where}  ", (when, "dim"), indent=2)
    yield from _asked(rendering.post, zones, indent=4)
    twin = others[rendering.same_as].post.parts if rendering.same_as else ()
    if twin:
        same_text = all(a.text == b.text for a, b in zip(twin, rendering.post.parts, strict=True))
        but = "" if same_text else ", with other addresses:"
        yield row(f"as on {others[rendering.same_as].channel}{but}", indent=4)
    for number, part in enumerate(rendering.post.parts):
        if name := called(rendering.post.parts, number):
            yield row(name, indent=4)
        text = part.text.splitlines()
        if twin:
            same = set(twin[number].text.splitlines())
            text = [line for line in text if line not in same]
        for line in text:
            yield row(line, indent=4, lead="│ ", style="dim")
        yield row((_size(part, channel, number), "dim"), indent=4)
        for picture in part.pictures:
            yield from _picture(picture, indent=4)


def _asked(post: "Post", zones: Zones, *, indent: int) -> Iterator[Row]:
    """What another office is asked: that a package goes then, and for when."""
    if not post.wanted:
        return
    wanted = zones.show(Slot.read(post.wanted).at)
    told = f"a package for another office: to be cleared by then; wanted for {wanted}"
    yield row((told, "bold yellow"), indent=indent)
    if post.embargo:
        yield row(f"embargo: not before {Slot.read(post.embargo).written}", indent=indent)


def _picture(picture: "Picture", *, indent: int) -> Iterator[Row]:
    about = f"{picture.width} x {picture.height}, " if picture.width else ""
    about += f"{picture.size / 1000:,.0f} kB"
    if picture.kind == "video":
        about += f", {picture.seconds:.1f} seconds, {' with '.join(picture.codecs)}"
    yield row(f"{picture.kind} {picture.file} ({about})", indent=indent)
    if picture.focus:
        yield row(picture.focus, indent=indent + 2, lead="in view: ")
    if picture.still:
        yield row(f"shown as {picture.still.file}", indent=indent + 2)
    yield row(picture.alt or "none", indent=indent + 2, lead="described as: ")
    if picture.credit:
        yield row(picture.credit, indent=indent + 2, lead="credit: ")
    if picture.heard:
        yield row(HEARD[picture.heard], indent=indent + 2)
    if captions := picture.captions:
        yield row(f"captions {captions.file} ({captions.language}):", indent=indent + 2)
        for line in captions.text.splitlines():
            yield row(line, indent=indent + 4)


def _size(part: "Part", channel: "Channel | None", number: int) -> str:
    if channel is None:
        return f"{len(part.text):,} characters"
    length, room = channel.limits.length(part.text), channel.limits.room(part, number)
    return f"{length:,} of {room:,} {channel.limits.unit}"


def reading_as_data(one: "Reading", channels: Mapping[str, "Channel"]) -> dict[str, Any]:
    """For `review --json`."""
    return {
        "name": one.name,
        "fingerprint": one.fingerprint,
        "authors": sorted(one.authors),
        "renderings": [
            {
                "key": rendering.key,
                "channel": rendering.channel,
                "fingerprint": rendering.fingerprint,
                "same_as": rendering.same_as,
                "at": rendering.slot.at,
                "wall": rendering.slot.wall,
                "zone": rendering.slot.zone,
                "post": rendering.post.as_data(),
                "sizes": [
                    _size(part, channels.get(rendering.channel), number)
                    for number, part in enumerate(rendering.post.parts)
                ],
            }
            for rendering in one.renderings
        ],
        "questions": list(one.questions),
        "blocked": [{"key": key, "why": why} for key, why in one.blocked],
    }


def line_as_data(one: "Line") -> dict[str, Any]:
    """For `review KEY --json` and `status --json`."""
    return {**vars(one), "post": one.post.as_data() if one.post else None}


def trail(lines: Iterable[tuple[datetime, str, str, str]], zones: Zones) -> Iterator[Row]:
    """What happened, oldest first."""
    for at, who, what, why in lines:
        yield row((zones.show(at), "dim"), f"  {who}: ", (what.strip(), "bold"))
        if why:
            yield row(why, indent=4)


# --- where everything stands --------------------------------------------------------------

_STATES = {
    "cleared": "green",
    "published": "green",
    "proposed": "yellow",
    "returned": "red",
    "sending": "cyan",
    "missed": "red",
    "failed": "red",
    "uncertain": "bold red",
    "handed": "magenta",
}
_WAYS_OUT = {
    "uncertain": ("--live ADDRESS", "--absent"),
    "handed": ("--live ADDRESS", "--absent", "--skip"),
    "missed": ("--send-now", "--skip"),
    "failed": ("--retry", "--skip"),
}


def _ways_out(one: "Line") -> Iterable[str]:
    ways = _WAYS_OUT.get(one.state, ())
    return ("--arrived", *ways) if one.asked and one.state == "uncertain" else ways


def line(one: "Line", zones: Zones) -> Iterator[Row]:
    """One delivery: its time, its state and its key, then why it is there."""
    state = (f"{one.state:<9} ", _STATES.get(one.state, ""))
    yield row(state, (one.key, "bold"), "  ", (zones.show(one.at), "dim"), indent=2)
    if one.reason:
        yield row(one.reason, indent=12)
    if one.asked:
        yield row(f"its package goes then; wanted for {one.asked}", indent=12)
    if one.url:
        yield row(one.url, indent=12, whole=True)


def in_full(one: "Line", channel: "Channel | None", zones: Zones) -> Iterator[Row]:
    """One post, its texts without any margin: to be read, or copied and posted by hand."""
    yield from line(one, zones)
    if one.post:
        yield from _asked(one.post, zones, indent=12)
    parts = one.post.parts if one.post else ()
    for number, part in enumerate(parts):
        of = f", {name}" if (name := called(parts, number)) else ""
        yield row()
        yield row((f"--- text{of} ({_size(part, channel, number)})", "dim"))
        yield from (row(text, whole=True) for text in part.text.split("\n"))
        yield row(("---", "dim"))
        for picture in part.pictures:
            yield from _picture(picture, indent=0)
    for way in _ways_out(one):
        yield row(f"outreach settle {one.key} {way}", lead="→ ", whole=True)


def tasks(waiting: Iterable["Waiting"], zones: Zones) -> Iterator[Row]:
    """What waits for people, soonest given up first."""
    for one in waiting:
        until = f"  until {zones.show(one.gives_up)}"
        yield row((one.key, "bold"), f"  {one.account}", (until, "dim"), indent=2)
        for told in one.told:
            yield row((told, "dim"), indent=4)
        if one.link:
            yield row(one.link, indent=4, lead="→ ", whole=True)
        yield row(f"outreach settle {one.key} --live ADDRESS", indent=4, lead="→ ", whole=True)


def restored(it: "Restored", real: datetime, zones: Zones) -> Iterator[Row]:
    """What came back, from when, what became of what was there, and what to do next."""
    of = f" of {it.about.office}" if it.about.office else ""
    if at := it.about.at or it.since:
        age = ago(max((real - at).total_seconds(), 0))
        yield row(("Restored", "bold"), f" the database{of} as it was {age} ago: {zones.show(at)}.")
    else:
        yield row(("Restored", "bold"), f" the database{of}; nothing says from when it is.")
    if it.kept:
        yield row("What was there before is kept in", indent=2)
        yield row(str(it.kept), indent=4, whole=True)
    if count := sum(it.waiting.values()):
        posts, are = counted(count, "post"), "is" if count == 1 else "are"
        yield row((f"{posts} {are} due by now, and may be live without its knowing.", "yellow"))
        by_channel = ", ".join(f"{name} {count}" for name, count in sorted(it.waiting.items()))
        yield row(by_channel, indent=2)
        yield row(
            "Each is looked for before it is sent; where a network shows no history, and for what "
            "is posted by hand, you are asked.",
            indent=2,
        )
    else:
        yield row("Nothing was due since.")
    yield row("What is due later is looked for before its time, in case it was moved forward.")
    if it.unseen:
        count = len(it.unseen)
        posts, go = counted(count, "post"), "goes" if count == 1 else "go"
        told = f"{posts} cannot be looked for, and {go} out at the time that this backup has:"
        yield row((told, "yellow"))
        for key, at in it.unseen[:LISTED]:
            yield row(f"{zones.show(at)}  {key}", indent=2, whole=True)
        if count > LISTED:
            yield row(f"and {count - LISTED:,} more: outreach status", indent=2)
        yield row(
            "Its network shows no history. See there whether one was moved forward since, and is "
            "out already; take that back before you start the desk: "
            'outreach return CAMPAIGN/MESSAGE/LANGUAGE --why "it is out"',
            indent=2,
        )
    yield row("Clearances, holds, people and tokens are as they were then. Next:")
    for told, why in (
        ("outreach people", "who is in force; renew what was renewed since"),
        ("outreach status", "what needs a person, and which holds there were"),
        ("outreach plan", "what the files ask for that this database does not know"),
        ("outreach run", "start the desk: it looks first"),
    ):
        yield row(f"{told:<16} {why}", indent=2, whole=True)


def _on_duty(processes: Mapping[str, datetime], real: datetime) -> Iterator[Row]:
    """Who sends from this database, where there is more than the desk."""
    if len(processes) > 1:
        ages = {name: (real - seen).total_seconds() for name, seen in processes.items()}
        told = [f"{name} (seen {ago(max(age, 0))} ago)" for name, age in sorted(ages.items())]
        yield row(f"On duty: {', '.join(told)}.")


def status(now: "Status", real: datetime, zones: Zones) -> Iterator[Row]:
    """Who has to do what, then what comes next. `real` is the heartbeat's clock."""
    counts = ", ".join(f"{count} {state}" for state, count in sorted(now.counts.items()))
    yield row((zones.show(now.now), "bold"), f"  {counts or 'no posts yet: outreach plan'}")
    if now.last_tick is None:
        yield row(("Nothing has ticked yet: ", "yellow"), "outreach run publishes what is due.")
    else:
        age = (real - now.last_tick).total_seconds()
        colour = "red" if age > 300 else ""
        yield row((f"Last tick {ago(max(age, 0))} ago.", colour))
    yield from _on_duty(now.processes, real)
    if now.mails_waiting:
        yield row(f"{counted(now.mails_waiting, 'notice')} not mailed yet.")
    if now.roster:
        yield row((now.roster, "yellow"))
    if now.alarms:
        yield row()
        yield row(("Alarms", "bold red"))
        yield from alarms(now.alarms, zones)
    yield from _to_take_down(now.incidents, zones)
    for heading, colour, words in (
        ("On hold", "bold red", now.holds),
        ("Cannot publish", "bold red", [f"{name}: {why}" for name, why in now.unready.items()]),
        (
            "To connect",
            "bold red",
            [f"{name}: {why} → outreach connect {name}" for name, why in now.accounts.items()],
        ),
        ("Held back", "bold yellow", [f"{key}: {why}" for key, why in now.differs.items()]),
        ("Dead links", "bold red", [f"{key}: {why}" for key, why in now.broken.items()]),
        (
            "Waiting",
            "bold yellow",
            [
                f"{name}: {counted(one.posts, 'post')}; {one.why}, until {zones.show(one.until)}"
                for name, one in now.waits.items()
            ],
        ),
    ):
        if words:
            yield row()
            yield row((heading, colour))
            yield from (row(one, indent=2) for one in words)
    if now.attention:
        yield row()
        yield row(("Needs a person", "bold red"))
        returned = [one for one in now.attention if one.state == "proposed"]
        yield from _alike(
            [replace(one, state="returned") for one in returned],
            zones,
            todo="change it as the reason says, then: outreach plan, outreach apply",
        )
        for one in now.attention:
            if one in returned:
                continue
            yield from line(one, zones)
            if one.state in ("handed", "uncertain"):
                way = "what to post" if one.state == "handed" else "the words to look for"
                told = f"outreach review {one.key}"
                yield row((told, ""), f"   {way}", indent=12, lead="→ ", whole=True)
            for way in _ways_out(one):
                yield row(f"outreach settle {one.key} {way}", indent=12, lead="→ ", whole=True)
    if now.waiting:
        yield row()
        waits = "message waits" if now.waiting == 1 else "messages wait"
        told = f"{now.waiting:,} {waits} for clearance"
        yield row((told, "bold yellow"), "   → outreach review", whole=True)
    if now.next:
        yield row()
        yield row(("Next", "bold"))
        yield from _alike(now.next, zones)


def _to_take_down(incidents: Iterable["Standing"], zones: Zones) -> Iterator[Row]:
    for number, stands in enumerate(incidents):
        if not number:
            yield row()
            yield row(("Ordered to be taken down, and live still", "bold red"))
        yield from incident(stands, zones)


def _alike(lines: Iterable["Line"], zones: Zones, *, todo: str = "") -> Iterator[Row]:
    """A message's channels stand together where all else is the same; `todo` is said of each."""
    alike: dict[tuple[str, ...], list[Line]] = {}
    for one in lines:
        about = one.key.rpartition("@")[0]
        when = zones.show(one.at)
        alike.setdefault((one.state, about, when, one.reason), []).append(one)
    for (state, about, when, reason), those in alike.items():
        channels = ", ".join(split_key(one.key)[3] for one in those)
        shown = (f"{state:<9} ", _STATES.get(state, ""))
        yield row(shown, (about, "bold"), f" on {channels}  ", (when, "dim"), indent=2)
        if reason:
            yield row(reason, indent=12)
        if todo:
            yield row(todo, indent=12, lead="→ ")


def alarms(lasting: Iterable["Alarm"], zones: Zones) -> Iterator[Row]:
    """What is wrong, since when, and what to do."""
    for one in lasting:
        since = f"  since {zones.show(one.since)}" if one.since else ""
        yield row(one.what, (since, "dim"), indent=2)
        yield row(one.todo, indent=2, lead="→ ")


# --- taking down --------------------------------------------------------------------------


def affected(what: "Affected") -> Iterator[Row]:
    """What an order would take down, before it is given."""
    if what.again:
        yield row((f"Incident {what.again} has ordered this already: it is tried again.", "bold"))
    yield row(("This goes, now:", "bold red"))
    for key in sorted({**what.live, **what.flying}):
        channel = split_key(key)[3]
        how = "by hand: a person has to delete it" if channel in what.by_hand else "is deleted"
        if why := what.lasting.get(channel):
            how = f"{why}; what was not yet sent is stopped"
        elif key in what.flying and key not in what.live:
            how = f"is {what.flying[key]} now: it goes as soon as it is known to be live"
        yield row((key, "bold"), f"  {how}", indent=2)
        yield from (row(url, indent=4, whole=True) for url in what.live.get(key, ()))
    waiting = f" ({counted(len(what.pending), 'post')} waiting)" if what.pending else ""
    yield row(f"On hold until somebody releases it: {', '.join(what.held)}{waiting}")


def differing(posts: Iterable["Differs"]) -> Iterator[Row]:
    """What correcting would change on each channel, or why it cannot."""
    for one in posts:
        yield row((one.key, "bold"), "" if one.instead else "  is edited in place", indent=2)
        if one.url:
            yield row(one.url, indent=4, whole=True)
        if one.instead:
            yield row((f"NOT HERE: {one.instead}", "bold red"), indent=4)
            continue
        was, becomes = ("\n---\n".join(texts).splitlines() for texts in (one.was, one.becomes))
        for line in difflib.unified_diff(was, becomes, lineterm="", n=1):
            if not line.startswith(("---", "+++", "@@")):
                style = {"+": "green", "-": "red"}.get(line[:1], "dim")
                yield row((line, style), indent=4)


_BECAME = {
    "down": ("deleted", "green"),
    "never live": ("not live", "green"),
    "by hand": ("BY HAND", "bold red"),
    "refused": ("REFUSED", "bold red"),
    "sent": ("SENT", "bold red"),
    "open": ("waits", "yellow"),
}


def incident(stands: "Standing", zones: Zones) -> Iterator[Row]:
    """What has become of each post of an incident, and what is left to do."""
    yield row(
        (f"Incident {stands.number}", "bold"),
        f": {stands.why}  ",
        (f"{stands.by}, {zones.show(stands.at)}", "dim"),
    )
    for one in stands.results:
        word, style = _BECAME[one.state]
        yield row((f"{word:<9} ", style), (one.key, "bold"), indent=2)
        if not one.done and one.reason:
            yield row(one.reason, indent=12)
        if not one.done:
            yield from (row(url, indent=12, whole=True) for url in one.urls)
        if one.state in ("by hand", "refused"):
            yield row(f"outreach settle {one.key} --gone", indent=12, lead="→ ", whole=True)
    if any(one.state == "open" for one in stands.results):
        yield row("What waits is tried again by outreach run; how it stands: ", indent=2)
        yield row(f"outreach take-down {stands.number}", indent=2, lead="→ ", whole=True)
    for message in stands.held:
        yield row(f"On hold: {message}. When it is put right:", indent=2)
        yield row(f"outreach release message:{message}", indent=2, lead="→ ", whole=True)


def findings(found: Iterable["Finding"]) -> Iterator[Row]:
    """The doctor's checks as they are made, a line each and what to do."""
    marks = {True: ("ok", "green"), False: ("fails", "bold red"), None: ("?", "yellow")}
    for one in found:
        mark, style = marks[one.ok]
        yield row((one.name, "bold"), f": {one.sentence}", lead=f"{mark:<6}", style=style)
        if one.hint and one.ok is not True:
            yield row(one.hint, indent=6, lead="→ ")
