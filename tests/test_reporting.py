"""A report on its way out: asked for on its day, sent by a person, once to each address."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from outreach.errors import NotAllowed
from outreach.store.tables import ReportMail, ReportRow, TrailEntry
from tests.conftest import Office
from tests.mail import mail_server
from tests.report.us6 import SAMPLE, TEMPLATES

CHANNELS = "".join(
    f'[{name}]\nplatform = "manual"\ntitle = "{title}"\n'
    for name, title in {
        "x": "X",
        "linkedin": "LinkedIn",
        "telegram": "Telegram",
        "vk": "VK",
        "facebook": "Facebook",
    }.items()
)
TO = ["head@example.org", "focal@example.mn"]


@pytest.fixture
def server():
    with mail_server() as server:
        yield server


@pytest.fixture
def desk(office: Office, server):
    office.write(
        "config/outreach.toml",
        (office.home / "config/outreach.toml").read_text()
        + f'\n[mail]\nhost = "127.0.0.1"\nport = {server.server_address[1]}\n'
        'security = "none"\nfrom = "Outreach <outreach@example.org>"\n'
        '[report]\nsend-to = ["head@example.org", "focal@example.mn"]\nsend-day = 8\n'
        'send-time = "09:30"\nsend-formats = ["docx", "json"]\n',
    )
    office.write("config/channels.toml", CHANNELS)
    for name in ("monthly.docx", "monthly.html"):
        office.write(f"templates/reports/{name}", (TEMPLATES / name).read_bytes())
    office.clock.to("2025-09-01T02:00Z")
    desk = office.open()
    desk.tick()
    desk.figures.keep(SAMPLE.read_bytes(), file="figures.csv", by=desk.person("ana"))
    server.mails.clear()
    return desk


def due(office: Office) -> None:
    office.clock.to("2025-09-08T02:30Z")  # 09:30 in Bangkok, after the cut-off of the 6th


def trail(desk) -> list[tuple[str, str, str]]:
    with desk.store.reading() as session:
        rows = session.scalars(select(TrailEntry).order_by(TrailEntry.id))
        return [(one.who, one.what, one.why) for one in rows if one.what.startswith("report ")]


class TestAsked:
    def test_on_its_day_officers_are_told_once_what_is_missing_and_what_to_do(
        self, desk, office, server
    ):
        data = (
            b"channel,month,posts,displays,engagements,clicks,reason\n"
            b"vk,2025-08,6,..,..,..,manual_pending\n"
        )
        desk.figures.keep(data, file="vk.csv", by=desk.person("ana"))
        office.clock.to("2025-09-08T02:29Z")
        assert desk.reporting.ask() == 0
        due(office)
        assert desk.reporting.ask() == 2
        assert desk.reporting.ask() == 0
        desk.mail()
        assert [mail["To"] for mail in server.mails] == ["ana@example.org", "bo@example.org"]
        told = server.mails[0].get_content()
        assert "to head@example.org and focal@example.mn." in told
        assert "- Facebook. The figure could not be collected." in told
        assert "- A person has to read it: VK (clicks, displays, engagements)" in told
        assert "outreach report send 2025-08" in told
        assert (office.home / "reports/outreach-2025-08-draft.docx").is_file()
        with desk.store.reading() as session:
            assert session.scalars(select(ReportRow)).all() == []  # nothing is frozen by itself
        assert trail(desk) == [("outreach", "report 2025-08 is due", "")]

    def test_a_desk_that_was_down_on_its_day_asks_later(self, desk, office):
        office.clock.to("2025-09-19T20:00Z")
        assert desk.reporting.ask() == 2


class TestSent:
    def test_a_person_sends_what_is_then_frozen_with_its_documents(self, desk, office, server):
        due(office)
        sent = desk.reporting.send("2025-08", by=desk.person("ana"))
        assert [(one.to, one.outcome) for one in sent] == [(to, "sent") for to in TO]
        assert [mail["To"] for mail in server.mails] == TO
        [mail, _] = server.mails
        assert mail["Subject"] == "Outreach on social media: August 2025"
        files = {one.get_filename(): one.get_content() for one in mail.iter_attachments()}
        assert set(files) == {"outreach-2025-08-v1.docx", "outreach-2025-08-v1.json"}
        assert files["outreach-2025-08-v1.docx"].startswith(b"PK")
        assert trail(desk) == [
            ("ana", "report 2025-08 made", ""),
            ("ana", "report 2025-08, version 1, sent", f"to {TO[0]} and {TO[1]}"),
            ("outreach", "report 2025-08 mailed", f"to {TO[0]}"),
            ("outreach", "report 2025-08 mailed", f"to {TO[1]}"),
        ]
        assert desk.reporting.ask() == 0  # nobody is asked for what was sent

    def test_asked_for_again_it_goes_to_nobody_twice_and_a_newer_version_is_a_revision(
        self, desk, office, server
    ):
        due(office)
        for _ in range(2):
            desk.reporting.send("2025-08", by=desk.person("ana"))
            desk.mail()
        assert len(server.mails) == 2
        desk.reports.make("2025-08", by=desk.person("ana"))
        desk.reporting.send("2025-08", by=desk.person("ana"))
        assert server.mails[2]["Subject"].startswith("Revised (version 2): ")
        assert len(server.mails) == 4

    def test_several_workers_send_it_once(self, desk, office, server):
        due(office)
        server.declines = True  # so that both mails wait
        desk.reporting.send("2025-08", by=desk.person("ana"))
        server.declines, _ = False, server.mails.clear()
        office.clock.forward(hours=5)
        workers = [threading.Thread(target=office.open().reporting.deliver) for _ in range(4)]
        for one in workers:
            one.start()
        for one in workers:
            one.join()
        assert sorted(mail["To"] for mail in server.mails) == sorted(TO)

    def test_a_lost_answer_is_in_doubt_and_goes_again_only_when_a_person_says_so(
        self, desk, office, server
    ):
        due(office)
        server.loses = True
        sent = desk.reporting.send("2025-08", by=desk.person("ana"))
        assert [one.outcome for one in sent] == ["in doubt", "in doubt"]
        server.loses = False
        office.clock.forward(days=1)
        desk.mail()
        desk.reporting.send("2025-08", by=desk.person("ana"))
        assert len(server.mails) == 2
        sent = desk.reporting.send("2025-08", by=desk.person("ana"), again=[TO[0]])
        assert [one.outcome for one in sent] == ["sent", "in doubt"]
        assert len(server.mails) == 3
        with pytest.raises(NotAllowed, match="the mail to head@example.org is sent"):
            desk.reporting.send("2025-08", by=desk.person("ana"), again=[TO[0]])

    def test_what_a_worker_began_and_did_not_end_is_in_doubt(self, desk, office, server):
        due(office)
        server.declines = True
        desk.reporting.send("2025-08", by=desk.person("ana"))
        with desk.store.writing() as session:
            for row in session.scalars(select(ReportMail)):
                row.begun_at = office.clock()  # claimed by a process that died just then
        server.declines, _ = False, server.mails.clear()
        office.clock.forward(minutes=9)
        assert desk.reporting.deliver() == 0
        office.clock.forward(minutes=2)
        assert desk.reporting.deliver() == 0
        assert server.mails == []
        assert {one.outcome for one in desk.reporting.sendings("2025-08")} == {"in doubt"}
        assert trail(desk)[-1][1:] == (
            "report 2025-08 mailed, perhaps",
            f"to {TO[1]}: the process that was sending it ended before it knew",
        )

    def test_what_cannot_be_sent_is_told_with_what_to_do(self, desk, office, server):
        with pytest.raises(NotAllowed, match="September 2025 is not over") as error:
            desk.reporting.send("2025-09", by=desk.person("ana"))
        assert error.value.hint == "send it from 1 October 2025 on"
        with pytest.raises(NotAllowed, match="needs the role officer"):
            desk.reporting.send("2025-08", by=desk.person("cy"))
        due(office)
        server.refuses = True
        sent = desk.reporting.send("2025-08", by=desk.person("ana"))
        assert {one.outcome for one in sent} == {"refused"}
        assert "no such person" in sent[0].trouble


class TestParagraph:
    def test_each_number_leads_to_its_records(self, desk, office):
        due(office)
        desk.reports.make("2025-08", by=desk.person("ana"))
        made = desk.reporting.paragraph(promoting=["Fifth International Forum"])
        assert (made.period, made.version, made.paragraph.words) == ("2025-08", 1, 64)
        records = {one.text: found for one, found in made.sources}
        assert len(records["858"]) == 4
        assert records["858"][0].startswith("X: snapshot ")
        with desk.store.reading() as session:
            from outreach.store.tables import Snapshot

            ids = [int(one.rpartition(" ")[2]) for one in records["49,975"]]
            values = [session.get_one(Snapshot, one).value for one in ids]
        assert sum(values) == 49_975

    def test_without_a_frozen_report_there_is_none_and_the_next_step_is_said(self, desk):
        with pytest.raises(Exception, match="no report on 2025-08 was kept") as error:
            desk.reporting.paragraph("2025-08")
        assert "outreach report 2025-08" in error.value.hint


def test_the_clock_asks_at_the_time_that_the_office_says(desk):
    from outreach.clock import scheduler_for

    job = scheduler_for(desk).get_job("report")
    after = datetime(2025, 9, 8, 1, 59, tzinfo=UTC)
    assert str(job.trigger.get_next_fire_time(None, after)) == "2025-09-08 09:30:00+07:00"
