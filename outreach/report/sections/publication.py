"""What went out, what did not go as planned, and what was taken back or put right."""

from collections.abc import Iterable, Sequence

from outreach.report.arithmetic import CORE, NIL, NOT_APPLICABLE
from outreach.report.facts import Withdrawn
from outreach.report.paper import Notes, Paper, cell, opening
from outreach.report.value import Cell, Column, Row, Section, Table
from outreach.report.words import count, figure, listing, plural, sentence


def sections(paper: Paper) -> Iterable[Section]:
    """Publication, and incidents where there were any."""
    yield Section("publication", "Publication", tuple(_activity(paper)))
    if told := tuple(_incidents(paper)):
        yield Section("incidents", "Incidents", told, tables=_withdrawn(paper))


def _activity(paper: Paper) -> Iterable[str]:
    """What was published, and what did not go as planned."""
    facts = paper.facts
    known = [(one.title, one.posts) for one in paper.channels if one.posts is not None]
    posts = sum(number for _, number in known)
    used = sum(1 for _, number in known if number)
    if posts:
        were = "was" if posts == 1 else "were"
        yield (
            f"{opening(paper.within)}, {plural(posts, 'post')} {were} published on "
            f"{plural(used, 'channel')}."
        )
    elif not paper.channels:
        yield f"This desk published no post {paper.within}."
    elif len(known) == len(paper.channels):
        yield f"No post was published {paper.within}."
    else:
        yield f"How many posts were published {paper.within} was not recorded."
    withdrawn = sum(one.withdrawn_at is not None for one in facts.posts)
    if withdrawn:
        were = "post was" if withdrawn == 1 else "posts were"
        yield (
            f"{count(withdrawn).capitalize()} further {were} published and withdrawn, and "
            f"{'its' if withdrawn == 1 else 'their'} figures are in no sum."
        )
    if 0 < len(facts.posts) - withdrawn < posts:
        yield (
            f"The annex lists the {plural(len(facts.posts), 'post')} that this desk published; "
            "of the others only the number is known."
        )
    if known and len(known) < len(paper.channels):
        names = listing([one.title for one in paper.channels if one.posts is None])
        yield f"Posts on {names} were not counted."
    driven = [(one.name, one.clicks) for one in facts.partners if one.clicks is not None]
    if driven:
        of = listing([f"{name} {figure(clicks)}" for name, clicks in driven])
        yield (
            f"Partner-driven clicks: {figure(sum(clicks for _, clicks in driven))} ({of}). "
            "They came by addresses in partners' kits and are in no channel's clicks."
        )
    troubles = [
        f"{count(number)} {words}"
        for number, words in (
            (facts.missed, f"missed {'its' if facts.missed == 1 else 'their'} time"),
            (facts.failed, "could not be published"),
            (facts.uncertain, f"{'is' if facts.uncertain == 1 else 'are'} of unknown outcome"),
        )
        if number
    ]
    if troubles:
        yield sentence(f"Of the posts planned, {listing(troubles)}")
    else:
        yield "No post missed its time, failed or is of unknown outcome."
    for override in sorted(facts.overrides, key=lambda one: (one.at, one.key)):
        yield (
            f"Emergency override: {override.key} was cleared on "
            f"{paper.moment(override.at)}, by decision of {override.by} and "
            f"without clearance by a second person. Reason given: {sentence(override.reason)}"
        )


def _incidents(paper: Paper) -> Iterable[str]:
    """One paragraph for each: who, when, why, how long it was live, and what is live still."""
    for one in sorted(paper.facts.incidents, key=lambda one: one.number):
        were = [post for post in one.posts if post.state != "never live"]
        down = [post for post in were if post.state == "down"]
        told = (
            f"Incident {one.number}: on {paper.moment(one.at)}, {one.by} "
            f"ordered {plural(len(were), 'post')} to be taken down. Reason given: "
            f"{sentence(one.why)}"
        )
        if down:
            are = "was" if len(down) == 1 else "were"
            of = plural(len(down), "post")
            told += f" {sentence(f'{of} {are} withdrawn{_after(down)}')}"
        if staying := [post for post in were if post.state != "down"]:
            are = "is" if len(staying) == 1 else "are"
            places = listing([f"{post.channel} ({_how(post)})" for post in staying])
            told += f" Not withdrawn when this report was made {are} {places}."
        yield told
    for post in sorted(paper.facts.corrected, key=lambda post: (post.at, post.key)):
        yield (
            f"Corrected: {post.title} on {post.channel} ({post.key}), on "
            f"{paper.moment(post.at)}. Reason given: {sentence(post.why)}"
        )


def _withdrawn(paper: Paper) -> tuple[Table, ...]:
    """The posts of the month's incidents. Figures of what is withdrawn are in no sum."""
    notes = Notes()
    zone = paper.facts.zone
    rows = [
        Row(
            post.title,
            (
                Cell(str(one.number)),
                Cell(f"{post.channel}, {post.language}"),
                Cell(paper.moment(post.published_at))
                if post.published_at
                else Cell(NOT_APPLICABLE),
                Cell(paper.moment(post.ended_at))
                if post.state == "down" and post.ended_at
                else Cell(NIL, note=notes(sentence(_how(post)))),
                *(cell(post.figures.get(name), notes) for name in CORE),
            ),
        )
        for one in sorted(paper.facts.incidents, key=lambda one: one.number)
        for post in sorted(one.posts, key=lambda post: post.key)
        if post.state != "never live"
    ]
    return paper.table(
        "withdrawn",
        f"Posts to be withdrawn {paper.within}, with their last figures",
        (
            Column("Post", 15),
            Column("No.", 5),
            Column("Channel", 14, words=True),
            Column(f"Published ({zone})", 17, words=True),
            Column(f"Withdrawn ({zone})", 17, words=True),
            *paper.heads("displays", width=10),
            *paper.heads("engagements", width=14),
            *paper.heads("clicks", width=8),
        ),
        rows,
        notes,
        small=True,
    )


def _after(posts: Sequence[Withdrawn]) -> str:
    """ " after 17 minutes", or " after two to 17 minutes"."""
    minutes = sorted(
        int((post.ended_at - post.published_at).total_seconds() // 60)
        for post in posts
        if post.ended_at and post.published_at
    )
    if not minutes:
        return ""
    if minutes[-1] < 1:
        return " within a minute"
    if minutes[-1] >= 2 * 24 * 60:
        return f" after up to {plural(minutes[-1] // (24 * 60), 'day')}"
    if minutes[-1] >= 2 * 60:
        return f" after up to {plural(minutes[-1] // 60, 'hour')}"
    if minutes[0] == minutes[-1]:
        return f" after {plural(minutes[0], 'minute')}"
    return f" after {count(minutes[0])} to {plural(minutes[-1], 'minute')}"


def _how(post: Withdrawn) -> str:
    """Why it is not withdrawn."""
    return {
        "by hand": "to be deleted by hand",
        "refused": f"refused: {post.reason}",
        "sent": post.reason,
        "open": post.reason or "still being taken down",
    }.get(post.state, post.state)
