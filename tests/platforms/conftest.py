"""One office's accounts, as `open_desk()` hands them to an adapter."""

import pytest

from outreach.testing import DictShelf, account_of

from .servers import serving


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
