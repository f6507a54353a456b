"""What bad input gets: each mistake, and the words a person sees for it, with file and line.

From the office's folder to the answer, as the commands give it; the modules have their own tests.
"""

import io
import sqlite3

import pytest
from PIL import Image
from sqlalchemy import event

from outreach.app import open_desk
from outreach.errors import NotAllowed, NotFound, Unusable, WrongFiles
from outreach.report.periods import NoSuchPeriod
from outreach.store import Store
from tests.conftest import CHANNELS_TOML, Office, apply, clear_all, state

CAMPAIGN = """\
campaign: forum
programme: low-carbon-cities
title: The forum
written-by: ana
events:
  forum: {date: 2025-08-25, starts: "09:00", ends: "17:00", zone: Asia/Bangkok}
facts:
  theme: {value: Rethinking Urban Climate Actions, source: the note}
audiences:
  main: {en: [net]}
messages:
  teaser: {at: "forum - 7 days, 10:00 Asia/Seoul", to: main}
"""
FILE = "campaigns/forum.yaml"
TEXT = "templates/posts/forum/teaser.md"


@pytest.fixture
def told(office: Office):
    """What `outreach check` says of the campaign with one thing in it replaced, or of a text."""

    def told(was: str = "", becomes: str = "", *, text: str = "Hello.", channels: str = "") -> str:
        assert was in CAMPAIGN
        if channels:
            office.write("config/channels.toml", channels)
        office.campaign(CAMPAIGN.replace(was, becomes, 1), teaser=f"## en\n{text}\n")
        desk = office.open()
        return "\n".join(str(problem) for problem in desk.files().problems)

    return told


def test_what_is_right_gets_nothing(told):
    assert told() == ""


class TestCampaignFiles:
    @pytest.mark.parametrize(
        ("was", "becomes", "expected"),
        [
            pytest.param(
                "title: The forum",
                "title: The forum: again",
                f"{FILE}:3: a colon followed by a blank stands inside a value, or the line is "
                "indented wrongly\n    → quote the whole value, or set the line under its "
                "neighbours",
                id="broken YAML",
            ),
            pytest.param(
                "title: The forum",
                "title: The forum\ntitle: Again",
                f"{FILE}:4: title stands here a second time; the first is in line 3\n"
                "    → keep one of them",
                id="a repeated key",
            ),
            pytest.param(
                "title: The forum",
                "titel: The forum",
                f"{FILE}:3: there is no key titel here\n    → did you mean title?",
                id="an unknown key",
            ),
            pytest.param(
                "10:00 Asia/Seoul",
                "10:00 Asia/Soul",
                f"{FILE}:12: messages.teaser.at: Asia/Soul is not a zone\n"
                "    → did you mean Asia/Seoul?",
                id="an unknown zone",
            ),
            pytest.param(
                "forum - 7 days, 10:00 Asia/Seoul",
                "2026-03-29 02:30 Europe/Berlin",
                f"{FILE}:12: teaser: 02:30 on 29 March 2026 does not exist in Europe/Berlin, since "
                "the clocks change\n    → write 01:59 or 03:00",
                id="a time that does not exist",
            ),
            pytest.param(
                "forum - 7 days, 10:00 Asia/Seoul",
                "2025-10-26 02:30 Europe/Berlin",
                f"{FILE}:12: teaser: 02:30 on 26 October 2025 comes twice in Europe/Berlin, since "
                "the clocks change\n    → write 01:59 or 03:00",
                id="a time that exists twice",
            ),
            pytest.param(
                'date: 2025-08-25, starts: "09:00"',
                'starts: "09:00"',
                f"{FILE}:6: events.forum has no date\n    → write date: 2025-08-25",
                id="an event without a date",
            ),
        ],
    )
    def test_a_mistake_is_told_with_its_line_and_the_way_out(self, told, was, becomes, expected):
        assert expected in told(was, becomes)

    def test_an_unknown_channel_is_told_once(self, told):
        assert told("{en: [net]}", "{en: [nett, net]}") == (
            f"{FILE}:10: the audience main names the channel nett, and there is none\n"
            "    → did you mean net?"
        )


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("Hello.\n{% if %}", f"{TEXT}:3: ", id="a mistake in its syntax"),
            pytest.param(
                "On {{ facts.them }}.",
                f"{TEXT}:2: facts.them is not known\n    → did you mean facts.theme?",
                id="an unknown fact",
            ),
            pytest.param(
                "{{ ''.__class__.__mro__ }}", f"{TEXT}:2: ", id="a way out of the sandbox"
            ),
            pytest.param(
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                f"{TEXT}:2: ",
                id="an endless loop",
            ),
        ],
    )
    def test_a_mistake_is_told_with_its_line(self, told, text, expected):
        assert expected in told(text=text)


class TestLengths:
    """One more than a network takes, in each way of counting; and none told at the limit."""

    @pytest.mark.parametrize(
        ("platform", "fits", "says"),
        [
            pytest.param("memory", "a" * 500, "501 characters; net takes 500", id="characters"),
            pytest.param("x", "a" * 280, "281 weighted characters; net takes 280", id="X"),
            pytest.param("x", "가" * 60 + "a" * 160, "281 weighted", id="X, Korean"),
            pytest.param("telegram", "😀" * 2047 + "ab", "4,097 ", id="Telegram, UTF-16"),
        ],
    )
    def test_one_too_many_is_told(self, told, platform, fits, says):
        channels = f'[net]\nplatform = "{platform}"\n'
        if platform == "telegram":
            channels += 'chat = "@example"\n'
        assert told(text=fits, channels=channels) == ""
        answer = told(text=f"{fits}a", channels=channels)
        assert says in answer
        assert answer.startswith(f"{TEXT}:2: ")
        assert answer.endswith("→ cut 1")

    def test_a_caption_on_telegram_is_shorter(self, office, told):
        office.write("media/card.png", png())
        to = 'to: main, media: [{file: card.png, alt: "A card"}]'
        channels = '[net]\nplatform = "telegram"\nchat = "@example"\n'
        room = 1024 - len("\n\n[Picture: A card]")  # it has no field for it: the text prints it
        assert told("to: main", to, text="a" * room, channels=channels) == ""
        assert told("to: main", to, text="a" * (room + 1), channels=channels) == (
            f"{TEXT}:2: 1,025 UTF-16 units, 19 of them the picture's description, printed below "
            "the text; net takes 1,024 with a picture\n    → cut 1"
        )


class TestPictures:
    @pytest.fixture
    def told(self, told):
        def of(picture: str) -> str:
            return told("to: main", f"to: main, media: [{picture}]")

        return of

    def test_one_that_is_not_there(self, told):
        assert told('{file: card.png, alt: "A card"}') == (
            f"{FILE}:12: there is no picture card.png\n    → put it into the media folder"
        )

    def test_one_that_is_huge(self, told, office):
        office.write("media/card.png", b"\x89PNG" + b"x" * 30_000_000)
        assert told('{file: card.png, alt: "A card"}') == (
            f"{FILE}:12: card.png has over 30.0 MB, more than any network takes\n"
            "    → export it smaller"
        )

    def test_one_that_is_mislabelled(self, told, office):
        office.write("media/card.jpg", png())
        assert told('{file: card.jpg, alt: "A card"}') == (
            f"{FILE}:12: card.jpg is a PNG picture under a wrong name\n"
            "    → rename it to card.png, here too"
        )

    @pytest.mark.parametrize(
        ("picture", "expected"),
        [
            ("{file: card.png}", "has no alt\n"),
            ('{file: card.png, alt: ""}', "nothing stands after “alt”\n"),
            ('{file: card.png, alt: " "}', "card.png has no alt text\n"),
        ],
    )
    def test_one_that_nobody_described(self, told, office, picture, expected):
        office.write("media/card.png", png())
        answer = told(picture)
        assert answer.startswith(f"{FILE}:12: ")
        assert expected in answer


class TestTheDesk:
    def test_a_channel_without_its_secrets(self, office):
        office.write("config/channels.toml", '[net]\nplatform = "telegram"\nchat = "@example"\n')
        desk = office.open()
        assert desk.status().unready == {"net": "its secrets are missing: OUTREACH_NET_TOKEN"}

    def test_a_token_that_is_refused(self, office):
        desk = office.open()
        token = desk.token_for("ana", by=None)
        assert desk.whose(token).id == "ana"
        desk.token_for("ana", by=desk.person("ana"))
        for refused in (token, "", "a" * 43):
            with pytest.raises(NotAllowed) as told:
                desk.whose(refused)
            assert str(told.value) == "this token is not known, or has been replaced"
            assert told.value.hint == ("ask an administrator for a new one, then: outreach login")

    def test_a_token_that_a_network_refuses_makes_the_post_failed_and_says_why(self, office):
        office.campaign(CAMPAIGN, teaser="## en\nHello.\n")
        desk = office.open()
        desk.tick()
        apply(desk)
        clear_all(desk)
        office.clock.to("2025-08-18T00:59Z")
        desk.tick()
        office.clock.to("2025-08-18T01:00Z")
        desk.platforms["net"].next_fault = "refused"
        desk.tick()
        key = "forum/teaser/en@net"
        assert state(desk, key) == "failed"
        [line] = desk.status().attention
        assert (line.key, line.state, line.reason) == (key, "failed", "no")

    def test_a_month_that_is_none(self, office):
        desk = office.open()
        with pytest.raises(NoSuchPeriod, match="'August' is no month") as told:
            desk.reports.make("August", by=desk.person("bo"))
        assert told.value.hint.startswith("write 2025-08, 2025-07-26..2025-09-01")

    def test_a_month_with_no_data(self, office):
        desk = office.open()
        report = desk.reports.make("2024-02", by=desk.person("bo"))
        assert report.summary == ("No figures were recorded for February 2024.",)
        assert report.completeness[0] == "No channel was kept in February 2024."

    def test_a_folder_that_is_no_office(self, tmp_path):
        with pytest.raises(NotFound, match="is not an office's folder, and is in none") as told:
            open_desk(tmp_path)
        assert "outreach init DIR" in told.value.hint

    def test_mistakes_in_the_configuration_are_told_all_at_once(self, office):
        office.write("config/channels.toml", CHANNELS_TOML + '[y]\nplatform = "telegramm"\n')
        office.write("config/outreach.toml", '[office]\nzone = "Asia/Bankok"\n')
        with pytest.raises(WrongFiles) as told:
            open_desk(office.home)
        assert str(told.value).splitlines() == [
            "config/outreach.toml:2: office.zone: Asia/Bankok is not a zone; "
            "did you mean Asia/Bangkok?",
            "config/channels.toml:8: there is no platform 'telegramm'",
            "    → did you mean telegram?",
        ]


class TestTheDatabase:
    @pytest.fixture
    def file(self, office):
        office.open()
        office.close()
        return office.home / "data" / "outreach.db"

    def test_it_is_locked(self, office, file):
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        desk = open_desk(office.home)
        desk.store = Store(desk.configuration.database, busy=0.3)
        with pytest.raises(Unusable, match="the database is locked by another program") as told:
            desk.tick()
        assert told.value.hint.startswith("close what has it open")
        other.close()
        desk.close()

    def test_it_is_read_only(self, office, file):
        desk = open_desk(office.home)
        desk.store = Store(f"sqlite:///file:{file}?mode=ro&uri=true")
        with pytest.raises(Unusable, match="the database is read-only"):
            desk.tick()
        desk.close()

    def test_the_disk_is_full(self, office, file):
        office.campaign(CAMPAIGN, teaser="## en\n{% for n in range(25) %}\nHello.\n{% endfor %}\n")
        desk = office.open()

        @event.listens_for(desk.store.engine, "begin")
        def small(connection):
            connection.exec_driver_sql("PRAGMA max_page_count = 1")  # it takes what there is

        with pytest.raises(Unusable, match="the disk is full or failing"):
            for _ in range(500):
                desk.hold("all", "x" * 4000, by=desk.person("ana"))
                desk.release("all", by=desk.person("ana"))
        desk.close()

    def test_it_is_of_a_newer_version(self, office, file):
        with sqlite3.connect(file) as other:
            other.execute("UPDATE alembic_version SET version_num = '9999'")
        other.close()
        with pytest.raises(Unusable, match="revision 9999, written by a newer version") as told:
            open_desk(office.home)
        assert told.value.hint.startswith("install the newer version")

    def test_it_is_damaged(self, office, file):
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        file.write_bytes(b"no database" * 1000)
        with pytest.raises(Unusable, match="is damaged or is no database") as told:
            open_desk(office.home)
        assert told.value.hint == "restore the last backup: outreach restore FILE --replace"


def png() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(made, "PNG")
    return made.getvalue()
