"""One office's accounts, as `open_desk()` hands them to an adapter."""

from datetime import UTC, datetime

import pytest

from outreach.platforms import Account

from .servers import DictShelf, closed_port, serving


@pytest.fixture
def base(network):
    """Where the stand-in of a network is served; a test's module says which."""
    with serving(network) as url:
        yield url


@pytest.fixture
def shelf():
    """What an office keeps for a channel."""
    return DictShelf()


@pytest.fixture
def account():
    """Makes an Account; what is not given is as an office without a network has it."""

    def make(channel, options=None, secrets=None, *, shelf=None, base="", now=None):
        return Account(
            channel=channel,
            options=options or {},
            secrets=secrets or {},
            shelf=shelf if shelf is not None else DictShelf(),
            now=now or (lambda: datetime.now(UTC)),
            base=base,
            public="https://outreach.example.org",
        )

    return make


@pytest.fixture
def platform(make):
    """An adapter of a network that has a server; its module says how to `make` one."""
    return make()


@pytest.fixture
def nowhere(make):
    """The same, and nobody answers where the server should be."""
    return make(base=closed_port())
