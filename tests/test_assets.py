"""media/assets.toml: what holds of a picture wherever it is used."""

import io

import pytest
from PIL import Image

from outreach.errors import NotAllowed
from tests.conftest import apply

CAMPAIGN = """
campaign: forum
programme: lcc
title: Forum
written-by: ana
audiences: {all: {en: [net]}}
messages:
  news: {at: 2025-07-20 09:00 Asia/Bangkok, to: all, media: [{file: card.png, alt: A card}]}
  own:
    at: 2025-07-21 09:00 Asia/Bangkok
    to: all
    media: [{file: card.png, alt: A card, credit: Ana, contains-map: no, consent: signed}]
"""


@pytest.fixture
def said(office):
    """Writes the list; what the desk makes of the campaign then."""
    data = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(data, "PNG")
    office.write("media/card.png", data.getvalue())
    office.campaign(CAMPAIGN, news="## en\nOur news.\n", own="## en\nOur own.\n")

    def files(text):
        office.write("media/assets.toml", text)
        return office.open().files()

    return files


def draft(files, name="news"):
    return files.drafts[f"forum/{name}/en@net"]


def test_what_it_says_holds_where_the_message_does_not_say_otherwise(said):
    files = said('["card.png"]\ncredit = "ESCAP"\n')
    assert [p.credit for p in draft(files).post.parts[0].pictures] == ["ESCAP"]
    assert [p.credit for p in draft(files, "own").post.parts[0].pictures] == ["Ana"]


def test_a_picture_without_consent_or_licence_waits(said):
    files = said('["card.png"]\nconsent = "tbc"\nlicence = "tbc"\n')
    assert [problem.what for problem in draft(files).blocked] == [
        "the licence of card.png is to be confirmed",
        "the consent of card.png is to be confirmed",
    ]
    assert all(problem.open for problem in draft(files).blocked)
    assert len(draft(files, "own").blocked) == 1  # its consent is there


def test_a_picture_that_has_expired_keeps_its_post_back(said):
    files = said('["card.png"]\nexpires = 2025-07-21\n')
    assert draft(files).blocked == ()
    assert draft(files).not_after is not None
    assert "may not be used from 2025-07-21 on" in draft(files, "own").blocked[0].what


def test_whoever_clears_a_map_or_a_logo_decides_about_it(said, office):
    said('["card.png"]\ncontains-map = true\nco-branded = true\n')
    desk = office.open()
    desk.tick()
    apply(desk)
    [news] = [one for one in desk.readings() if "news" in one.name]
    told = " ".join(news.renderings[0].questions)
    assert "card.png contains a map" in told and "card.png shows a partner's logo" in told
    bo = desk.person("bo")
    with pytest.raises(NotAllowed):
        desk.clear(news.name, news.fingerprint, by=bo)
    desk.clear(news.name, news.fingerprint, by=bo, decided="the UN map, and ICLEI agreed")
    [own] = [one for one in desk.readings() if "own" in one.name]
    assert "map" not in " ".join(own.renderings[0].questions)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('["cart.png"]\n', "media/assets.toml:1: there is no picture cart.png"),
        ('["card.png"]\nlicense = "x"\n', "media/assets.toml:2: card.png: license is not a key"),
        ('["card.png"]\ncredit = 3\n', "media/assets.toml:2: card.png: credit should be a text"),
        ('["card.png"]\nco-branded = "no"\n', "co-branded should be yes or no"),
        ('["card.png"]\nexpires = "soon"\n', "expires should be a day"),
        ("card = 3\n", "media/assets.toml:1: card is not a table"),
        ('["card.png"\n', "media/assets.toml:1"),
    ],
)
def test_a_mistake_in_it_is_told_with_its_line_and_what_to_do(said, text, expected):
    [told] = said(text).mistakes
    assert expected in f"{told.where}: {told.what}"
