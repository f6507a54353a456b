"""Tasks that people do: told once, reminded, completed by their link, or missed."""

import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import select

from outreach.config import read_configuration
from outreach.errors import NotAllowed, NotFound, WrongFiles
from outreach.platforms.manual import networks
from outreach.post import Picture
from outreach.store.tables import Asset, Errand, TaskLink
from outreach.web.app import create_app
from tests.conftest import Office, state
from tests.drafts import SOON, put_cleared, soon, trail
from tests.mail import mail_server
from tests.platforms.servers import TelegramNetwork, serving
from tests.web.desk import CARD

KEY = "c/news/en@wechat"
URL = "https://mp.weixin.qq.com/s/AbCdEfGhIjKlMnOpQrStUv"
CHAT = "-1001234567890"
CHANNELS = """
[wechat]
platform = "manual"
network = "wechat"
name = "our WeChat account"
posted-by = ["cy"]
reminders = ["30 minutes", "2 hours"]
missed-after = "6 hours"
"""


@pytest.fixture
def server():
    with mail_server() as server:
        yield server


@pytest.fixture
def network():
    return TelegramNetwork()


@pytest.fixture
def settings(office: Office, server, network, monkeypatch):
    """An office with a mail server, a staff chat and an address of its own."""
    monkeypatch.setenv("OUTREACH_ALARMS_TOKEN", network.TOKEN)
    with serving(network) as base:
        office.write("config/channels.toml", CHANNELS)
        office.write(
            "config/outreach.toml",
            (office.home / "config/outreach.toml").read_text()
            + '\n[web]\npublic-url = "https://desk.example.org"\n'
            + f'\n[mail]\nhost = "127.0.0.1"\nport = {server.server_address[1]}\n'
            'security = "none"\nfrom = "Outreach <outreach@example.org>"\n'
            f'\n[alarms]\ntelegram-chat = "{CHAT}"\ntelegram-base = "{base}"\n',
        )
        yield office


@pytest.fixture
def desk(settings):
    desk = settings.open()
    desk.tick()
    return desk


TEXT = "Cities meet. https://neaspec.org/forum"


def handed(desk, office, server, text=TEXT, **more):
    """A post that is due, cleared and handed over by a tick."""
    one = soon("news", text, channel="wechat", account="manual our WeChat account", **more)
    put_cleared(desk, one)
    desk.tick()
    server.mails.clear()
    office.clock.to(SOON)
    desk.tick()


def link_in(mail) -> str:
    body = mail.get_body(("plain",)).get_content()
    [found] = re.findall(r"https://desk\.example\.org/task/(\S+)", body)
    return found


def pasted(desk, url, key=KEY):
    """An officer says at the desk where it is."""
    return desk.settle(key, "live", by=desk.person("ana"), url=url)


def told(server) -> list[str]:
    """Who was written to, in their order, and how it begins."""
    return [f"{mail['To'].partition('@')[0]}: {mail['Subject']}" for mail in server.mails]


def errands(desk) -> list[str]:
    with desk.store.reading() as session:
        rows = session.scalars(select(Errand).order_by(Errand.id)).all()
        return [f"{row.kind} {row.step} {row.to}: {row.outcome}" for row in rows]


TASK = f"cy: {KEY} is to be posted by hand, now"
REMINDER = f"cy: Reminder: {KEY}"


class TestTheTask:
    def test_whoever_posts_there_is_written_to_when_it_is_due_and_once(self, desk, office, server):
        handed(desk, office, server)
        for _ in range(3):
            desk.tick()
        assert told(server) == [TASK]
        assert state(desk, KEY) == "handed"

    def test_the_mail_has_text_pictures_descriptions_code_and_how_to_complete_it(
        self, desk, office, server
    ):
        with desk.store.writing() as session:
            session.add(Asset(sha256="a" * 64, type="image/png", data=CARD))
        card = Picture("cards/forum.png", "a" * 64, "image/png", 800, 418, len(CARD), "A skyline")
        text = "城市聚会。https://neaspec.org/forum。\n.A line that begins with a full stop"
        handed(desk, office, server, text, pictures=[card])

        [mail] = server.mails
        plain = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
        assert f"--- text ---\n{text}\n---\n" in plain
        assert "picture: 1-forum.png (attached)\nits description: A skyline" in plain
        assert "put the link into “Read more”" in plain
        assert f"outreach settle {KEY} --live ADDRESS" in plain
        assert link_in(mail)
        attached = {part.get_filename(): part for part in mail.iter_attachments()}
        assert attached["1-forum.png"].get_content() == CARD
        assert attached["text.txt"].get_content().rstrip().replace("\r\n", "\n") == text
        assert 'src="cid:qr"' in mail.get_body(("html",)).get_content()
        [code] = [part for part in mail.walk() if part["Content-ID"] == "<qr>"]
        assert Image.open(BytesIO(code.get_content())).size == (264, 264)

    def test_the_staff_chat_gets_the_text_alone_and_the_pictures(
        self, desk, office, server, network
    ):
        with desk.store.writing() as session:
            session.add(Asset(sha256="a" * 64, type="image/png", data=CARD))
        card = Picture("forum.png", "a" * 64, "image/png", 800, 418, len(CARD), "A skyline")
        handed(desk, office, server, pictures=[card])
        what, text, pictures = network.texts
        assert what.startswith(f"{KEY} is to be posted by hand, now")
        assert "https://desk.example.org/task/" in what
        assert text == TEXT
        assert pictures == "1. A skyline\n2. QR code of https://neaspec.org/forum"
        assert network.pictures[0] == CARD

    def test_where_nobody_is_named_every_officer_gets_it(self, settings, office, server):
        office.write("config/channels.toml", CHANNELS.replace('posted-by = ["cy"]', ""))
        desk = settings.open()
        desk.tick()
        handed(desk, office, server)
        assert sorted(told(server)) == [TASK.replace("cy", "ana"), TASK.replace("cy", "bo")]

    def test_markup_in_a_text_is_text(self, desk, office, server):
        handed(desk, office, server, "<b>bold</b> & <script>x</script>")
        html = server.mails[0].get_body(("html",)).get_content()
        assert "&lt;b&gt;bold&lt;/b&gt; &amp; &lt;script&gt;" in html

    def test_an_office_without_an_address_is_given_the_command_alone(self, settings, server):
        toml = settings.home / "config/outreach.toml"
        text = toml.read_text().replace('public-url = "https://desk.example.org"', "")
        settings.write("config/outreach.toml", text)
        desk = settings.open()
        desk.tick()
        handed(desk, settings, server)
        plain = server.mails[0].get_body(("plain",)).get_content()
        assert "/task/" not in plain
        assert f"When it is live: outreach settle {KEY} --live ADDRESS" in plain


class TestReminders:
    def test_they_come_at_their_times_and_each_once(self, desk, office, server):
        handed(desk, office, server)
        server.mails.clear()
        seen = []
        for _ in range(18):
            office.clock.forward(minutes=10)
            desk.tick()
            desk.tick()
            seen.append(len(server.mails))
        assert told(server) == [REMINDER, REMINDER]
        assert seen == [0, 0] + [1] * 9 + [2] * 7
        assert "it is given up" in server.mails[0].get_body(("plain",)).get_content()

    def test_what_a_desk_that_was_down_has_missed_is_told_once_and_not_in_a_burst(
        self, desk, office, server
    ):
        handed(desk, office, server)
        server.mails.clear()
        office.clock.forward(hours=3)
        desk.tick()
        desk.tick()
        assert told(server) == [REMINDER]

    def test_nobody_is_reminded_of_what_is_done(self, desk, office, server):
        handed(desk, office, server)
        pasted(desk, URL)
        server.mails.clear()
        office.clock.forward(hours=3)
        desk.tick()
        assert server.mails == []

    def test_what_was_done_while_its_reminder_waited_is_not_sent(self, desk, office, server):
        handed(desk, office, server)
        server.mails.clear()
        server.declines = True
        office.clock.forward(minutes=31)
        desk.tick()
        pasted(desk, URL)
        server.declines = False
        office.clock.forward(minutes=10)
        desk.tick()
        assert told(server) == []
        assert errands(desk)[-2] == "reminder  cy: dropped"

    def test_without_an_address_in_time_it_is_missed_and_officers_are_told(
        self, desk, office, server
    ):
        handed(desk, office, server)
        server.mails.clear()
        office.clock.forward(hours=6)
        desk.tick()
        assert state(desk, KEY) == "missed"
        late = f"{KEY} was not sent: its time passed"
        assert sorted(told(server)) == [f"ana: {late}", f"bo: {late}"]
        assert "nobody said within 6 hours" in server.mails[0].get_content()

    def test_what_was_posted_all_the_same_can_still_be_said(self, desk, office, server):
        handed(desk, office, server)
        secret = link_in(server.mails[0])
        office.clock.forward(hours=6)
        desk.tick()
        assert desk.answers.complete(secret, URL).state == "done"
        assert state(desk, KEY) == "published"


class TestOnce:
    def test_several_workers_tell_it_once(self, desk, office, server, settings):
        others = [settings.open() for _ in range(3)]
        handed(desk, office, server)
        server.mails.clear()
        office.clock.forward(minutes=31)
        with ThreadPoolExecutor(4) as pool:
            for _ in range(3):
                list(pool.map(lambda one: (one.handover.round(), one.mail()), [desk, *others]))
        assert told(server) == [REMINDER]

    def test_a_worker_that_was_killed_while_it_sent_leaves_it_in_doubt(self, desk, office, server):
        """It claimed, and perhaps sent; nobody knows, so nobody sends it again."""
        handed(desk, office, server)
        server.mails.clear()
        office.clock.forward(minutes=31)
        desk.handover.round()

        def dies(*_):
            raise KeyboardInterrupt

        desk.handover._mailed = dies
        with pytest.raises(KeyboardInterrupt):
            desk.mail()
        del desk.handover._mailed
        desk.mail()
        assert "reminder  cy: " in errands(desk)
        office.clock.forward(minutes=11)
        desk.mail()
        assert told(server) == []
        assert "reminder  cy: in doubt" in errands(desk)

    def test_a_lost_answer_is_not_sent_again(self, desk, office, server):
        server.loses = True
        handed(desk, office, server)
        server.loses = False
        for _ in range(4):
            office.clock.forward(minutes=5)
            desk.tick()
        assert told(server).count(TASK) == 1
        assert errands(desk)[0] == "task  cy: in doubt"
        assert "may not have been told" in " ".join(one.what for one in desk.watch.look())

    def test_a_server_that_says_later_is_asked_later(self, desk, office, server):
        server.declines = True
        handed(desk, office, server)
        assert told(server) == []
        server.declines = False
        office.clock.forward(minutes=3)
        desk.tick()
        desk.tick()
        assert told(server) == [TASK]

    def test_a_chat_that_does_not_answer_is_not_told_twice(self, desk, office, server, network):
        network.next_fault = "lost after"
        handed(desk, office, server)
        for _ in range(3):
            office.clock.forward(minutes=5)
            desk.tick()
        assert len([one for one in network.texts if "is to be posted by hand" in one]) == 1


class TestTheLink:
    def test_it_opens_one_task_for_one_person(self, desk, office, server):
        handed(desk, office, server)
        task = desk.handover.open(link_in(server.mails[0]))
        assert (task.sheet.key, task.state, task.who) == (KEY, "open", "cy")

    def test_the_trail_says_whose_link_it_was(self, desk, office, server):
        handed(desk, office, server)
        desk.answers.complete(link_in(server.mails[0]), URL)
        assert ("cy", "settled: live") in [(who, what) for _, who, what, _ in desk.trail(KEY)]

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("https://example.org/1", "is not the address of a post on WeChat"),
            ("https://mp.weixin.qq.com/", "is not the address of a post on WeChat"),
            (f"{URL}?tempkey=MTM0", "preview, which ends after some hours"),
            ("posted it", "is not the address of a post"),
            ("javascript:alert(1)", "is not the address of a post"),
            ("https://mp.weixin.qq.com/s/" + "a" * 3000, "it is not a post's alone"),
        ],
    )
    def test_a_wrong_address_is_refused_in_plain_words(self, desk, office, server, url, words):
        handed(desk, office, server)
        secret = link_in(server.mails[0])
        with pytest.raises(NotAllowed, match=words):
            desk.answers.complete(secret, url)
        with pytest.raises(NotAllowed, match=words):
            pasted(desk, url)
        assert state(desk, KEY) == "handed"

    def test_the_same_said_twice_is_said_once_and_another_is_refused(self, desk, office, server):
        handed(desk, office, server)
        secret = link_in(server.mails[0])
        desk.answers.complete(secret, URL)
        assert desk.answers.complete(secret, f" {URL} ").url == URL
        with pytest.raises(NotAllowed, match="not open any more"):
            desk.answers.complete(secret, URL.replace("Ab", "Zz"))
        assert trail(desk, KEY).count("published") == 1

    def test_it_ends_and_then_it_never_was(self, desk, office, server):
        handed(desk, office, server)
        secret = link_in(server.mails[0])
        office.clock.forward(days=8)
        for one in (secret, secret[:-1] + "x", "x" * 43):
            with pytest.raises(NotFound, match="there is no such task"):
                desk.handover.open(one)

    def test_only_its_hash_is_kept(self, desk, office, server):
        handed(desk, office, server)
        secret = link_in(server.mails[0])
        with desk.store.reading() as session:
            kept = session.scalars(select(TaskLink)).all()
            mails = session.scalars(select(Errand)).all()
        assert all(secret not in str(vars(one)) for one in [*kept, *mails])

    def test_the_list_of_tasks_has_the_same_link_for_the_same_person(self, desk, office, server):
        handed(desk, office, server)
        [one] = desk.handover.waiting("cy")
        assert one.link.rpartition("/")[2] == link_in(server.mails[0])
        assert one.gives_up == office.clock() + timedelta(hours=6)
        assert one.told[0] == "task to cy, sent"


class TestTakingDown:
    def ordered(self, desk):
        number = desk.incidents.take_down(
            "c/news", "the date is wrong", by=desk.person("ana")
        ).number
        desk.tick()
        desk.tick()
        return desk.incidents.standing(number)

    def test_whoever_has_the_task_is_told_once_not_to_post_it_and_reminded_no_more(
        self, desk, office, server
    ):
        handed(desk, office, server)
        server.mails.clear()
        self.ordered(desk)
        office.clock.forward(hours=1)
        desk.tick()
        to_cy = [one for one in told(server) if one.startswith("cy:")]
        assert [one for one in to_cy if KEY in one and "handed" not in one][-1:] == [
            f"cy: {KEY} is NOT to be posted"
        ]
        assert not [one for one in to_cy if "Reminder" in one]
        assert sum("NOT to be posted" in one for one in told(server)) == 1
        assert "recall  : sent" in errands(desk)  # and the staff chat

    def test_whoever_posted_it_is_asked_to_delete_it_with_its_address(self, desk, office, server):
        handed(desk, office, server)
        pasted(desk, URL)
        desk.tick()
        server.mails.clear()
        stands = self.ordered(desk)
        assert stands.results[0].state == "by hand"
        [mail] = [one for one in server.mails if "Please delete" in one["Subject"]]
        assert mail["To"].startswith("cy")
        body = mail.get_body(("plain",)).get_content()
        assert URL in body.replace("\n", "") and "the date is wrong" in body
        desk.settle(KEY, "gone", by=desk.person("ana"))
        desk.tick()
        assert state(desk, KEY) == "taken-down"


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ("wechat", URL),
        ("wechat", "https://mp.weixin.qq.com/s?__biz=MzA4&mid=1&idx=1&sn=ab"),
        ("weibo", "https://weibo.com/1642634100/Lw0gKlR8p"),
        ("weibo", "https://m.weibo.cn/detail/4812345678901234"),
        ("kakaotalk", "https://pf.kakao.com/_xbxkbl/105551234"),
        ("line", "https://linevoom.line.me/post/1175123456789012345"),
        ("vk", "https://vk.com/wall-123456_789"),
        ("vk", "https://m.vk.com/neaspec?w=wall-123456_789"),
        ("linkedin", "https://www.linkedin.com/feed/update/urn:li:activity:7212345678901234567/"),
        ("linkedin", "https://www.linkedin.com/posts/neaspec_cities-activity-72123-abcd"),
        ("facebook", "https://www.facebook.com/neaspec/posts/pfbid02abc"),
        ("facebook", "https://www.facebook.com/permalink.php?story_fbid=1&id=2"),
        ("instagram", "https://www.instagram.com/p/CxYz12_-abc/?utm_source=ig_web_copy_link"),
    ],
)
def test_a_posts_address_is_taken_on_its_network_and_on_no_other(network, address):
    known = networks()
    assert known[network].wrong(address) is None
    assert not [name for name in known if name != network and known[name].wrong(address) is None]
    assert all(one.source and one.like for one in known.values())


def test_what_a_network_takes_is_known_and_a_channel_may_say_otherwise(office):
    office.write(
        "config/channels.toml",
        '[weibo]\nplatform = "manual"\nnetwork = "weibo"\n'
        '[line]\nplatform = "manual"\nnetwork = "line"\nmost-text = 5000\n'
        'addresses = "example.org"\n',
    )
    desk = office.open()
    weibo, line = desk.channels["weibo"].limits, desk.channels["line"].limits
    assert (weibo.text, weibo.pictures, weibo.links) == (2000, 18, True)
    assert line.text == 5000
    assert desk.platforms["line"].address("https://news.example.org/1")
    with pytest.raises(NotAllowed, match="is not on example.org"):
        desk.platforms["line"].address("https://linevoom.line.me/post/1")


def test_mistakes_in_a_channel_are_told_with_their_line_and_all_at_once(office):
    office.write(
        "config/channels.toml",
        '[vk]\nplatform = "manual"\nnetwork = "vkontakte"\nposted-by = ["zoe"]\n'
        'reminders = ["soon"]\nmissed-after = "1 day before"\n'
        '[line]\nplatform = "manual"\nnetwork = "lime"\nposted-by = ["cyd"]\nmost-text = "x"\n'
        'holidays = ["Thailand"]\n',
    )
    with pytest.raises(WrongFiles) as wrong:
        read_configuration(office.home)
    said = str(wrong.value)
    for words in (
        "config/channels.toml:5: vk.reminders: 'soon' is not a span of time",
        "config/channels.toml:6: vk.missed-after: '1 day before' is not a span of time",
        "config/channels.toml:9: network cannot be 'lime'\n    → did you mean line?",
        "config/channels.toml:10: 'cyd' is nobody of this office\n    → did you mean cy?",
        "config/channels.toml:11: most-text cannot be 'x'",
        "config/channels.toml:12: the holidays of 'Thailand' are not known",
    ):
        assert words in said


class TestThePage:
    @pytest.fixture
    def visit(self, desk, office, server):
        with desk.store.writing() as session:
            session.add(Asset(sha256="a" * 64, type="image/png", data=CARD))
        card = Picture("forum.png", "a" * 64, "image/png", 800, 418, len(CARD), "A skyline")
        handed(desk, office, server, pictures=[card])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from starlette.testclient import TestClient
        return TestClient(create_app(desk), raise_server_exceptions=False)

    @pytest.fixture
    def page(self, visit, server):
        return f"/task/{link_in(server.mails[0])}"

    def test_it_shows_the_task_and_looking_changes_nothing(self, visit, page, desk):
        for _ in range(2):
            answer = visit.get(page)
        assert visit.head(page).status_code == 200
        assert answer.status_code == 200
        assert TEXT in answer.text
        assert "QR code of https://neaspec.org/forum" in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert "form-action 'self'" in answer.headers["content-security-policy"]
        assert "<script" not in answer.text
        assert visit.get(f"{page}/1-forum.png").content == CARD
        assert state(desk, KEY) == "handed"

    def test_a_form_completes_it(self, visit, page, desk):
        answer = visit.post(page, data={"url": URL})
        assert (answer.status_code, "it is live" in answer.text) == (200, True)
        assert state(desk, KEY) == "published"
        assert "it is live" in visit.get(page).text

    def test_what_is_wrong_is_said_beside_the_form_and_nothing_is_lost(self, visit, page, desk):
        answer = visit.post(page, data={"url": "https://example.org/<b>"})
        assert answer.status_code == 422
        assert "This could not be taken." in answer.text
        assert "https://example.org/&lt;b&gt;" in answer.text
        assert state(desk, KEY) == "handed"

    def test_what_never_was_and_what_has_ended_answer_alike(self, visit, page, office):
        never = visit.get("/task/" + "x" * 43)
        assert never.status_code == 404
        assert visit.get("/task/short").text == never.text
        assert visit.post("/task/" + "x" * 43, data={"url": URL}).status_code == 404
        office.clock.forward(days=8)
        assert visit.get(page).text == never.text
        assert visit.get(f"{page}/1-forum.png").status_code == 404

    def test_a_huge_form_is_not_read(self, visit, page, desk):
        assert visit.post(page, content=b"url=" + b"x" * 300_000).status_code == 413
        assert state(desk, KEY) == "handed"

    def test_a_trouble_of_ours_logs_no_secret(self, visit, page, desk, caplog):
        desk.handover.open = None
        assert visit.get(page).status_code == 500
        assert page.rpartition("/")[2] not in caplog.text
