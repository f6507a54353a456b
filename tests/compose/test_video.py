"""Videos: what is read of one, its captions in every network's way, and what each mistake gets.

`tests/media/talk.mp4` was made for these tests with PyAV: three seconds of one colour and a tone,
160 x 90, H.264 and AAC.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest

from outreach.campaign.models import Media
from outreach.compose.media import read_picture, to_decide
from outreach.platforms import Limits
from outreach.post import Picture

TALK = Path(__file__).parent.parent / "media" / "talk.mp4"
TAKES = Limits(
    text=280,
    videos=1,
    video_bytes=7_000,
    video_seconds=(0.5, 140),
    captions_type="text/vtt",
    captions_bytes=200,
)
WHERE = "campaigns/forum.yaml:41"
VTT = """WEBVTT

NOTE made by hand

00:00.500 --> 00:01.500 line:10%
<v Ana>Clean air is

2
00:01.500 --> 00:03.000
a <b>shared</b> responsibility.
"""
SRT = """1
00:00:00,500 --> 00:00:01,500
Clean air is

2
00:00:01,500 --> 00:00:03,000
a <b>shared</b> responsibility.

"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "media").mkdir()
    shutil.copy(TALK, tmp_path / "media" / "talk.mp4")
    (tmp_path / "media" / "talk.en.vtt").write_text(VTT, encoding="utf-8")
    (tmp_path / "media" / "talk.en.srt").write_text(SRT, encoding="utf-8")
    return tmp_path / "media"


def read(folder: Path, limits: Limits = TAKES, *, language: str = "en", **values: Any) -> Any:
    given = {"file": "talk.mp4", "alt": "A speaker", **values}
    media = Media.model_validate(given)
    return read_picture(folder, media, limits, WHERE, channel="x", language=language)


def told(*args: Any, **values: Any) -> list[str]:
    found = read(*args, **values)
    assert isinstance(found, list), found
    return [str(one) for one in found]


def test_its_facts_are_read_and_its_bytes_stay(folder: Path) -> None:
    video = read(folder, captions="talk.en.vtt")
    assert (video.kind, video.type, video.width, video.height) == ("video", "video/mp4", 160, 90)
    assert (video.seconds, video.codecs, video.size) == (3.0, ("AVC", "AAC"), 6252)
    assert video.data == TALK.read_bytes()
    assert video.captions.data == VTT.encode()
    assert video.captions.text == "00:00 Clean air is\n00:01 a shared responsibility."
    assert Picture.of(video.as_data()) == video
    assert [type_ for _, type_, _ in video.files] == ["video/mp4", "text/vtt"]


def test_a_network_gets_the_captions_in_its_own_form(folder: Path) -> None:
    srt = Limits(text=1, videos=1, video_bytes=7_000, captions_type="text/srt")
    assert read(folder, srt, captions="talk.en.srt").captions.data == SRT.encode()
    assert read(folder, srt, captions="talk.en.vtt").captions.data == SRT.encode()
    made = read(folder, captions={"en": "talk.en.srt"}).captions
    assert made.type == "text/vtt"
    assert made.data.startswith(b"WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nClean air is\n\n00:")


def test_without_captions_in_its_posts_language_it_waits(folder: Path) -> None:
    (problem,) = told(folder, captions="talk.en.vtt", language="ko")
    assert problem.startswith(
        f"{WHERE}: talk.mp4 has no captions in ko\n    → write `captions: {{k"
    )
    assert "no-speech: true" in problem
    assert told(folder)[0].startswith(f"{WHERE}: talk.mp4 has no captions in en")
    (problem,) = told(folder, captions="talk.vtt")
    assert problem.startswith(
        f"{WHERE}: which language talk.vtt is in is not said\n    → write `cap"
    )
    (waits,) = read(folder, captions={"tbc": "the studio"})
    assert waits.open and waits.what == "the captions of talk.mp4 are to be confirmed by the studio"
    assert read(folder, captions={"en": "tbc"})[0].open
    assert read(folder, captions="burnt-in").heard == "burnt-in"
    assert read(folder, **{"no-speech": True}).heard == "no-speech"
    questions = Media.model_validate(
        {"file": "talk.mp4", "alt": "A", "captions": {"en": "burnt-in"}, "no-speech": True}
    )
    assert len(list(to_decide(questions, WHERE))) == 2


def test_where_a_network_has_no_captions_they_are_in_the_picture(folder: Path) -> None:
    none = Limits(text=1, videos=1, video_bytes=7_000)
    (problem,) = told(folder, none, captions="talk.en.vtt")
    assert problem.startswith(f"{WHERE}: x takes no captions beside a video (talk.mp4)")
    assert "burnt-in" in problem
    assert read(folder, none, captions="burnt-in").captions is None


def test_what_does_not_fit_is_told_and_never_changed(folder: Path) -> None:
    small = Limits(
        text=1,
        videos=1,
        video_bytes=6_000,
        video_seconds=(5, 140),
        video_codecs=frozenset({"HEVC"}),
    )
    assert [one.partition("\n")[0] for one in told(folder, small, captions="burnt-in")] == [
        f"{WHERE}: talk.mp4 has 252 bytes too many; x takes 0.0 MB",
        f"{WHERE}: talk.mp4 has 3.0 seconds; x takes 5 to 140",
        f"{WHERE}: talk.mp4 is in H.264, AAC; x takes H.265",
    ]
    (problem,) = told(folder, Limits(text=1), captions="talk.en.vtt")
    assert problem.startswith(f"{WHERE}: x takes no videos (talk.mp4)\n    → link to where it is")


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("talk.mov", b"", "talk.mov is no MP4, and that is what networks take"),
        ("none.mp4", None, "there is no video none.mp4"),
        ("half.mp4", TALK.read_bytes()[:5000], "half.mp4 is damaged: a part of it is missing"),
        ("odd.mp4", b"\0\0\0\x18ftypmp42", "odd.mp4 is not a video that can be read"),
        ("text.mp4", b"Clean air", "text.mp4 is not a video that can be read"),
    ],
)
def test_a_file_that_is_no_whole_mp4_is_told(
    folder: Path, name: str, data: bytes | None, what: str
) -> None:
    if data is not None:
        (folder / name).write_bytes(data)
    (problem,) = told(folder, file=name, captions="burnt-in")
    assert problem.startswith(f"{WHERE}: {what}")


@pytest.mark.parametrize(
    ("captions", "said"),
    [
        (
            "Hello\n\n00:01.000 -> 00:02.000\nHello\n",
            ["1: the first line is not WEBVTT", "1: “Hello” has no times", "3: “00:01.000 -> "],
        ),
        (
            "WEBVTT\n\n00:02.000 --> 00:01.000\nA\n\n00:00.500 --> 00:02,000\nB\n",
            ["3: it ends before it begins", "6: “00:00.500 --> 00:02,000” is no time"],
        ),
        (
            "WEBVTT\n\n00:01.000 --> 00:02.000\nA\n\n00:00.500 --> 00:04.000\nB\n\n"
            "00:01.000 --> 00:03.501\nC\n",
            ["6: it begins before the one above it", "9: it ends at 00:00:03.501, and the video"],
        ),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n", ["3: nothing is shown then"]),
        (
            "WEBVTT\n\n00:01.000 --> 00:02.000\nA\n00:02.000 --> 00:03.000\nB\n",
            ["3: two times without a blank line between"],
        ),
        ("WEBVTT\n", ["1: there are no captions in it"]),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n" + "A" * 200, ["1: talk.en.vtt has 232 bytes"]),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n깨끗한 공기를 함께 지킵니다\n", ["1: this is not en"]),
    ],
)
def test_every_mistake_in_captions_is_told_with_its_line(
    folder: Path, captions: str, said: list[str]
) -> None:
    (folder / "talk.en.vtt").write_text(captions, encoding="utf-8")
    found = told(folder, captions="talk.en.vtt")
    assert len(found) == len(said), found
    for one, begins in zip(found, said, strict=True):
        assert one.startswith(f"media/talk.en.vtt:{begins}")
        assert "\n    → " in one


def test_captions_that_are_no_captions_are_told(folder: Path) -> None:
    (folder / "talk.en.vtt").write_bytes("WEBVTT\n\né".encode("latin-1"))
    assert told(folder, captions="talk.en.vtt") == [
        "media/talk.en.vtt:3: this is not UTF-8\n    → save the file as UTF-8"
    ]
    (problem,) = told(folder, captions={"en": "talk.txt"})
    assert problem.startswith(f"{WHERE}: talk.txt is neither WebVTT nor SRT")
    assert (
        "there are no captions x/talk.en.vtt" in told(folder, captions={"en": "x/talk.en.vtt"})[0]
    )
    (problem,) = told(folder, captions="talk.en.vtt", **{"no-speech": True})
    assert "has captions, and nobody speaks in it" in problem
