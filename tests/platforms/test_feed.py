from datetime import UTC, datetime

import pytest

from outreach.errors import Refused
from outreach.platforms.feed import Feed, FeedEntry, FeedPicture, entries
from outreach.testing import ALT, TEXT, PlatformContract, part, picture

PUBLIC = "https://outreach.example.org"


class Seen:
    """What a reader of the feed sees."""

    def __init__(self, shelf):
        self.shelf = shelf

    texts = property(lambda self: [e.text for e in reversed(entries(self.shelf, "web", PUBLIC))])
    alts = property(
        lambda self: [p.alt for e in entries(self.shelf, "web", PUBLIC) for p in e.pictures]
    )

    def copies(self, text):
        return self.texts.count(text)


class TestFeed(PlatformContract):
    name = "feed"
    keeps_keys = True

    @pytest.fixture
    def platform(self, account, shelf):
        now = lambda: datetime(2025, 8, 4, 1, tzinfo=UTC)  # noqa: E731 - one line says it
        return Feed(account("web", {"title": "NEASPEC"}, shelf=shelf, now=now))

    @pytest.fixture
    def network(self, shelf):
        return Seen(shelf)

    def test_a_first_line_before_a_blank_one_is_the_title(self, platform, shelf):
        words = "Registration is open\n\nJoin us in Bangkok.\n\nIt is free."
        receipt = platform.publish(
            part(words, token="0123456789abcdef" * 2, language="en", pictures=[picture()]), None
        )

        assert receipt.url == "https://outreach.example.org/feed/web/0123456789abcdef"
        (entry,) = entries(shelf, "web", PUBLIC)
        assert (
            FeedEntry(
                id="0123456789abcdef",
                title="Registration is open",
                text="Join us in Bangkok.\n\nIt is free.",
                language="en",
                published=datetime(2025, 8, 4, 1, tzinfo=UTC),
                pictures=entry.pictures,
                url=receipt.url,
            )
            == entry
        )
        assert isinstance(entry.pictures[0], FeedPicture)
        assert entry.pictures[0].alt == ALT

    @pytest.mark.parametrize("words", ["One line.", "Two\nlines.", "Two\nlines\n\nand more."])
    def test_without_a_title_line_there_is_no_title(self, platform, shelf, words):
        platform.publish(part(words), None)
        assert [("", words)] == [
            (entry.title, entry.text) for entry in entries(shelf, "web", PUBLIC)
        ]

    def test_a_part_without_a_token_cannot_be_kept(self, platform, network):
        with pytest.raises(Refused, match="token"):
            platform.publish(part(token=""), None)
        assert network.texts == []

    def test_a_second_attempt_answers_with_the_first_entry_not_the_new_words(
        self, platform, network
    ):
        first = platform.publish(part("As cleared."), None)
        assert first == platform.publish(part("As changed since."), None)
        assert network.texts == ["As cleared."]


def test_an_entry_that_is_taken_down_is_gone_and_its_text_is_kept(account, shelf):
    feed = Feed(account("web", shelf=shelf))
    receipt = feed.publish(part(pictures=[picture()]), None)
    feed.withdraw(receipt)
    assert entries(shelf, "web", PUBLIC) == []
    assert shelf.get("a" * 32)["text"] == TEXT
    assert "0 entries" in feed.check()


def test_a_corrected_entry_says_when(account, shelf):
    feed = Feed(account("web", shelf=shelf))
    receipt = feed.publish(part(), None)
    feed.correct(receipt, part("Put right\n\nIt is ten o'clock."))
    (entry,) = entries(shelf, "web", PUBLIC)
    assert (entry.id, entry.title, entry.text) == (receipt.id, "Put right", "It is ten o'clock.")
    assert entry.published <= entry.updated
