"""What the public will see of one message, in one language, on one channel.

A post has one part, or several where the network has threads. What is checked, previewed,
cleared and sent is the same `Part`: nothing is added to its text on the way out.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Captions:
    """The words of a video for those who do not hear it, as its network takes them.

    `data` is UTF-8 and, as a picture's, never compared.
    """

    file: str  # its name in the media folder
    sha256: str
    type: str  # "text/vtt" or "text/srt"
    language: str
    text: str  # what is read, a line each: "00:01 Clean air is shared."
    data: bytes = field(default=b"", repr=False, compare=False)

    def as_data(self) -> dict[str, Any]:
        """As JSON holds it, without its bytes."""
        told = ("file", "sha256", "type", "language", "text")
        return {name: getattr(self, name) for name in told}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it will be sent; or a document or video, whose `type` says so.

    `data` travels beside the value and is never compared. A document has no sides. `still` is the
    small picture that stands for a document until it is opened. `focus` ("top left") is what stays
    in view when a network cuts a picture, or "". A video has `seconds` and `codecs`, and either
    `captions` in its post's language or, in `heard`, why none are sent: see BURNT_IN, NO_SPEECH.
    """

    file: str  # its name in the media folder, for people
    sha256: str  # what is cleared: the bytes, by their hash
    type: str  # "image/png", as the bytes say, not as the name says
    width: int  # pixels
    height: int
    size: int  # bytes
    alt: str
    credit: str = ""
    data: bytes = field(default=b"", repr=False, compare=False)
    still: "Picture | None" = None
    focus: str = ""
    seconds: float = 0.0
    codecs: tuple[str, ...] = ()  # "AVC", "AAC": as MediaInfo calls them, the picture's first
    captions: Captions | None = None
    heard: str = ""

    @property
    def kind(self) -> str:
        """ "picture", "document" or "video"."""
        if self.type.startswith("video/"):
            return "video"
        return "document" if self.type == "application/pdf" else "picture"

    @property
    def files(self) -> "Iterator[tuple[str, str, bytes]]":
        """Whatever has bytes: hash, type and bytes, of itself and of what goes with it."""
        yield self.sha256, self.type, self.data
        if self.still:
            yield from self.still.files
        if self.captions:
            yield self.captions.sha256, self.captions.type, self.captions.data

    def with_data(self, data: Mapping[str, bytes]) -> "Picture":
        """The same with the bytes that `data` has, by their hashes. Raises KeyError."""
        return replace(
            self,
            data=data[self.sha256],
            still=self.still.with_data(data) if self.still else None,
            captions=replace(self.captions, data=data[self.captions.sha256])
            if self.captions
            else None,
        )

    def as_data(self) -> dict[str, Any]:
        """The picture as JSON holds it, without its bytes; `Picture.of` reads it back."""
        told = {name: getattr(self, name) for name in _TOLD}
        if self.still:
            told["still"] = self.still.as_data()
        if self.focus:
            told["focus"] = self.focus
        if self.kind == "video":
            told |= {"seconds": self.seconds, "codecs": list(self.codecs), "heard": self.heard}
        if self.captions:
            told["captions"] = self.captions.as_data()
        return told

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Picture":
        """The picture that `as_data` wrote, without its bytes."""
        still = cls.of(data["still"]) if "still" in data else None
        captions = Captions(**data["captions"]) if "captions" in data else None
        codecs = tuple(data.get("codecs", ()))
        return cls(**{**data, "still": still, "captions": captions, "codecs": codecs})

    @property
    def name(self) -> str:
        """What it is sent as: its own name, with the ending of what it was made into."""
        name = self.file.rpartition("/")[2]
        stem, _, ending = name.rpartition(".")
        wanted = ENDINGS.get(self.type, ())
        return name if not wanted or ending.lower() in wanted else f"{stem or name}.{wanted[0]}"


BURNT_IN: Final = "burnt-in"
"""The captions are in the picture itself: of a video's `heard`."""
NO_SPEECH: Final = "no-speech"
"""Nobody speaks."""

HEARD: Final = {BURNT_IN: "its captions are in the picture", NO_SPEECH: "nobody speaks in it"}
"""The same in words."""

_TOLD: Final = ("file", "sha256", "type", "width", "height", "size", "alt", "credit")
ENDINGS: Final = {
    "image/jpeg": ("jpg", "jpeg"),
    "image/png": ("png",),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "application/pdf": ("pdf",),
    "video/mp4": ("mp4", "m4v"),
}
"""How the names of pictures end, by their type."""

_written = json.JSONEncoder(ensure_ascii=False).encode  # one for all: posts come by the thousand


def unfenced(_seconds: float) -> None:
    """No fence: for looking at a part, which sends nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """One call's worth of a post: what `Platform.publish` is given.

    `token` is 32 hexadecimal characters, stored before the first call and the same for every
    attempt with this text; a network's idempotency key derives from it.
    `fence(seconds)` is called by the adapter's transport as the last thing before bytes leave:
    it raises NotNow when our lease would not outlast `seconds`, the time-out of that request.
    `comment`: our own comment under the post; it answers the post's first part, always.
    """

    text: str
    language: str = "en"
    pictures: tuple[Picture, ...] = ()
    token: str = ""
    fence: Callable[[float], None] = field(default=unfenced, repr=False, compare=False)
    comment: bool = False


def called(parts: Sequence[Part], number: int) -> str:
    """What a part is called where people read it: "part 2 of 3", "first comment"; "" if alone."""
    if parts[number].comment:
        before = sum(part.comment for part in parts[:number])
        return f"comment {before + 1}" if before else "first comment"
    of = sum(not part.comment for part in parts)
    if of > 1:
        return f"part {number + 1} of {of}"
    return "post" if len(parts) > 1 else ""


@dataclass(frozen=True, slots=True)
class Post:
    """What the public will see on one channel.

    `slot` is the local time of one occurrence of a recurring message ("2025-08-18T10:00"), and
    empty otherwise. `account` names where it goes ("telegram @neaspec"): the same text to
    another account is another post to clear. `wanted` is when another office is asked to publish
    it ("2025-10-01T10:00 Asia/Seoul"), and `embargo` until when it may not, where there is one:
    both stand in the package that it is given, and are cleared with it.
    """

    campaign: str
    message: str
    language: str
    channel: str
    parts: tuple[Part, ...]
    account: str = ""
    slot: str = ""
    wanted: str = ""
    embargo: str = ""

    @property
    def key(self) -> str:
        """`campaign/message[~local slot]/language@channel`; never changes in a post's life."""
        return key_of(self.campaign, self.message, self.slot, self.language, self.channel)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal characters that change when anything the public sees changes."""
        parts = [_seen(part) for part in self.parts]
        asked = [self.wanted, self.embargo] if self.wanted else []
        seen = _written([self.channel, self.account, self.language, parts, *asked])
        return hashlib.sha256(seen.encode()).hexdigest()[:16]

    def as_data(self) -> dict[str, Any]:
        """The post as JSON holds it; `Post.of` reads it back."""
        return {
            "campaign": self.campaign,
            "message": self.message,
            "language": self.language,
            "channel": self.channel,
            "account": self.account,
            "slot": self.slot,
            **({"wanted": self.wanted, "embargo": self.embargo} if self.wanted else {}),
            "parts": [
                {
                    "text": part.text,
                    "language": part.language,
                    **({"comment": True} if part.comment else {}),
                    "pictures": [picture.as_data() for picture in part.pictures],
                }
                for part in self.parts
            ],
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Post":
        """The post that `as_data` wrote; its pictures without their bytes."""
        parts = tuple(
            Part(
                text=part["text"],
                language=part["language"],
                pictures=tuple(map(Picture.of, part["pictures"])),
                comment=part.get("comment", False),
            )
            for part in data["parts"]
        )
        return cls(**{**data, "parts": parts})


def key_of(campaign: str, message: str, slot: str, language: str, channel: str) -> str:
    """A post's key from its five names."""
    return f"{campaign}/{message}{f'~{slot}' if slot else ''}/{language}@{channel}"


def _seen(part: Part) -> list[Any]:
    pictures = [_shown(picture) for picture in part.pictures]
    return [part.text, part.language, pictures, *(["comment"] if part.comment else [])]


def _shown(picture: Picture) -> list[Any]:
    beside = [["still", picture.still.sha256]] if picture.still else []
    beside += [["focus", picture.focus]] if picture.focus else []
    beside += [["heard", picture.heard]] if picture.heard else []
    if captions := picture.captions:
        beside += [["captions", captions.language, captions.type, captions.sha256]]
    return [picture.sha256, picture.alt, picture.credit, *([beside] if beside else [])]


@dataclass(frozen=True, slots=True)
class Slot:
    """When a post is due: the instant (aware, UTC), and the wall time and zone it was read from."""

    at: datetime
    wall: str  # "2025-08-18T10:00"
    zone: str  # IANA name

    @property
    def written(self) -> str:
        """As officers write it: "2025-08-18 10:00 Asia/Seoul"."""
        return f"{self.wall.replace('T', ' ')} {self.zone}"

    @classmethod
    def read(cls, text: str) -> "Slot":
        """The slot that `Post.wanted` names: "2025-10-01T10:00 Asia/Seoul"."""
        wall, _, zone = text.partition(" ")
        at = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        return cls(at, wall, zone)
