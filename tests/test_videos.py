"""Videos of a message on a desk: their captions are read, cleared and sent with them."""

import shutil
from pathlib import Path

import pytest

from outreach.cli import show
from outreach.cli.rows import Zones
from outreach.errors import NotAllowed
from outreach.post import Post
from tests.conftest import apply, clear_all
from tests.drafts import AT, run_to

CAMPAIGN = """
campaign: forum
programme: lcc
title: Forum
written-by: ana
audiences: {all: {en: [telegram, bluesky, web]}}
messages:
  news:
    at: 2025-07-20 09:00 Asia/Bangkok
    to: all
    release: as-ready
    media: [MEDIA]
"""
TALK = Path(__file__).parent / "media" / "talk.mp4"
CAPTIONS = "WEBVTT\n\n00:00.500 --> 00:02.000\nClean air is shared.\n"
WHERE = "campaigns/forum.yaml:12"


@pytest.fixture
def files(office):
    """What is made of a message with these media."""

    def made(*media: str, captions: str = CAPTIONS):
        office.write(
            "config/channels.toml",
            '[telegram]\nplatform = "memory"\nas = "telegram"\n'
            '[bluesky]\nplatform = "memory"\nas = "bluesky"\n[web]\nplatform = "feed"\n',
        )
        listed = ", ".join(f"{{{one}}}" for one in media)
        office.campaign(CAMPAIGN.replace("MEDIA", listed), news="## en\nThe talk is out.\n")
        (office.home / "media").mkdir(exist_ok=True)
        shutil.copy(TALK, office.home / "media" / "talk.mp4")
        (office.home / "media" / "talk.en.vtt").write_text(captions, encoding="utf-8")
        return office.open().files()

    return made


def told(files) -> list[str]:
    return [f"{problem.where} {problem.what}" for problem in files.mistakes]


def in_full(desk, key: str) -> str:
    """What who clears it reads."""
    said = show.in_full(desk.in_full(key), desk.channels[key.rpartition("@")[2]], Zones.of(desk))
    return "\n".join(str(span) for one in said for span in one.spans)


TELEGRAM = "file: talk.mp4, alt: A speaker, only: [telegram], captions: burnt-in"
BLUESKY = "file: talk.mp4, alt: A speaker, only: [bluesky], captions: talk.en.vtt"


def test_what_is_cleared_with_its_captions_is_what_is_sent(files, office):
    made = files(TELEGRAM, BLUESKY)
    assert told(made) == []
    posts = {key: draft.post for key, draft in made.drafts.items()}
    bluesky = posts["forum/news/en@bluesky"]
    assert Post.of(bluesky.as_data()) == bluesky
    assert posts["forum/news/en@telegram"].parts[0].text.endswith("[Video: A speaker]")
    assert posts["forum/news/en@web"].parts[0].pictures == ()
    other = files(TELEGRAM, BLUESKY, captions=CAPTIONS.replace("shared", "ours"))
    assert other.drafts["forum/news/en@bluesky"].post.fingerprint != bluesky.fingerprint
    marked = files(TELEGRAM.replace("captions: burnt-in", "no-speech: true"), BLUESKY)
    key = "forum/news/en@telegram"
    assert marked.drafts[key].post.fingerprint != posts[key].fingerprint

    files(TELEGRAM, BLUESKY)
    desk = office.open()
    desk.tick()
    apply(desk)
    read = in_full(desk, "forum/news/en@bluesky")
    assert "video talk.mp4 (160 x 90, 6 kB, 3.0 seconds, AVC with AAC)" in read
    assert "captions talk.en.vtt (en):" in read and "00:00 Clean air is shared." in read
    assert "its captions are in the picture" in in_full(desk, "forum/news/en@telegram")
    with pytest.raises(NotAllowed, match="captions in the picture → are they all there"):
        clear_all(desk)
    (reading,) = desk.readings()
    seen = "watched to the end: they are complete"
    desk.clear(reading.name, reading.fingerprint, by=desk.person("bo"), decided=seen)
    run_to(office, desk, AT)
    (sent,) = desk.platforms["bluesky"].live
    (video,) = sent.part.pictures
    assert (video.data, video.captions.data) == (TALK.read_bytes(), CAPTIONS.encode())
    (sent,) = desk.platforms["telegram"].live
    assert sent.part.pictures[0].heard == "burnt-in"


def test_every_channel_says_what_it_lacks(files):
    bare = "file: talk.mp4, alt: A speaker"
    assert told(files(f"{bare}, captions: talk.en.vtt")) == [
        f"{WHERE} telegram takes no captions beside a video (talk.mp4)",
        f"{WHERE} web takes no videos (talk.mp4)",
    ]
    assert told(files(f"{bare}, only: [bluesky]")) == [
        f"{WHERE} talk.mp4 has no captions in en",
    ]
    assert told(files(BLUESKY, BLUESKY)) == [f"{WHERE} 2 videos; bluesky takes 1"]


def test_where_a_video_has_no_field_for_it_its_description_is_in_the_text(files, office):
    made = files("file: talk.mp4, alt: A speaker, only: [bluesky], captions: talk.en.vtt")
    plain = made.drafts["forum/news/en@bluesky"].post.parts[0]
    assert "A speaker" not in plain.text
    office.write("config/channels.toml", '[bluesky]\nplatform = "memory"\nas = "x"\n')
    text = (office.home / "campaigns" / "forum.yaml").read_text()
    office.write("campaigns/forum.yaml", text.replace("[telegram, bluesky, web]", "[bluesky]"))
    part = office.open().files().drafts["forum/news/en@bluesky"].post.parts[0]
    assert part.text.endswith("[Video: A speaker]")
    assert part.pictures[0].captions.data.startswith(b"1\n00:00:00,500 --> 00:00:02,000\nClean")


def test_what_holds_of_a_video_everywhere_stands_once(files, office):
    office.write("media/assets.toml", '["talk.mp4"]\ncaptions = {en = "talk.en.vtt"}\n')
    assert told(files("file: talk.mp4, alt: A speaker, only: [bluesky]")) == []
    office.write("media/assets.toml", '["talk.mp4"]\ncaptions = 3\nno-speech = "yes"\n')
    assert told(files("file: talk.mp4, alt: A speaker, only: [bluesky]"))[:2] == [
        "media/assets.toml:2 talk.mp4: captions should be a file, or one for each language",
        "media/assets.toml:3 talk.mp4: no-speech should be yes or no",
    ]
