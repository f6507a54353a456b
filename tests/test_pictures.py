"""Words in a picture: read once, and told where its description leaves them out."""

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from outreach import extras, kept
from outreach.compose import pictures
from outreach.compose.pictures import untold
from outreach.errors import Problem
from outreach.folder import Files
from tests.conftest import Office

reads = pytest.mark.skipif(
    not extras.EXTRAS["pictures"].installed,
    reason="what reads pictures is not installed (370 MB): pip install rapidocr onnxruntime",
)

CARD = ("Fifth International Forum on", "Low Carbon Cities", "25 August 2025, Bangkok")
NAME = ("Fifth International Forum", "Low Carbon Cities")
ZH = "第五届低碳城市国际论坛"


@pytest.mark.parametrize(
    ("lines", "alt", "left"),
    [
        (CARD, "A card in teal", [*NAME, "August 2025 Bangkok"]),
        (CARD, "Low-carbon cities: the Fifth International Forum, Bangkok, 25 August 2025", []),
        (CARD, "The fifth international forum's card: Bangkok, August 2025", [NAME[1]]),
        (("25August2025,Bangkok",), "Bangkok, on 25 August 2025, Bangkok", []),  # read as one word
        (("Low Carbom Citles",), "Low carbon cities", []),  # misread by a letter
        (("ＬＯＷ ＣＡＲＢＯＮ",), "Low carbon", []),
        (("at 5 of 10",), "A clock", []),  # too short to tell anything
        (("2025",), "A calendar", ["2025"]),
        (CARD, "제5회 저탄소도시 국제포럼의 카드, 방콕", ["2025"]),  # a translation
        ((ZH,), "论坛海报：第五届低碳城市国际论坛", []),
        ((ZH,), "第五届低碳域市国际论坛的海报", []),  # one sign misread
        ((ZH,), "一张蓝色的海报", [ZH]),
        ((ZH,), "A blue poster", []),
        ((), "A tree", []),
    ],
)  # fmt: skip
def test_what_a_description_leaves_out_is_named_where_the_two_can_be_compared(
    lines: tuple[str, ...], alt: str, left: list[str]
) -> None:
    assert untold(lines, alt, alt) == left


def test_the_text_beside_a_picture_tells_its_words_too() -> None:
    text = "The Fifth International Forum on Low Carbon Cities: Bangkok, 25 August 2025."
    assert untold(CARD, "A card in teal", f"A card in teal\n{text}") == []


def painted(*lines: str, mode: str = "RGB", format_: str = "PNG") -> bytes:
    picture = Image.new("RGB", (1000, 560), "navy")
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((60, 60 + 90 * number), line, fill="white", font=ImageFont.load_default(56))
    made = io.BytesIO()
    picture.convert(mode).save(made, format_)
    return made.getvalue()


CAMPAIGN = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
audiences: {main: {en: [net]}}
messages:
  news:
    at: "2025-07-21 09:00 Asia/Bangkok"
    to: main
    media:
      - file: card.png
        alt: ALT
"""


class Desk:
    """An office with one picture, and what is said of it."""

    def __init__(self, office: Office, cache: Path) -> None:
        self.office, self.cache, self.read = office, cache, list[int]()

    def write(self, picture: bytes, alt: str, text: str = "Some words.") -> None:
        self.office.write("media/card.png", picture)
        self.office.campaign(CAMPAIGN.replace("ALT", alt), news=f"## en\n{text}\n")

    def files(self) -> Files:
        return self.office.open().files()

    def said(self, program: Path = pictures._PROGRAM) -> list[Problem]:
        """Asks as `outreach check` does; `read` counts pictures that were really looked at."""
        self.read.clear()
        files = self.files()
        return pictures.untold_words(
            files.loaded.campaigns,
            files.drafts.values(),
            home=self.office.home,
            progress=lambda done, _of: self.read.append(done),
            program=program,
        )


@pytest.fixture
def desk(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Desk(office, tmp_path / "cache")


@reads
class TestReading:
    def test_words_that_the_alt_text_leaves_out_are_advice_at_its_line(self, desk: Desk) -> None:
        desk.write(painted(*CARD), "A card in teal")
        (found,) = desk.said()
        assert found.advice
        assert found.where == "campaigns/c.yaml:13"
        assert found.what == (
            "card.png says “Fifth International Forum”, “Low Carbon Cities”, “August 2025 "
            "Bangkok”, and its alt text does not"
        )
        assert found in desk.office.open().folder.look_into_pictures(desk.files())

    def test_nothing_is_said_of_a_picture_without_words_or_whose_words_are_told(
        self, desk: Desk
    ) -> None:
        desk.write(painted(), "A blue card")
        assert desk.said() == []
        told = "Fifth International Forum on Low Carbon Cities, 25 August 2025, Bangkok"
        desk.write(painted(*CARD), f'"{told}"')
        assert desk.said() == []
        desk.write(painted(*CARD), "A card in teal", text=told)
        assert desk.said() == []

    def test_a_picture_is_read_once_and_again_only_when_it_changes(self, desk: Desk) -> None:
        desk.write(painted("Register now"), "A card")
        first = desk.said()
        assert desk.read == [1]
        began = time.monotonic()
        assert desk.said() == first
        assert time.monotonic() - began < 0.5  # starting what reads takes longer
        assert desk.read == []
        desk.write(painted("Register today"), "A card")
        assert [problem.what for problem in desk.said()] != [problem.what for problem in first]
        assert desk.read == [1]

    def test_what_is_kept_by_another_reader_or_damaged_is_read_anew(self, desk: Desk) -> None:
        desk.write(painted("Register now"), "A card")
        first = desk.said()
        file = kept.file(desk.office.home, ".pictures")
        data = json.loads(file.read_text(encoding="utf-8"))
        for damaged in ('{"by": "another", "words": {}}', "{", "[]", '{"by": 1}', ""):
            file.write_text(damaged, encoding="utf-8")
            assert pictures._known(file, data["by"]) == {}
        assert desk.said() == first
        assert desk.read == [1]
        assert json.loads(file.read_text(encoding="utf-8")) == data

    @pytest.mark.parametrize(("mode", "format_"), [("P", "GIF"), ("RGBA", "WEBP"), ("L", "JPEG")])
    def test_every_kind_of_picture_is_read(self, mode: str, format_: str) -> None:
        data = {"a": painted("Register now", mode=mode, format_=format_), "b": b"no picture"}
        found = dict(pictures._looked_at(data, pictures._PROGRAM))
        assert found == {"a": ("Register now",), "b": ()}

    def test_the_check_tells_it(self, desk: Desk, run_check: Callable[[], str]) -> None:
        desk.write(painted("Register now"), "A card")
        assert "card.png says “Register now”, and its alt text does not" in run_check()


@pytest.fixture
def run_check(desk: Desk) -> Iterator[Callable[[], str]]:
    from typer.testing import CliRunner

    from outreach.cli import app
    from outreach.cli.door import Door

    def run() -> str:
        door = Door(home=desk.office.home, open=lambda *_args, **_kw: desk.office.open())
        return CliRunner().invoke(app, ["check"], obj=door, env={"COLUMNS": "200"}).output

    yield run


DIES = """
import sys
print("ready", flush=True)
for n, line in enumerate(sys.stdin):
    if len(line) > 100:
        sys.exit(1)
    print('["read"]', flush=True)
"""


def test_a_picture_over_which_the_reader_dies_costs_itself_and_no_other(tmp_path: Path) -> None:
    program = tmp_path / "dies.py"
    program.write_text(DIES)
    data = {"a": b"1", "bad": b"x" * 100, "b": b"2", "worse": b"x" * 2_000_000, "c": b"3"}
    assert dict(pictures._looked_at(data, program)) == {
        **dict.fromkeys(("a", "b", "c"), ("read",)),
        **dict.fromkeys(("bad", "worse"), ()),
    }


def test_what_was_read_is_kept_for_this_person_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(pictures, "version", lambda _name: "9")  # the part may be missing here
    program = tmp_path / "reads.py"
    program.write_text(DIES)
    found = pictures._read(tmp_path, {"a": b"1"}, None, program)
    assert found == {"a": ("read",)}
    [file] = kept.folder().iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert pictures._read(tmp_path, {"a": b"1"}, None, tmp_path / "none") == found


def test_a_picture_over_which_the_reader_hangs_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "SECONDS", 1.0)
    program = tmp_path / "hangs.py"
    program.write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    began = time.monotonic()
    assert dict(pictures._looked_at({"a": b"1", "b": b"x" * 2_000_000}, program)) == {
        "a": (),
        "b": (),
    }
    assert time.monotonic() - began < 10


@reads
def test_a_reader_that_does_not_start_is_said_and_nothing_is_kept(desk: Desk) -> None:
    program = desk.office.write("broken.py", "raise ImportError('libGL.so.1 is not there')\n")
    desk.write(painted("Register now"), "A card")
    (found,) = desk.said(program)
    assert found.advice
    assert found.what == (
        "the program that reads words in pictures does not start: "
        "ImportError: libGL.so.1 is not there"
    )
    assert desk.said()[0].what == "card.png says “Register now”, and its alt text does not"


def test_without_the_part_nothing_is_read_and_nothing_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "rapidocr", None)
    desk.write(painted(*CARD), "A card in teal")
    assert desk.said() == []
    assert not kept.file(desk.office.home, ".pictures").exists()
