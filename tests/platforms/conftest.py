"""One office's accounts, as `open_desk()` hands them to an adapter."""

import pytest

from outreach.testing import DictShelf, account_of

from .servers import closed_port, serving


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
    """Makes an Account."""
    return account_of


@pytest.fixture
def platform(make):
    """An adapter of a network that has a server; its module says how to `make` one."""
    return make()


@pytest.fixture
def nowhere(make):
    """The same, and nobody answers where the server should be."""
    return make(base=closed_port())
