from datetime import UTC, datetime

import pytest

from outreach.errors import CannotTell, Handed, NotAllowed, NotFound
from outreach.platforms.manual import Manual
from outreach.testing import ALT, LONG_AGO, TEXT, PlatformContract, part, picture

AT = datetime(2025, 8, 4, 3, tzinfo=UTC)
URL = "https://www.linkedin.com/feed/update/urn:li:activity:1"


class Prompt(Manual):
    """The channel of a person who posts at once whatever is handed over."""

    def publish(self, part, after):
        try:
            return super().publish(part, after)
        except Handed:
            return self.done(part.token, f"https://example.org/{part.token}", AT)


class Seen:
    """What that person has posted."""

    def __init__(self, shelf):
        self.shelf = shelf

    tasks = property(lambda self: [task for _, task in reversed(self.shelf.list())])
    texts = property(lambda self: [task["text"] for task in self.tasks if task["url"]])
    alts = property(lambda self: [p["alt"] for task in self.tasks for p in task["pictures"]])

    def copies(self, text):
        return self.texts.count(text)


class TestManual(PlatformContract):
    name = "manual"
    keeps_keys = True

    @pytest.fixture
    def platform(self, account, shelf):
        return Prompt(account("linkedin", {"name": "LinkedIn page"}, shelf=shelf))

    @pytest.fixture
    def network(self, shelf):
        return Seen(shelf)

    @pytest.fixture
    def channel(self, account, shelf):
        """The channel itself, with nobody there yet."""
        return Manual(account("linkedin", {"name": "LinkedIn page"}, shelf=shelf, now=lambda: AT))

    def test_the_task_has_all_that_a_person_needs(self, channel, shelf):
        with pytest.raises(Handed, match="LinkedIn page"):
            channel.publish(part(pictures=[picture()], language="ko"), None)

        (token, task), *more = shelf.list()
        assert (token, more) == ("a" * 32, [])
        assert (
            task["text"],
            task["language"],
            task["account"],
            task["url"],
        ) == (TEXT, "ko", "manual LinkedIn page", "")
        assert (
            task["pictures"][0]["file"],
            task["pictures"][0]["alt"],
        ) == ("media/card-1.png", ALT)
        assert datetime.fromisoformat(task["due"]) == AT
        assert "1 waiting" in channel.check()

    def test_until_somebody_says_so_nobody_can_tell(self, channel):
        with pytest.raises(Handed):
            channel.publish(part(), None)
        with pytest.raises(CannotTell, match=TEXT):
            channel.find(part(), LONG_AGO, frozenset())

    def test_the_pasted_address_is_the_receipt(self, channel, shelf):
        with pytest.raises(Handed):
            channel.publish(part(), None)
        receipt = channel.done("a" * 32, f" {URL}\n", AT)

        assert (receipt.id, receipt.url, receipt.at) == (URL, URL, AT)
        assert receipt == channel.find(part(), LONG_AGO, frozenset())
        assert receipt == channel.publish(part(), None)

    def test_absent_is_believed_and_the_task_can_be_handed_over_again(self, channel, shelf):
        with pytest.raises(Handed):
            channel.publish(part(), None)
        channel.absent("a" * 32)
        assert channel.find(part(), LONG_AGO, frozenset()) is None

        with pytest.raises(Handed):
            channel.publish(part(), None)
        with pytest.raises(CannotTell):
            channel.find(part(), LONG_AGO, frozenset())

    @pytest.mark.parametrize(
        "pasted",
        ["", "posted it", "www.example.org/1", "javascript:alert(1)", "https://", "https://a b"],
    )
    def test_what_is_no_address_is_not_taken(self, channel, shelf, pasted):
        with pytest.raises(Handed):
            channel.publish(part(), None)
        with pytest.raises(NotAllowed, match="not the address"):
            channel.done("a" * 32, pasted, AT)

    def test_one_address_is_not_two_posts(self, channel, shelf):
        for token in ("a" * 32, "b" * 32):
            with pytest.raises(Handed):
                channel.publish(part(token=token), None)
        channel.done("a" * 32, URL, AT)
        with pytest.raises(NotAllowed, match="another post"):
            channel.done("b" * 32, URL, AT)

    def test_an_unknown_task_is_not_found(self, channel):
        with pytest.raises(NotFound):
            channel.done("c" * 32, URL, AT)
        with pytest.raises(NotFound):
            channel.absent("c" * 32)
