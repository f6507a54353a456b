"""An office's newsletter: who subscribes, confirms, leaves and is forgotten; and its mailings."""

import pytest
from sqlalchemy import select, text
from typer.testing import CliRunner

from outreach import courtesy
from outreach.cli import Door, app
from outreach.compose.languages import UNOFFICIAL, wrong_language
from outreach.delivery import Attempt, Delivery
from outreach.errors import NotAllowed, NotFound, WrongFiles
from outreach.store.tables import Evidence, TrailEntry
from outreach.subscribers import ConsentText, Subscriber, Suppressed, address_of
from tests.conftest import REPOSITORY, Office, apply, clear_all, state
from tests.drafts import put, soon
from tests.platforms.servers_email import PASSWORD, USER, EmailNetwork, plain_of

KEY = "c/news/en@newsletter"
CHANNEL = """
[newsletter]
platform = "email"
title = "NEASPEC news"
languages = ["en", "ko"]
host = "127.0.0.1"
from = "NEASPEC <news@example.org>"
user = "{user}"
base = "{base}"
mails-per-second = "1000"
bounces = "by hand"
"""


@pytest.fixture
def network():
    return EmailNetwork()


@pytest.fixture
def desk(office: Office, network, monkeypatch):
    """A desk with a newsletter in two languages, whose mail server is on loopback."""
    monkeypatch.setenv("OUTREACH_NEWSLETTER_PASSWORD", PASSWORD)
    with network.serving() as base:
        office.write("config/channels.toml", CHANNEL.format(base=base, user=USER))
        settings = (office.home / "config/outreach.toml").read_text()
        web = '\n[web]\npublic-url = "https://desk.example.org"\n'
        office.write("config/outreach.toml", settings + web)
        both = _english() + _english().replace("[en]", "[ko]")
        office.write("config/newsletter.toml", both)
        desk = office.open()
        desk.tick()
        yield desk


def _english():
    text = (REPOSITORY / "config/newsletter.toml").read_text()
    return text[text.index("\n[en]\n") : text.index("\n[zh]\n")]


def link_in(mail, of):
    """The address of a page that a mail holds: its path."""
    (found,) = {
        word.removeprefix("https://desk.example.org")
        for word in plain_of(mail).split()
        if word.startswith(f"https://desk.example.org/{of}/")
    }
    return found


def join(desk, network, *addresses, language="en"):
    """They ask, get the mail, and confirm with its link."""
    for address in addresses:
        assert desk.subscribers.subscribe("newsletter", address, language) == "asked"
        desk.mail()
        to, mail = network.mails.pop()
        assert to == address
        desk.subscribers.confirm(link_in(mail, "confirm").rpartition("/")[2])


def ticked(desk):
    """After a gap, what fell due in it is looked for before it goes out."""
    for _ in range(3):
        desk.tick()


def post(desk, name="news", *texts, **how):
    """A newsletter, cleared and due."""
    made = soon(
        f"c/{name}/en@newsletter", *texts, account=desk.channels["newsletter"].account, **how
    )
    put(desk, made)
    clear_all(desk)
    desk.now.forward(minutes=5)
    return made.key


class TestSubscribing:
    def test_only_who_confirms_is_on_the_list(self, desk, network):
        assert desk.subscribers.subscribe("newsletter", " Reader@Example.ORG ", "en") == "asked"
        assert [t.confirmed for t in desk.subscribers.tally()] == [0, 0]
        desk.mail()
        ((to, mail),) = network.mails
        assert to == "Reader@example.org"
        assert mail["Subject"] == "Please confirm: NEASPEC news"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["List-Unsubscribe"] is None
        token = link_in(mail, "confirm").rpartition("/")[2]
        assert desk.subscribers.asks(token) == ("newsletter", "en")
        assert [t.confirmed for t in desk.subscribers.tally()] == [0, 0]
        assert desk.subscribers.confirm(token) == ("newsletter", "en")
        assert [t.confirmed for t in desk.subscribers.tally()] == [1, 0]
        with pytest.raises(NotFound):
            desk.subscribers.confirm(token)

    def test_what_they_agreed_to_stays_known_when_the_words_change(self, desk, network, office):
        join(desk, network, "one@example.org")
        words = _english().replace("given to nobody", "shown to nobody")
        office.write("config/newsletter.toml", words + words.replace("[en]", "[ko]"))
        later = office.open()
        join(later, network, "two@example.org")
        with later.store.reading() as session:
            one, two = session.scalars(select(Subscriber).order_by(Subscriber.id))
            assert "given to nobody" in session.get_one(ConsentText, one.consent).text
            assert "shown to nobody" in session.get_one(ConsentText, two.consent).text

    def test_an_address_gets_one_mail_an_hour_and_three_in_all(self, desk, network, office):
        for _ in range(6):
            for _ in range(5):
                assert desk.subscribers.subscribe("newsletter", "one@example.org", "en") == "asked"
                desk.mail()
            office.clock.forward(hours=1)
        assert len(network.mails) == 3

    def test_strangers_cannot_have_the_office_write_to_hundreds(self, desk, monkeypatch):
        monkeypatch.setattr("outreach.subscribers.HOURLY", 3)
        answers = [
            desk.subscribers.subscribe("newsletter", f"n{n}@example.org", "en") for n in range(5)
        ]
        assert answers == ["asked"] * 3 + ["later"] * 2

    def test_the_answer_never_tells_who_is_on_the_list(self, desk, network):
        join(desk, network, "one@example.org")
        assert desk.subscribers.subscribe("newsletter", "one@example.org", "en") == "asked"
        assert desk.subscribers.subscribe("newsletter", "two@example.org", "en") == "asked"
        desk.mail()
        assert network.readers == ["two@example.org"]

    def test_a_week_later_who_did_not_confirm_is_deleted(self, desk, network, office):
        desk.subscribers.subscribe("newsletter", "one@example.org", "en")
        desk.mail()
        token = link_in(network.mails[0][1], "confirm").rpartition("/")[2]
        office.clock.forward(days=7)
        with pytest.raises(NotFound):
            desk.subscribers.confirm(token)
        desk.subscribers.subscribe("newsletter", "two@example.org", "en")
        with desk.store.reading() as session:
            assert [row.address for row in session.scalars(select(Subscriber))] == [
                "two@example.org"
            ]

    def test_another_language_takes_another_confirmation(self, desk, network, office):
        join(desk, network, "one@example.org")
        office.clock.forward(hours=2)
        join(desk, network, "one@example.org", language="ko")
        assert [(t.language, t.confirmed) for t in desk.subscribers.tally()] == [
            ("en", 0),
            ("ko", 1),
        ]

    def test_a_mail_server_that_is_away_delays_the_question(self, desk, network, office):
        network.next_fault = "not now"
        desk.subscribers.subscribe("newsletter", "one@example.org", "en")
        desk.mail()
        assert network.mails == []
        office.clock.forward(minutes=15)
        desk.mail()
        desk.mail()
        assert network.readers == ["one@example.org"]

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            (" a.b+c@Example.ORG ", "a.b+c@example.org"),
            ("kim@예시.example", "kim@xn--vv4b11d.example"),
            ("김@example.org", "김@example.org"),
            ("a@b", ""),
            ("a@@example.org", ""),
            ("a b@example.org", ""),
            ("a@example.org\nBcc: x@example.org", ""),
            ("a,b@example.org", ""),
            ("<a@example.org>", ""),
            (".a@example.org", ""),
            ("a@-example.org", ""),
            ("a" * 65 + "@example.org", ""),
            ("@example.org", ""),
            ("", ""),
        ],
    )
    def test_an_address_is_one_or_is_none(self, typed, meant):
        assert address_of(typed) == meant


class TestLeaving:
    def test_one_click_takes_them_off_and_deletes_their_address(self, desk, network):
        join(desk, network, "one@example.org", "two@example.org")
        network.defers = {"one@example.org": "450 4.2.0 <one@example.org>: greylisted"}
        post(desk)
        desk.tick()
        network.defers = {}
        desk.now.forward(minutes=15)
        ticked(desk)
        mail = dict(network.mails)["one@example.org"]
        ref = link_in(mail, "leave").rpartition("/")[2]
        desk.subscribers.leave(ref)
        desk.subscribers.leave(ref)
        assert desk.subscribers.whose(ref) is None
        with desk.store.reading() as session:
            told = "\n".join(
                str(tuple(row))
                for table in ("subscriber", "suppressed", "mailing_reader", "trail", "attempt")
                for row in session.execute(text(f"SELECT * FROM {table}"))
            )
        assert "one@example.org" not in told and "two@example.org" in told
        assert desk.subscribers.suppressed() == {"unsubscribed": 1}
        receipt = desk.platforms["newsletter"].find(_part(desk), desk.now(), frozenset())
        figures = desk.platforms["newsletter"].figures([receipt])[receipt.id]
        assert figures == {"sent": 2, "bounced": 0, "unsubscribed": 1}

    def test_no_import_writes_to_whoever_has_left_but_they_may_come_back(self, desk, network, ana):
        join(desk, network, "one@example.org")
        desk.subscribers.forget("ONE@example.org", by="ana")
        csv = b"address,language,source,date\none@example.org,en,a form,2025-01-02\n"
        assert desk.newsletters.take("newsletter", csv, file="list.csv", by=ana) == (0, 1)
        join(desk, network, "one@example.org")
        assert desk.subscribers.suppressed() == {}

    def test_the_trail_knows_that_somebody_was_forgotten_and_not_who(self, desk, ana):
        desk.subscribers.forget("one@example.org", by="ana")
        with desk.store.reading() as session:
            last = session.scalars(select(TrailEntry).order_by(TrailEntry.id.desc())).first()
            assert (last.who, last.what, last.why) == ("ana", "an address was forgotten", "")
            (row,) = session.scalars(select(Suppressed))
            assert "one" not in row.hash and len(row.hash) == 64


def _part(desk, key=KEY):
    from dataclasses import replace

    from outreach.delivery import PartToken

    with desk.store.reading() as session:
        row = session.get_one(Delivery, key)
        token = session.scalar(select(PartToken.token).where(PartToken.key == key))
        return replace(row.post.parts[0], token=token)


class TestAMailing:
    def test_a_cleared_newsletter_goes_to_everybody_once_and_is_published(self, desk, network):
        join(desk, network, *(f"n{n}@example.org" for n in range(5)))
        post(desk)
        desk.tick()
        desk.tick()
        assert state(desk, KEY) == "published"
        assert sorted(network.readers) == [f"n{n}@example.org" for n in range(5)]

    def test_a_hold_in_its_middle_stops_it_and_the_release_goes_on(self, desk, network, ana):
        join(desk, network, *(f"n{n}@example.org" for n in range(5)))
        post(desk)
        real = desk.platforms["newsletter"]._mail

        def held_after_two(*given):
            if len(network.mails) == 2:
                desk.hold("channel:newsletter", "a wrong date", by=ana)
                desk.platforms["newsletter"]._mail = real
            return real(*given)

        desk.platforms["newsletter"]._mail = held_after_two
        desk.tick()
        assert (state(desk, KEY), len(network.mails)) == ("cleared", 3)  # one was under way
        desk.now.forward(hours=3)  # however long: it has begun, and is not late
        desk.tick()
        assert (state(desk, KEY), len(network.mails)) == ("cleared", 3)
        desk.release("channel:newsletter", by=ana)
        ticked(desk)
        assert state(desk, KEY) == "published"
        assert sorted(network.readers) == [f"n{n}@example.org" for n in range(5)]

    def test_once_begun_its_text_is_not_changed_any_more(self, desk, network):
        join(desk, network, "one@example.org", "two@example.org")
        network.defers = {"two@example.org": "450 4.2.0 greylisted"}
        post(desk)
        desk.tick()
        assert (state(desk, KEY), network.readers) == ("cleared", ["one@example.org"])
        account = desk.channels["newsletter"].account
        made = put(desk, soon(KEY, "Another text.", account=account))
        assert [(n.kind, n.what) for n in made.notices if n.key == KEY] == [
            (
                "correction needed",
                "a part of it is out, and its text in the file is another one now",
            )
        ]
        network.defers = {}
        desk.now.forward(minutes=15)
        ticked(desk)
        assert state(desk, KEY) == "published"
        assert {plain_of(mail).partition("\n")[0] for _, mail in network.mails} == {"This is news."}

    def test_a_lost_answer_is_one_reader_in_doubt_who_is_listed(self, desk, network):
        join(desk, network, "one@example.org", "two@example.org", "three@example.org")
        network.loses = {"two@example.org"}
        post(desk)
        for _ in range(4):
            desk.tick()
        assert state(desk, KEY) == "published"
        assert sorted(network.readers) == [
            "one@example.org",
            "three@example.org",
            "two@example.org",
        ]
        progress, unclear = desk.subscribers.unclear(KEY)
        assert {str(f): n for f, n in progress.fates.items()} == {"sent": 2, "in doubt": 1}
        assert [(one.address, one.fate) for one in unclear] == [("two@example.org", "in doubt")]
        with desk.store.reading() as session:
            outcomes = session.scalars(select(Attempt.outcome).where(Attempt.key == KEY)).all()
        assert sorted(outcomes) == ["live", "uncertain"]

    def test_where_nobody_surely_has_it_a_person_looks_and_says_so(self, desk, network):
        join(desk, network, "one@example.org")
        network.loses = {"one@example.org"}
        post(desk)
        ticked(desk)
        with desk.store.reading() as session:
            row = session.get_one(Delivery, KEY)
        assert row.state == "uncertain" and "surely for nobody: look in its log" in row.reason
        desk.settle(KEY, "live", url=row.reason.rpartition(" ")[2], by=desk.person("bo"))
        ticked(desk)
        assert (state(desk, KEY), len(network.mails)) == ("published", 1)

    def test_one_that_waits_for_a_reader_is_no_alarm_and_one_that_stands_still_is(
        self, desk, network
    ):
        join(desk, network, "one@example.org", "two@example.org")
        network.defers = {"two@example.org": "450 4.2.0 greylisted"}
        post(desk)
        desk.tick()
        desk.now.forward(minutes=9)
        assert [one.kind for one in desk.watch.look() if one.kind == "unsent"] == []
        desk.now.forward(minutes=10)  # nobody has tried again since
        assert [one.kind for one in desk.watch.look() if one.kind == "unsent"] == ["unsent"]

    def test_an_older_copy_of_the_database_asks_a_person_before_it_writes_on(self, desk, network):
        join(desk, network, "one@example.org", "two@example.org")
        network.defers = {"two@example.org": "450 4.2.0 greylisted"}
        post(desk)
        desk.tick()
        network.defers = {}
        desk.now.forward(minutes=15)
        desk.publisher.doubt.fell_due(None, desk.now(), restored=True)
        for _ in range(3):
            desk.tick()
        assert (state(desk, KEY), network.readers) == ("uncertain", ["one@example.org"])
        desk.settle(KEY, "absent", by=desk.person("bo"))
        desk.tick()
        assert (state(desk, KEY), len(network.mails)) == ("published", 2)

    def test_figures_are_collected_and_absent_where_nobody_reads_what_comes_back(
        self, desk, network, office
    ):
        from outreach.store.tables import Snapshot

        join(desk, network, "one@example.org")
        post(desk)
        desk.tick()
        desk.now.forward(hours=2)
        desk.figures.collect()
        desk.figures.collect_audience()
        with desk.store.reading() as session:
            found = {s.metric: s.value for s in session.scalars(select(Snapshot))}
        assert found == {"sent": 1, "bounced": 0, "unsubscribed": 0, "followers": 1}
        plain = CHANNEL.replace('bounces = "by hand"', "")
        office.write("config/channels.toml", plain.format(base="smtp://127.0.0.1:1", user=USER))
        assert office.open().platforms["newsletter"].offers == {"sent", "unsubscribed", "followers"}


class TestWhatComesBack:
    def report(self, mail, status="5.1.1", action="failed", to="one@example.org"):
        boundary = "=_report"
        raw = (
            "From: MAILER-DAEMON@post.example.org\nTo: news@example.org\nSubject: Undelivered\n"
            "MIME-Version: 1.0\n"
            f'Content-Type: multipart/report; boundary="{boundary}"\n\n'
            f"--{boundary}\nContent-Type: text/plain\n\nIt could not be delivered.\n"
            f"--{boundary}\nContent-Type: message/delivery-status\n\n"
            "Reporting-MTA: dns; post.example.org\n\n"
            f"Final-Recipient: rfc822; {to}\nAction: {action}\nStatus: {status}\n"
            "Diagnostic-Code: smtp; 550 5.1.1 no such user\n\n"
            f"--{boundary}\nContent-Type: text/rfc822-headers\n\n"
            f"Message-ID: {mail['Message-ID']}\nTo: {to}\n\n--{boundary}--\n"
        )
        return raw.encode()

    @pytest.fixture
    def mail(self, desk, network):
        join(desk, network, "one@example.org", "two@example.org")
        post(desk)
        desk.tick()
        return dict(network.mails)["one@example.org"]

    def test_a_mailbox_that_does_not_exist_is_written_to_no_more(self, desk, mail, network):
        assert desk.newsletters.read_bounces(self.report(mail)) == (1, 1)
        assert desk.newsletters.read_bounces(self.report(mail)) == (0, 0)
        assert desk.subscribers.suppressed() == {"bounced": 1}
        post(desk, "second", at="2025-07-20T01:09Z")
        network.mails.clear()
        ticked(desk)
        assert network.readers == ["two@example.org"]

    @pytest.mark.parametrize("status", ["5.2.2", "5.7.1"])
    def test_a_full_one_or_one_that_refuses_our_kind_is_told_and_kept(self, desk, mail, status):
        assert desk.newsletters.read_bounces(self.report(mail, status)) == (1, 0)
        assert desk.subscribers.suppressed() == {}

    def test_a_delay_is_no_bounce(self, desk, mail):
        assert desk.newsletters.read_bounces(self.report(mail, "4.4.1", "delayed")) == (0, 0)

    def test_a_report_that_somebody_made_up_takes_nobody_off(self, desk, mail):
        guessed = {"Message-ID": f"<{'0' * 32}.{'0' * 16}@example.org>"}
        assert desk.newsletters.read_bounces(self.report(guessed)) == (0, 0)
        assert desk.newsletters.read_bounces(b"not a mail at all") == (0, 0)
        assert desk.newsletters.read_bounces(b"\xff\xfe" * 1000) == (0, 0)

    def test_a_whole_mailbox_in_a_file_is_read(self, desk, mail, network):
        two = dict(network.mails)["two@example.org"]
        box = b"".join(
            b"From MAILER-DAEMON Mon Jul 21 00:00:00 2025\n" + self.report(one) + b"\n"
            for one in (mail, two)
        )
        assert desk.newsletters.read_bounces(box) == (2, 2)


class TestTheCommand:
    def run(self, office, *words, piped=None):
        door = Door(home=office.home, open=lambda *_, **__: office.open(), terminal=False)
        return CliRunner().invoke(app, list(words), obj=door, input=piped)

    @pytest.fixture(autouse=True)
    def signed_in(self, desk, monkeypatch):
        monkeypatch.setenv("OUTREACH_TOKEN", desk.token_for("ana", by=None))

    def test_a_list_of_people_who_agreed_is_added_and_written_out(self, office, desk, tmp_path):
        file = tmp_path / "list.csv"
        file.write_text(
            "Address;Language;Source;Date\n"
            "one@example.org;en;sign-up sheet, Forum 2025;2025-07-01\n"
            "kim@example.org;ko;sign-up sheet, Forum 2025;2025-07-01\n"
        )
        told = self.run(office, "subscribers", "import", str(file))
        assert (told.exit_code, told.stdout) == (0, "2 addresses added.\n")
        out = tmp_path / "out.csv"
        told = self.run(office, "subscribers", "export", str(out))
        assert told.stdout == f"2 addresses written to {out}.\n"
        assert 'one@example.org,en,"sign-up sheet, Forum 2025",2025-07-01' in out.read_text()
        assert out.stat().st_mode & 0o077 == 0
        told = self.run(office, "subscribers")
        assert told.stdout == "newsletter en: 1 confirmed\nnewsletter ko: 1 confirmed\n"

    def test_every_mistake_in_a_list_is_told_with_its_line_and_nobody_is_added(
        self, office, desk, tmp_path, ana
    ):
        file = tmp_path / "list.csv"
        file.write_text(
            "address,language,source,date\nnobody,en,a form,2025-07-01\n"
            "one@example.org,fr,,2099-01-01\ntwo@example.org,en,a form,yesterday\n"
            "three@example.org,en,a form,2025-07-01\nTHREE@example.org,en,a form,2025-07-01\n"
        )
        with pytest.raises(WrongFiles) as error:
            desk.newsletters.take("newsletter", file.read_bytes(), file="list.csv", by=ana)
        assert [str(p.where) for p in error.value.problems] == [
            "list.csv:2", "list.csv:3", "list.csv:3", "list.csv:3", "list.csv:4", "list.csv:6",
        ]  # fmt: skip
        told = self.run(office, "subscribers", "import", str(file))
        assert told.exit_code == 1 and "put these 6 right" in told.stderr
        assert desk.subscribers.tally()[0].confirmed == 0

    def test_forgetting_is_one_word_and_a_guest_may_not(self, office, desk, network, monkeypatch):
        join(desk, network, "one@example.org")
        told = self.run(office, "subscribers", "forget", "one@example.org")
        assert told.stdout == "It was on 1 list and is deleted; nothing is sent to it any more.\n"
        monkeypatch.setenv("OUTREACH_TOKEN", desk.token_for("cy", by=desk.person("ana")))
        assert self.run(office, "subscribers", "forget", "two@example.org").exit_code == 2
        with pytest.raises(NotAllowed):
            desk.newsletters.give("newsletter", by=desk.person("cy"))

    def test_who_does_not_surely_have_it_is_listed(self, office, desk, network):
        join(desk, network, "one@example.org", "two@example.org")
        network.loses = {"two@example.org"}
        post(desk)
        for _ in range(3):
            desk.tick()
        told = self.run(office, "subscribers", "doubts", KEY)
        assert told.exit_code == 1
        assert "in doubt two@example.org: 127.0.0.1 did not say whether it took it" in told.stdout
        assert self.run(office, "subscribers", "doubts", "c/no/en@newsletter").exit_code == 2

    def test_an_office_without_a_newsletter_is_told_how_to_have_one(self, office, desk):
        office.write("config/channels.toml", '[web]\nplatform = "feed"\n')
        told = self.run(office, "subscribers")
        assert told.exit_code == 2 and "has no newsletter" in told.stderr


@pytest.mark.parametrize("language", ["en", "zh", "ko", "ru", "ja", "mn"])
def test_a_new_office_has_every_word_in_each_of_its_languages(office, monkeypatch, language):
    """Each is a draft that says so, until a colleague has read it."""
    words = (REPOSITORY / "config/newsletter.toml").read_text()
    office.write("config/newsletter.toml", words)
    known = courtesy.load_words(office.home)  # which tells what is missing, or has no place
    filled = courtesy.filled(known[language], title="Air", office="NEASPEC", link="https://a.org")
    assert filled.keys() - {"reviewer"} == courtesy.shipped().keys()
    for name, english in courtesy.shipped().items():
        assert ("{title}" in english) <= ("Air" in filled[name]), name
        assert ("{link}" in english) <= ("https://a.org" in filled[name]), name
    assert not wrong_language("\n".join(filled.values()), language, ["en"])
    if language == "en":
        return
    assert all(UNOFFICIAL[language] in filled[name] for name in ("consent", "footer"))

    channels = CHANNEL.format(base="smtp://127.0.0.1:1", user=USER)
    office.write("config/channels.toml", channels.replace('["en", "ko"]', f'["{language}"]'))
    settings = (office.home / "config/outreach.toml").read_text()
    office.write("config/outreach.toml", f'{settings}\n[web]\npublic-url = "https://a.org"\n')
    monkeypatch.setenv("OUTREACH_NEWSLETTER_PASSWORD", PASSWORD)
    why = f"nobody has read the words that stand around a newsletter in {language}"
    assert why in office.open().unready["newsletter"]
    office.write("config/newsletter.toml", words.replace('reviewer = "open"', 'reviewer = "kim"'))
    assert "newsletter" not in office.open().unready


def test_the_words_that_are_wrong_are_told_with_their_lines(office):
    english = _english().replace("{link}", "{linc}").replace("agree =", "agre =")
    office.write("config/newsletter.toml", english)
    office.write("config/channels.toml", CHANNEL.format(base="smtp://127.0.0.1:1", user=USER))
    with pytest.raises(WrongFiles) as error:
        office.open().channels  # noqa: B018 - it is made when it is first asked for
    told = {p.where.partition(":")[0] for p in error.value.problems}
    assert told == {"config/newsletter.toml"}
    assert [p.what for p in error.value.problems] == [
        "agre is not known",
        "confirm-text: {linc} is nothing known here",
        "confirm-text: {link} is missing",
        "[en] lacks agree",
    ]


def test_a_newsletter_is_composed_and_previewed_as_it_will_be_seen(desk, office, network, tmp_path):
    office.campaign(
        "campaign: c\nprogramme: p\ntitle: C\nwritten-by: ana\nlanguages: {source: en}\n"
        "audiences: {main: {en: [newsletter]}}\ndefaults: {to: main}\n"
        'messages: {news: {at: "2025-07-21 10:00 Asia/Seoul"}}\n',
        news="## en\n\nThe programme\n\nThe **programme** is out.\n",
    )
    apply(desk)
    (reading,) = desk.readings()
    files = desk.preview(reading.renderings[0].key)
    assert b"The <strong>programme</strong> is out." in files["mail.html"]
    assert b"Subject: The programme" in files["mail.eml"]
    assert network.mails == []


class TestTakingDown:
    def test_a_mail_that_was_sent_cannot_be_taken_back_and_that_is_said(self, desk, network):
        join(desk, network, "one@example.org", "two@example.org")
        key = post(desk)
        ticked(desk)
        assert state(desk, key) == "published"
        number = desk.incidents.take_down(
            "c/news", "the date is wrong", by=desk.person("ana")
        ).number
        desk.tick()
        [one] = desk.incidents.standing(number).results
        assert (one.state, one.reason) == (
            "sent",
            "a mail that was sent cannot be taken back: 2 of its 2 readers have it, or may; "
            "it goes to nobody else",
        )
        with pytest.raises(NotAllowed, match="cannot be taken back"):
            desk.settle(key, "gone", by=desk.person("ana"))

    def test_those_who_have_not_been_written_to_yet_are_not(self, desk, network):
        join(desk, network, "one@example.org", "two@example.org", "three@example.org")
        key = post(desk)
        newsletter = desk.platforms["newsletter"]
        original, by = newsletter._send, desk.person("ana")

        def send(*given):
            told = original(*given)
            if len(network.mails) == 1:
                desk.incidents.take_down("c/news", "the date is wrong", by=by)
            return told

        newsletter._send = send
        ticked(desk)
        del newsletter._send
        desk.release("message:c/news", by=by)
        ticked(desk)
        assert len(network.mails) == 1
        assert state(desk, key) == "proposed"  # somebody reads it again, or nobody gets it
        [one] = desk.incidents.standing(1).results
        assert "1 of its 3 readers have it, or may" in one.reason
        with desk.store.reading() as session:
            [kept] = session.scalars(select(Evidence.data).where(Evidence.key == key))
            assert kept["post"]
