"""The desk behind the door, and a client in front of it."""

import hashlib
import warnings
from collections.abc import Callable

import pytest

from outreach.web.app import create_app

from .desk import CARD, Desk, a_month

with warnings.catch_warnings():
    # Starlette warns that its client would rather have httpx2; httpx serves it as well.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


@pytest.fixture
def desk() -> Desk:
    entries = a_month()
    return Desk(
        entries=entries,
        pictures={hashlib.sha256(CARD).hexdigest(): (CARD, "image/png")},
        targets={"k3v9q2mz": "https://neaspec.example/forum?utm_source=x&utm_medium=social"},
    )


@pytest.fixture
def door() -> Callable[[Desk], TestClient]:
    """Makes a client of a desk's door that follows no redirects."""
    return lambda desk: TestClient(create_app(desk), follow_redirects=False)


@pytest.fixture
def visit(desk: Desk, door: Callable[[Desk], TestClient]) -> TestClient:
    """A client of the door of `desk`."""
    return door(desk)
