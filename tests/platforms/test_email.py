"""The newsletter against a mail server that fails as they do, with its readers in a database."""

import re
import smtplib
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.message import EmailMessage

import pytest

from outreach.errors import CannotTell, NotFound, NotNow, Refused, Uncertain, Unusable
from outreach.platforms import Done, Fate
from outreach.platforms.email import Email
from outreach.platforms.email_text import split
from outreach.store import Store
from outreach.subscribers import Consent, Newsletter, Roll, Subscribers
from outreach.testing import LONG_AGO, TEXT, ServerContract, part, picture

from . import mailboxes
from .servers import closed_port
from .servers_email import PASSWORD, USER, EmailNetwork, html_of, plain_of, text_of

WRONG = "wrong-secret"
SENDER = "NEASPEC <news@example.org>"
TOKEN = "a" * 32
SIX = [f"r{n}@example.org" for n in range(6)]


class Quick(Email):
    timeout = 0.8


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/outreach.db")
    store.prepare()
    yield store
    store.close()


@pytest.fixture
def clock():
    class Clock:
        at = datetime.now(UTC)

        def __call__(self):
            return self.at

    return Clock()


@pytest.fixture
def roll(store, clock, tmp_path):
    return Roll(
        store,
        "newsletter",
        clock,
        home=tmp_path,
        languages=("en", "ko"),
        title="NEASPEC news",
        office="secretariat",
    )


@pytest.fixture
def people(store, clock, roll):
    """The list, with one reader on it; `join` adds more."""
    newsletters = {"newsletter": Newsletter("newsletter", "NEASPEC news", ("en", "ko"))}
    made = Subscribers(store, clock, newsletters, lambda _channel: roll)

    def join(*addresses, language="en"):
        agreed = [Consent(one, language, "a form on paper", clock()) for one in addresses]
        made.take("newsletter", agreed, file="list.csv", by="ana")

    made.join = join
    join("reader@example.org")
    return made


@pytest.fixture
def network():
    return EmailNetwork()


@pytest.fixture
def base(network):
    with network.serving() as base:
        yield base


@pytest.fixture
def make(account, base, roll, people, clock):
    def email(password=PASSWORD, base=base, **options):
        given = {"from": SENDER, "host": "post.example.org", "user": USER}
        given |= {"mails-per-second": "1000"} | {k.replace("_", "-"): v for k, v in options.items()}
        secrets = {"password": password, "bounces_password": password}
        made = account("newsletter", given, secrets, base=base, now=clock)
        return Quick(replace(made, readers=roll))

    return email


@pytest.fixture
def platform(make):
    return make()


@pytest.fixture
def nowhere(make):
    return make(base=closed_port())


@pytest.fixture
def stranger(make):
    return make(password=WRONG)


class TestEmail(ServerContract):
    name = "email"
    keeps_keys = True
    secrets = (PASSWORD, WRONG)

    @pytest.mark.parametrize("fault", ["lost before", "lost after"])
    def test_a_lost_answer_is_uncertain_and_looking_settles_it(self, platform, network, fault):
        """SMTP shows no history: where nobody else has it for sure, a person looks."""
        network.next_fault = fault
        with pytest.raises(Uncertain):
            platform.publish(part(), None)

        assert (1 if fault == "lost after" else 0) == network.copies(TEXT)
        with pytest.raises(CannotTell, match=TEXT):
            platform.find(part(), LONG_AGO, frozenset())
        with pytest.raises(Uncertain):
            platform.publish(part(), None)
        assert network.copies(TEXT) <= 1

    @pytest.mark.parametrize("fault", ["garbage", "bad gateway"])
    def test_an_answer_that_says_nothing_clear_is_uncertain(self, platform, network, fault):
        network.next_fault = fault
        with pytest.raises(Uncertain):
            platform.publish(part(), None)

    def test_a_refusal_after_the_text_is_a_refusal(self, platform, network):
        """RFC 5321, 4.2.5: a server that says 5yz there has taken nothing."""
        network.next_fault = "500 before"
        with pytest.raises(Refused):
            platform.publish(part(), None)

    @pytest.mark.parametrize(
        ("kind", "fault"),
        [("publish", f) for f in ("refused", "not now", "lost after", "hang", "garbage")]
        + [("read", f) for f in ("refused", "not now", "500 before", "hang", "garbage")]
        + [("refused token", ""), ("nobody listens", "")],
    )
    def test_no_error_and_no_log_line_tells_a_secret(
        self, platform, stranger, nowhere, network, caplog, kind, fault
    ):
        super().test_no_error_and_no_log_line_tells_a_secret(
            platform, stranger, nowhere, network, caplog, kind, fault
        )


class TestAMail:
    def test_its_headers_are_those_that_mailboxes_ask_of_a_newsletter(
        self, make, network, people, roll
    ):
        platform = make(reply_to="ask@example.org")
        platform.publish(part(f"Save the date – 저탄소\n\n{TEXT}", language="en"), None)

        ((to, mail),) = network.mails
        assert to == mail["To"] == "reader@example.org"
        assert mail["From"] == SENDER
        assert mail["Reply-To"] == "ask@example.org"
        assert mail["Subject"] == "Save the date – 저탄소"
        assert re.fullmatch(rf"<{TOKEN}\.[0-9a-f]{{16}}@example\.org>", mail["Message-ID"])
        assert mail["Date"].datetime - datetime.now(UTC) < timedelta(minutes=1)
        assert mail["Content-Language"] == "en"
        assert mail["List-Id"] == "NEASPEC news by e-mail <newsletter.example.org>"
        ((address,),) = [re.findall("^<(https://.*)>$", mail["List-Unsubscribe"])]
        assert address.startswith("https://outreach.example.org/leave/")
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert address in plain_of(mail) and address in html_of(mail)
        assert people.whose(address.rpartition("/")[2]) == ("newsletter", "en")

    def test_the_plain_text_is_the_cleared_text_and_the_html_reads_it_as_markdown(
        self, platform, network
    ):
        text = (
            "The **programme** is out: https://neaspec.org/x_y_z?a=1&b=2.\nJoin us!\n\n"
            "- [Register](https://neaspec.org/r)\n- <script>alert(1)</script>\n\n"
            "[no](javascript:alert(1)) ![no](https://evil.example/pixel.png)"
        )
        platform.publish(part(f"Programme\n\n{text}"), None)
        ((_, mail),) = network.mails
        assert plain_of(mail).startswith(text + "\n\n-- \n")
        html = html_of(mail)
        link = '<a href="https://neaspec.org/x_y_z?a=1&amp;b=2">'
        assert f"The <strong>programme</strong> is out: {link}" in html
        assert '<a href="https://neaspec.org/r">Register</a>' in html
        assert "<script" not in html and "javascript:" not in html.replace("(javascript:", "")
        assert "<img" not in html

    def test_pictures_stand_within_the_mail_with_their_words_in_both_texts(self, platform, network):
        one = replace(picture(1, 'Blue "sea"'), credit="NEASPEC")
        platform.publish(part(pictures=[one]), None)
        ((_, mail),) = network.mails
        html = html_of(mail)
        (cid,) = re.findall('<img src="cid:([^"]+)" alt="Blue &#34;sea&#34;"', html)
        (inline,) = [piece for piece in mail.walk() if piece.get_content_maintype() == "image"]
        assert inline["Content-ID"] == f"<{cid}>"
        assert inline.get_content() == one.data
        assert '[Blue "sea"] (NEASPEC)' in plain_of(mail)
        assert "<figcaption>NEASPEC</figcaption>" in html

    def test_it_says_its_language_and_arabic_reads_from_the_right(self, platform, network, people):
        people.join("kim@example.org", language="ko")
        platform._readers._words |= dict.fromkeys(("ko", "ar"), platform._readers.words("en"))
        platform.publish(part("저탄소 도시", language="ko"), None)
        ((to, mail),) = network.mails
        assert (to, mail["Content-Language"]) == ("kim@example.org", "ko")
        assert '<html lang="ko" dir="ltr">' in html_of(mail)
        assert b'lang="ar" dir="rtl"' in platform.preview(part("مرحبا", language="ar"))["mail.html"]

    def test_the_preview_is_what_is_sent(self, platform, network):
        one = part(f"Title\n\n{TEXT}", pictures=[picture()])
        platform.publish(one, None)
        files = platform.preview(one)

        def without_their_own(text):
            return re.sub(r"/leave/[\w-]+", "", text)

        from email import message_from_bytes, policy

        shown = message_from_bytes(files["mail.eml"], policy=policy.default)
        for of in (plain_of, html_of):
            assert without_their_own(of(shown)) == without_their_own(of(network.mails[0][1]))
        assert b"cid:" not in files["mail.html"] and b"data:image/png;base64," in files["mail.html"]

    @pytest.mark.parametrize(
        ("text", "subject", "body"),
        [
            ("Title\n\nBody\n\nmore", "Title", "Body\n\nmore"),
            ("# Title\n\nBody", "Title", "Body"),
            ("One line", "One line", "One line"),
            ("Two\nlines\n\nBody", "Two", "Two\nlines\n\nBody"),
            ("word " * 40, "word " * 22 + "word…", "word " * 40),
        ],
    )
    def test_a_first_line_before_a_blank_one_is_the_subject(self, text, subject, body):
        assert split(text) == (subject, body)

    def test_what_stands_below_every_mail_belongs_to_what_is_cleared(
        self, make, roll, store, clock
    ):
        before = make().account
        (roll._home / "config").mkdir()
        words = dict(roll.words("en")) | {"footer": "Other words of the {office}."}
        (roll._home / "config/newsletter.toml").write_text(
            "[en]\n"
            + "\n".join(f"{k} = {v!r}" for k, v in words.items() if k != "confirm-text")
            + '\nconfirm-text = "here: {link}"\n'
        )
        vars(roll).pop("_words")
        assert make().account != before


class TestEachReader:
    """Every reader is written to once, or it is known that they were not."""

    def fates(self, roll, token=TOKEN):
        return {str(fate): n for fate, n in roll.progress(token).fates.items()}

    def test_all_of_a_language_get_it_once_and_nobody_else(self, platform, network, people, roll):
        people.join(*SIX)
        people.join("kim@example.org", language="ko")
        receipt = platform.publish(part(), None)
        assert sorted(network.readers) == sorted([*SIX, "reader@example.org"])
        assert receipt == platform.publish(part(), None)
        assert len(network.mails) == 7
        assert len({mail["Message-ID"] for _, mail in network.mails}) == 7
        assert platform.figures([receipt]) == {receipt.id: {"sent": 7, "unsubscribed": 0}}
        assert platform.audience() == {"followers": 8}

    def test_one_who_is_refused_is_marked_with_the_reason_and_the_others_get_it(
        self, platform, network, people, roll
    ):
        people.join(*SIX)
        network.refuses = {SIX[2]: "550 5.1.1 no such mailbox", SIX[4]: "552 5.2.2 it is full"}
        platform.publish(part(), None)
        assert self.fates(roll) == {"sent": 5, "refused": 2}
        assert people.suppressed() == {"bounced": 1}  # the one that is full may be emptied
        platform.publish(part(token="b" * 32), None)
        assert self.fates(roll, "b" * 32) == {"sent": 5, "refused": 1}

    def test_one_who_is_not_to_be_had_now_is_tried_again_later(
        self, platform, network, people, roll, clock
    ):
        people.join(*SIX)
        network.defers = {SIX[2]: "450 4.2.0 greylisted"}
        with pytest.raises(NotNow, match="6 of 7 are done; 1 to be asked for again later") as error:
            platform.publish(part(), None)
        assert timedelta(minutes=9) < error.value.wait <= timedelta(minutes=10)
        with pytest.raises(NotNow):
            platform.publish(part(), None)
        network.defers = {}
        clock.at += timedelta(minutes=10)
        platform.publish(part(), None)
        assert self.fates(roll) == {"sent": 7}
        assert sorted(network.readers) == sorted([*SIX, "reader@example.org"])

    def test_one_who_is_never_to_be_had_is_given_up_within_a_day(
        self, platform, network, people, roll, clock
    ):
        people.join(*SIX)
        network.defers = {SIX[2]: "450 4.2.0 greylisted"}
        begun = clock.at
        for _ in range(20):
            try:
                platform.publish(part(), None)
                break
            except NotNow as error:
                clock.at += error.wait
        assert self.fates(roll) == {"sent": 6, "late": 1}
        assert clock.at - begun < timedelta(days=1)

    @pytest.mark.parametrize("taken", [True, False])
    def test_one_whose_answer_is_lost_is_in_doubt_never_sent_again_and_the_others_get_it(
        self, platform, network, people, roll, taken
    ):
        people.join(*SIX)
        if taken:
            network.loses = {SIX[2]}
        else:
            network.next_fault = "lost before"
        with pytest.raises(Uncertain):
            platform.publish(part(), None)
        with pytest.raises(NotNow, match="of 7 are done: it goes on"):
            platform.find(part(), LONG_AGO, frozenset())
        platform.publish(part(), None)
        assert self.fates(roll) == {"sent": 6, "in doubt": 1}
        assert len(network.readers) == len(set(network.readers)) == (7 if taken else 6)

    def test_a_server_that_never_answers_after_the_text_stops_after_three(
        self, platform, network, people, roll
    ):
        people.join(*SIX)
        network.loses = {*SIX, "reader@example.org"}
        for _ in range(2):
            with pytest.raises(Uncertain):
                platform.publish(part(), None)
        with pytest.raises(Refused, match="took 3 mails in a row and never said so"):
            platform.publish(part(), None)
        assert self.fates(roll) == {"in doubt": 3, "waiting": 4}
        network.loses = set()  # a person has looked, and lets it go on
        platform.publish(part(), None)
        assert self.fates(roll) == {"in doubt": 3, "sent": 4}

    def test_a_server_that_refuses_everybody_takes_nobody_off_the_list(
        self, platform, network, people, roll
    ):
        people.join(*SIX)
        network.refuses = dict.fromkeys([*SIX, "reader@example.org"], "550 relaying denied")
        with pytest.raises(Refused, match="refuses one reader after the other: 550 relaying"):
            platform.publish(part(), None)
        assert people.suppressed() == {} and roll.count() == 7
        network.refuses = {}
        platform.publish(part(), None)
        assert self.fates(roll) == {"sent": 7}

    def test_a_server_that_asks_everybody_to_wait_is_left_alone(self, platform, network, people):
        people.join(*SIX)
        network.defers = dict.fromkeys([*SIX, "reader@example.org"], "451 4.3.2 too busy")
        with pytest.raises(NotNow, match="too busy") as error:
            platform.publish(part(), None)
        assert error.value.everything
        assert network.mails == []

    def test_a_sender_who_is_refused_is_nobodys_refusal(self, platform, network, people, roll):
        network.sender_refused = "550 5.7.1 not from you"
        with pytest.raises(Refused, match="takes no mail from news@example.org: 550 5.7.1"):
            platform.publish(part(), None)
        assert self.fates(roll) == {"waiting": 1}

    def test_a_server_that_takes_few_mails_a_line_is_called_again(
        self, platform, network, people, roll
    ):
        people.join(*SIX)
        network.most = 3
        for _ in range(2):
            with pytest.raises(NotNow, match="that was enough"):
                platform.publish(part(), None)
        platform.publish(part(), None)
        assert self.fates(roll) == {"sent": 7}
        assert network.lines == 3

    def test_an_address_at_which_the_server_hangs_up_keeps_nobody_else_waiting(
        self, platform, network, people, roll
    ):
        people.join(*SIX)
        network.hangs_up = {SIX[0]}
        with pytest.raises(NotNow, match="hung up"):
            platform.publish(part(), None)
        with pytest.raises(NotNow, match="6 of 7 are done; 1 to be asked for again later"):
            platform.publish(part(), None)
        assert self.fates(roll) == {"sent": 6, "waiting": 1}

    def test_who_leaves_before_their_turn_gets_nothing(self, platform, network, people, roll):
        people.join(*SIX)
        leaving = []

        def fence(_seconds):
            if not leaving:
                leaving.append(SIX[5])
                people.forget(SIX[5], by="ana")

        platform.publish(part(fence=fence), None)
        assert SIX[5] not in network.readers
        assert self.fates(roll) == {"sent": 6, "left": 1}

    def test_whoever_an_earlier_process_was_writing_to_is_in_doubt(
        self, platform, network, people, roll
    ):
        people.join(*SIX)
        roll.begin(TOKEN, "en")
        dead = roll.next(TOKEN, "en")
        platform.publish(part(), None)
        assert dead.address not in network.readers
        assert self.fates(roll) == {"sent": 6, "in doubt": 1}
        roll.over(Done(dead, Fate.SENT))  # it was alive after all, and says so
        assert self.fates(roll) == {"sent": 7}

    def test_mails_keep_their_pace(self, make, network, people):
        people.join(*SIX)
        platform, begun = make(mails_per_second="20"), time.monotonic()
        platform.publish(part(), None)
        assert 7 / 20 <= time.monotonic() - begun < 2

    def test_an_address_with_letters_of_its_own_needs_a_server_that_takes_it(
        self, platform, network, people, roll
    ):
        people.join("김@xn--vv4b27n.example.org")
        platform.publish(part(), None)
        assert "김@xn--vv4b27n.example.org" in network.readers
        network.utf8 = False
        platform.publish(part(token="b" * 32), None)
        assert self.fates(roll, "b" * 32) == {"sent": 1, "refused": 1}

    def test_nobody_in_a_language_is_refused_and_begins_nothing(self, make, network, roll):
        platform = make()
        roll._words["ko"] = roll.words("en")
        with pytest.raises(Refused, match="nobody has subscribed in ko"):
            platform.publish(part(language="ko"), None)
        assert roll.progress(TOKEN) is None


class TestSetUp:
    def test_a_channel_without_public_pages_or_words_says_so(self, make, roll):
        platform = make()
        assert platform.unfit() == (
            "nobody has written what stands below a newsletter in ko",
            "write a table [ko] in config/newsletter.toml, as [en] is",
        )
        alone = Quick(replace(platform._account, public=""))
        assert "could not unsubscribe" in alone.unfit()[0]
        with pytest.raises(Refused, match="public-url"):
            alone.publish(part(), None)
        with pytest.raises(NotFound, match="no words for mn"):
            roll.words("mn")

    def test_mistakes_in_its_options_are_told(self):
        wrong = {
            "from": "nobody",
            "security": "ssl",
            "port": "smtp",
            "mails-per-second": "fast",
            "bounces": "pop3://x",
        }
        found = {option: what for option, what, _ in Email.mistakes(wrong)}
        assert set(found) == {*wrong, "host"}
        right = {"from": SENDER, "host": "post.example.org", "bounces": "imaps://u%40x@h/INBOX"}
        assert list(Email.mistakes(right)) == []

    def test_a_password_is_needed_where_it_signs_in(self):
        assert Email.secrets_for({}) == ()
        assert Email.secrets_for({"user": "news"}) == ("password",)
        assert Email.secrets_for({"bounces": "imaps://u@h/"}) == ("bounces_password",)


@pytest.mark.counterpart
class TestRealMailboxes:
    """A mail server that nobody here wrote, read back over IMAP."""

    @pytest.fixture
    def post(self, tmp_path):
        with mailboxes.mailboxes(tmp_path / "mail") as made:
            yield made

    @pytest.fixture
    def platform(self, make, post):
        def platform(base, **options):
            return make(mailboxes.PASSWORD, base, bounces=post.imap_address, **options)

        return platform

    def test_everybody_has_the_newsletter_once_as_it_was_cleared(
        self, platform, post, people, roll
    ):
        people.join(*SIX)
        words = f"Save the date – 저탄소\n\n{TEXT}\n.\n..dots and https://neaspec.org/x."
        with post.wire() as base:
            receipt = platform(base).publish(part(words, pictures=[picture()]), None)
        assert platform(base).figures([receipt])[receipt.id]["sent"] == 7
        for address in [*SIX, "reader@example.org"]:
            (mail,) = post.of(address)
            assert text_of(mail) == words
            assert mail["From"] == SENDER and mail["To"] == address
            assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert mail["Message-ID"].startswith(f"<{TOKEN}.")
            kinds = [piece.get_content_type() for piece in mail.walk()]
            assert kinds == [
                *("multipart/alternative", "text/plain"),
                *("multipart/related", "text/html", "image/png"),
            ]

    def test_answers_that_are_lost_after_the_final_dot_are_in_doubt_and_never_sent_again(
        self, platform, post, people, roll
    ):
        many = [f"m{n}@example.org" for n in range(40)]
        people.join(*many)
        post.share = 0.15
        with post.wire() as base:
            email = platform(base)
            for _ in range(60):
                try:
                    email.publish(part(), None)
                    break
                except (Uncertain, Refused):
                    continue
        progress = roll.progress(TOKEN)
        assert progress.all == 41 == progress.of(Fate.SENT, Fate.DOUBT)
        assert progress.of(Fate.DOUBT) > 0
        assert [len(post.of(one)) for one in many] == [1] * 40

    def test_what_comes_back_to_a_mailbox_is_read_once(self, platform, post, people, roll):
        people.join(*SIX)
        with post.wire() as base:
            email = platform(base)
            email.publish(part(), None)
            (mail,) = post.of(SIX[0])
            with smtplib.SMTP("127.0.0.1", post.smtp) as line:
                line.login(mailboxes.USER, mailboxes.PASSWORD)
                report = EmailMessage()
                report["From"], report["To"] = "MAILER-DAEMON@example.org", mailboxes.USER
                report.set_content("It could not be delivered.")
                report.make_mixed()
                status = "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; r0@example.org\n"
                status += "Action: failed\nStatus: 5.1.1\n"
                told = message_from_string(f"Content-Type: message/delivery-status\n\n{status}")
                report.attach(told)
                headers = "Content-Type: text/rfc822-headers\n\n"
                headers += f"Message-ID: {mail['Message-ID']}\n"
                report.attach(message_from_string(headers))
                line.sendmail("", [mailboxes.USER], report.as_bytes())
            (bounce,) = email.returned()
            assert (bounce.token, bounce.hard) == (TOKEN, True)
            assert people.bounced([bounce]) == (1, 1)
            assert email.returned() == []
            wrong = make_wrong(email)
            with pytest.raises(Unusable) as error:
                wrong.returned()
            assert WRONG not in "".join(traceback.format_exception(error.value))


def make_wrong(email):
    secrets = {**email._account.secrets, "bounces_password": WRONG}
    return Quick(replace(email._account, secrets=secrets))
