"""The house's own rules, and a picture to hold against them."""

from dataclasses import replace
from pathlib import Path

import pytest

from outreach.compose.style import House, load_style
from outreach.post import Picture
from tests.conftest import REPOSITORY

RULES = REPOSITORY / "config" / "house-style"
PICTURE = Picture(
    file="harbour-at-dawn.png",
    sha256="0" * 64,
    type="image/png",
    width=800,
    height=600,
    size=1000,
    alt="Cranes stand over a row of ships in the first light",
)


def picture(**changes: str) -> Picture:
    return replace(PICTURE, **changes)


@pytest.fixture(scope="session")
def house() -> House:
    loaded = load_style(RULES, root=REPOSITORY)
    assert loaded.problems == ()
    return loaded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "house-style"
    made.mkdir()
    return made
