import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from outreach.errors import CannotTell, NotNow, Refused, Uncertain
from outreach.platforms import Receipt, Withdraws
from outreach.platforms.mastodon import Mastodon
from outreach.platforms.mastodon_text import counted
from outreach.testing import ALT, LONG_AGO, TEXT, ServerContract, part, picture, video

from .counterparts import Behind, answers, ask, free_port, installed, running
from .listing import Looks, Uploads
from .servers import Kept
from .servers_mastodon import MastodonNetwork, no

HANDLE = "@neaspec@social.example.org"
WRONG = "wrong-secret"


class Quick(Mastodon):
    timeout = 0.8
    connect = 0.5
    pause = 0.01


@pytest.fixture
def network():
    return MastodonNetwork()


@pytest.fixture
def make(account, base):
    def mastodon(handle=HANDLE, token=MastodonNetwork.TOKEN, base=base, **options):
        options = {"handle": handle, **{k.replace("_", "-"): v for k, v in options.items()}}
        return Quick(account("mastodon", options, {"token": token}, base=base))

    return mastodon


@pytest.fixture
def stranger(make):
    return make(token=WRONG)


class TestMastodon(Looks, Uploads, ServerContract):
    name = "mastodon"
    keeps_keys = True
    secrets = (MastodonNetwork.TOKEN, WRONG)

    def test_the_receipt_is_the_public_address_and_the_servers_own_time(self, platform, network):
        receipt = platform.publish(part(), None)
        post = network.posts[0]
        assert f"https://social.example.org/@neaspec/{post.id}" == receipt.url
        assert abs(receipt.at - post.at) < timedelta(milliseconds=1)

    @pytest.mark.parametrize(
        ("text", "count"),
        [
            ("a" * 500, 500),
            ("e\u0301地👨‍👩‍👧‍👦🇲🇳👍🏽", 5),
            ("see https://neaspec.org/a-very-long-address?utm_source=x&b=c now", 31),
            ("neaspec.org", 11),  # an address without a scheme is none
            ("hello @alice@social.example.org and @bob", 21),
            ("mail a@b.org", 12),
            (f"https://{'a.' * 122}org/x", 23),
            (f"https://{'a.' * 130}org/x", 273),  # no host is that long
        ],
    )
    def test_mastodon_counts_what_people_see_an_address_as_23_and_no_domains(self, text, count):
        assert count == counted(text)

    def test_a_text_over_the_limit_is_refused(self, platform, network):
        with pytest.raises(Refused, match="character limit of 500 exceeded"):
            platform.publish(part("é" * 501), None)
        assert network.texts == []

    def test_the_key_is_the_parts_token_for_every_attempt(self, platform, network):
        network.next_fault = "lost after"
        with pytest.raises(Uncertain):
            platform.publish(part(), None)

        again = platform.publish(part(), None)
        assert (network.copies(TEXT), again.id) == (1, network.posts[0].id)
        assert list(network.keys) == ["a" * 32]
        assert platform.publish(part("Another text.", token="b" * 32), None).id != again.id

    def test_language_and_audience_are_said_and_not_left_to_the_account(self, platform, network):
        platform.publish(part("일반 텍스트", language="ko"), None)
        sent = network.statuses[network.posts[0].id]
        assert (sent["language"], sent["visibility"]) == ("ko", "public")

    def test_a_content_warning_is_sent_counted_and_part_of_what_is_cleared(self, make, network):
        platform = make(content_warning="Climate, 2025")
        assert platform.limits.text == 500 - 13
        assert "content warning “Climate, 2025”" in platform.account
        assert platform.account != make().account

        platform.publish(part("é" * 487), None)
        assert network.statuses[network.posts[0].id]["spoiler_text"] == "Climate, 2025"
        with pytest.raises(Refused, match="limit"):
            platform.publish(part("é" * 488, token="b" * 32), None)

    @pytest.mark.parametrize(
        ("focus", "sent"), [("", None), ("top", "0.0,1.0"), ("bottom left", "-1.0,-1.0")]
    )
    def test_what_stays_in_view_is_a_focal_point(self, platform, network, focus, sent):
        platform.publish(part(pictures=[replace(picture(), focus=focus)]), None)
        assert network.focus == [sent]

    def test_a_picture_is_posted_once_it_is_processed(self, platform, network):
        network.processing = 3
        platform.publish(part(pictures=[picture()]), None)

        asked = [path.rpartition("/")[0] for method, path in network.requests if method == "GET"]
        assert asked == ["/api/v1/media"] * 3
        assert [picture().data] == network.pictures

    def test_a_picture_that_is_never_processed_is_for_later(self, platform, network):
        network.processing = 1000
        with pytest.raises(NotNow, match="still processing media/card-1.png"):
            platform.publish(part(pictures=[picture()]), None)
        assert network.texts == []

    def test_a_video_waits_until_the_server_has_encoded_it_and_keeps_its_description(
        self, platform, network
    ):
        network.processing = Quick.patience + 5  # longer than a picture is waited for
        platform.publish(part(pictures=[video(heard="burnt-in")]), None)
        assert ([video().data], [ALT]) == (network.pictures, network.alts)

    def test_a_video_that_cannot_be_encoded_is_refused(self, platform, network):
        network.encodes = False
        with pytest.raises(Refused, match="Error processing thumbnail"):
            platform.publish(part(pictures=[video(heard="no-speech")]), None)
        assert network.texts == []

    def test_a_video_that_is_never_encoded_is_for_later(self, platform, network):
        network.processing = 1000
        with pytest.raises(NotNow, match="still processing media/talk.mp4"):
            platform.publish(part(pictures=[video(heard="no-speech")]), None)
        assert network.texts == []

    def test_a_lost_answer_to_a_video_s_post_leaves_one_copy(self, platform, network):
        one = part(pictures=[video(heard="no-speech")])
        network.next_fault = "lost after"
        with pytest.raises(Uncertain):
            platform.publish(one, None)
        found = platform.find(one, LONG_AGO, frozenset())
        assert found and found.id == network.posts[0].id
        assert platform.publish(one, None).id == found.id
        assert network.copies(TEXT) == 1

    def test_the_fence_is_asked_for_the_post_alone(self, platform, network):
        asked = []

        def fence(seconds):
            asked.append((seconds, network.requests[-1][0]))

        platform.publish(part(pictures=[picture()], fence=fence), None)
        platform.find(part(fence=fence), LONG_AGO, frozenset())
        assert [(Quick.timeout + Quick.connect, "GET")] == asked

    @pytest.mark.parametrize(
        "text",
        [
            "Join: https://neaspec.org/r?utm_source=m&utm_campaign=forum and https://un.org/",
            "5 < 6 & 7 > 6, “quoted”\n\n  two  spaces\nand a line",
            "#LowCarbonCities with @alice@social.example.org and @bob@elsewhere.example",
            "第五届低碳城市国际论坛 https://neaspec.org/%E4%B8%AD",
        ],
    )
    def test_what_a_server_renders_is_found_again(self, platform, network, text):
        network.next_fault = "lost after"
        begun = datetime.now(UTC)
        with pytest.raises(Uncertain):
            platform.publish(part(text), None)

        assert network.posts[0].id == platform.find(part(text), begun, frozenset()).id

    def test_the_same_words_with_other_addresses_are_shown_to_a_person(self, platform, network):
        post = network.keep("Join: https://neaspec.org/a?utm_content=1")
        with pytest.raises(CannotTell, match=post.id):
            platform.find(part("Join: https://neaspec.org/a?utm_content=2"), LONG_AGO, frozenset())

    def test_a_boost_of_the_same_words_is_not_ours(self, platform, network):
        network.keep(TEXT)
        shown = network.shown
        network.shown = lambda post: {**shown(post), "reblog": {"id": "9", "content": ""}}
        assert platform.find(part(), LONG_AGO, frozenset()) is None

    def test_it_looks_through_several_pages_and_gives_up_after_two_hundred(self, platform, network):
        wanted = network.keep(TEXT)
        for number in range(150):
            network.keep(f"Post {number}")
        assert wanted.id == platform.find(part(), LONG_AGO, frozenset()).id

        for number in range(60):
            network.keep(f"Post {number}")
        with pytest.raises(CannotTell, match="more than 200 posts"):
            platform.find(part(), LONG_AGO, frozenset())

    def test_an_empty_listing_where_posts_should_be_cannot_tell(self, platform, network):
        earlier = network.keep("An earlier post of ours.")
        later = datetime.now(UTC) + timedelta(hours=1)
        assert platform.find(part(), later, frozenset({earlier.id})) is None
        network.hidden = True
        with pytest.raises(CannotTell, match="lists no posts"):
            platform.find(part(), later, frozenset())
        network.posts.clear()
        with pytest.raises(CannotTell, match="lists no posts"):
            platform.find(part(), later, frozenset({earlier.id}))

    @pytest.mark.parametrize(
        ("reset", "least", "most"),
        [
            (f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", 3000, 3601),
            ("4102444800", 86_400, 86_400),  # others tell a number; at most a day
            ("", 300, 300),
        ],
        ids=["a time", "a number", "nothing"],
    )
    def test_the_wait_is_until_the_window_ends(self, platform, network, reset, least, most):
        network.reset, network.next_fault = reset, "not now"
        if not reset:
            network.failure = lambda _fault: no(429, "Too many requests")
        with pytest.raises(NotNow) as error:
            platform.publish(part(), None)
        assert least <= error.value.wait.total_seconds() <= most

    def test_a_limit_that_cannot_be_read_after_the_yes_is_no_not_now(self, platform, network):
        """The library raises its rate-limit error for an odd header, though the post is live."""
        network.reset = "soon"
        with pytest.raises(Uncertain):
            platform.publish(part(), None)
        assert network.texts == [TEXT]

    @pytest.mark.parametrize("bulk", [True, False])
    def test_figures_of_many_posts_are_asked_for_at_once_where_the_server_can(
        self, platform, network, bulk
    ):
        network.bulk = bulk
        receipts = [Receipt(network.keep(f"Post {n}").id, "") for n in range(25)]
        assert platform.figures([]) == {}
        told = platform.figures([*receipts, Receipt("1", "")])

        assert len(told) == 25
        assert told[receipts[24].id] == {"likes": 3, "shares": 2, "replies": 1, "quotes": 0}
        assert len(network.requests) == (2 if bulk else 2 + 26)

    def test_a_figure_that_the_server_does_not_tell_is_absent_and_not_zero(self, platform, network):
        network.counts = {"favourites_count": 0, "quotes_count": None, "new_count": 5}
        receipt = platform.publish(part(), None)
        assert {receipt.id: {"likes": 0}} == platform.figures([receipt])

    def test_the_followers_are_the_accounts(self, platform):
        assert platform.audience() == {"followers": 812}

    def test_a_post_can_be_taken_down_and_a_second_time_is_no_failure(self, platform, network):
        assert isinstance(platform, Withdraws)
        receipt = platform.publish(part(), None)
        platform.withdraw(receipt)
        platform.withdraw(receipt)
        assert network.texts == []

    def test_a_check_names_the_account_and_refuses_another(self, make):
        assert make().check() == f"mastodon {HANDLE}: “NEASPEC”, token accepted"
        with pytest.raises(Refused, match=r"token is for @neaspec, but .* says @unescap"):
            make("@unescap@social.example.org").check()

    def test_a_check_says_what_the_server_takes_instead(self, make, network):
        network.takes |= {"max_characters": 5000, "max_media_attachments": 2}
        assert (
            make()
            .check()
            .endswith(
                "the server takes 2 pictures and "
                "5,000 characters (write characters = 5000 in channels.toml to use them)"
            )
        )
        assert "characters" not in make(characters="5000").check()
        network.takes["max_characters"] = 400
        with pytest.raises(Refused, match="takes 400 characters, not 500: write characters = 400"):
            make().check()

    def test_more_characters_are_taken_where_the_channel_says_so(self, make, network):
        network.takes["max_characters"] = 5000
        platform = make(characters="5000")
        assert platform.limits.text == 5000
        platform.publish(part("é" * 5000), None)
        assert network.copies("é" * 5000) == 1

    def test_a_server_that_says_nothing_of_its_limits_is_checked_all_the_same(
        self, platform, network, monkeypatch
    ):
        monkeypatch.setattr(MastodonNetwork, "configuration", {})
        assert platform.check().endswith("token accepted")

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"handle": "@neaspec"}, [("handle", 'write handle = "@name@server"')]),
            ({"handle": "@neaspec", "server": "https://social.example.org"}, []),
            ({"handle": "tbc"}, []),
            ({"handle": HANDLE, "characters": "5000"}, []),
            ({"handle": HANDLE, "characters": "many"}, [("characters", "characters = 500")]),
            ({"handle": HANDLE, "characters": "0"}, [("characters", "characters = 500")]),
        ],
    )
    def test_mistakes_in_options_are_told_without_asking_the_network(self, options, told):
        found = list(Mastodon.mistakes(options))
        assert [name for name, _ in told] == [option for option, _, _ in found]
        assert all(say in hint for (_, say), (_, _, hint) in zip(told, found, strict=True))

    def test_an_account_that_is_not_named_is_refused_before_anything_is_asked(
        self, account, network
    ):
        for handle in ("tbc", ""):
            platform = Quick(account("mastodon", {"handle": handle}, {"token": "t"}))
            with pytest.raises(Refused, match=r"names no account.*channels\.toml"):
                platform.check()

    def test_without_a_token_nothing_is_asked(self, make, network):
        with pytest.raises(Refused, match="no token"):
            make(token="").check()
        assert network.requests == []

    def test_a_token_without_the_right_scopes_is_told_which(self, platform, network):
        network.failure = lambda _f: no(403, "This action is outside the authorized scopes")
        network.next_fault = "refused"
        with pytest.raises(Refused, match="new one with read write:media write:statuses"):
            platform.publish(part(), None)

    def test_an_error_that_quotes_what_we_sent_is_told_without_it(self, platform, network):
        network.failure = lambda _fault: no(422, f"Bad header: Bearer {network.TOKEN}")
        network.next_fault = "refused"
        with pytest.raises(Refused, match="Bad header: Bearer …"):
            platform.publish(part(), None)

    @pytest.mark.parametrize(("status", "kind"), [(301, Refused), (308, Refused), (303, Uncertain)])
    def test_a_server_that_moved_is_named_and_not_followed(self, platform, network, status, kind):
        def moved(_fault):
            reply = no(status, "moved")
            reply.headers = {"Location": "https://new.example.org/api/v1/statuses"}
            return reply

        network.failure, network.next_fault = moved, "refused"
        with pytest.raises(kind, match="new.example.org" if kind is Refused else "no clear answer"):
            platform.publish(part(), None)
        assert [method for method, _ in network.requests] == ["POST"]


class Mock(Behind):
    """mastodon_mock of PyPI, behind a proxy that can lose its answers, as one of its accounts."""

    ALICE = "tok-alice-0123456789"
    ACCOUNTS = 100  # one for each test: the server keeps the keys of posts that are deleted

    def __init__(self, upstream, number):
        self.token = f"tok-neaspec-{number:04}"
        self.handle = f"@neaspec{number}@social.example.org"
        super().__init__(upstream, MastodonNetwork())

    def call(self, method, path, token="", body=None):
        headers = {"Authorization": f"Bearer {token or self.token}"}
        if body:
            headers["Content-Type"] = "application/json"
        return ask(self.upstream, method, f"/api/v1/{path}", body and json.dumps(body), headers)[2]

    def public(self):
        me = self.call("GET", "accounts/verify_credentials")["id"]
        return [
            Kept(
                status["id"],
                self.call("GET", f"statuses/{status['id']}/source")["text"],
                datetime.fromisoformat(status["created_at"]),
                after=status["in_reply_to_id"] or "",
                alts=[media["description"] for media in status["media_attachments"]],
            )
            for status in reversed(self.call("GET", f"accounts/{me}/statuses?limit=40"))
        ]


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    """Makes mastodon_mock's next account."""
    program = installed(
        "mastodon-mock/bin/mastodon_mock", "Mastodon is proven against our own stand-in alone"
    )
    folder = tmp_path_factory.mktemp("mastodon-mock")
    accounts = [(f"neaspec{n}", f"tok-neaspec-{n:04}") for n in range(Mock.ACCOUNTS)]
    seed = "".join(
        f'[[seed.accounts]]\nusername = "{name}"\naccess_token = "{token}"\n'
        for name, token in [*accounts, ("alice", Mock.ALICE)]
    )
    (folder / "mock.toml").write_text(
        f"[auth]\nenforce_scopes = true\n[ratelimit]\nenabled = true\nlimit = 100000\n{seed}"
    )
    base = f"http://127.0.0.1:{(port := free_port())}"
    command = [program, "serve", "--host", "127.0.0.1", "--port", port, "--in-memory"]
    command += ["--config", folder / "mock.toml", "--log-level", "warning"]
    numbers = iter(range(Mock.ACCOUNTS))
    with running(command, lambda: answers(base, "/api/v2/instance"), folder):
        yield lambda: Mock(base, next(numbers))


@pytest.mark.counterpart
class TestMastodonMock(ServerContract):
    name = "mastodon"
    keeps_keys = True
    secrets = ("tok-neaspec", WRONG)

    @pytest.fixture
    def network(self, mock):
        return mock()

    @pytest.fixture
    def make(self, account, base, network):
        class Patient(Quick):
            timeout = 3.0

        def mastodon(token=network.token, base=base):
            options = {"handle": network.handle}
            return Patient(account("mastodon", options, {"token": token}, base=base))

        return mastodon

    def test_a_lost_answer_ends_in_one_copy_by_the_key(self, platform, network):
        network.next_fault = "lost after"
        with pytest.raises(Uncertain):
            platform.publish(part(), None)

        again = platform.publish(part(), None)
        assert (network.copies(TEXT), network.posts[0].id) == (1, again.id)

    def test_a_lost_answer_ends_in_one_copy_by_looking(self, platform, network):
        text = "Join: https://neaspec.org/r?a=1&b=2\n\n5 < 6 & “7”"
        network.next_fault = "lost after"
        begun = datetime.now(UTC)
        with pytest.raises(Uncertain):
            platform.publish(part(text), None)

        found = platform.find(part(text), begun, frozenset())
        assert (network.copies(text), network.posts[0].id) == (1, found.id)

    def test_what_others_do_is_told_and_a_post_can_be_taken_down(self, platform, network):
        first, second = (platform.publish(part(f"{n}.", token=f"{n}" * 32), None) for n in (1, 2))
        for verb in ("favourite", "reblog"):
            network.call("POST", f"statuses/{first.id}/{verb}", Mock.ALICE)
        reply = {"status": "Good.", "in_reply_to_id": first.id}
        network.call("POST", "statuses", Mock.ALICE, reply)

        told = platform.figures([first, second])
        counts = {name: told[first.id][name] for name in ("likes", "shares", "replies")}
        assert counts == {"likes": 1, "shares": 1, "replies": 1}
        assert told[second.id]["likes"] == 0
        assert platform.audience() == {"followers": 0}

        platform.withdraw(second)
        assert network.texts == ["1."]
        assert second.id not in platform.figures([first, second])
