"""Notices: who is told what, once; and mail servers that are slow, refuse, or are not there."""

import base64
import socket

import pytest
from sqlalchemy import select

from outreach import notices
from outreach.clearance import record
from outreach.config import MailSettings
from outreach.delivery import Delivery
from outreach.store.tables import Mail, Meta
from tests.conftest import Office, state
from tests.drafts import KEY, SOON, put, soon
from tests.mail import mail_server


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
        'security = "none"\nfrom = "Outreach <outreach@example.org>"\n',
    )
    desk = office.open()
    desk.tick()
    server.mails.clear()
    return desk


def told(server) -> dict[str, list[str]]:
    """Subjects by address."""
    found: dict[str, list[str]] = {}
    for mail in server.mails:
        found.setdefault(mail["To"], []).append(mail["Subject"])
    return {who: sorted(subjects) for who, subjects in found.items()}


class TestWhoIsTold:
    def test_clearers_are_told_what_waits_for_them_and_not_what_they_wrote(self, desk, server):
        put(desk, soon(), soon("more"))
        desk.tick()
        assert told(server) == {"bo@example.org": ["2 posts wait for your clearance"]}
        assert KEY in server.mails[0].get_content()

    def test_a_tick_later_nobody_is_told_again(self, desk, server, office):
        put(desk, soon())
        for _ in range(3):
            desk.tick()
            office.clock.forward(minutes=1)
        assert told(server) == {"bo@example.org": ["1 post waits for your clearance"]}

    def test_authors_are_told_what_was_returned_and_why(self, desk, server):
        put(desk, soon(), clear=True)
        desk.return_("c/news/en", "name the city", by=desk.person("bo"))
        desk.tick()
        assert told(server)["ana@example.org"] == [f"{KEY} returned to you"]
        [mail] = [m for m in server.mails if m["To"] == "ana@example.org"]
        assert "why: name the city" in mail.get_content()
        assert "outreach plan, outreach apply" in mail.get_content()

    def test_a_clearer_is_told_that_their_yes_no_longer_holds(self, desk, server):
        put(desk, soon(), clear=True)
        desk.tick()
        server.mails.clear()
        put(desk, soon("news", "Another text."))
        desk.tick()
        assert told(server) == {
            "bo@example.org": [
                "1 post waits for your clearance",
                f"{KEY} your clearance no longer holds",
            ]
        }

    @pytest.mark.parametrize(
        ("fault", "subject", "way_out"),
        [
            ("refused", "was refused by the network", f"outreach settle {KEY} --retry"),
            (
                "lost after",
                "may or may not be live: somebody has to look",
                f"outreach settle {KEY} --absent",
            ),
        ],
    )
    def test_officers_are_told_what_failed_and_what_to_do(
        self, desk, server, office, fault, subject, way_out
    ):
        put(desk, soon(), clear=True)
        desk.tick()
        server.mails.clear()
        office.clock.to(SOON)
        desk.platforms["net"].next_fault = fault
        desk.tick()
        assert told(server) == {
            who: [f"{KEY} {subject}"] for who in ("ana@example.org", "bo@example.org")
        }
        assert way_out in server.mails[0].get_content()

    def test_officers_are_told_what_was_missed(self, desk, server, office):
        put(desk, soon(), clear=True)
        desk.hold("all", "wait for the note", by=desk.person("ana"))
        desk.tick()
        server.mails.clear()
        office.clock.to("2025-07-20T01:19Z")
        desk.tick()
        assert set(told(server)) == {"ana@example.org", "bo@example.org"}
        assert server.mails[0]["Subject"] == f"{KEY} was not sent: its time passed"
        assert (
            "why: it was on hold (all) by ana: wait for the note, when its time"
            in server.mails[0].get_content()
        )

    def test_clearers_are_told_of_an_emergency(self, desk, server):
        put(desk, soon())
        [reading] = desk.readings()
        desk.clear(
            reading.name, reading.fingerprint, by=desk.person("ana"), emergency="the venue is shut"
        )
        desk.tick()
        assert f"{KEY} was cleared in an emergency by its author" in told(server)["bo@example.org"]

    def test_what_is_handed_over_comes_with_its_whole_text(self, office, server, desk):
        office.write("config/channels.toml", '[hand]\nplatform = "manual"\n')
        desk = office.open()
        text = "Cities meet in Bangkok.\n\nหัวข้อ: 도시\n.A line that begins with a full stop\n"
        put(desk, soon("news", text + "x" * 2000, channel="hand"), clear=True)
        desk.tick()
        server.mails.clear()
        office.clock.to(SOON)
        desk.tick()
        body = server.mails[0].get_body(("plain",)).get_content()
        assert server.mails[0]["Subject"] == "c/news/en@hand is to be posted by hand, now"
        assert f"--- text ---\n{text}{'x' * 2000}\n---\n" in body.replace("\r\n", "\n")
        assert "outreach settle c/news/en@hand --live ADDRESS" in body


class TestServers:
    def test_a_desk_without_a_server_keeps_what_it_would_have_told(self, office):
        desk = office.open()
        put(desk, soon())
        desk.tick()
        assert desk.status().mails_waiting == 1

    def test_a_server_that_refuses_leaves_it_waiting_and_is_asked_later(self, desk, server, office):
        server.refuses = True
        put(desk, soon())
        desk.tick()
        [mail] = waiting(desk)
        assert "no such person" in mail.trouble
        assert mail.next_try > office.clock()
        server.refuses = False
        desk.tick()
        assert server.mails == []  # not before its next try
        office.clock.forward(minutes=4)
        desk.tick()
        assert told(server) == {"bo@example.org": ["1 post waits for your clearance"]}
        assert desk.status().mails_waiting == 0

    def test_a_server_that_is_not_there_leaves_it_waiting(self, desk, server):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        put(desk, soon())
        desk.tell()
        settings = MailSettings(host="127.0.0.1", port=port, security="none", from_="o@example.org")
        assert notices.send(desk.store, settings, "", desk.people(), desk.now()) == 0
        [mail] = waiting(desk)
        assert "the mail server cannot be reached" in mail.trouble
        assert (mail.tries, mail.next_try > desk.now()) == (1, True)

    def test_a_server_that_does_not_answer_is_waited_for_once_a_round(
        self, desk, server, monkeypatch
    ):
        """Ten mails to a server that hangs would otherwise take ten times the waiting time."""
        monkeypatch.setattr(notices, "TIMEOUT", 0.2)
        with desk.store.writing() as session:
            for n in range(10):
                session.add(Mail(to="bo", about=f"{n}", subject="s", body="", at=desk.now()))
        with socket.create_server(("127.0.0.1", 0)) as silent:  # takes calls and says nothing
            port = silent.getsockname()[1]
            settings = MailSettings(
                host="127.0.0.1", port=port, security="none", from_="o@example.org"
            )
            assert notices.send(desk.store, settings, "", desk.people(), desk.now()) == 0
        assert [mail.tries for mail in waiting(desk)] == [1] + [0] * 9
        monkeypatch.undo()
        assert desk.mail() == 9  # the server that answers gets the others at once

    def test_the_password_is_never_in_what_is_kept(self, desk, server):
        put(desk, soon())
        desk.tell()
        settings = MailSettings(
            host="127.0.0.1",
            port=server.server_address[1],
            security="none",
            user="office",
            from_="o@example.org",
        )
        notices.send(desk.store, settings, server.password, desk.people(), desk.now())
        [mail] = waiting(desk)
        assert "535" in mail.trouble
        assert server.password not in mail.trouble
        whole = base64.b64encode(f"\0office\0{server.password}".encode()).decode()
        assert whole not in mail.trouble

    def test_a_new_line_in_a_reason_makes_no_header(self, desk, server):
        put(desk, soon(), clear=True)
        desk.return_("c/news/en", "no\r\nBcc: everybody@example.org\r\n\r\nx", by=desk.person("bo"))
        desk.tick()
        [mail] = [m for m in server.mails if m["To"] == "ana@example.org"]
        assert mail["Bcc"] is None
        assert "Bcc: everybody@example.org" in mail.get_content()

    def test_a_new_line_in_a_subject_makes_no_header(self, desk, server, office):
        with desk.store.writing() as session:
            subject = "hello\nBcc: everybody@example.org"
            session.add(Mail(to="bo", about="x", subject=subject, body="", at=office.clock()))
        desk.tick()
        assert [(m["Subject"], m["Bcc"]) for m in server.mails] == [
            ("hello Bcc: everybody@example.org", None)
        ]

    def test_no_mail_server_stops_the_publishing(self, desk, server, office):
        server.shutdown()
        server.server_close()
        put(desk, soon(), clear=True)
        office.clock.to(SOON)
        desk.tick()
        assert state(desk, KEY) == "published"


def test_a_line_of_the_trail_makes_one_mail_to_a_person_however_often_it_is_read(desk, office):
    put(desk, soon(), clear=True)
    with desk.store.writing() as session:
        record(session, office.clock(), "outreach", "failed", session.get_one(Delivery, KEY))
        assert notices.write(session, desk.people(), office.clock()) == 2
        session.get_one(Meta, notices.WATERMARK).value = "0"  # as if it had died before noting it
        assert notices.write(session, desk.people(), office.clock()) == 0
    with desk.store.reading() as session:
        failed = session.scalars(select(Mail.to).where(Mail.subject.contains("refused"))).all()
    assert sorted(failed) == ["ana", "bo"]


def waiting(desk) -> list[Mail]:
    with desk.store.reading() as session:
        return list(session.scalars(select(Mail).where(Mail.sent_at.is_(None)).order_by(Mail.id)))
