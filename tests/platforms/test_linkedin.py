import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from outreach.errors import CannotTell, NotNow, Refused, Uncertain
from outreach.platforms import Corrects, Expires, Receipt, Withdraws
from outreach.platforms.linkedin import VERSION, LinkedIn
from outreach.platforms.linkedin_text import counted, little, shown
from outreach.testing import LONG_AGO, TEXT, ServerContract, part, picture

from .listing import Comments, ListsAHundred, Uploads
from .openapi import against
from .servers import closed_port
from .servers_linkedin import LinkedInNetwork, no, read

OPENAPI = "OUTREACH_LINKEDIN_OPENAPI"
WRONG = "wrong-secret"
MENTION = "@[UNESCAP](urn:li:organization:1234)"
PUBLISHED = {
    "Join: https://neaspec.org/r?utm_source=l&utm_campaign=low_carbon#top": None,
    r"5 < 6 > 4 | {a} [b] (c) *d* _e_ ~f~ \ g@h.org #": None,
    "第五届低碳城市国际论坛 #低碳城市 https://neaspec.org/%E4%B8%AD": None,
    f"With {MENTION}: #LowCarbonCities, #low_carbon and #1": (
        "With UNESCAP: #LowCarbonCities, #low_carbon and #1"
    ),
    "A line\n\nand  two  spaces, Cafe\u0301": None,
}
"""Texts with what LinkedIn reserves, and what people read of them where it is not the same."""


class Quick(LinkedIn):
    timeout = 0.8
    connect = 0.5
    pause = 0.01


@pytest.fixture
def network():
    return LinkedInNetwork()


@pytest.fixture
def make(account, base, shelf):
    def linkedin(page=LinkedInNetwork.PAGE, base=base, *, token=LinkedInNetwork.TOKEN, **more):
        secrets = {"token": token, "client_secret": more.pop("client_secret", "")}
        options = {"page": page, **{k.replace("_", "-"): v for k, v in more.items()}}
        return Quick(account("linkedin", options, secrets, shelf=shelf, base=base))

    return linkedin


@pytest.fixture
def platform(make):
    return make()


@pytest.fixture
def knowing(make):
    """A page whose token's end can be asked for."""
    return make(client_id=LinkedInNetwork.CLIENT, client_secret=LinkedInNetwork.SECRET)


class TestLinkedIn(ListsAHundred, Uploads, Comments, ServerContract):
    name = "linkedin"
    secrets = (LinkedInNetwork.TOKEN, LinkedInNetwork.SECRET, WRONG)

    @pytest.fixture
    def nowhere(self, make):
        return make(base=closed_port())

    @pytest.fixture
    def stranger(self, make):
        return make(token=WRONG)

    def test_the_receipt_is_the_public_address(self, platform, network):
        receipt = platform.publish(part(), None)
        assert f"https://www.linkedin.com/feed/update/{network.posts[0].id}" == receipt.url

    @pytest.mark.parametrize("text", PUBLISHED)
    def test_people_read_the_text_as_it_was_cleared(self, platform, network, text):
        platform.publish(part(text), None)
        assert [PUBLISHED[text] or text] == network.texts

    @pytest.mark.parametrize("text", PUBLISHED)
    @pytest.mark.parametrize("escaped", [True, False], ids=["shown as sent", "shown as read"])
    def test_a_lost_answer_is_found_and_there_is_one_copy(self, platform, network, text, escaped):
        network.escaped, network.next_fault = escaped, "lost after"
        begun = datetime.now(UTC)
        with pytest.raises(Uncertain):
            platform.publish(part(text), None)

        found = platform.find(part(text), begun, frozenset())
        assert [network.posts[0].id] == [found.id]

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
    def test_any_text_is_read_as_it_was_written(self, text):
        """By the stand-in's own reading of LinkedIn's grammar, and by ours."""
        if "@[" not in text:
            assert read(little(text)) == text == shown(little(text))

    def test_what_is_sent_is_counted_escapes_and_all(self, platform, network):
        assert counted("é" * 10) == 10
        assert counted("(a)") == 5
        assert counted("👍") == 2
        assert counted("#air") == len(r"{hashtag|\#|air}")
        with pytest.raises(Refused, match="too long"):
            platform.publish(part("(" * 1501), None)

    def test_a_picture_is_posted_once_it_is_processed(self, platform, network):
        network.processing = 3
        platform.publish(part(pictures=[picture()]), None)
        assert [path for method, path in network.requests if method == "GET"] == [
            "/rest/images/urn:li:image:C4E100"
        ] * 4
        assert [picture().data] == network.pictures

    def test_a_picture_that_is_never_processed_is_for_later(self, platform, network):
        network.processing = 1000
        with pytest.raises(NotNow, match="still processing media/card-1.png"):
            platform.publish(part(pictures=[picture()]), None)
        assert network.texts == []

    def test_the_fence_is_asked_for_the_post_alone(self, platform, network):
        asked = []

        def fence(seconds):
            asked.append((seconds, network.requests[-1][1].rpartition(":")[0]))

        platform.publish(part(pictures=[picture()], fence=fence), None)
        platform.find(part(fence=fence), LONG_AGO, frozenset())
        assert [(Quick.timeout + Quick.connect, "/rest/images/urn:li:image")] == asked

    def test_a_card_shows_the_first_address_and_is_part_of_what_is_cleared(self, make, network):
        platform = make(card="NEASPEC")
        assert "with a card “NEASPEC”" in platform.account
        platform.publish(part("(https://neaspec.org/a에서), https://un.org/"), None)
        article = network.sent[network.posts[0].id]["content"]["article"]
        assert (article["source"], article["title"]) == ("https://neaspec.org/a", "NEASPEC")

        platform.publish(part("No address.", token="b" * 32), None)
        assert "content" not in network.sent[network.posts[1].id]

    def test_the_second_part_is_our_comment_below_the_post_in_plain_text(self, platform, network):
        first = platform.publish(part("One."), None)
        second = platform.publish(part(f"{MENTION}: (agenda) #air", token="b" * 32), first)
        assert network.texts == ["One.", "UNESCAP: (agenda) #air"]
        assert second.url.startswith(f"{first.url}?commentUrn=urn%3Ali%3Acomment")

        with pytest.raises(Refused, match="no pictures"):
            platform.publish(part("More.", pictures=[picture()]), first)

    def test_a_refused_duplicate_names_the_first_and_is_looked_for(self, platform, network):
        """The same text was posted this morning, by another delivery: LinkedIn refuses ours."""
        first = platform.publish(part(token="b" * 32), None)
        network.posts[0].at = datetime.now(UTC) - timedelta(hours=3)
        begun = datetime.now(UTC)
        with pytest.raises(Uncertain, match=f"same text already.*{first.id}"):
            platform.publish(part(), None)
        assert platform.find(part(), begun, frozenset()) is None

    def test_the_same_words_with_other_addresses_are_shown_to_a_person(self, platform, network):
        post = network.keep("Join: https://lnkd.in/a1")
        with pytest.raises(CannotTell, match=post.id):
            platform.find(part("Join: https://neaspec.org/a"), LONG_AGO, frozenset())

    def test_an_empty_listing_where_posts_should_be_cannot_tell(self, platform, network):
        known = frozenset({network.keep("An earlier post of ours.").id})
        assert platform.find(part(), datetime.now(UTC), known) is None
        network.hidden = True
        with pytest.raises(CannotTell, match="lists no posts"):
            platform.find(part(), datetime.now(UTC), known)

    def test_a_post_whose_publishing_failed_is_not_live(self, platform, network):
        network.keep(TEXT)
        shown_as = network.shown
        network.shown = lambda post: {**shown_as(post), "lifecycleState": "PUBLISH_FAILED"}
        assert platform.find(part(), LONG_AGO, frozenset()) is None

    @pytest.mark.parametrize(
        ("asks", "seconds"),
        [("60", 60), ("0", 1), ("99999999", 86_400), (None, 900), ("soon", 900)],
    )
    def test_the_wait_is_what_linkedin_asks_for(self, platform, network, asks, seconds):
        network.retry_after, network.next_fault = asks, "not now"
        with pytest.raises(NotNow) as error:
            platform.publish(part(), None)
        assert (error.value.wait, error.value.everything) == (timedelta(seconds=seconds), True)

    @pytest.mark.parametrize(
        ("status", "body", "kind", "match"),
        [
            (403, {"message": "Not enough permissions"}, Refused, "rw_organization_admin"),
            (426, {"message": "not active"}, Refused, f"no longer takes version {VERSION}"),
            (401, {"code": "EXPIRED_ACCESS_TOKEN"}, Refused, "outreach connect"),
            (409, {"code": "DUPLICATE"}, Uncertain, "same text"),
            (409, {"code": "CONFLICT"}, Uncertain, "no clear answer"),
            (302, {}, Uncertain, "no clear answer"),
            (400, [], Refused, "refuses it"),
        ],
    )
    def test_what_a_status_means(self, platform, network, status, body, kind, match):
        def failure(_fault):
            reply = no(status, "")
            reply.body = body
            return reply

        network.failure, network.next_fault = failure, "refused"
        with pytest.raises(kind, match=match):
            platform.publish(part(), None)

    def test_an_error_that_quotes_the_token_is_told_without_it(self, platform, network):
        network.failure = lambda _f: no(400, f"Bearer {network.TOKEN} is\nno good")
        network.next_fault = "refused"
        with pytest.raises(Refused, match="Bearer … is no good"):
            platform.publish(part(), None)

    def test_figures_of_many_posts_are_asked_for_at_once(self, platform, network):
        receipts = [Receipt(network.keep(f"Post {n}").id, "") for n in range(60)]
        assert platform.figures([]) == {}
        told = platform.figures([*receipts, Receipt("urn:li:ugcPost:1", "")])

        assert len(told) == 60
        assert told[receipts[59].id] == {
            "displays": 250,
            "reach": 120,
            "likes": 3,
            "replies": 1,
            "shares": 2,
        }
        assert len(network.requests) == 3

    def test_a_list_is_plain_and_what_is_in_it_escaped(self, platform, network):
        first = platform.publish(part("One."), None)
        second = platform.publish(part("Two.", token="b" * 32), first)
        platform.figures([first, second])
        statistics, metadata = network.addresses[-2:]
        post, comment = (one.id.rpartition(":")[2].partition(",")[0] for one in (first, second))
        assert statistics.endswith(f"&shares=List(urn%3Ali%3Ashare%3A{post})")
        assert f"?ids=List(urn%3Ali%3Acomment%3A%28urn%3Ali%3Aactivity%3A{comment}%2C" in metadata

    def test_what_linkedin_leaves_out_is_absent_and_not_zero(self, platform, network):
        network.counts = {"likeCount": 0, "engagement": 0.0, "newCount": 5}
        first, second = (network.keep(f"{n}") for n in (1, 2))
        network.unseen = {second.id}
        told = platform.figures([Receipt(first.id, ""), Receipt(second.id, "")])
        assert {first.id: {"likes": 0}} == told

    def test_a_comment_adds_its_reactions_and_no_displays(self, platform, network):
        first = platform.publish(part("One."), None)
        second = platform.publish(part("Two.", token="b" * 32), first)
        added = {"displays": 0, "reach": 0, "likes": 3, "replies": 1, "shares": 0}
        assert added == platform.figures([first, second])[second.id]

    def test_the_followers_are_the_pages(self, platform):
        assert platform.audience() == {"followers": 812}

    def test_posts_and_comments_can_be_corrected_and_taken_down(self, platform, network):
        assert isinstance(platform, Withdraws) and isinstance(platform, Corrects)
        first = platform.publish(part("One."), None)
        second = platform.publish(part("Two.", token="b" * 32), first)
        platform.correct(first, part("One (corrected)."))
        platform.correct(second, part("Two (corrected)."))
        assert network.texts == ["One (corrected).", "Two (corrected)."]

        platform.withdraw(second)
        assert network.texts == ["One (corrected)."]
        platform.withdraw(first)
        platform.withdraw(first)
        assert network.texts == []

    def test_a_correction_asks_no_fence_and_is_no_new_post(self, platform, network):
        asked = []
        receipt = platform.publish(part(), None)
        platform.correct(receipt, part("Corrected.", fence=asked.append))
        assert (asked, network.texts) == ([], ["Corrected."])

    def test_a_check_tells_until_when_the_token_lasts(self, knowing, network):
        assert isinstance(knowing, Expires)
        assert knowing.expires() is None
        ends = datetime.fromtimestamp(network.ends, UTC)
        told = knowing.check()
        assert told == f"linkedin page 2414183: “NEASPEC”, token accepted until {ends:%Y-%m-%d}"
        assert ends == knowing.expires()

        network.active = False
        with pytest.raises(Refused, match="new one"):
            knowing.check()

    def test_a_check_names_the_permissions_that_a_token_lacks(self, knowing, network):
        network.scopes = ["w_organization_social_feed", "r_organization_social"]
        assert knowing.check().endswith("; it lacks rw_organization_admin")
        del network.scopes[0]
        with pytest.raises(Refused, match="may not post: make a new one, with w_organization"):
            knowing.check()

    def test_a_check_says_so_where_the_apps_secret_is_wrong(self, make):
        with pytest.raises(Refused, match="does not know this client-id with this client_secret"):
            make(client_id="client-1", client_secret="another").check()

    def test_without_the_apps_secret_a_check_says_what_it_does_not_know(self, platform):
        assert "until when is not known: give client-id and client_secret" in platform.check()

    def test_a_version_that_is_soon_too_old_is_told(self, account, base):
        secrets = {"token": LinkedInNetwork.TOKEN}
        options = {"page": LinkedInNetwork.PAGE, "version": "202603"}
        for month, soon in ((1, False), (3, True)):
            at = datetime(2027, month, 1, tzinfo=UTC)
            one = Quick(account("linkedin", options, secrets, base=base, now=lambda at=at: at))
            assert soon == ("version 202603 for a year: write a newer one" in one.check())

    def test_the_version_and_the_page_stand_in_every_request(self, make, network):
        with pytest.raises(Refused, match="version 202101"):
            make(version="202101").check()
        with pytest.raises(Refused, match="administrator of the page"):
            make("99").check()

    def test_without_a_page_or_a_token_nothing_is_asked(self, make, network):
        for platform in (make("tbc"), make("")):
            with pytest.raises(Refused, match="names no page"):
                platform.check()
        with pytest.raises(Refused, match="no token"):
            make(token="").check()
        assert network.requests == []

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"page": "2414183", "version": "202607"}, []),
            ({"page": "tbc"}, []),
            ({"page": "neaspec"}, ["page"]),
            ({"page": "1", "version": "2026-07"}, ["version"]),
            ({"page": "1", "version": "202613"}, ["version"]),
        ],
    )
    def test_mistakes_in_options_are_told_without_asking_the_network(self, options, told):
        assert [option for option, _, _ in LinkedIn.mistakes(options)] == told


@pytest.mark.counterpart
def test_every_body_is_one_that_the_description_takes(platform, network):
    """A third party's description: LinkedIn publishes none of its own."""
    if not os.environ.get(OPENAPI):
        pytest.skip(f"{OPENAPI} names no document: requests are held against our own tables alone")
    described = against(yaml.safe_load(Path(os.environ[OPENAPI]).read_text()))
    one = platform.publish(part("One.", pictures=[picture()]), None)
    platform.publish(part("Two.", pictures=[picture(1), picture(2)]), None)
    platform.publish(part("Three.", token="b" * 32), one)
    platform.correct(one, part("One again."))

    names = {
        "/rest/posts/": "/rest/posts/{id}",
        "/comments": "/rest/socialActions/{entityId}/comments",
    }
    wrong = {}
    for path, body in network.bodies:
        if body:
            known = next((name for piece, name in names.items() if piece in path), path)
            wrong.setdefault(known, []).extend(described(known, body))
    # The size is a field of videos; LinkedIn's own page on images has none.
    assert set(wrong.pop("/rest/images")) == {"body.initializeUploadRequest: no fileSizeBytes"}
    assert len(wrong) == 3
    assert not any(wrong.values())
    assert described("/rest/posts", {"author": "x", "bogus": 1})
