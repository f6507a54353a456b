import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from outreach.errors import CannotTell, NotNow, Refused, Uncertain
from outreach.platforms import Receipt
from outreach.platforms.x import X
from outreach.platforms.x_text import weighted
from outreach.testing import LONG_AGO, TEXT, ServerContract, part, picture, video

from .listing import ListsAHundred, Uploads
from .openapi import against
from .servers import XNetwork, closed_port, spent
from .servers_oauth import XAuthority

OPENAPI = "OUTREACH_X_OPENAPI"
SRT = b"1\n00:00:00,500 --> 00:00:02,000\nClean air is shared.\n\n"
AT = {"date": "Wed, 21 Oct 2026 07:20:00 GMT"}  # what X's clock says


class Quick(X):
    timeout = 0.8
    connect = 0.5
    pause = 0.01
    watching = 0.5


@pytest.fixture(params=["tweet", "post"])
def network(request):
    """X as its API spoke until August 2026, and since."""
    return XNetwork(generation=request.param)


@pytest.fixture
def make(account, base):
    def x(handle="@neaspec", base=base, **secrets):
        return Quick(account("x", {"handle": handle}, XNetwork.SECRETS | secrets, base=base))

    return x


class TestX(ListsAHundred, Uploads, ServerContract):
    name = "x"
    secrets = (*XNetwork.SECRETS.values(), "wrong-secret")

    @pytest.fixture
    def stranger(self, make):
        return make(access_token="wrong-secret")

    def test_what_x_says_it_has_not_deleted_is_looked_for(self, platform, network):
        receipt = platform.publish(part(), None)
        network.stubborn.add(receipt.id)
        with pytest.raises(Refused, match="delete it there"):
            platform.withdraw(receipt)
        assert network.texts == [TEXT]

    def test_the_receipt_is_the_public_address(self, platform, network):
        receipt = platform.publish(part(), None)
        assert f"https://x.com/neaspec/status/{network.posts[0].id}" == receipt.url

    @pytest.mark.parametrize(
        ("text", "count"),
        [
            ("a" * 280, 280),
            ("é" * 10, 10),
            ("e\u0301" * 10, 10),  # counted in normal form
            ("地" * 10, 20),
            ("👨‍👩‍👧‍👦" * 10, 20),
            ("see https://neaspec.org/a-very-long-address?utm_source=x now", 31),
            ("neaspec.org", 23),  # an address without a scheme is one too
        ],
    )
    def test_x_counts_by_weight(self, text, count):
        assert count == weighted(text)

    def test_a_text_over_the_limit_is_refused(self, platform, network):
        with pytest.raises(Refused, match="too long"):
            platform.publish(part("é" * 281), None)
        assert network.texts == []

    @pytest.mark.parametrize(
        "text",
        [
            "Join: https://neaspec.org/r?utm_source=x&utm_campaign=forum and https://un.org/",
            "5 < 6 & 7 > 6, “quoted”\n\n  two  spaces",
            "Cafe\u0301 at neaspec.org",
            "일반 텍스트 https://neaspec.org",
        ],
    )
    @pytest.mark.parametrize("pictures", [(), (picture(),)])
    def test_what_x_rewrites_is_found_again(self, platform, network, text, pictures):
        network.next_fault = "lost after"
        begun = datetime.now(UTC)
        with pytest.raises(Uncertain):
            platform.publish(part(text, pictures=pictures), None)

        found = platform.find(part(text, pictures=pictures), begun, frozenset())
        assert (network.posts[0].id, network.posts[0].at) == (found.id, found.at)

    def test_a_refused_duplicate_is_uncertain_and_last_weeks_copy_is_not_ours(
        self, platform, network
    ):
        """The same text was posted this morning, by another delivery: X refuses ours for it."""
        morning = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
        network.keep(TEXT, at=morning)
        begun = datetime.now(UTC)

        with pytest.raises(Uncertain, match="same text"):
            platform.publish(part(), None)
        assert platform.find(part(), begun, frozenset()) is None

    def test_the_same_words_with_other_addresses_are_shown_to_a_person(self, platform, network):
        post = network.keep("Join: https://neaspec.org/a?utm_content=1")
        with pytest.raises(CannotTell, match=post.id):
            platform.find(part("Join: https://neaspec.org/a?utm_content=2"), LONG_AGO, frozenset())

    def test_an_empty_timeline_where_posts_should_be_cannot_tell(self, platform, network):
        network.keep("An earlier post of ours.")
        known = frozenset({network.posts[0].id})
        later = datetime.now(UTC) + timedelta(hours=1)
        assert platform.find(part(), later, known) is None
        network.hidden = True
        with pytest.raises(CannotTell, match="empty timeline"):
            platform.find(part(), later, known)

    def test_the_fence_is_asked_for_the_post_alone(self, platform, network):
        asked = []

        def fence(seconds):
            asked.append((seconds, network.requests[-1]))

        platform.publish(part(pictures=[picture()], fence=fence), None)
        platform.find(part(fence=fence), LONG_AGO, frozenset())
        assert [(Quick.timeout + Quick.connect, ("POST", "/2/media/metadata"))] == asked

    def test_the_wait_is_until_the_window_ends(self, platform, network):
        network.next_fault = "not now"
        with pytest.raises(NotNow) as error:
            platform.publish(part(), None)
        assert timedelta(seconds=50) < error.value.wait <= timedelta(seconds=61)

    @pytest.mark.parametrize(
        ("headers", "least", "most"),
        [
            ({"retry-after": "120"}, 120, 120),
            ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", **AT}, 480, 480),
            (spent("x-user-limit-24hour", 7200), 6000, 7200),
            (spent("x-rate-limit", 900) | spent("x-app-limit-24hour", 7200), 6000, 7200),
            ({"retry-after": "5", **spent("x-rate-limit", 900)}, 300, 900),
            # X's clock and ours need not agree: its own says how long.
            ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1792567680", **AT}, 480, 480),
            ({}, 900, 900),
            ({"x-rate-limit-reset": "1"}, 1, 1),
            ({"retry-after": "0"}, 1, 1),
            ({"retry-after": "99999999999999"}, 86_400, 86_400),
            ({"retry-after": "9" * 400}, 900, 900),
            ({"retry-after": "soon", "x-rate-limit-reset": "tomorrow"}, 900, 900),
            ({"retry-after": "-5"}, 900, 900),
            ({"retry-after": "Wed, 21 Oct 2026 07:28:00 -0000", **AT}, 1, 86_400),
            ({"retry-after": "Mon, 1 Jan 0001 00:00:00 +0000", **AT}, 1, 900),
            ({"date": "yesterday", "x-rate-limit-reset": "99999999999"}, 86_400, 86_400),
        ],
    )
    def test_a_429_says_how_long_whatever_stands_in_its_headers(
        self, platform, network, headers, least, most
    ):
        network.next_fault, network.asks = "not now", headers
        with pytest.raises(NotNow) as error:
            platform.publish(part(), None)
        assert least <= error.value.wait.total_seconds() <= most
        assert error.value.everything
        assert network.texts == []

    def test_a_429_for_a_picture_is_that_post_s_alone(self, platform, network):
        network.faults = {"upload": "not now"}
        with pytest.raises(NotNow) as error:
            platform.publish(part(pictures=[picture()]), None)
        assert not error.value.everything

    @pytest.mark.parametrize("window", ["x-rate-limit", "x-user-limit-24hour"])
    def test_a_yes_that_was_the_last_of_its_window_says_so(self, platform, network, window):
        network.headers = spent(window, 300)
        pause = platform.publish(part(), None).pause
        assert timedelta(seconds=295) <= pause <= timedelta(seconds=300)

    @pytest.mark.parametrize("reset", ["soon", "-1", "9" * 99, "", "٣"])
    def test_a_yes_is_a_yes_whatever_stands_in_its_headers(self, platform, network, reset):
        wrong = {"x-rate-limit-reset": reset.encode().decode("latin-1"), "date": "a moment ago"}
        network.headers = {**spent("x-rate-limit", 300), **wrong}
        assert platform.publish(part(), None).pause == timedelta(0)

    def test_a_yes_that_leaves_room_asks_for_no_pause(self, platform, network):
        network.headers = {**spent("x-rate-limit", 300), "x-rate-limit-remaining": "1"}
        assert platform.publish(part(), None).pause == timedelta(0)

    @pytest.mark.parametrize(
        ("text", "pictures", "cost"),
        [
            ("Hello.", 0, "0.015"),
            ("See https://neaspec.org/a", 0, "0.20"),
            ("See neaspec.org", 0, "0.20"),  # X makes an address of it
            ("Hello.", 2, "0.025"),
        ],
    )
    def test_a_post_with_an_address_costs_more(self, text, pictures, cost):
        one = part(text, pictures=[picture(n) for n in range(pictures)])
        assert X.limits.costs.of(one) == Decimal(cost)

    def test_figures_of_many_posts_are_asked_for_at_once(self, platform, network):
        receipts = [Receipt(network.keep(f"Post {n}").id, "") for n in range(150)]
        platform.figures([])
        told = platform.figures([*receipts, Receipt("1", "")])

        assert len(told) == 150
        assert (told[receipts[149].id]) == {
            "displays": 250,
            "likes": 3,
            "shares": 2,
            "quotes": 0,
            "replies": 1,
        }
        lists = [path for _, path in network.requests if path == "/2/tweets"]
        assert len(lists) == (2 if network.generation == "tweet" else 3)

    def test_its_own_count_of_clicks_is_read_for_thirty_days(self, platform, network):
        now = datetime.now(UTC)

        def kept(text, days, told=True):
            post = network.keep(text, now - timedelta(days=days))
            return Receipt(post.id, "", post.at if told else None)

        fresh, plain = kept("See https://neaspec.org", 28), kept("No address.", 28)
        late, unsure = kept("See https://neaspec.org/a", 31), kept("See https://x.org", 31, False)
        told = platform.figures([fresh, plain, late, unsure])
        clicks = {id_: figures.get("clicks") for id_, figures in told.items()}
        assert clicks == {fresh.id: 9, plain.id: None, late.id: None, unsure.id: None}
        assert {figures["displays"] for figures in told.values()} == {250}

    def test_where_x_tells_nobody_clicks_the_public_figures_are_read(self, platform, network):
        network.own = False
        receipt = platform.publish(part("See https://neaspec.org"), None)
        figures = platform.figures([receipt])[receipt.id]
        assert (figures["likes"], "clicks" in figures) == (3, False)
        assert platform.find(part("See https://neaspec.org"), LONG_AGO, frozenset())

    def test_a_figure_that_x_does_not_tell_is_absent_and_not_zero(self, platform, network):
        network.metrics = {"like_count": 0, "bookmark_count": None, "new_count": 5}
        receipt = platform.publish(part(), None)
        assert {receipt.id: {"likes": 0}} == platform.figures([receipt])

    def test_the_followers_are_the_accounts(self, platform):
        assert platform.audience() == {"followers": 812}

    def test_a_check_names_the_account_and_refuses_another(self, make):
        assert (
            make("@NEASPEC").check().replace("@NEASPEC", "@neaspec")
            == "x @neaspec: “NEASPEC”, tokens accepted"
        )
        with pytest.raises(Refused, match=r"tokens are for @neaspec, but .* says @unescap"):
            make("@unescap").check()

    def test_missing_secrets_are_named(self, make, network):
        with pytest.raises(Refused, match="x has no access_token, access_token_secret"):
            make(access_token="", access_token_secret="").check()
        assert network.requests == []

    def test_an_app_that_may_only_read_is_told_what_to_do(self, platform, network, monkeypatch):
        detail = "Your client app is not configured with the appropriate oauth1 app permissions"

        def failure(_fault):
            from .servers import problem

            reply = problem(403, "Forbidden", detail)
            reply.body["type"] = "https://api.twitter.com/2/problems/oauth1-permissions"
            return reply

        network.failure = failure
        network.next_fault = "refused"
        with pytest.raises(Refused, match="Read and write"):
            platform.publish(part(), None)


class TestXInABrowser(ServerContract):
    """With a token that X gave in a browser, instead of the four that it gives by hand."""

    name = "x"
    secrets = ("bearer-secret-1", "wrong-secret", "cs-secret-9")

    @pytest.fixture
    def network(self):
        made = XAuthority(generation="post")
        made.tokens.add("bearer-secret-1")
        return made

    @pytest.fixture
    def make(self, account, base):
        def x(handle="@neaspec", base=base, token="bearer-secret-1"):
            options = {"handle": handle, "client-id": "app-1"}
            secrets = {"token": token, "client_secret": "cs-secret-9"}
            return Quick(account("x", options, secrets, base=base))

        return x

    @pytest.fixture
    def nowhere(self, make):
        return make(base=closed_port())

    @pytest.fixture
    def stranger(self, make):
        return make(token="wrong-secret")

    def test_pictures_have_their_alt_text(self, platform, network):
        platform.publish(part(pictures=[picture()]), None)
        assert network.alts == [picture().alt]
        assert platform.check() == "x @neaspec: “NEASPEC”, tokens accepted"


@pytest.fixture
def described():
    """A check of a body against X's own OpenAPI document: required, unknown, enum, type."""
    if not os.environ.get(OPENAPI):
        pytest.skip(f"{OPENAPI} names no document: requests are not proven against X's own")
    return against(json.loads(Path(os.environ[OPENAPI]).read_text()))


def talk(**values):
    """A video as X takes it: with SRT beside it."""
    words = video("ko", captions=SRT)
    return replace(words, captions=replace(words.captions, type="text/srt"), **values)


class TestVideos:
    def test_one_is_sent_in_pieces_and_posted_with_its_subtitles_once_processed(
        self, platform, network, monkeypatch
    ):
        monkeypatch.setattr("outreach.platforms.x.PIECE", 30)
        network.processing = 3
        one = part(pictures=[talk()])
        begun = datetime.now(UTC) - timedelta(seconds=1)
        network.next_fault = "lost after"
        with pytest.raises(Uncertain):
            platform.publish(one, None)
        assert platform.find(one, begun, frozenset())
        assert (network.pictures, network.alts) == ([talk().data], [""])
        asked = [path for path, _ in network.bodies]
        assert sum(path.endswith("/append") for path in asked) == 3
        assert asked.index("/2/media/subtitles") < asked.index("/2/tweets")
        ((words,),) = network.subtitles.values()
        assert (words["language_code"], words["display_name"]) == ("KO", "한국어")
        assert network.media[words["id"]][0] == SRT

    def test_one_without_speech_has_no_subtitles(self, platform, network):
        platform.publish(part(pictures=[video(heard="no-speech")]), None)
        assert (network.texts, network.subtitles) == ([TEXT], {})

    def test_one_that_x_cannot_process_is_refused_with_its_reason(self, platform, network):
        network.state = "failed"
        with pytest.raises(Refused, match="cannot process media/talk.mp4: Unsupported frame rate"):
            platform.publish(part(pictures=[talk()]), None)
        assert network.texts == []

    def test_one_that_is_never_processed_is_for_later(self, platform, network):
        network.processing = 10_000
        with pytest.raises(NotNow, match="still processing media/talk.mp4"):
            platform.publish(part(pictures=[talk()]), None)
        assert network.texts == []

    @pytest.mark.parametrize("fault", ["lost after", "500 after", "hang"])
    def test_an_upload_without_an_answer_makes_no_doubt(self, platform, network, fault):
        network.faults["upload"] = fault
        with pytest.raises(NotNow, match="did not arrive"):
            platform.publish(part(pictures=[talk()]), None)
        assert network.texts == []


@pytest.mark.counterpart
def test_every_body_is_one_that_x_describes(platform, network, described):
    first = platform.publish(
        part("One.", pictures=[picture(n, "é" * 1000) for n in range(4)]), None
    )
    platform.publish(part("Two.", token="b" * 32, pictures=[talk()]), first)

    sent = [(path, body) for path, body in network.bodies if body]
    named = [(re.sub(r"/\d{5,}/", "/{id}/", path), body) for path, body in sent]
    assert {path for path, _ in named} == {
        *("/2/tweets", "/2/media/upload", "/2/media/metadata", "/2/media/subtitles"),
        *("/2/media/upload/initialize", "/2/media/upload/{id}/append"),
    }
    for path, body in named:
        assert described(path, body) == []
    assert described("/2/tweets", {"text": "x", "media": {"media_ids": ["x"] * 5}, "bogus": 1})
