"""Videos: their facts, by MediaInfo, and which of their captions a post takes. Nothing is changed.

A video goes out as it is, or not at all: to encode one again is a choice about its quality, which
is made where it is cut. The same holds of its captions' words.
"""

import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from outreach.campaign.models import Media, Tbc
from outreach.compose import captions
from outreach.compose.languages import wrong_language
from outreach.errors import Problem
from outreach.platforms import Limits
from outreach.post import BURNT_IN, NO_SPEECH, Captions, Picture

ENDINGS = (".mp4", ".m4v", ".mov", ".webm", ".avi", ".mkv")
TAKEN = (".mp4", ".m4v")
MOST_BYTES = 50_000_000  # of any: it is kept in the database, and read into memory whole
MOST_OF_CAPTIONS = 1_000_000

CODECS = {"AVC": "H.264", "HEVC": "H.265", "AAC": "AAC"}  # as people call them


def is_video(name: str) -> bool:
    """Whether a file's name is a video's."""
    return PurePosixPath(name).suffix.lower() in ENDINGS


def unread(name: str, where: str) -> Problem | None:
    """Why a video is not even opened, or None."""
    if PurePosixPath(name).suffix.lower() in TAKEN:
        return None
    hint = "export it as MP4, with H.264 for the picture and AAC for the sound"
    return Problem(where, f"{name} is no MP4, and that is what networks take", hint)


def read(name: str, data: bytes, where: str) -> Picture | Problem:
    """The video with its facts, or what is wrong with the file."""
    try:
        from pymediainfo import MediaInfo

        found = MediaInfo.parse(io.BytesIO(data))
    except (ImportError, OSError, RuntimeError) as error:  # a machine without its library
        what = f"{name} cannot be looked at: {str(error).splitlines()[0]}"
        return Problem(where, what, "pip install --force-reinstall pymediainfo")
    general, pictures = found.general_tracks, found.video_tracks
    if not general or general[0].format != "MPEG-4" or not pictures:
        return Problem(where, f"{name} is not a video that can be read", "export it as MP4 again")
    picture, milliseconds = pictures[0], general[0].duration or pictures[0].duration
    if general[0].istruncated or not (picture.width and picture.height and milliseconds):
        return Problem(where, f"{name} is damaged: a part of it is missing", "export it again")
    width, height = int(picture.width), int(picture.height)
    if float(picture.rotation or 0) % 180 == 90:  # filmed upright
        width, height = height, width
    codecs = (str(track.format) for track in (*pictures, *found.audio_tracks))
    return Picture(
        file=name,
        sha256=hashlib.sha256(data).hexdigest(),
        type="video/mp4",
        width=width,
        height=height,
        size=len(data),
        alt="",
        data=data,
        seconds=float(milliseconds) / 1000,
        codecs=tuple(dict.fromkeys(codecs)),
    )


def fits(video: Picture, limits: Limits, where: str, channel: str) -> Iterator[Problem]:
    """What keeps it off a network that takes videos, beside its size."""
    name = video.file
    least, most = limits.video_seconds or (0, video.seconds)
    if not least <= video.seconds <= most:
        what = f"{name} has {video.seconds:.1f} seconds; {channel} takes {least:g} to {most:,g}"
        yield Problem(where, what, "cut another version of it")
    if other := [one for one in video.codecs if one not in limits.video_codecs]:
        known = " and ".join(sorted(CODECS.get(one, one) for one in limits.video_codecs))
        what = f"{name} is in {', '.join(CODECS.get(one, one) for one in other)}; {channel} takes "
        yield Problem(where, f"{what}{known}", "export it so")


def chosen(media: Media, language: str) -> str:
    """What is written of its captions in a language: a file, BURNT_IN, "tbc", or "" for nothing.

    A file that stands alone says in its name which language it is: "talk.en.vtt".
    """
    given = media.captions
    if isinstance(given, Mapping):
        return given.get(language, "")
    if isinstance(given, Tbc):
        return "tbc"
    return given if given == BURNT_IN or f".{language}." in PurePosixPath(given).name else ""


def missing(media: Media, video: Picture, language: str, where: str) -> Problem:
    """That nobody who does not hear would know what is said in it."""
    name, given = media.file, media.captions
    if isinstance(given, str) and len(PurePosixPath(given).suffixes) == 1:
        hint = f"write `captions: {{{language}: {given}}}`, if that is its language"
        return Problem(where, f"which language {given} is in is not said", hint)
    if len(video.codecs) == 1:
        hint = "it has no sound: write `no-speech: true`"
    else:
        stem = PurePosixPath(name).with_suffix(f".{language}.vtt")
        hint = (
            f"write `captions: {{{language}: {stem}}}` (WebVTT or SRT); `captions: burnt-in` where "
            "they are in the picture; `no-speech: true` where nobody speaks"
        )
    return Problem(where, f"{name} has no captions in {language}", hint)


def heard(
    media: Media, video: Picture, limits: Limits, where: str, *, channel: str, language: str
) -> str | Problem:
    """The captions' file that goes with it, or why none has to: BURNT_IN or NO_SPEECH."""
    if media.no_speech and media.captions:
        hint = "take `captions:` out, or `no-speech:` if somebody speaks"
        return Problem(where, f"{media.file} has captions, and nobody speaks in it", hint)
    if media.no_speech:
        return NO_SPEECH
    file = chosen(media, language)
    if not file:
        return missing(media, video, language, where)
    if file == "tbc":
        who = media.captions.who if isinstance(media.captions, Tbc) else ""
        what = f"the captions of {media.file} are to be confirmed{f' by {who}' if who else ''}"
        return Problem(where, what, "write their file after `captions:`", open=True)
    if file != BURNT_IN and not limits.captions_type:
        hint = (
            "burn them into a version for it, with `captions: burnt-in` and `only:`; or link to "
            "where it is shown with captions"
        )
        return Problem(where, f"{channel} takes no captions beside a video ({media.file})", hint)
    return file


def read_captions(
    name: str, data: bytes, video: Picture, limits: Limits, *, language: str, shown: str
) -> Captions | list[Problem]:
    """The captions as the network takes them, or what is wrong with them.

    `shown` is their file as people know it.
    """
    given = captions.TYPES[PurePosixPath(name).suffix.lower()]
    cues, wrong = captions.read(data, given, seconds=video.seconds)
    problems = [Problem(f"{shown}:{line}", what, hint) for line, what, hint in wrong]
    text = captions.plain(cues)
    if told := wrong_language(text, language, (language,)):
        hint = f"name the {language} captions here"
        problems.append(Problem(f"{shown}:1", f"this is not {language}: {told}", hint))
    if problems:
        return problems
    if given != limits.captions_type:
        data = captions.written(cues, limits.captions_type)
    most = limits.captions_bytes
    if most and len(data) > most:
        what = f"{name} has {len(data):,} bytes; the network takes {most:,}"
        return [Problem(f"{shown}:1", what, "shorten the captions, or cut the video")]
    sha256 = hashlib.sha256(data).hexdigest()
    return Captions(name, sha256, limits.captions_type, language, text, data)
