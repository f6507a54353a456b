"""Pictures, documents and videos: read from the media folder, and made what each network takes."""

import difflib
import hashlib
import io
import warnings
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from PIL import Image, UnidentifiedImageError

from outreach.campaign.models import Media, Tbc
from outreach.campaign.occasions import begins
from outreach.compose import video as videos
from outreach.compose.captions import TYPES as CAPTIONS
from outreach.compose.convert import fitted_before
from outreach.errors import Problem
from outreach.hints import known_as
from outreach.platforms import Channel, Limits
from outreach.post import BURNT_IN, NO_SPEECH, Captions, Picture, Slot

MOST_BYTES = 30_000_000  # of any picture, before a network's own limit: read into memory whole
MOST_PIXELS = 40_000_000  # 160 MB decoded; no network shows more

# What a name may say, by what the bytes say.
TYPES = {
    "PNG": ("image/png", (".png",)),
    "JPEG": ("image/jpeg", (".jpg", ".jpeg")),
    "GIF": ("image/gif", (".gif",)),
    "WEBP": ("image/webp", (".webp",)),
}

DOCUMENT = "application/pdf"
MOST_OF_A_DOCUMENT = 50_000_000  # bytes, likewise
MOST = {"picture": MOST_BYTES, "document": MOST_OF_A_DOCUMENT, "video": videos.MOST_BYTES}
# What stands for a document: https://core.telegram.org/bots/api#senddocument
STILL = Limits(
    text=0,
    picture_bytes=200_000,
    picture_types=frozenset({"image/jpeg"}),
    picture_longest=320,
)

Read = MutableMapping[object, "Picture | Problem"]


def read_picture(
    folder: Path,
    media: Media,
    limits: Limits,
    where: str,
    *,
    channel: str = "this network",
    read: Read | None = None,
    language: str = "en",
) -> Picture | list[Problem]:
    """The picture as it will be sent, with its bytes, or everything that is wrong with it.

    A video has its captions in the post's `language`, where the network takes them.
    `where` is the file and line that asks for it, `channel` the name used in sentences. `read`
    keeps what was read, so that a picture for several channels is decoded once.
    """
    read = {} if read is None else read
    if media.file not in read:
        read[media.file] = _read(folder, media.file, where)
    found = read[media.file]
    problems = _words(media, limits, where, channel)
    if isinstance(found, Problem):
        return [Problem(where, found.what, found.hint), *problems]
    found = _as_taken(found, limits, read)
    problems = [*_fits(found, limits, where, channel), *problems]
    still = _still(folder, media, where, read)
    if isinstance(still, Problem):
        problems.append(still)
    heard = _heard(folder, media, found, limits, where, channel=channel, language=language)
    problems += heard if isinstance(heard, list) else []
    if problems:
        return problems
    assert not isinstance(still, Problem)  # noqa: S101 - it is among the problems
    alt, credit = str(media.alt).strip(), str(media.credit).strip()
    found = replace(found, still=still, alt=alt, credit=credit, focus=media.focus or "")
    if isinstance(heard, Captions):
        return replace(found, captions=heard)
    return replace(found, heard=heard) if isinstance(heard, str) else found


def together(wanted: Sequence[Media], channel: Channel, where: str) -> Iterator[Problem]:
    """Whether a network takes these in one post, whatever else is wrong with them."""
    limits = channel.limits
    kinds = {_kind(media.file) for media in wanted}
    if len(kinds) > 1:
        one, *others = (kind for kind in ("video", "document", "picture") if kind in kinds)
        what = f"{channel.name} takes no {others[-1]}s beside a {one} in one post"
        hint = "take one of them out, or say after `only:` which channels get it"
        yield Problem(where, what, hint)
        return
    takes = {"document": limits.documents, "video": limits.videos, "picture": limits.pictures}
    count, most = len(wanted), takes[min(kinds, default="picture")]
    if count > most and (most or "picture" in kinds):  # without documents, each is refused
        what = f"{count} {''.join(kinds)}s; {channel.name} takes {most}"
        yield Problem(where, what, f"take out {count - most}")


def _heard(
    folder: Path,
    media: Media,
    video: Picture,
    limits: Limits,
    where: str,
    *,
    channel: str,
    language: str,
) -> Captions | str | list[Problem]:
    """What a video tells those who do not hear it: captions, or why none are sent; "" for none."""
    if video.kind != "video":
        named = "captions" if media.captions else "no-speech" if media.no_speech else ""
        hint = f"take out `{named}:`; that is said of a video"
        return [Problem(where, f"{media.file} is no video", hint)] if named else ""
    if not limits.videos:
        return ""
    heard = videos.heard(media, video, limits, where, channel=channel, language=language)
    if isinstance(heard, Problem):
        return [heard]
    if heard in (BURNT_IN, NO_SPEECH):
        return heard
    if PurePosixPath(heard).suffix.lower() not in CAPTIONS:
        return [Problem(where, f"{heard} is neither WebVTT nor SRT", "name a .vtt or .srt file")]
    data = _bytes(folder, heard, where, most=videos.MOST_OF_CAPTIONS, what="captions")
    if isinstance(data, Problem):
        return [data]
    shown = known_as(folder / heard, folder.parent)
    return videos.read_captions(heard, data, video, limits, language=language, shown=shown)


def _still(folder: Path, media: Media, where: str, read: Read) -> Picture | Problem | None:
    """The small picture that stands for a document, where one is named."""
    if not media.thumbnail:
        return None
    if _kind(media.file) != "document":
        hint = "take out `thumbnail:`; a picture is shown itself"
        return Problem(where, f"{media.file} is no document", hint)
    if media.thumbnail not in read:
        read[media.thumbnail] = _read(folder, media.thumbnail, where)
    found = read[media.thumbnail]
    if isinstance(found, Problem):
        return Problem(where, found.what, found.hint)
    if found.kind != "picture":
        return Problem(where, f"{media.thumbnail} is no picture", "name a PNG or JPEG")
    return _as_taken(found, STILL, read)


def in_time(
    media: Media, slot: Slot | None, where: str, *, series: bool = False
) -> Iterator[Problem]:
    """Whether it may still be used when the post is due; `where` is the line that says until when.

    A day is one where the post is due: the slot's own. Of a `series` all is told in one sentence.
    """
    if isinstance(media.expires, Tbc):
        by = f" by {media.expires.who}" if media.expires.who else ""
        what = f"until when {media.file} may be used is to be confirmed{by}"
        yield Problem(
            where, what, "write the day from which it may not after `expires:`", open=True
        )
    elif media.expires and slot and slot.at >= begins(media.expires, slot.zone):
        what = f"{media.file} may not be used from {media.expires} on, and the post is due "
        due = "then or later" if series else slot.written
        hint = "take another picture; or renew its licence or consent, and write the new day"
        yield Problem(where, f"{what}{due}", hint)


def _as_taken(picture: Picture, limits: Limits, read: Read) -> Picture:
    """As the network of these limits takes it; written once, whichever channels it is for."""
    if picture.kind != "picture":
        return picture
    takes = (limits.picture_bytes, limits.picture_types, limits.picture_sides)
    key = (picture.file, *takes, limits.picture_longest)
    if key not in read:
        read[key] = fitted_before(picture, limits)
    found = read[key]
    assert isinstance(found, Picture)  # noqa: S101 - only `_read` finds problems
    return found


def to_decide(media: Media, where: str) -> Iterator[Problem]:
    """What whoever clears a post with this picture decides about it."""
    if media.contains_map:
        hint = "are boundaries and names as the house has them, with the disclaimer that they need?"
        yield Problem(where, f"{media.file} contains a map", hint, advice=True)
    if media.co_branded:
        hint = "has the partner agreed to this use of its logo?"
        yield Problem(where, f"{media.file} shows a partner's logo", hint, advice=True)
    captions = media.captions
    if BURNT_IN in (captions.values() if isinstance(captions, Mapping) else [captions]):
        hint = "are they all there, right, and in the language of the post?"
        what = f"{media.file} is said to have its captions in the picture"
        yield Problem(where, what, hint, advice=True)
    if media.no_speech:
        what = f"nobody is said to speak in {media.file}"
        yield Problem(where, what, "does nobody?", advice=True)


def _read(folder: Path, name: str, where: str) -> Picture | Problem:
    kind = _kind(name)
    if kind == "video" and (problem := videos.unread(name, where)):
        return problem
    data = _bytes(folder, name, where, most=MOST[kind], what=kind)
    if isinstance(data, Problem):
        return data
    if kind == "document":
        return _document(name, data, where)
    if kind == "video":
        return videos.read(name, data, where)
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a picture that is twice as large as it thinks wise.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=tuple(TYPES)) as picture:
                format_, (width, height) = picture.format or "", picture.size
                if width * height > MOST_PIXELS:
                    return _bomb(name, where)
                picture.verify()
            with Image.open(io.BytesIO(data), formats=tuple(TYPES)) as picture:
                picture.load()  # verify() leaves what is cut off at the end unseen
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _bomb(name, where)
    except UnidentifiedImageError:
        hint = "save it as PNG or JPEG"
        return Problem(where, f"{name} is not a picture that can be read", hint)
    except Exception as error:  # a broken picture can raise anything in a decoder
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Problem(where, f"{name} is damaged: {reason}", "export it again")
    type_, endings = TYPES[format_]
    if PurePosixPath(name).suffix.lower() not in endings:
        hint = f"rename it to {PurePosixPath(name).with_suffix(endings[0])}, here too"
        return Problem(where, f"{name} is a {format_} picture under a wrong name", hint)
    return Picture(
        file=name,
        sha256=hashlib.sha256(data).hexdigest(),
        type=type_,
        width=width,
        height=height,
        size=len(data),
        alt="",
        data=data,
    )


def _kind(name: str) -> str:
    """What a file is, by its name: as `Picture.kind`."""
    if videos.is_video(name):
        return "video"
    return "document" if PurePosixPath(name).suffix.lower() == ".pdf" else "picture"


def _document(name: str, data: bytes, where: str) -> Picture | Problem:
    """A PDF. Nothing of it is rendered: what it says, a person reads before clearing it."""
    if not data.startswith(b"%PDF-"):
        return Problem(where, f"{name} is not a PDF that can be read", "export it as PDF again")
    if b"%%EOF" not in data[-2048:]:
        return Problem(where, f"{name} is damaged: its end is missing", "export it again")
    sha256 = hashlib.sha256(data).hexdigest()
    return Picture(name, sha256, DOCUMENT, 0, 0, len(data), alt="", data=data)


def _bytes(folder: Path, name: str, where: str, *, most: int, what: str) -> bytes | Problem:
    """The file's bytes; it must be a plain file that lies in the folder."""
    outside = Problem(where, f"{name} is not in the media folder", "write its name in that folder")
    if not name or "\\" in name or "\x00" in name:
        return outside
    try:
        home = folder.resolve()
        path = (home / name).resolve()  # follows links, so that a link out of the folder shows
        if not path.is_relative_to(home):
            return outside
        if not path.exists():
            told = "are no" if what == "captions" else "is no"
            return Problem(where, f"there {told} {what} {name}", _nearest(home, name))
        if not path.is_file():
            return Problem(where, f"{name} is not a file", f"name a {what}")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        return Problem(where, f"{name} cannot be read: {error.strerror or error}")
    if len(data) > most:
        than = "this desk sends" if what == "video" else "any network takes"
        told = f"{name} has over {_megabytes(most)}, more than {than}"
        return Problem(where, told, "export it smaller")
    return data


def _megabytes(size: int) -> str:
    """ "12.0 MB" """
    return f"{size / 1_000_000:,.1f} MB"


def _nearest(home: Path, name: str) -> str:
    there = sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())
    near = difflib.get_close_matches(name[:60], there, 1)
    return f"did you mean {near[0]}?" if near else "put it into the media folder"


def _bomb(name: str, where: str) -> Problem:
    what = f"{name} has more than {MOST_PIXELS // 1_000_000} million pixels"
    return Problem(where, what, "export it smaller")


def _fits(picture: Picture, limits: Limits, where: str, channel: str) -> list[Problem]:
    name = picture.file
    problems = []
    if picture.kind == "document" and not limits.documents:
        hint = "link to it in the text; or say after `only:` which channels get it"
        return [Problem(where, f"{channel} takes no documents ({name})", hint)]
    if picture.kind == "video" and not limits.videos:
        hint = (
            "link to where it is shown with captions, and say so; a still of it may stand here; or "
            "say after `only:` which channels get it"
        )
        return [Problem(where, f"{channel} takes no videos ({name})", hint)]
    largest = {"document": limits.document_bytes, "video": limits.video_bytes}.get(
        picture.kind, limits.picture_bytes
    )
    if picture.size > largest:
        size, most = _megabytes(picture.size), _megabytes(largest)
        if size == most:
            size = f"{picture.size - largest:,} bytes too many"
        what = f"{name} has {size}; {channel} takes {most}"
        problems.append(Problem(where, what, "export it smaller"))
    if picture.kind == "video":
        return [*problems, *videos.fits(picture, limits, where, channel)]
    if picture.kind == "document":
        return problems
    if picture.type not in limits.picture_types:
        takes = ", ".join(sorted(limits.picture_types))
        what = f"{channel} does not take {picture.type} ({name})"
        problems.append(Problem(where, what, f"export it as {takes}"))
    sides = picture.width + picture.height
    if limits.picture_sides is not None and sides > limits.picture_sides:
        what = f"{name}: width and height make {sides:,} pixels; {channel} takes "
        problems.append(Problem(where, f"{what}{limits.picture_sides:,}", "export it smaller"))
    ratio = max(picture.width, picture.height) / min(picture.width, picture.height)
    if limits.picture_ratio is not None and ratio > limits.picture_ratio:
        what = f"{name} is {ratio:.1f} times as long as wide; {channel} takes "
        problems.append(Problem(where, f"{what}{limits.picture_ratio:g}", "cut it"))
    return problems


def _words(media: Media, limits: Limits, where: str, channel: str) -> list[Problem]:
    problems = []
    given = {name: getattr(media, name) for name in ("alt", "credit", "licence", "consent")}
    for name, value in given.items():
        if isinstance(value, Tbc):
            by = f" by {value.who}" if value.who else ""
            what = f"the {name} text of {media.file} is to be confirmed{by}"
            if name != "alt":
                what = f"the {name} of {media.file} is to be confirmed{by}"
            problems.append(Problem(where, what, f"write it after `{name}:`", open=True))
    if isinstance(media.alt, str):  # composing has chosen the language
        alt = media.alt.strip()
        if not alt:
            hint = "say after `alt:` what one sees, for people who do not"
            problems.append(Problem(where, f"{media.file} has no alt text", hint))
        if limits.alt and len(alt) > limits.alt:
            what = f"the alt text of {media.file} has {len(alt):,} characters; {channel} takes "
            hint = f"cut {len(alt) - limits.alt:,}"
            problems.append(Problem(where, f"{what}{limits.alt:,}", hint))
    return problems
