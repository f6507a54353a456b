"""A picture as each network takes it; real files, read back by Pillow."""

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from outreach import kept
from outreach.campaign.models import Media
from outreach.compose.media import read_picture
from outreach.platforms import PLATFORMS, Limits, load
from outreach.post import Picture

LIMITS = Limits(text=280)
WITH_GPS = Image.Exif()
WITH_GPS[0x010F] = "Telephone of Ana"
WITH_GPS.get_ifd(0x8825)[1] = "N"


def paint(folder: Path, name: str, width: int, height: int, mode: str = "RGB", **save) -> None:
    image = Image.new(mode, (width, height), "teal" if mode != "CMYK" else (90, 0, 0, 0))
    white = "white" if mode != "CMYK" else (0, 0, 0, 0)
    ImageDraw.Draw(image).rectangle((0, 0, width // 4, height // 4), fill=white)
    image.save(folder / name, **save)


def taken(folder: Path, name: str, limits: Limits = LIMITS) -> Picture:
    found = read_picture(folder, Media(file=name, alt="A card"), limits, "c.yaml:1", channel="x")
    assert isinstance(found, Picture), found
    return found


def shown(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data))
    assert image.size == (picture.width, picture.height)
    assert Image.MIME[image.format] == picture.type
    assert len(picture.data) == picture.size
    return image


@pytest.mark.parametrize("name", ["card.png", "card.jpg"])
def test_what_fits_and_hides_nothing_is_sent_byte_for_byte(tmp_path, name):
    paint(tmp_path, name, 600, 400)
    assert taken(tmp_path, name).data == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.webp"])
def test_what_a_camera_wrote_into_it_is_not_sent(tmp_path, name):
    paint(tmp_path, name, 600, 400, exif=WITH_GPS)
    assert b"Telephone of Ana" in (tmp_path / name).read_bytes()
    picture = taken(tmp_path, name)
    assert b"Telephone" not in picture.data
    assert not shown(picture).getexif()
    assert (picture.width, picture.height) == (600, 400)


def test_a_photograph_that_lies_on_its_side_is_set_upright(tmp_path):
    lying = Image.Exif()
    lying[0x0112] = 6  # turn it a quarter to the right
    paint(tmp_path, "photo.jpg", 600, 400, exif=lying)
    image = shown(taken(tmp_path, "photo.jpg"))
    assert image.size == (400, 600)
    assert image.getpixel((390, 10))[0] > 240  # the white corner is at the right now


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        ({"picture_longest": 2048}, (2048, 1365)),
        ({"picture_sides": 3000}, (1800, 1200)),
        ({"picture_longest": 6000}, (3000, 2000)),  # never larger than it was
    ],
)
def test_it_is_made_smaller_in_its_own_shape_and_never_larger(tmp_path, limits, size):
    paint(tmp_path, "card.png", 3000, 2000)
    picture = taken(tmp_path, "card.png", replace(LIMITS, **limits))
    assert shown(picture).size == size


def test_a_type_that_a_network_does_not_take_becomes_one_that_it_does(tmp_path):
    paint(tmp_path, "card.webp", 600, 400)
    picture = taken(tmp_path, "card.webp")
    assert picture.type == "image/png"
    assert (picture.file, picture.name) == ("card.webp", "card.png")
    shown(picture)


def test_what_one_can_see_through_stands_on_white_where_there_are_only_jpegs(tmp_path):
    Image.new("RGBA", (60, 40), (0, 0, 0, 0)).save(tmp_path / "logo.png")
    jpegs = replace(LIMITS, picture_types=frozenset({"image/jpeg"}))
    assert shown(taken(tmp_path, "logo.png", jpegs)).getpixel((5, 5)) == (255, 255, 255)


def test_the_colours_of_print_become_those_of_screens(tmp_path):
    paint(tmp_path, "print.jpg", 600, 400, mode="CMYK", exif=WITH_GPS)
    assert shown(taken(tmp_path, "print.jpg")).mode == "RGB"


def test_what_is_too_heavy_is_pressed_and_then_made_smaller(tmp_path):
    noise = Image.effect_noise((1200, 900), 90).convert("RGB")
    noise.save(tmp_path / "photo.png")
    for most in (900_000, 200_000, 40_000):
        picture = taken(tmp_path, "photo.png", replace(LIMITS, picture_bytes=most))
        assert picture.type == "image/jpeg"
        assert picture.size <= most
        shown(picture)


def test_a_moving_picture_is_left_moving(tmp_path):
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "teal", "white")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], comment=b"by Ana")
    gifs = replace(LIMITS, picture_types=frozenset({"image/gif"}))
    assert taken(tmp_path, "a.gif", gifs).data == (tmp_path / "a.gif").read_bytes()
    found = read_picture(tmp_path, Media(file="a.gif", alt="A"), LIMITS, "c:1", channel="x")
    assert "x does not take image/gif" in found[0].what


def test_the_same_picture_gives_the_same_bytes(tmp_path):
    paint(tmp_path, "photo.jpg", 1200, 800, exif=WITH_GPS)
    small = replace(LIMITS, picture_longest=1000)
    first = taken(tmp_path, "photo.jpg", small)
    assert first.sha256 == taken(tmp_path, "photo.jpg", small).sha256
    assert first.sha256 != taken(tmp_path, "photo.jpg").sha256


@pytest.mark.parametrize("name", sorted(PLATFORMS))
def test_a_telephone_s_photograph_fits_every_network(tmp_path, name):
    noise = Image.effect_noise((1008, 756), 40).convert("RGB").resize((4032, 3024))
    noise.save(tmp_path / "photo.jpg", quality=95, exif=WITH_GPS)
    limits = load(name).limits
    picture = taken(tmp_path, "photo.jpg", limits)
    assert picture.size <= limits.picture_bytes
    assert max(picture.width, picture.height) <= (limits.picture_longest or 4032)
    assert b"Telephone" not in picture.data


def test_what_was_made_of_a_picture_is_made_once_for_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    paint(tmp_path, "photo.jpg", 600, 400, exif=WITH_GPS)
    first = taken(tmp_path, "photo.jpg")
    [file] = kept.folder().iterdir()
    written = file.stat().st_ino  # a file that is written again is another one

    (tmp_path / "photo.jpg").rename(tmp_path / "same.jpg")
    again = taken(tmp_path, "same.jpg")
    assert (again.data, again.file) == (first.data, "same.jpg")
    assert file.stat().st_ino == written

    paint(tmp_path, "photo.jpg", 601, 400, exif=WITH_GPS)
    assert taken(tmp_path, "photo.jpg").width == 601
    assert taken(tmp_path, "photo.jpg", replace(LIMITS, picture_longest=300)).width == 300
    assert len([*kept.folder().iterdir()]) == 3


def test_what_was_made_long_ago_is_thrown_away_when_another_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    paint(tmp_path, "photo.jpg", 600, 400, exif=WITH_GPS)
    taken(tmp_path, "photo.jpg")
    [old] = kept.folder().iterdir()
    os.utime(old, (0, 0))
    paint(tmp_path, "photo.jpg", 601, 400, exif=WITH_GPS)
    taken(tmp_path, "photo.jpg")
    [left] = kept.folder().iterdir()
    assert left != old


@pytest.mark.parametrize("platform", ["email", "request", "manual"])
def test_a_mailbox_and_people_get_it_as_large_as_it_was_and_nothing_of_who_took_it(
    tmp_path, platform
):
    paint(tmp_path, "photo.jpg", 5000, 3000, exif=WITH_GPS)
    picture = taken(tmp_path, "photo.jpg", load(platform).limits)
    assert (picture.width, picture.height) == (5000, 3000)
    assert b"Telephone" not in picture.data


def test_a_picture_that_is_too_heavy_for_a_mailbox_is_made_lighter(tmp_path):
    noise = Image.effect_noise((2400, 1600), 90).convert("RGB")
    noise.save(tmp_path / "photo.png")
    picture = taken(tmp_path, "photo.png", load("email").limits)
    assert (
        picture.size <= load("email").limits.picture_bytes < (tmp_path / "photo.png").stat().st_size
    )
    assert picture.name == "photo.jpg"
