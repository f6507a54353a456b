"""Requests to another office: a package once, days before; replaced, held, recalled; answered."""

import re
import warnings
from io import BytesIO
from types import SimpleNamespace

import pytest
from docx import Document
from openxml_audit import OpenXmlValidator
from PIL import Image

from outreach.cli import rows, show
from outreach.compose.texts import Section
from outreach.errors import NotAllowed
from outreach.sheets.calendar import status
from outreach.web.app import create_app
from tests.conftest import Office, apply, clear_all, state
from tests.drafts import run_to, trail, utc
from tests.mail import mail_server
from tests.web.desk import CARD

KEY = "booklet/launch/en@escap"
OFFICE = "press@escap.example.org"
CHANNELS = f"""
[escap]
platform = "request"
name = "ESCAP, through its promotional channels"
to = "{OFFICE}"
lead-working-days = 5
holidays = ["TH"]
"""
CAMPAIGN = """
campaign: booklet
programme: low-carbon-cities
title: Booklet
written-by: ana
languages: {source: en}
events:
  launch: {date: 2025-08-20, starts: "08:00", zone: Asia/Bangkok}
links: {booklet: "https://neaspec.org/booklet"}
audiences: {main: {en: [escap]}}
defaults: {embargo: "launch, 10:00 Asia/Seoul", to: main}
messages:
  launch:
    at: "launch, 10:00 Asia/Seoul"
    media: [{file: card.png, alt: A skyline of blue bars, credit: NEASPEC}]
"""
TEXT = "## en\nThe booklet is out: {{ links.booklet }}\n"
# Five working days before Wed 20 August, with 11 and 12 August off in Thailand: Wed 13 August.
GOES, WANTED = "2025-08-13T01:00Z", "2025-08-20T01:00Z"


@pytest.fixture
def server():
    with mail_server() as server:
        yield server


@pytest.fixture
def settings(office: Office, server):
    office.write("config/channels.toml", CHANNELS)
    office.write("media/card.png", CARD)
    office.campaign(CAMPAIGN, launch=TEXT)
    office.write(
        "config/outreach.toml",
        (office.home / "config/outreach.toml").read_text()
        + '\n[web]\npublic-url = "https://desk.example.org"\n'
        + f'\n[mail]\nhost = "127.0.0.1"\nport = {server.server_address[1]}\n'
        'security = "none"\nfrom = "Outreach <outreach@example.org>"\n',
    )
    office.clock.to("2025-08-01T01:00Z")
    return office


@pytest.fixture
def desk(settings, server):
    desk = settings.open()
    desk.tick()
    return desk


@pytest.fixture
def sent(desk, office, server):
    """The package has gone."""
    apply(desk)
    clear_all(desk)
    to(desk, office, GOES)
    assert state(desk, KEY) == "handed"
    [mail] = mails(server)
    return mail


def to(desk, office, at):
    run_to(office, desk, utc(at))


def mails(server):
    return [mail for mail in server.mails if mail["To"] == OFFICE]


def subjects(server) -> list[str]:
    return [mail["Subject"].strip() for mail in mails(server)]


def plain(mail) -> str:
    return mail.get_body(("plain",)).get_content().replace("\r\n", "\n")


def secret_of(mail) -> str:
    [found] = re.findall(r"https://desk\.example\.org/task/(\S+)", plain(mail))
    return found


def attached(mail):
    return {part.get_filename(): part.get_content() for part in mail.iter_attachments()}


URL = "https://www.unescap.org/news/booklet"


class TestTheDeadline:
    def test_it_is_the_lead_time_before_the_slot_and_the_plan_says_so(self, desk):
        [op] = desk.plan().operations
        assert (op.at, op.wall) == ("2025-08-13T01:00:00+00:00", "2025-08-13T10:00")
        assert op.why == (
            "new, a package for another office: to be cleared by then, "
            "wanted for 2025-08-20 10:00 Asia/Seoul"
        )

    def test_without_holidays_weekends_alone_are_left_out(self, settings):
        settings.write("config/channels.toml", CHANNELS.replace('["TH"]', '["CN"]'))
        [op] = settings.open().plan().operations
        assert op.wall == "2025-08-13T10:00"
        text = CHANNELS.replace("lead-working-days = 5", "lead-working-days = 7")
        settings.write("config/channels.toml", text)
        [op] = settings.open().plan().operations
        assert op.wall == "2025-08-07T10:00"  # 11 and 12 August are off in Thailand

    def test_what_is_not_cleared_by_then_is_missed_after_a_day_and_can_be_moved(
        self, desk, office, server
    ):
        apply(desk)
        to(desk, office, GOES)
        assert state(desk, KEY) == "proposed"
        to(desk, office, "2025-08-14T01:00Z")
        assert state(desk, KEY) == "missed"
        assert mails(server) == []

    def test_a_new_time_for_which_it_is_wanted_needs_a_new_yes(self, desk, settings):
        apply(desk)
        clear_all(desk)
        settings.campaign(CAMPAIGN.replace("10:00 Asia/Seoul", "10:30 Asia/Seoul"), launch=TEXT)
        [op] = desk.plan().operations
        assert (op.kind, op.voids) == ("change", True)

    def test_without_a_mail_server_or_an_address_it_cannot_publish_and_says_why(self, settings):
        settings.write("config/channels.toml", CHANNELS.replace(OFFICE, "tbc"))
        assert "its to is still to be confirmed" in settings.open().unready["escap"]
        settings.write("config/channels.toml", CHANNELS)
        toml = (settings.home / "config/outreach.toml").read_text()
        settings.write("config/outreach.toml", toml.partition("[mail]")[0])
        assert "there is no mail server" in settings.open().unready["escap"]


class TestThePackage:
    def test_it_has_the_time_the_embargo_the_text_the_pictures_and_a_form(self, sent):
        assert sent["Subject"].strip() == (f"Please publish on 2025-08-20 10:00 Asia/Seoul: {KEY}")
        body = plain(sent)
        assert "EMBARGO: not before 2025-08-20 10:00 Asia/Seoul" in body
        assert "--- text ---\nThe booklet is out: https://desk.example.org/l/" in body
        assert "its description: A skyline of blue bars\ncredit: NEASPEC" in body
        assert secret_of(sent)
        assert set(attached(sent)) == {"booklet-launch-en-escap.docx", "1-card.png"}
        assert attached(sent)["1-card.png"] == CARD

    def test_the_word_document_is_valid_and_has_it_all(self, sent, tmp_path):
        file = tmp_path / "package.docx"
        file.write_bytes(attached(sent)["booklet-launch-en-escap.docx"])
        assert OpenXmlValidator().validate(file).errors == []
        document = Document(str(file))
        text = "\n".join(paragraph.text for paragraph in document.paragraphs)
        for words in (
            "For publication on ESCAP, through its promotional channels",
            "Embargo: not to be published before 2025-08-20 10:00 Asia/Seoul",
            "The booklet is out: https://desk.example.org/l/",
            "1-card.png. Description: A skyline of blue bars",
            f"https://desk.example.org/task/{secret_of(sent)}",
        ):
            assert words in text
        described = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
        assert described[0] == "A skyline of blue bars"
        assert described[1].startswith("QR code of https://desk.example.org/l/")
        assert "{{" not in text

    def test_a_picture_that_word_does_not_read_is_shown_as_one_that_it_does(
        self, desk, office, settings, server, tmp_path
    ):
        made = BytesIO()
        Image.open(BytesIO(CARD)).save(made, "WEBP")
        settings.write("media/card.webp", made.getvalue())
        settings.campaign(CAMPAIGN.replace("card.png", "card.webp"), launch=TEXT)
        apply(desk)
        clear_all(desk)
        to(desk, office, GOES)
        [mail] = mails(server)
        file = tmp_path / "package.docx"
        file.write_bytes(attached(mail)["booklet-launch-en-escap.docx"])
        assert OpenXmlValidator().validate(file).errors == []
        assert attached(mail)["1-card.webp"] == made.getvalue()

    def test_it_goes_once(self, desk, office, sent, server, settings):
        for other in (desk, settings.open(), desk):
            office.clock.forward(minutes=10)
            other.tick()
        assert len(mails(server)) == 1

    def test_a_lost_answer_leaves_it_in_doubt_and_a_person_says_what_became_of_it(
        self, desk, office, server
    ):
        apply(desk)
        clear_all(desk)
        desk.tick()
        server.loses = True
        run_to(office, desk, utc(GOES))
        server.loses = False
        assert state(desk, KEY) == "uncertain"
        for _ in range(3):
            office.clock.forward(minutes=10)
            office.leases.seconds += 600
            desk.tick()
        assert len(mails(server)) == 1
        assert "ask press@escap.example.org whether the package arrived" in " ".join(
            one.reason for one in desk.status().attention
        )
        desk.settle(KEY, "arrived", by=desk.person("ana"))
        assert state(desk, KEY) == "handed"
        desk.tick()
        assert len(mails(server)) == 1

    def test_what_surely_did_not_arrive_goes_again_with_the_same_message_id(
        self, desk, office, server
    ):
        apply(desk)
        clear_all(desk)
        desk.tick()
        server.loses = True
        run_to(office, desk, utc(GOES))
        server.loses = False
        desk.settle(KEY, "absent", by=desk.person("ana"))
        office.clock.forward(seconds=1)
        desk.tick()
        first, second = mails(server)
        assert first["Message-ID"] == second["Message-ID"]
        assert state(desk, KEY) == "handed"

    def test_a_server_that_refuses_leaves_it_failed_and_nothing_gone(self, desk, office, server):
        apply(desk)
        clear_all(desk)
        server.refuses = True
        to(desk, office, GOES)
        assert (state(desk, KEY), mails(server)) == ("failed", [])


class TestAfterwards:
    def test_a_changed_text_stops_the_old_package_and_a_new_one_replaces_it(
        self, desk, office, sent, server, settings
    ):
        office.clock.forward(minutes=3)
        desk.tick()
        settings.campaign(CAMPAIGN, launch=TEXT.replace("is out", "is published"))
        [op] = desk.plan().operations
        assert op.why.endswith("a new package replaces the one that they have")
        apply(desk)
        desk.tick()
        assert subjects(server)[1:] == [f"Please do not publish yet: {KEY}"]
        assert desk.handover.open(secret_of(sent)).state == "changed"

        to(desk, office, "2025-08-15T01:00Z")  # long after the first deadline
        clear_all(desk)
        desk.tick()
        assert state(desk, KEY) == "handed"
        _, stale, new = mails(server)
        assert new["Subject"].strip().startswith("REPLACES the earlier package")
        assert "THIS REPLACES THE EARLIER PACKAGE" in plain(new)
        assert new["In-Reply-To"] == stale["In-Reply-To"] == sent["Message-ID"]
        assert new["Message-ID"] != sent["Message-ID"]
        assert "The booklet is published" in plain(new)
        assert desk.handover.open(secret_of(new)).state == "open"
        assert desk.plan().operations == ()

    def test_a_new_text_that_is_not_cleared_in_time_never_goes(
        self, desk, office, sent, server, settings
    ):
        settings.campaign(CAMPAIGN, launch=TEXT.replace("is out", "is published"))
        apply(desk)
        to(desk, office, WANTED)
        assert state(desk, KEY) == "missed"
        clear = [reading for reading in desk.readings() if reading.renderings]
        assert clear == []
        assert subjects(server)[1:] == [f"Please do not publish yet: {KEY}"]

    def test_a_hold_asks_them_to_wait_and_its_end_to_go_on_each_once(
        self, desk, office, sent, server
    ):
        ana = desk.person("ana")
        for _ in range(2):
            desk.hold("campaign:booklet", "the date is being checked", by=ana)
            desk.tick()
            desk.tick()
            desk.release("campaign:booklet", by=ana)
            desk.tick()
            desk.tick()
        assert subjects(server)[1:] == [
            f"Please wait: {KEY}",
            f"You can go on: {KEY}",
            f"Please wait: {KEY}",
            f"You can go on: {KEY}",
        ]
        assert "the date is being checked" not in plain(mails(server)[1])  # a reason is ours

    @pytest.mark.parametrize("way", ["file", "skip"])
    def test_what_is_withdrawn_is_recalled_once(self, desk, office, sent, server, settings, way):
        if way == "file":
            settings.campaign(CAMPAIGN.replace("  launch:\n    at", "  other:\n    at"), other=TEXT)
            apply(desk, really=True)
        else:
            desk.settle(KEY, "skip", by=desk.person("ana"))
        desk.tick()
        desk.tick()
        assert subjects(server)[1:] == [f"Withdrawn, please do not publish: {KEY}"]
        assert mails(server)[1]["In-Reply-To"] == sent["Message-ID"]
        assert desk.handover.open(secret_of(sent)).state == "over"

    def test_they_are_reminded_before_and_after_and_then_it_is_missed(
        self, desk, office, sent, server
    ):
        seen = {}
        for hours in range(24 * 15):
            to(desk, office, "2025-08-13T02:00Z") if hours == 0 else office.clock.forward(hours=1)
            desk.tick()
            seen.setdefault(len(mails(server)), office.clock().isoformat()[:16])
        assert seen == {
            1: "2025-08-13T02:00",
            2: "2025-08-19T01:00",  # a day before
            3: "2025-08-20T05:00",  # four hours after
            4: "2025-08-22T01:00",  # two days after
        }
        assert "is to publish this on Wed 20 Aug 2025" in plain(mails(server)[1])
        assert secret_of(mails(server)[1]) == secret_of(sent)
        assert state(desk, KEY) == "missed"


class TestTheForm:
    @pytest.fixture
    def visit(self, desk):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from starlette.testclient import TestClient
        return TestClient(create_app(desk))

    def test_it_takes_the_address_and_the_wording_if_it_was_changed(
        self, desk, office, sent, server, visit
    ):
        page = f"/task/{secret_of(sent)}"
        assert "not before 2025-08-20 10:00 Asia/Seoul" in visit.get(page).text
        wording = "Our booklet is out!\r\nRead it."
        answer = visit.post(page, data={"url": URL, "wording": wording})
        assert "it is live" in answer.text
        assert state(desk, KEY) == "published"
        [said] = [(who, why) for _, who, what, why in desk.trail(KEY) if "otherwise" in what]
        assert said == (OFFICE, "Our booklet is out!\nRead it.")
        desk.tick()
        told = [mail for mail in server.mails if "other words" in mail["Subject"]]
        assert {mail["To"] for mail in told} == {"ana@example.org", "bo@example.org"}
        assert "Our booklet is out!" in told[0].get_content()

    def test_the_same_wording_is_no_change(self, desk, sent, visit):
        page = f"/task/{secret_of(sent)}"
        text = desk.handover.open(secret_of(sent)).sheet.text.replace("\n", "\r\n")
        visit.post(page, data={"url": URL, "wording": f"{text} "})
        assert "worded otherwise" not in trail(desk, KEY)

    def test_they_can_say_that_they_will_not_and_nobody_is_asked_again(
        self, desk, office, sent, server, visit
    ):
        page = f"/task/{secret_of(sent)}"
        answer = visit.post(page, data={"answer": "no", "why": "Not ours to publish"})
        assert answer.status_code == 200
        assert state(desk, KEY) == "missed"
        office.clock.forward(hours=1)
        desk.tick()
        assert len(mails(server)) == 1
        assert f"{KEY} will not be published by the other office" in [
            mail["Subject"] for mail in server.mails
        ]

    def test_an_answer_proves_that_a_doubtful_package_arrived(self, desk, office, server, visit):
        apply(desk)
        clear_all(desk)
        desk.tick()
        server.loses = True
        run_to(office, desk, utc(GOES))
        server.loses = False
        [mail] = mails(server)
        visit.post(f"/task/{secret_of(mail)}", data={"url": URL})
        assert state(desk, KEY) == "published"

    def test_a_wrong_address_is_refused(self, desk, sent):
        with pytest.raises(NotAllowed, match="not the address"):
            desk.answers.complete(secret_of(sent), "soon")


class TestWithOtherLanguages:
    """The package waits for the languages that go out together with it."""

    TWO = (
        CAMPAIGN.replace("{source: en}", "{source: en, also: [ru]}")
        .replace("{main: {en: [escap]}}", "{main: {en: [escap], ru: [vk]}}")
        .replace("defaults: {", "defaults: {days-off: keep, ")
    )
    SOURCE = "The booklet is out: {{ links.booklet }}"
    RU = (
        f"## ru (from {Section('en', '', 0, 1, SOURCE).hash}; translator: zed; reviewer: lee)\n"
        "Буклет вышел: {{ links.booklet }}\n"
    )

    @pytest.fixture
    def both(self, settings):
        settings.write(
            "config/channels.toml", f'{CHANNELS}\n[vk]\nplatform = "manual"\nlanguages = ["ru"]\n'
        )
        settings.campaign(self.TWO, launch=f"{TEXT}\n{self.RU}")
        desk = settings.open()
        desk.tick()
        return desk

    def test_they_are_told_that_its_deadline_is_theirs(self, both):
        told = [n.what for n in both.plan().notices if n.kind == "advice" and "@vk" in n.key]
        assert any(
            "ru has to be cleared by 2025-08-13 10:00 Asia/Seoul" in what
            and "the package for escap" in what
            for what in told
        )

    def test_it_does_not_go_before_they_are_cleared(self, both, office, server):
        apply(both)
        [reading] = [one for one in both.readings() if one.language == "en"]
        both.clear(reading.name, reading.fingerprint, by=both.person("bo"))
        to(both, office, GOES)
        assert mails(server) == []
        clear_all(both)
        both.tick()
        assert len(mails(server)) == 1


def test_review_status_and_calendar_say_when_it_has_to_be_cleared(desk, settings):
    apply(desk)
    zones = rows.Zones.of(desk)
    [reading] = desk.readings()
    shown = "\n".join(
        "".join(span if isinstance(span, str) else span[0] for span in one.spans)
        for one in show.reading(reading, desk.channels, zones)
    )
    assert (
        "a package for another office: to be cleared by then; wanted for Wed 20 Aug 2025" in shown
    )
    assert "embargo: not before 2025-08-20 10:00 Asia/Seoul" in shown
    [line] = desk.status().next
    assert (line.asked, line.wall) == ("2025-08-20 10:00 Asia/Seoul", "2025-08-13T10:00")
    files = desk.files()
    told = SimpleNamespace(message=files.loaded.campaigns[0].messages["launch"])
    said = status(told, list(files.drafts.values()), {KEY: "proposed"})
    assert said == (
        "1 proposed; package to another office, to be cleared by 2025-08-13 10:00 Asia/Seoul"
    )
