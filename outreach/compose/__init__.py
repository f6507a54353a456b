"""Campaign x Channel -> posts: exactly what the public would see, and what is in the way of it.

`compose` reads the text files, renders them in one batch in the sandbox, puts addresses and
pictures in, and holds every part against its network's limits. The same files make the same
posts with the same fingerprints; nothing is written.
"""

import re
import unicodedata
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from outreach.compose import languages
from outreach.compose import links as addresses
from outreach.compose.apart import apart
from outreach.compose.languages import Translation
from outreach.compose.links import Link
from outreach.compose.texts import DIVIDER, Section, Texts, read_texts
from outreach.errors import Problem
from outreach.hints import did_you_mean, known_as
from outreach.platforms import PLATFORMS, Channel, has_link, nearest
from outreach.post import Part, Picture, Post, Slot, called, key_of

if TYPE_CHECKING:  # pydantic is heavy, and this package is imported by every command
    from outreach.campaign.care import Remembrance
    from outreach.campaign.directory import Directory
    from outreach.campaign.models import Campaign, Media, Message
    from outreach.campaign.occasions import Occasion
    from outreach.campaign.values import Late
    from outreach.compose.render import Job, Rendered
    from outreach.compose.style import Finding, House

_WORDS = {
    "picture": languages.PICTURE,
    "document": languages.DOCUMENT,
    "video": languages.VIDEO,
}
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # control characters but line and tab
_BLANKS = re.compile(r"\n{3,}")
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Draft:
    """One message in one language on one channel, as its files have it now.

    `post` is None where its text could not be made. `slot` is None for an idea. `late` and
    `not_after` (aware, UTC) say what becomes of it when it is found late; `release` is
    "together" or "as-ready". None of `authors` may clear it. `blocked` is everything that keeps
    it from being proposed: mistakes first, then facts to be confirmed; `advice` is what a person
    should think about, and stops nothing; `questions` are what whoever clears it has to decide.
    `links` are the short addresses that its text prints.
    `local` tells the occasions of a recurring message apart, and is empty otherwise; `of` is the
    message in the file, where `each` has made several. `outdated` is what it says in free words
    of an event that has moved. `translation` says where the text stands
    among the message's languages, and `translator` and `reviewer` who answers for that.
    Of an account that another office owns, `slot` is when its package goes, and `wanted` when it is
    asked to publish it.
    """

    campaign: str
    message: str
    language: str
    channel: str
    slot: Slot | None
    post: Post | None
    late: "Late"
    not_after: datetime | None
    release: str
    authors: frozenset[str]
    blocked: tuple[Problem, ...] = ()
    links: tuple[Link, ...] = ()
    local: str = ""
    advice: tuple[Problem, ...] = ()
    questions: tuple[Problem, ...] = ()
    of: str = ""
    outdated: str = ""
    translation: Translation = Translation.SOURCE
    translator: str = ""
    reviewer: str = ""
    wanted: Slot | None = None

    key: str = field(init=False, default="")  # `campaign/message[~local slot]/language@channel`

    def __post_init__(self) -> None:
        key = key_of(self.campaign, self.message, self.local, self.language, self.channel)
        object.__setattr__(self, "key", key)


def compose(
    campaigns: Iterable["Campaign"],
    channels: Mapping[str, Channel],
    *,
    templates: Path,
    media: Path,
    root: Path,
    public_url: str = "",
    people: Collection[str] | None = None,
    house: "House | None" = None,
    directory: "Directory | None" = None,
    until: datetime | None = None,
    dates: Sequence["Remembrance"] = (),
    progress: Callable[[int, int], None] | None = None,
    rendering: "Callable[..., Iterator[Rendered]] | None" = None,
) -> list[Draft]:
    """One Draft for each occasion, language and channel of its audience, in the files' order.

    `templates` and `media` are the office's folders; `root` is what file names in problems are
    shown from. With a `public_url` addresses are short ones below it. Texts are written by
    `people` of the office, where they are given, name what stands in its `directory`, and are
    held to the style of its `house`. Recurring messages have their occasions up to `until`
    (aware), and `dates` call for care. `progress(done, of)` counts messages;
    `rendering` may put something of its own in what a text is made from. Raises Unusable where
    texts cannot be rendered at all.
    """
    from outreach.compose.render import rendering as usual

    desk = _Desk(
        channels, templates, media, root, public_url, people, house, directory, until, dates
    )
    campaigns = tuple(campaigns)
    of = sum(len(campaign.messages) for campaign in campaigns)
    ahead: deque[_Wanted] = deque()  # whose texts are being rendered

    def jobs() -> "Iterator[Job]":
        begun: dict[tuple[str, str], None] = {}
        for item in (item for campaign in campaigns for item in desk.wanted(campaign)):
            ahead.append(item)
            begun[item.campaign.campaign, item.occasion.of] = None
            if progress:
                progress(len(begun), of)
            if item.job:
                yield item.job

    drafts = []
    for text in (rendering or usual)(jobs()):
        while not ahead[0].job:
            drafts.append(desk.draft(ahead.popleft(), None))
        drafts.append(desk.draft(ahead.popleft(), text))
    drafts += [desk.draft(item, None) for item in ahead]
    return apart(_waited_for(drafts))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A draft on its way: what is known of it before its text is rendered."""

    draft: Draft
    campaign: "Campaign"
    message: "Message"
    occasion: "Occasion"
    channel: Channel | None = None
    texts: Texts | None = None
    section: Section | None = None
    job: "Job | None" = None
    targets: Mapping[str, str] = field(default_factory=dict)  # tagged addresses by link's name
    printed: Mapping[str, str] = field(default_factory=dict)  # the same, as the text shows them


class _Desk:
    """What one call of `compose` works with; files are read once."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        templates: Path,
        media: Path,
        root: Path,
        public_url: str,
        people: Collection[str] | None,
        house: "House | None",
        directory: "Directory | None",
        until: datetime | None,
        dates: Sequence["Remembrance"],
    ) -> None:
        self._channels = channels
        self._templates = templates
        self._media = media
        self._root = root
        self._public_url = public_url
        self._people, self._house, self._until, self._dates = people, house, until, dates
        self._directory = directory
        self._below = templates.resolve()
        self._contexts: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._linted: dict[tuple[object, ...], list[Finding]] = {}
        self._pictures: dict[object, Picture | Problem] = {}

    def wanted(self, campaign: "Campaign") -> Iterator[_Wanted]:
        from outreach.campaign import care
        from outreach.campaign.fits import check_people
        from outreach.campaign.occasions import occasions, stop, waits

        read: dict[str, Texts] = {}
        authors = frozenset({campaign.written_by})
        strangers = () if self._people is None else check_people(campaign, self._people)
        for one in occasions(campaign, until=self._until):
            name, message = one.of, campaign.messages[one.of]
            texts = read.get(name) or self._texts(campaign, name, message)
            read[name] = texts
            slot = one.slot if isinstance(one.slot, Slot) else None
            advice = tuple(care.concerns(campaign, one, slot, self._dates)) if slot else ()
            unsure = waits(campaign, one)
            open_ = [one.slot] if isinstance(one.slot, Problem) else [unsure] if unsure else []
            for language, channel, problem in self._audience(campaign, name, message):
                draft = Draft(
                    campaign=campaign.campaign,
                    message=one.message,
                    language=language,
                    channel=channel,
                    slot=slot,
                    post=None,
                    late=message.if_late or campaign.defaults.if_late,
                    not_after=stop(campaign, name, slot),
                    release=message.release,
                    authors=authors,
                    blocked=(
                        *strangers,
                        *open_,
                        *self._targets(texts),
                        *([problem] if problem else []),
                    ),
                    local=one.local,
                    of=one.of,
                    advice=(*advice, *self._asleep(campaign, one, slot, channel)),
                )
                yield self._with_text(_Wanted(draft, campaign, message, one, texts=texts))

    def _asleep(
        self, campaign: "Campaign", one: "Occasion", slot: Slot | None, channel: str
    ) -> Iterator[Problem]:
        from outreach.campaign.care import quiet

        if slot and (known := self._channels.get(channel)) and known.quiet:
            where = campaign.where("messages", one.of, "every" if one.local else "at")
            yield from quiet(where, one.message, slot, channel, known.zone, known.quiet)

    def draft(self, item: _Wanted, rendered: "Rendered | None") -> Draft:
        """The draft with its post, or with what is in the way of one."""
        blocked = [*item.draft.blocked]
        style: dict[str, list[Problem]] = {"E": [], "W": [], "H": []}
        advice = [*item.draft.advice]
        post, foreign = None, False
        if item.channel:
            blocked += self._needs(item)
            pictures, troubles = self._read_pictures(item, item.channel)
            blocked += troubles
            style["H"] += self._pictures_to_decide(item, item.channel)
            if rendered and item.section and item.texts:
                blocked += rendered.problems
                blocked += self._bad_links(item, rendered)
                if rendered.text is not None:
                    thread = item.message.thread or item.campaign.defaults.thread
                    parts = _parts(
                        rendered.text, item.draft.language, pictures, item.channel, thread
                    )
                    shown = item.texts.shown
                    blocked += _fits(parts, item.section, shown, item.channel)
                    advice += _unfollowed(parts, item.section, shown, item.channel)
                    spoken = item.campaign.languages.all
                    wrong = list(_in_its_language(parts, item.section, shown, spoken))
                    foreign = bool(wrong)
                    blocked += wrong
                    blocked += self._unlabelled(item, rendered, item.section, shown)
                    for severity, problem in self._style(item, parts, item.section, shown):
                        style[severity].append(problem)
                    post = Post(
                        campaign=item.draft.campaign,
                        message=item.draft.message,
                        language=item.draft.language,
                        channel=item.draft.channel,
                        parts=parts,
                        account=item.channel.account,
                        slot=item.draft.local,
                        **_asked(item, item.channel),
                    )
        return replace(
            _ahead(item.draft, item.channel),
            post=post,
            blocked=tuple(
                sorted(dict.fromkeys([*blocked, *style["E"]]), key=lambda one: not one.mistake)
            ),
            advice=tuple(dict.fromkeys([*advice, *style["W"]])),
            questions=tuple(dict.fromkeys(style["H"])),
            links=self._short(item, post),
            translation=self._translation(item, foreign=foreign),
        )

    def _strangers(self, section: Section, where: str) -> Iterator[Problem]:
        """A translator who is not of the office may be a slip of the pen: then nothing would keep
        them from clearing their own words."""
        who = section.translator
        if self._people is not None and who not in ("", "open", *self._people):
            what = f"the translator {who} is not in config/people.toml"
            hint = did_you_mean(who, self._people) or "somebody of the office is named by their id"
            yield Problem(where, what, hint, advice=True)

    def _unlabelled(
        self, item: _Wanted, rendered: "Rendered", section: Section, shown: str
    ) -> Iterator[Problem]:
        """A translation that is not official says so."""
        unofficial = item.draft.language in item.campaign.languages.unofficial
        if unofficial and "unofficial" not in rendered.uses:
            what = f"{item.draft.language} is not official here, and its text does not say so"
            hint = "print {{ unofficial }} where it is read, such as in its last line"
            yield Problem(f"{shown}:{section.line - 1}", what, hint)

    def _style(
        self, item: _Wanted, parts: Sequence[Part], section: Section, shown: str
    ) -> Iterator[tuple[str, Problem]]:
        """What the house's rules find in a text: (severity, problem), E, W or H."""
        if self._house is None or item.channel is None:
            return
        titles = (item.campaign.title,)
        for number, part in enumerate(parts):
            text = part.text
            for name, printed in item.printed.items():  # where a short address leads
                text = text.replace(printed, item.targets[name])
            seen = (text, part.language, part.pictures, item.channel.limits.alt, titles)
            if seen not in self._linted:
                self._linted[seen] = self._house.lint(
                    text,
                    language=part.language,
                    pictures=part.pictures,
                    titles=titles,
                    alt_limit=item.channel.limits.alt,
                )
            where = f"{shown}:{section.line_of(number, len(parts))}"
            for found in self._linted[seen]:
                what = f"“{found.found}” ({found.rule}: {found.source})"
                hint = "; ".join(part for part in (found.proposal, found.note) if part)
                yield found.severity, Problem(where, what, hint, advice=found.severity != "E")

    def _translation(self, item: _Wanted, *, foreign: bool) -> Translation:
        if item.draft.language == item.campaign.languages.source or item.texts is None:
            return Translation.SOURCE
        return languages.state(item.section, self._source(item), foreign)

    def _source(self, item: _Wanted) -> Section | None:
        """The source text that a translation stands beside."""
        if item.texts is None or item.channel is None:
            return None
        of, number = item.campaign.languages.source, item.occasion.number
        return item.texts.closest(of, item.channel.platform, item.channel.name, number)

    def _texts(self, campaign: "Campaign", name: str, message: "Message") -> Texts:
        path = self._templates / campaign.text_file(name, message.template)
        shown = known_as(path, self._root)
        if not path.resolve().is_relative_to(self._below):
            where = campaign.where("messages", name, "template")
            hint = f"name a file below {self._templates.name}/"
            return Texts(shown, problems=(Problem(where, "leaves the folder of texts", hint),))
        texts = read_texts(path, shown)
        if texts.missing and message.at is None and message.every is None:
            # An idea may be noted before anybody has written it.
            return replace(texts, problems=tuple(replace(p, open=True) for p in texts.problems))
        return texts

    def _targets(self, texts: Texts) -> list[Problem]:
        """A variant for a channel that does not exist would silently never be taken."""
        known = {*self._channels, *PLATFORMS, *(c.platform for c in self._channels.values())}
        return [
            Problem(
                f"{texts.shown}:{section.line - 1}",
                f"there is no channel or platform called {section.target}",
                f"did you mean {near}?"
                if (near := nearest(section.target, known))
                else f"known are: {', '.join(sorted(known))}",
            )
            for section in texts.sections
            if section.target and section.target not in known
        ]

    def _audience(
        self, campaign: "Campaign", name: str, message: "Message"
    ) -> Iterator[tuple[str, str, Problem | None]]:
        """(language, channel, what is wrong with that) for everyone whom a message is for."""
        from outreach.campaign.fits import no_channel

        audience = message.to or campaign.defaults.to
        if audience not in campaign.audiences:
            if message.at is None and message.every is None and not audience:
                return  # an idea need not know yet whom it is for
            where = campaign.where("messages", name, "to")
            what = f"there is no audience {audience}" if audience else "it is for nobody"
            hint = did_you_mean(audience, campaign.audiences) or "write `to:` with an audience"
            yield campaign.languages.source, "", Problem(where, what, hint)
            return
        for language, channels in campaign.audiences[audience].items():
            where = campaign.where("audiences", audience, language)
            for place, channel in enumerate(channels):
                problem = None
                if channel not in self._channels:
                    problem = no_channel(campaign, audience, language, place, self._channels)
                elif language not in self._channels[channel].languages:
                    has = ", ".join(self._channels[channel].languages)
                    what = f"{channel} is not for {language}; its languages are {has}"
                    hint = "add the language in config/channels.toml, or take the channel out here"
                    problem = Problem(where, what, hint)
                yield language, channel, problem

    def _with_text(self, item: _Wanted) -> _Wanted:
        """The same with its section and its job; or with what is missing for them."""
        campaign, draft, texts = item.campaign, item.draft, item.texts
        channel = self._channels.get(draft.channel)
        if channel is None or texts is None:
            return item
        draft = replace(draft, blocked=(*draft.blocked, *texts.problems))
        section = texts.closest(
            draft.language, channel.platform, channel.name, item.occasion.number
        )
        if section is None:
            if not texts.problems:
                missing = Problem(
                    texts.shown,
                    f"there is no text in {draft.language} for {channel.name}",
                    f"add a section `## {draft.language}`",
                    open=draft.language != campaign.languages.source,
                )
                draft = replace(draft, blocked=(*draft.blocked, missing))
            return replace(item, draft=draft, channel=channel)
        if draft.language != campaign.languages.source:
            source = self._source(replace(item, channel=channel))
            where = f"{texts.shown}:{section.line - 1}"
            draft = replace(
                draft,
                authors=draft.authors | ({section.translator} - {"", "open"}),
                blocked=(*draft.blocked, *languages.not_ready(section, source, where)),
                advice=(*draft.advice, *self._strangers(section, where)),
                translator=section.translator,
                reviewer=section.reviewer,
            )
        targets = {
            name: addresses.tagged(
                url,
                campaign=draft.campaign,
                message=draft.message,
                channel_source=channel.source or channel.name,
            )
            for name, url in campaign.links.items()
            if isinstance(url, str) and not addresses.unfit(url, "")
        }
        printed = {
            name: addresses.address(self._public_url, draft.key, target)
            for name, target in targets.items()
        }
        from outreach.compose.render import Job

        context = self._context(campaign, channel, draft.language, printed, item)
        return replace(
            item,
            draft=draft,
            channel=channel,
            section=section,
            job=Job(section.source, context, texts.shown, section.line),
            targets=targets,
            printed=printed,
        )

    def _context(
        self,
        campaign: "Campaign",
        channel: Channel,
        language: str,
        printed: Mapping[str, str],
        item: _Wanted,
    ) -> dict[str, Any]:
        from outreach.campaign.directory import Directory
        from outreach.compose.context import own_context, shared_context

        shared = (campaign.campaign, language, channel.platform)
        if shared not in self._contexts:
            directory = self._directory or Directory()
            self._contexts[shared] = shared_context(campaign, channel, language, directory)
        return {
            **self._contexts[shared],
            **own_context(campaign, channel, language, printed, item.occasion.item),
        }

    def _needs(self, item: _Wanted) -> list[Problem]:
        from outreach.compose.context import look_up, open_fact

        if not item.message.needs or item.channel is None:
            return []
        campaign, draft = item.campaign, item.draft
        context = self._context(campaign, item.channel, draft.language, item.printed, item)
        where = campaign.where("messages", draft.message, "needs")
        problems = []
        for name in item.message.needs:
            value = look_up(context, name)
            fact = open_fact(value)
            if fact:
                by = f" by {fact['who']}" if fact["who"] else ""
                what = f"{fact['name']} is to be confirmed{by}"
                problems.append(Problem(where, what, fact["hint"], open=True))
            elif value is None:
                hint = f"write it in {campaign.file} when it is known"
                problems.append(Problem(where, f"needs {name}, not known yet", hint, open=True))
        return problems

    def _bad_links(self, item: _Wanted, rendered: "Rendered") -> list[Problem]:
        """What is wrong with the addresses that this text prints."""
        from outreach.compose.reachable import not_for_the_public

        problems = []
        for name, url in item.campaign.links.items():
            names = {"links", "links.items", "links.values"}
            names |= {f"links.{name}", f"links.{name.replace('-', '_')}"}
            if isinstance(url, str) and names & rendered.uses:
                where = item.campaign.where("links", name)
                problem = addresses.unfit(url, where)
                if problem is None and not addresses.loopback(urlsplit(url).hostname or ""):
                    refused = not_for_the_public(url)
                    if refused:
                        problem = Problem(where, f"{url} {refused.what}", refused.hint)
                problems += [problem] if problem else []
        return problems

    def _read_pictures(
        self, item: _Wanted, channel: Channel
    ) -> tuple[tuple[Picture, ...], list[Problem]]:
        from outreach.campaign.models import in_language
        from outreach.compose.media import in_time, read_picture, together

        pictures: list[Picture] = []
        wanted: list[Media] = []
        problems: list[Problem] = []
        of = ("messages", item.draft.of, "media")
        for number, given in enumerate(item.message.media):
            known = {*self._channels, *PLATFORMS, *(c.platform for c in self._channels.values())}
            for name in sorted(set(given.only) - known):
                where = item.campaign.where(*of, number, "only")
                what = f"there is no channel or platform called {name}"
                hint = did_you_mean(name, known) or f"known are: {', '.join(sorted(known))}"
                problems.append(Problem(where, what, hint))
            if not _gets(channel, given):
                continue
            wanted.append(given)
            alt = in_language(given.alt, item.draft.language)
            media = given.model_copy(update={"alt": alt})
            where = item.campaign.where(*of, number, "file")
            until = item.campaign.where(*of, number, "expires")
            problems += in_time(media, item.draft.slot, until, series=bool(item.draft.local))
            found = read_picture(
                self._media,
                media,
                channel.limits,
                where,
                channel=channel.name,
                read=self._pictures,
                language=item.draft.language,
            )
            if isinstance(found, Picture):
                pictures.append(found)
            else:
                problems += found
        problems += together(wanted, channel, item.campaign.where(*of))
        return tuple(pictures), problems

    def _pictures_to_decide(self, item: _Wanted, channel: Channel) -> Iterator[Problem]:
        from outreach.compose.media import to_decide

        for number, media in enumerate(item.message.media):
            if _gets(channel, media):
                yield from to_decide(
                    media, item.campaign.where("messages", item.draft.of, "media", number)
                )

    def _short(self, item: _Wanted, post: Post | None) -> tuple[Link, ...]:
        if not self._public_url or post is None:
            return ()
        text = "\n".join(part.text for part in post.parts)
        codes = {
            addresses.code_of(item.draft.key, target): target
            for name, target in item.targets.items()
            if item.printed[name] in text
        }
        return tuple(Link(code, target) for code, target in codes.items())


def _gets(channel: Channel, media: "Media") -> bool:
    """Whether a picture of a message goes to this channel."""
    return not media.only or bool({channel.name, channel.platform} & set(media.only))


def _parts(
    text: str,
    language: str,
    pictures: tuple[Picture, ...],
    channel: Channel,
    thread: str | None = None,
) -> tuple[Part, ...]:
    """The parts of a rendered text; the pictures go with the first.

    `thread` says what becomes of one that is too long, where the network has threads.
    """
    first, *divided = DIVIDER.split(text)
    below = list(zip(divided[1::2], divided[::2], strict=True))  # a text, and whether a comment
    texts = [_tidy(first), *(_tidy(part) for part, comment in below if not comment)]
    comments = [_tidy(part) for part, comment in below if comment]
    threads = channel.limits.parts > 1 and channel.limits.later is None  # and not comments
    if threads and thread in ("split", "numbered"):
        texts = _threaded(texts, language, pictures, channel, numbers=thread == "numbered")
    if texts[0]:
        # No field for a description there: those who cannot see the picture read it in the text.
        printed = filter(channel.limits.prints, pictures)
        texts[0] += "".join(_description(picture, language) for picture in printed)
    said = [
        Part(text=text, language=language, pictures=() if number else pictures)
        for number, text in enumerate(texts)
    ]
    return (*said, *(Part(text=text, language=language, comment=True) for text in comments))


def _threaded(
    texts: list[str],
    language: str,
    pictures: tuple[Picture, ...],
    channel: Channel,
    *,
    numbers: bool,
) -> list[str]:
    from outreach.compose import thread

    limits = channel.limits

    def fits(text: str, number: int) -> bool:
        part = Part(text, language, () if number else pictures)
        return limits.length(text) <= limits.room(part, number)

    if numbers:
        return thread.numbered(texts, fits)
    parts: list[str] = []
    for one in texts:
        parts += thread.split(one, fits, first=len(parts)) or [one]
    return parts


def _tidy(text: str) -> str:
    """Composed characters, no blanks at the ends, at most one blank line in a row."""
    lines = unicodedata.normalize("NFC", text).split("\n")
    return _BLANKS.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()


def _fits(
    parts: tuple[Part, ...], section: Section, shown: str, channel: Channel
) -> Iterator[Problem]:
    """What keeps these parts off the network, each at the line on which its part begins."""
    limits = channel.limits
    if limits.parts == 1 and any(part.comment for part in parts):
        where = f"{shown}:{section.line_of(len(parts) - 1, len(parts))}"
        what = f"{channel.name} has no comment of ours under a post"
        hint = f"say it in the post: write a variant `@{channel.name}` without `--- comment`"
        yield Problem(where, what, hint)
    elif len(parts) > limits.parts:
        where = f"{shown}:{section.line_of(limits.parts, len(parts))}"
        what = f"{len(parts)} parts; {channel.name} takes {limits.parts}"
        hint = f"take out {len(parts) - limits.parts}, or write a variant `@{channel.name}`"
        yield Problem(where, what, hint)
    for number, part in enumerate(parts):
        begins = section.line_of(number, len(parts))
        where = f"{shown}:{begins}"
        name = called(parts, number).partition(" of ")[0]
        which = f"{name}: " if name else ""
        if not part.text:
            yield Problem(where, f"{which}the text is empty", "write it, or take it out")
        count, room = limits.length(part.text), limits.room(part, number)
        if count > room:
            of = f" with a {part.pictures[0].kind}" if room == limits.caption else ""
            of = " in a comment" if number and room == limits.later else of
            what = f"{which}{count:,} {limits.unit}{_described(part, channel)}"
            what += f"; {channel.name} takes {room:,}{of}"
            yield Problem(where, what, f"cut {count - room:,}")
        if unseen := _UNSEEN.search(part.text):
            odd = unseen[0]
            what = f"{which}an invisible control character, U+{ord(odd):04X}"
            where = f"{shown}:{section.line_with(odd, begins)}"
            yield Problem(where, what, "find it by typing the line again")


def _asked(item: _Wanted, channel: Channel) -> dict[str, str]:
    """What another office is told of the time: when it is wanted, and its embargo."""
    from outreach.campaign.occasions import embargo

    slot = item.draft.slot
    if not channel.lead or slot is None:
        return {}
    since = None
    with suppress(ValueError):  # a moment that is none is told where it stands
        since = embargo(item.campaign, item.occasion.of)
    until = f"{since.astimezone(ZoneInfo(slot.zone)):%Y-%m-%dT%H:%M} {slot.zone}" if since else ""
    return {"wanted": f"{slot.wall} {slot.zone}", "embargo": until}


def _ahead(draft: Draft, channel: Channel | None) -> Draft:
    """The draft; for another office with the time at which its package goes, by which it has to be
    cleared. A package may be a day late: it is early."""
    if channel is None or not channel.lead or draft.slot is None:
        return draft
    from outreach.campaign.calendar import Calendar
    from outreach.campaign.values import Late

    wall = datetime.fromisoformat(draft.slot.wall)
    day = Calendar(channel.holidays).counted(wall.date(), -channel.lead)
    # An hour that the clocks leave out or have twice is near enough for a mail.
    at = datetime.combine(day, wall.time()).replace(tzinfo=ZoneInfo(draft.slot.zone))
    slot = Slot(at.astimezone(UTC), f"{day}T{wall:%H:%M}", draft.slot.zone)
    late = Late(max(draft.late.within, A_DAY), draft.late.written)
    return replace(draft, slot=slot, late=late, wanted=draft.slot)


def _waited_for(drafts: list[Draft]) -> list[Draft]:
    """The drafts, with what a package says to the other languages of its message: where these go
    out together it waits for all of them, and so they have its deadline."""
    packages: dict[tuple[str, str, str], list[Draft]] = {}
    for draft in drafts:
        if draft.wanted and draft.release == "together":
            at = draft.campaign, draft.message, draft.local
            packages.setdefault(at, []).append(draft)
    if not packages:
        return drafts
    found = []
    for draft in drafts:
        at = draft.campaign, draft.message, draft.local
        others = [p for p in packages.get(at, ()) if p.language != draft.language and p.slot]
        slots = {p.slot.at: p for p in others if p.slot}
        first = slots[min(slots)] if slots else None
        if draft.slot and first and first.slot and first.slot.at < draft.slot.at:
            what = f"{draft.language} has to be cleared by {first.slot.written}"
            hint = (
                f"then the package for {first.channel} goes, which waits for all languages that "
                "go out together; with `release: as-ready` it does not"
            )
            told = Problem(draft.key, what, hint, advice=True)
            found.append(replace(draft, advice=(*draft.advice, told)))
        else:
            found.append(draft)
    return found


def _unfollowed(
    parts: Sequence[Part], section: Section, shown: str, channel: Channel
) -> Iterator[Problem]:
    """Addresses that readers there could not follow."""
    for number, part in enumerate(parts):
        if not channel.limits.links and has_link(part.text):
            where = f"{shown}:{section.line_of(number, len(parts))}"
            what = f"readers of {channel.name} cannot follow an address in the text"
            hint = f"{channel.limits.link_goes}; a variant `@{channel.name}` can leave it out"
            yield Problem(where, what, hint, advice=True)


def _described(part: Part, channel: Channel) -> str:
    """What of a part's length is not its writer's text: descriptions that `_parts` has added."""
    printed = [*filter(channel.limits.prints, part.pictures)]
    if not printed:
        return ""
    added = "".join(_description(picture, part.language) for picture in printed)
    count = channel.limits.length(added)
    one, *more = printed
    whose = f"its {one.kind}s' descriptions" if more else f"the {one.kind}'s description"
    return f", {count:,} of them {whose}, printed below the text"


def _description(picture: Picture, language: str) -> str:
    words = _WORDS[picture.kind]
    word = words.get(language.partition("-")[0], words["en"])
    return f"\n\n[{word}: {picture.alt}]"


def _in_its_language(
    parts: Sequence[Part], section: Section, shown: str, among: Iterable[str]
) -> Iterator[Problem]:
    """Whether a text is written in the language that its heading says, `among` a campaign's."""
    text = "\n".join(part.text for part in parts)
    if wrong := languages.wrong_language(text, section.language, among):
        where = f"{shown}:{section.line - 1}"
        hint = f"put the {section.language} text here, or the heading right"
        yield Problem(where, f"this is not {section.language}: {wrong}", hint)
