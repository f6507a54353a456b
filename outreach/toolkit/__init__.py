"""
Kits for partners: cleared texts with the partner's own addresses, versioned, with a recall list.

    cleared posts ──of a campaign, for a partner, in a language──> Kit ──write──> folder and zip
                                                                    │
                  what earlier versions had and this one has not ──> recall

Copies at a partner cannot be deleted. So every version is remembered, and each kit says what of the
earlier ones must no longer be used. The same content is the same version, with the same bytes.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.campaign.directory import Partner, load_directory
from outreach.campaign.models import Campaign
from outreach.campaign.occasions import embargo
from outreach.clearance import MAY_ADMINISTER, MAY_CLEAR, MAY_WRITE, Person, in_force, record
from outreach.compose import links as addresses
from outreach.config import Configuration
from outreach.delivery import IN_FLIGHT, Delivery, State
from outreach.errors import NotAllowed, NotFound
from outreach.folder import Files
from outreach.hints import did_you_mean
from outreach.holds import held, placed
from outreach.platforms import Channel
from outreach.post import Picture, Slot, called
from outreach.store import Store
from outreach.store.tables import PARTNER, Asset, ShortLink, ToolkitRow

MEDIUM = "partner"
MOST_BYTES = 25_000_000  # of a zip: what mail servers take, the strictest of the usual ones
BEGINS = 80  # characters by which a text of an earlier version is recognized

_READY = frozenset({State.CLEARED, State.PUBLISHED, *IN_FLIGHT})


@dataclass(frozen=True)
class Entry:
    """One message for one network, as the partner publishes it. Instants are aware, UTC.

    `embargo`: nothing before it; `at`: when the office publishes it; `until`: not after it.
    `over`: characters that it has too many with the partner's longer address.
    """

    key: str
    message: str
    channel: str
    network: str
    parts: tuple[str, ...]
    names: tuple[str, ...]  # of the parts: "part 1 of 2", "first comment"; "" if alone
    pictures: tuple[Picture, ...]
    embargo: datetime | None
    at: datetime
    until: datetime | None
    fingerprint: str
    over: int = 0
    unit: str = ""

    @property
    def not_before(self) -> datetime:
        """The later of the embargo and the office's own time: "starts tomorrow" is said then."""
        return max(self.at, self.embargo or self.at)


@dataclass(frozen=True)
class Recall:
    """A text of earlier versions that must no longer be used: `gone`, or changed in this one."""

    message: str
    network: str
    begins: str
    versions: tuple[int, ...]
    gone: bool


@dataclass(frozen=True)
class Kit:
    """Everything that one partner is given in one language."""

    campaign: str
    title: str
    office: str
    partner: str
    name: str
    contact: str
    language: str
    zone: str
    version: int
    made_at: datetime
    entries: tuple[Entry, ...]
    recalls: tuple[Recall, ...]
    added: tuple[str, ...]  # keys that the version before had not
    changed: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]  # key and why, for the office's eyes

    @property
    def stem(self) -> str:
        """What its folder and its zip are called."""
        return f"{self.campaign}-{self.partner}-{self.language}-v{self.version}"


def make(
    session: Session,
    campaign: Campaign,
    name: str,
    partner: Partner,
    language: str,
    *,
    channels: Mapping[str, Channel],
    office: str,
    zone: str,
    public_url: str,
    differs: Mapping[str, str],
    messages: Mapping[str, str],
    by: str,
    now: datetime,
) -> Kit | None:
    """The kit as it stands, kept as a new version where it is not the last one's again.

    `differs`: deliveries whose file is no longer what was applied, and why. `messages`: the message
    in the file that each is of. None where there is nothing to give and never was. Registers the
    partner's short links.
    """
    entries: list[Entry] = []
    left_out: list[tuple[str, str]] = []
    holds = placed(session)
    for row in _rows(session, campaign, language):
        why = held(row, holds) or differs.get(row.key, "") or _not_cleared(session, row)
        channel = channels.get(row.channel)
        if why or channel is None:
            left_out.append((row.key, why or "its channel is no longer there"))
        else:
            given = _Given(session, campaign, name, partner, channel, public_url, now)
            entries.append(given.entry(row, messages.get(row.key, row.message)))
    before = _versions(session, campaign.campaign, name, language)
    if not entries and not before:
        return None
    texts = {one.key: _remembered(one) for one in entries}
    called = partner.called(language, campaign.languages.source)
    told = [campaign.title, office, called, partner.contact, partner.utm_source]
    sha256 = _hash([told, [_seen(one) for one in entries]])
    if before and before[-1].sha256 == sha256:
        row_ = before.pop()
    else:
        version = before[-1].version + 1 if before else 1
        row_ = ToolkitRow(
            campaign=campaign.campaign,
            partner=name,
            language=language,
            version=version,
            made_at=now,
            by=by,
            sha256=sha256,
            texts=texts,
        )
        session.add(row_)
    last = before[-1].texts if before else {}
    return Kit(
        campaign=campaign.campaign,
        title=campaign.title,
        office=office,
        partner=name,
        name=called,
        contact=partner.contact,
        language=language,
        zone=zone,
        version=row_.version,
        made_at=row_.made_at,
        entries=tuple(entries),
        recalls=tuple(_recalls(texts, before)),
        added=tuple(key for key in texts if before and key not in last),
        changed=tuple(
            key for key in texts if key in last and last[key]["seen"] != texts[key]["seen"]
        ),
        left_out=tuple(left_out),
    )


def _rows(session: Session, campaign: Campaign, language: str) -> list[Delivery]:
    asked = select(Delivery).where(
        Delivery.campaign == campaign.campaign, Delivery.language == language
    )
    return list(session.scalars(asked.order_by(Delivery.at, Delivery.key)))


def _versions(session: Session, campaign: str, partner: str, language: str) -> list[ToolkitRow]:
    asked = select(ToolkitRow).where(
        ToolkitRow.campaign == campaign,
        ToolkitRow.partner == partner,
        ToolkitRow.language == language,
    )
    return list(session.scalars(asked.order_by(ToolkitRow.version)))


def _not_cleared(session: Session, row: Delivery) -> str:
    """Why its text may not leave the house, or ""."""
    if row.state is State.PROPOSED:
        return row.returned or row.blocked or "it waits for clearance"
    if row.state not in _READY:
        return f"it is {row.state}"
    if row.state is State.CLEARED and in_force(session, row) is None:
        return "its clearance is no longer in force"
    return ""


@dataclass(frozen=True)
class _Given:
    """Makes entries of one partner on one channel."""

    session: Session
    campaign: Campaign
    name: str
    partner: Partner
    channel: Channel
    public_url: str
    now: datetime

    def entry(self, row: Delivery, of: str) -> Entry:
        post = row.post
        theirs = dict(self._addresses(row))
        limits = self.channel.limits
        parts = [_replaced(part.text, theirs) for part in post.parts]
        over = max(
            limits.length(text) - limits.room(part, number)
            for number, (text, part) in enumerate(zip(parts, post.parts, strict=True))
        )
        return Entry(
            key=row.key,
            message=f"{row.message} ({row.slot})" if row.slot else row.message,
            channel=row.channel,
            network=self.channel.title,
            parts=tuple(parts),
            names=tuple(called(post.parts, number) for number in range(len(parts))),
            pictures=tuple(self._picture(one) for part in post.parts for one in part.pictures),
            embargo=embargo(self.campaign, of) if of in self.campaign.messages else None,
            at=Slot.read(post.wanted).at if post.wanted else row.at,  # a package goes days before
            until=row.not_after,
            fingerprint=row.fingerprint,
            over=max(over, 0),
            unit=limits.unit,
        )

    def _addresses(self, row: Delivery) -> Iterator[tuple[str, str]]:
        """What the post prints, and what the partner prints in its place; the longest first."""
        found = []
        for url in self.campaign.links.values():
            if not isinstance(url, str) or addresses.unfit(url, ""):
                continue
            about = {"campaign": row.campaign, "message": row.message}
            source = self.channel.source or self.channel.name
            ours = addresses.tagged(url, channel_source=source, **about)
            printed = addresses.address(self.public_url, row.key, ours)
            if not any(printed in part.text for part in row.post.parts):
                continue
            target = addresses.tagged(
                url, channel_source=self.partner.utm_source, medium=MEDIUM, **about
            )
            key = f"{PARTNER}{self.name}/{row.key}"
            code = addresses.code_of(key, target)
            if self.public_url and self.session.get(ShortLink, code) is None:
                self.session.add(ShortLink(code=code, key=key, target=target, at=self.now))
            found.append((printed, addresses.address(self.public_url, key, target)))
        yield from sorted(found, key=lambda pair: -len(pair[0]))

    def _picture(self, picture: Picture) -> Picture:
        files = [sha256 for sha256, *_ in picture.files]
        return picture.with_data({one: self.session.get_one(Asset, one).data for one in files})


def _replaced(text: str, theirs: Mapping[str, str]) -> str:
    """Each address by the partner's, in one go: what was put in is not looked at again."""
    if not theirs:
        return text
    found = re.compile("|".join(re.escape(one) for one in theirs))
    return found.sub(lambda match: theirs[match[0]], text)


def _seen(entry: Entry) -> list[Any]:
    pictures = [[one.sha256, one.alt, one.credit] for one in entry.pictures]
    times = [str(one) for one in (entry.embargo, entry.at, entry.until)]
    return [entry.key, entry.network, entry.parts, pictures, times]


def _remembered(entry: Entry) -> dict[str, Any]:
    """What a later version needs to know of it: whether it is another one, and what it was."""
    return {
        "seen": _hash(_seen(entry)),
        "fingerprint": entry.fingerprint,
        "message": entry.message,
        "network": entry.network,
        "begins": " ".join(entry.parts[0].split())[:BEGINS],
    }


def _recalls(now: Mapping[str, Any], before: list[ToolkitRow]) -> Iterator[Recall]:
    """What earlier versions had that is not in this one as it was, each once."""
    found: dict[tuple[str, str], list[int]] = {}
    was: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in before:
        for key, text in row.texts.items():
            if key not in now or now[key]["seen"] != text["seen"]:
                found.setdefault((key, text["seen"]), []).append(row.version)
                was[key, text["seen"]] = text
    for (key, seen), versions in found.items():
        old = was[key, seen]
        gone = key not in now
        yield Recall(old["message"], old["network"], old["begins"], tuple(versions), gone)


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()


class Kits:
    """The kits of an office: made of what is cleared, given to its partners, and remembered.

    `files` tells what the files say now; `differs` which posts wait, since theirs have changed.
    """

    def __init__(
        self,
        *,
        store: Store,
        configuration: Configuration,
        channels: Mapping[str, Channel],
        now: Callable[[], datetime],
        files: Callable[[], Files],
        differs: Callable[[], Mapping[str, str]],
    ) -> None:
        self.store, self.configuration, self.channels = store, configuration, channels
        self.now, self.files, self.differs = now, files, differs

    def give(
        self,
        campaign: str,
        *,
        partners: Sequence[str] = (),
        languages: Sequence[str] = (),
        by: Person,
    ) -> list[Kit]:
        """Kits of a campaign's cleared texts, for each partner with a utm-source, or these alone.

        Raises NotFound for a campaign, partner or language that there is not, NotAllowed where
        nothing of it is cleared.
        """
        by.must_be(MAY_WRITE, MAY_CLEAR, MAY_ADMINISTER)
        files = self.files()
        known = {one.campaign: one for one in files.loaded.campaigns}
        if campaign not in known:
            hint = did_you_mean(campaign, known) or f"known are: {', '.join(sorted(known))}"
            raise NotFound(f"there is no campaign {campaign!r}", hint)
        its = known[campaign].languages.all
        for language in languages:
            if language not in its:
                what = f"{campaign} has no texts in {language!r}"
                raise NotFound(what, f"its languages are: {', '.join(its)}")
        wanted = load_directory(
            self.configuration.home / "config", root=self.configuration.home
        ).giving_to(partners)
        differs = self.differs()
        made = []
        with self.store.writing() as session:
            for name, partner in wanted.items():
                for language in partner.languages or its:
                    if language not in (languages or its):
                        continue
                    kit = make(
                        session,
                        known[campaign],
                        name,
                        partner,
                        language,
                        channels=self.channels,
                        office=self.configuration.settings.office.name,
                        zone=self.configuration.settings.office.zone,
                        public_url=self.configuration.settings.web.public_url.rstrip("/"),
                        differs=differs,
                        messages={key: draft.of for key, draft in files.drafts.items()},
                        by=by.id,
                        now=self.now(),
                    )
                    if kit:
                        what = f"toolkit {kit.stem} made"
                        record(session, self.now(), by.id, what)
                        made.append(kit)
        if not made:
            raise NotAllowed(
                f"nothing of {campaign} is cleared yet: there is nothing to give",
                "what waits is listed by: outreach review",
            )
        return made
