"""Pictures: what is read, and what each bad one gets."""

import io
import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from outreach.campaign.models import Media
from outreach.compose.media import read_picture
from outreach.platforms import Limits
from outreach.post import Picture

LIMITS = Limits(text=280)
WHERE = "campaigns/forum.yaml:41"


def paint(path: Path, width: int = 60, height: int = 40, format_: str = "PNG") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), "teal").save(path, format_)
    return path


def read(folder: Path, file: str, limits: Limits = LIMITS, **values: Any) -> Any:
    media = Media.model_validate({"file": file, "alt": "A card in teal", **values})
    return read_picture(folder, media, limits, WHERE, channel="x")


def problem(folder: Path, file: str, limits: Limits = LIMITS, **values: Any) -> str:
    (found,) = read(folder, file, limits, **values)
    assert found.where == WHERE
    return str(found).removeprefix(f"{WHERE}: ")


def test_a_picture_is_read_with_its_bytes_and_words(tmp_path: Path) -> None:
    path = paint(tmp_path / "cards/card.png")
    picture = read(tmp_path, "cards/card.png", alt=" A card in teal ", credit="NEASPEC")
    assert isinstance(picture, Picture)
    assert (picture.type, picture.width, picture.height) == ("image/png", 60, 40)
    assert picture.data == path.read_bytes()
    assert picture.size == len(picture.data)
    assert (picture.alt, picture.credit) == ("A card in teal", "NEASPEC")
    assert read(tmp_path, "cards/card.png").sha256 == picture.sha256


def test_a_missing_picture_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    paint(tmp_path / "forum-card.png")
    said = problem(tmp_path, "forum-cart.png")
    assert said == "there is no picture forum-cart.png\n    → did you mean forum-card.png?"
    said = problem(tmp_path / "none", "a.png")
    assert said == "there is no picture a.png\n    → put it into the media folder"


def test_a_picture_under_a_wrong_name_is_told_its_right_one(tmp_path: Path) -> None:
    paint(tmp_path / "card.jpg", format_="PNG")
    said = problem(tmp_path, "card.jpg")
    assert said == (
        "card.jpg is a PNG picture under a wrong name\n    → rename it to card.png, here too"
    )


def test_what_is_no_picture_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"<svg onload=alert(1)>")
    assert problem(tmp_path, "a.png").startswith("a.png is not a picture that can be read")


def test_a_picture_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = paint(tmp_path / "a.jpg", 400, 400, "JPEG")
    path.write_bytes(path.read_bytes()[:-900])
    assert problem(tmp_path, "a.jpg").startswith("a.jpg is damaged: ")


@pytest.mark.parametrize("side", [7_000, 15_000, 100_000])
def test_a_picture_that_would_fill_the_memory_is_not_decoded(tmp_path: Path, side: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))
    (tmp_path / "a.png").write_bytes(data + chunk(b"IEND", b""))
    assert problem(tmp_path, "a.png").startswith("a.png has more than 40 million pixels")


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"picture_bytes": 100}, "bytes too many; x takes 0.0 MB\n    → export it smaller"),
        ({"picture_types": frozenset({"image/gif"})}, "x does not take image/png (card.png)"),
        ({"picture_ratio": 1.4}, "card.png is 1.5 times as long as wide; x takes 1.4"),
    ],
)
def test_a_picture_over_a_network_s_limit_is_told(
    tmp_path: Path, limits: dict[str, Any], expected: str
) -> None:
    paint(tmp_path / "card.png")
    assert expected in problem(tmp_path, "card.png", replace(LIMITS, **limits))


def test_a_picture_at_the_limit_is_taken(tmp_path: Path) -> None:
    size = paint(tmp_path / "card.png").stat().st_size
    limits = replace(LIMITS, picture_bytes=size, picture_sides=100, picture_ratio=1.5, alt=14)
    assert isinstance(read(tmp_path, "card.png", limits), Picture)


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "link.png", "a\\..\\b.png", ""])
def test_nothing_outside_the_media_folder_is_read(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    (folder / "link.png").symlink_to(paint(tmp_path / "secret.png"))
    assert "is not in the media folder" in problem(folder, name)


def test_a_folder_or_a_pipe_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    os.mkfifo(tmp_path / "b.png")
    assert problem(tmp_path, "a.png").startswith("a.png is not a file")
    assert problem(tmp_path, "b.png").startswith("b.png is not a file")


def test_a_picture_without_alt_text_is_a_mistake(tmp_path: Path) -> None:
    paint(tmp_path / "card.png")
    assert problem(tmp_path, "card.png", alt=" ").startswith("card.png has no alt text")


def test_words_to_be_confirmed_are_open_and_no_mistake(tmp_path: Path) -> None:
    paint(tmp_path / "card.png")
    alt, credit = read(tmp_path, "card.png", alt="tbc", credit={"tbc": "photographer"})
    assert alt.open
    assert alt.what == "the alt text of card.png is to be confirmed"
    assert credit.open
    assert credit.what == "the credit of card.png is to be confirmed by photographer"


def test_an_alt_text_over_the_limit_by_one_is_told(tmp_path: Path) -> None:
    paint(tmp_path / "card.png")
    said = problem(tmp_path, "card.png", replace(LIMITS, alt=13))
    assert said == "the alt text of card.png has 14 characters; x takes 13\n    → cut 1"


def test_a_picture_s_own_mistakes_and_its_words_are_told_together(tmp_path: Path) -> None:
    assert len(read(tmp_path, "none.png", alt="")) == 2


def test_a_picture_in_memory_is_not_decoded_again(tmp_path: Path) -> None:
    path = paint(tmp_path / "card.png")
    seen: dict[str, Any] = {}
    media = Media(file="card.png", alt="A card")
    first = read_picture(tmp_path, media, LIMITS, WHERE, read=seen)
    path.write_bytes(io.BytesIO(b"gone").read())
    assert read_picture(tmp_path, media, LIMITS, WHERE, read=seen) == first
