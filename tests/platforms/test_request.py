from dataclasses import replace
from datetime import UTC, datetime

import pytest

from outreach.errors import CannotTell, Handed, NotNow, Refused, Uncertain
from outreach.platforms.request import Request
from outreach.testing import LONG_AGO, PlatformContract, part

from .test_manual import Seen

AT = datetime(2025, 8, 4, 3, tzinfo=UTC)
OPTIONS = {"name": "ESCAP", "to": "press@escap.example.org"}


class Prompt(Request):
    """The account of an office that publishes at once whatever it is asked."""

    def publish(self, part, after):
        try:
            return super().publish(part, after)
        except Handed:
            return self.done(part.token, f"https://example.org/{part.token}", AT)


class TestRequest(PlatformContract):
    name = "request"
    keeps_keys = True

    @pytest.fixture
    def platform(self, account, shelf):
        given = account("escap", OPTIONS, shelf=shelf)
        return Prompt(replace(given, package=lambda part: None))

    @pytest.fixture
    def network(self, shelf):
        return Seen(shelf)

    @pytest.fixture
    def made(self, account, shelf):
        """An account whose packages are counted, and end as told."""

        def make(error=None):
            sent = []

            def package(part):
                sent.append(part.token)
                if error:
                    raise error

            return Request(replace(account("escap", OPTIONS, shelf=shelf), package=package)), sent

        return make

    def test_the_package_goes_before_it_is_handed_over(self, made):
        request, sent = made()
        with pytest.raises(Handed, match="the package went to press@escap.example.org"):
            request.publish(part(), None)
        assert sent == ["a" * 32]
        with pytest.raises(CannotTell, match="whether the package arrived"):
            request.find(part(), LONG_AGO, frozenset())

    @pytest.mark.parametrize("error", [Refused("no"), NotNow("later"), Uncertain("lost")])
    def test_what_became_of_the_mail_is_what_became_of_the_request(self, made, error):
        request, _ = made(error)
        with pytest.raises(type(error)):
            request.publish(part(), None)

    def test_after_a_lost_answer_only_a_person_can_tell(self, made):
        """Never None: that would have it sent again."""
        request, _ = made(Uncertain("lost"))
        with pytest.raises(Uncertain):
            request.publish(part(), None)
        with pytest.raises(CannotTell):
            request.find(part(), LONG_AGO, frozenset())

    def test_what_has_an_address_is_not_asked_for_again(self, made):
        request, sent = made()
        with pytest.raises(Handed):
            request.publish(part(), None)
        receipt = request.done("a" * 32, "https://www.unescap.org/news/1", AT)
        assert request.publish(part(), None) == receipt
        assert sent == ["a" * 32]

    def test_without_a_mail_server_nothing_can_go(self, account, shelf):
        with pytest.raises(Refused, match="no mail server"):
            Request(account("escap", OPTIONS, shelf=shelf)).publish(part(), None)

    @pytest.mark.parametrize("to", ["", "nobody", "a@b", "a@b.org, c@d.org"])
    def test_an_address_that_is_none_is_a_mistake(self, to):
        assert [option for option, _, _ in Request.mistakes({"to": to})] == ["to"]
        assert list(Request.mistakes({"to": "tbc"})) == []
