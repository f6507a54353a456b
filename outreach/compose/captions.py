"""The words of a video for those who do not hear it: WebVTT and SRT, read strictly and written.

Players leave out what they cannot read and say nothing, so that a slip in one time loses a
sentence: here every line is either understood or told. A network that takes one of the two gets
the file as it is, or its times and words written in the other; where they stand on the screen,
and in which colours, is told by WebVTT alone and lost in SRT.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

VTT, SRT = "text/vtt", "text/srt"
TYPES: Final = {".vtt": VTT, ".srt": SRT}
SLACK = 0.5  # seconds that the last words may outlast the video: programs round
MOST_TOLD = 10  # mistakes of one file

_TIME: Final = {
    VTT: re.compile(r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"),
    SRT: re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d),(\d{3})"),
}
_SAMPLE: Final = {VTT: "00:01.000 --> 00:04.000", SRT: "00:00:01,000 --> 00:00:04,000"}
_TAGS: Final = re.compile(r"</?(?!/?[biu]>)[a-z0-9][^<>\n]*>")  # of WebVTT; SRT has b, i and u
_NO_CUE: Final = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from `start` until `end`, milliseconds; `line` is its times' in the file."""

    start: int
    end: int
    text: str
    line: int


Wrong = tuple[int, str, str]
"""A line, what is wrong there, and what to do."""


def read(data: bytes, type_: str, *, seconds: float) -> tuple[tuple[Cue, ...], list[Wrong]]:
    """The cues of a file beside a video of so many `seconds`, and its mistakes, the first ten."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return (), [(line, "this is not UTF-8", "save the file as UTF-8")]
    cues: list[Cue] = []
    wrong: list[Wrong] = []
    for number, lines in _blocks(text):
        if type_ == VTT and number == 1 and lines[0].partition(" ")[0].strip() == "WEBVTT":
            continue
        if type_ == VTT and number == 1:
            wrong.append((1, "the first line is not WEBVTT", "write WEBVTT above all, alone"))
        if type_ == VTT and _NO_CUE.match(lines[0]):
            continue
        found = _cue(number, lines, type_)
        if isinstance(found, Cue):
            cues.append(found)
        else:
            wrong.append(found)
    wrong += _out_of_time(cues, seconds)
    if not cues and not wrong:
        wrong.append((1, "there are no captions in it", f"write {_SAMPLE[type_]}, below it a text"))
    wrong.sort()
    if len(wrong) > MOST_TOLD:
        more = len(wrong) - MOST_TOLD
        line, what, hint = wrong[MOST_TOLD - 1]
        wrong[MOST_TOLD - 1 :] = [(line, f"{what}; and {more} more", hint)]
    return tuple(cues), wrong


def written(cues: Sequence[Cue], type_: str) -> bytes:
    """The cues as a file of this type."""
    if type_ == VTT:
        told = [f"{_told(cue.start)} --> {_told(cue.end)}\n{cue.text}" for cue in cues]
        return "\n\n".join(["WEBVTT", *told, ""]).encode()
    told = [
        f"{number}\n{_told(cue.start)} --> {_told(cue.end)}".replace(".", ",")
        + f"\n{_TAGS.sub('', cue.text)}\n\n"
        for number, cue in enumerate(cues, 1)
    ]
    return "".join(told).encode()


def plain(cues: Sequence[Cue]) -> str:
    """What is read, a line for each with its minute and second, for people who clear it."""
    return "\n".join(
        f"{cue.start // 60_000:02}:{cue.start // 1000 % 60:02} "
        + " ".join(re.sub("<[^<>]*>", "", cue.text).split())
        for cue in cues
    )


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """What stands between blank lines, with the number of its first line."""
    begun, lines = 0, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip():
            begun = begun if lines else number
            lines.append(line)
        elif lines:
            yield begun, lines
            lines = []


def _cue(number: int, lines: Sequence[str], type_: str) -> Cue | Wrong:
    at = next((n for n, line in enumerate(lines[:2]) if "-->" in line), None)
    if at is None:
        hint = f"write above the text when it is shown: {_SAMPLE[type_]}"
        return number, f"“{lines[0][:40]}” has no times", hint
    line, told = number + at, lines[at]
    before, _, after = told.partition("-->")
    start, end = _read(before, type_), _read(after.split()[0] if after.split() else "", type_)
    if start is None or end is None or (type_ == SRT and len(after.split()) > 1):
        return line, f"“{told.strip()[:60]}” is no time", f"write {_SAMPLE[type_]}"
    text = "\n".join(one.rstrip() for one in lines[at + 1 :])
    if not text:
        return line, "nothing is shown then", "write the words below, or take the times out"
    if "-->" in text:
        return line, "two times without a blank line between", "put a blank line before the second"
    return Cue(start, end, text, line)


def _out_of_time(cues: Sequence[Cue], seconds: float) -> Iterator[Wrong]:
    before = 0
    for cue in cues:
        if cue.end <= cue.start:
            yield cue.line, "it ends before it begins", "put the earlier time first"
        elif cue.start < before:
            yield cue.line, "it begins before the one above it", "order them by their times"
        elif cue.end > (seconds + SLACK) * 1000:
            what = f"it ends at {_told(cue.end)}, and the video after {seconds:.1f} seconds"
            yield cue.line, what, "is it the captions of another version?"
        before = max(before, cue.start)


def _read(told: str, type_: str) -> int | None:
    """Milliseconds of a time, or None where it is none."""
    found = _TIME[type_].fullmatch(told.strip())
    if not found:
        return None
    hours, minutes, seconds, thousandths = (int(one or 0) for one in found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths


def _told(at: int) -> str:
    """ "00:01:02.003" """
    seconds, thousandths = divmod(at, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{thousandths:03}"
