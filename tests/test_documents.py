"""Documents of a message on a desk: read, cleared with what stands for them, and sent."""

import io

import pytest
from PIL import Image

from outreach.post import Post
from tests.conftest import apply, clear_all
from tests.drafts import AT, run_to

CAMPAIGN = """
campaign: forum
programme: lcc
title: Forum
written-by: ana
audiences: {all: {en: [telegram, x]}}
messages:
  news:
    at: 2025-07-20 09:00 Asia/Bangkok
    to: all
    release: as-ready
    media: [MEDIA]
"""
PAPER = "file: note.pdf, alt: The concept note of the Forum"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def png(side: int = 900) -> bytes:
    into = io.BytesIO()
    Image.effect_noise((side, side), 64).save(into, "PNG")
    return into.getvalue()


@pytest.fixture
def files(office):
    """What is made of a message with these media."""

    def made(*media: str, note: bytes = PDF):
        office.write(
            "config/channels.toml",
            '[telegram]\nplatform = "memory"\nas = "telegram"\n'
            '[x]\nplatform = "memory"\nas = "x"\n',
        )
        listed = ", ".join(f"{{{one}}}" for one in media)
        office.campaign(CAMPAIGN.replace("MEDIA", listed), news="## en\nThe note is out.\n")
        for name, data in {"note.pdf": note, "cover.png": png()}.items():
            (office.home / "media").mkdir(exist_ok=True)
            (office.home / "media" / name).write_bytes(data)
        return office.open().files()

    return made


def told(files) -> list[str]:
    return [f"{problem.where} {problem.what}" for problem in files.mistakes]


def test_it_is_cleared_and_sent_with_the_picture_that_stands_for_it(files, office):
    made = files(f"{PAPER}, only: [telegram], thumbnail: cover.png")
    assert told(made) == []
    post = made.drafts["forum/news/en@telegram"].post
    assert post.parts[0].text.endswith("[Document: The concept note of the Forum]")
    assert Post.of(post.as_data()) == post
    (paper,) = post.parts[0].pictures
    assert (paper.still.width, paper.still.type) == (320, "image/jpeg")
    other = files(f"{PAPER}, only: [telegram]").drafts["forum/news/en@telegram"].post
    assert other.fingerprint != post.fingerprint

    files(f"{PAPER}, only: [telegram], thumbnail: cover.png")
    desk = office.open()
    desk.tick()
    apply(desk)
    clear_all(desk)
    run_to(office, desk, AT)
    (sent,) = desk.platforms["telegram"].live
    assert [picture.data for picture in sent.part.pictures] == [PDF]
    assert sent.part.pictures[0].still.data[:2] == b"\xff\xd8"
    (without,) = desk.platforms["x"].live
    assert without.part.pictures == ()


def test_a_network_that_takes_none_says_what_to_do(files):
    (problem,) = files(PAPER).mistakes
    assert problem.what == "x takes no documents (note.pdf)"
    assert "`only:`" in problem.hint


def test_mistakes_are_told_at_once_with_their_lines(files):
    where = "campaigns/forum.yaml:12"
    assert told(
        files(f"{PAPER}, only: [telegramm]", "file: cover.png, alt: A, thumbnail: a.png")
    ) == [
        f"{where} there is no channel or platform called telegramm",
        f"{where} cover.png is no document",
    ]
    assert told(files(f"{PAPER}, only: [telegram]", "file: cover.png, alt: A")) == [
        f"{where} telegram takes no pictures beside a document in one post"
    ]
    only = f"{PAPER}, only: [telegram]"
    assert told(files(only, note=b"PK")) == [f"{where} note.pdf is not a PDF that can be read"]
    assert told(files(only, note=PDF[:-8])) == [f"{where} note.pdf is damaged: its end is missing"]
    assert told(files(f"{only}, thumbnail: gone.png")) == [f"{where} there is no picture gone.png"]
