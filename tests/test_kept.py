"""What was composed is kept: used for exactly what it was made from, and for nothing else."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from outreach import kept
from outreach.app import open_desk
from outreach.config import read_configuration
from outreach.delivery import Delivery, State
from outreach.errors import WrongFiles
from outreach.post import Part, Post, Slot
from tests.conftest import PEOPLE_TOML, Office, apply

CAMPAIGN = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
audiences: {main: {en: [net]}}
messages:
  news: {at: "2025-07-21 09:00 Asia/Bangkok", to: main}
"""
KEY = "c/news/en@net"


@pytest.fixture
def desk(office: Office, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    office.campaign(CAMPAIGN, news="## en\nSome words.\n")
    return office.open()


@pytest.fixture
def composed():
    """Reads an office's files; a line for each time that texts were really composed."""
    times: list[int] = []

    def read(desk):
        texts: list[int] = []
        found = desk.files(lambda done, _of: texts.append(done))
        times.extend([1] if texts else [])
        return found

    read.times = times
    return read


def test_unchanged_files_are_composed_once_also_by_another_process(desk, office, composed):
    first = composed(desk)
    assert composed(desk) == first
    assert composed(office.open()) == first
    assert desk.plan().hash == office.open().plan().hash
    assert len(composed.times) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("templates/posts/c/news.md", "## en\nOther words.\n"),
        ("campaigns/c.yaml", CAMPAIGN.replace("09:00", "10:00")),
        ("config/channels.toml", '[net]\nplatform = "memory"\nas = "x"\n'),
        ("config/outreach.toml", '[office]\nname = "Another"\nzone = "Asia/Seoul"\n'),
        ("config/people.toml", PEOPLE_TOML.replace("[ana]", "[anna]")),
        ("media/card.png", "no picture"),
    ],
)
def test_whatever_changes_is_composed_anew(desk, office, composed, name, text):
    composed(desk)
    office.write(name, text)
    composed(office.open())
    assert len(composed.times) == 2


def test_another_day_has_other_occasions(desk, office, composed):
    composed(desk)
    office.clock.forward(days=1)
    composed(desk)
    assert len(composed.times) == 2


def test_an_extra_that_comes_or_goes_is_asked_anew(desk, composed, monkeypatch):
    composed(desk)
    monkeypatch.setitem(sys.modules, "lingua", None)
    kept.program.cache_clear()
    composed(desk)
    assert len(composed.times) == 2
    monkeypatch.undo()
    kept.program.cache_clear()


def test_a_file_that_others_can_read_or_write_is_not_used(desk, composed):
    composed(desk)
    [file] = kept.folder().glob("*.composed")
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    composed(desk)
    assert len(composed.times) == 2


class Evil:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return (os.mkdir, ("evil",))


def test_what_stands_under_another_key_is_not_even_looked_into(
    desk, composed, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    composed(desk)
    [file] = kept.folder().glob("*.composed")
    file.write_bytes(b"x" * 32 + pickle.dumps(Evil()))
    composed(desk)
    assert not (tmp_path / "evil").exists()
    assert len(composed.times) == 2


@pytest.mark.parametrize("damage", [b"", b"x", b"x" * 5000])
def test_a_damaged_file_is_made_anew(desk, composed, damage):
    before = composed(desk)
    [file] = kept.folder().glob("*.composed")
    file.write_bytes(file.read_bytes()[:40] + damage)
    assert composed(desk) == before
    assert len(composed.times) == 2
    assert composed(desk) == before
    assert len(composed.times) == 2


def test_where_nothing_can_be_kept_it_works_all_the_same(desk, composed, tmp_path, monkeypatch):
    (tmp_path / "none").write_text("a file, not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    assert composed(desk).drafts[KEY].post
    composed(desk)
    assert len(composed.times) == 2


UNCHANGED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from outreach.app import open_desk
desk = open_desk(Path(sys.argv[1]), now=lambda: datetime(2025, 7, 1, tzinfo=UTC))
desk.plan(desk.files())
desk.close()
print(*sys.modules)
"""


def test_files_that_have_not_changed_import_nothing_of_what_reads_and_renders_them(desk, office):
    """A start is most of what such a look takes."""
    heavy = {"yaml", "jinja2", "alembic", "babel", "holidays", "tweepy", "apscheduler"}
    heavy |= {"sqlalchemy", "dotenv", "concurrent.futures", "pydantic", "importlib.metadata"}
    heavy |= {f"outreach.{name}" for name in ("campaign.load", "publish", "measure.imports")}
    heavy |= {f"outreach.{name}" for name in ("report.gather", "compose.reachable")}
    loaded = []
    for _ in range(2):
        told = subprocess.run(
            [sys.executable, "-c", UNCHANGED, str(office.home)],
            check=True,
            capture_output=True,
            text=True,
        )
        loaded.append(heavy & set(told.stdout.split()))
    assert "outreach.campaign.load" in loaded[0]
    assert loaded[1] == set()


# --- a second look is right, whatever has changed since the first ------------------------------

RULES = """
version: 1
language: en
signed-off-by: An Editor
sources: {{house: our own rules}}
rules:
- {{id: O01, severity: E, re: '{word}', use: another, src: [house]}}
"""
SEEN = CAMPAIGN.replace(
    "  news: {at: ", '  soon: {at: "2025-07-20 08:30 Asia/Bangkok", to: main}\n  news: {at: '
).replace(", to: main}\n", ', to: main, media: [{file: card.png, alt: "A card"}]}\n')


def card(colour: str) -> bytes:
    made = BytesIO()
    Image.new("RGB", (60, 40), colour).save(made, "PNG")
    return made.getvalue()


def again(office: Office) -> dict[str, Any]:
    """What a process that has just begun says that the files would change."""
    desk = open_desk(office.home, now=office.clock)
    try:
        return desk.plan().as_data()
    finally:
        desk.close()


def dropped(office: Office) -> None:
    with office.open().store.writing() as session:
        session.get_one(Delivery, KEY).move(State.DROPPED)


def gone(office: Office) -> None:
    with office.open().store.writing() as session:
        session.query(Delivery).delete()


CHANGES: dict[str, Callable[[Office], object]] = {
    "a text": lambda office: office.write("templates/posts/c/news.md", "## en\nOther words.\n"),
    "a campaign": lambda office: office.write("campaigns/c.yaml", SEEN.replace("09:00", "10:00")),
    "a campaign that is gone": lambda office: (office.home / "campaigns" / "c.yaml").unlink(),
    "a file that broke": lambda office: office.write("campaigns/c.yaml", SEEN + "broken\n"),
    "a picture": lambda office: office.write("media/card.png", card("red")),
    "a picture that is gone": lambda office: (office.home / "media" / "card.png").unlink(),
    "a rule of the house's style": lambda office: office.write(
        "config/house-style/en.yaml", RULES.format(word="Some")
    ),
    "a channel": lambda office: office.write(
        "config/channels.toml", '[net]\nplatform = "memory"\nlanguages = ["ko"]\n'
    ),
    "the time, past a slot": lambda office: office.clock.forward(hours=1),
    "a row that was dropped": dropped,
    "all rows": gone,
}
ONLY = {"the time, past a slot": False, "a row that was dropped": True, "all rows": True}
"""What changes a plan only before anything was applied, or after."""


@pytest.mark.parametrize(
    ("change", "applied"),
    [(one, done) for one in CHANGES for done in (False, True) if ONLY.get(one, done) is done],
)
def test_a_second_look_says_what_a_first_one_would(office, monkeypatch, tmp_path, change, applied):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    office.campaign(SEEN, news="## en\nSome words.\n", soon="## en\nMore words.\n")
    office.write("media/card.png", card("teal"))
    office.write("config/house-style/en.yaml", RULES.format(word="never"))
    desk = office.open()
    if applied:
        apply(desk)
    before = again(office)
    assert again(office) == before
    CHANGES[change](office)
    found = again(office)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nothing kept"))
    assert found == again(office)
    assert found != before


def test_what_was_right_in_other_settings_is_looked_at_anew(office, desk):
    office.write("config/channels.toml", '[net]\nplatform = "memory"\n')
    assert set(open_desk(office.home).channels) == {"net"}
    office.write("config/channels.toml", '[net]\nplatform = "memroy"\n')
    with pytest.raises(WrongFiles, match="did you mean memory"):
        open_desk(office.home)
    (office.home / "config" / "channels.toml").unlink()
    with pytest.raises(WrongFiles, match="there is no such file"):
        open_desk(office.home)


def test_a_password_in_a_database_s_address_is_not_kept(office, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    office.write("config/outreach.toml", '[desk]\ndatabase = "postgresql://o:pass-word@db/o"\n')
    assert read_configuration(office.home) == read_configuration(office.home)
    assert not kept.folder().exists()


def test_other_libraries_are_another_program(monkeypatch, tmp_path):
    libraries = tmp_path / "site-packages"
    libraries.mkdir()
    monkeypatch.syspath_prepend(str(libraries))
    kept.program.cache_clear()
    before = kept.program()
    (libraries / "babel-9.9.dist-info").mkdir()
    kept.program.cache_clear()
    assert kept.program() != before
    monkeypatch.undo()
    kept.program.cache_clear()


def posts(count: int) -> list[Post]:
    """Posts with texts that are not ASCII, each longer than what is pickled around it."""
    return [
        Post("c", f"m{n}", "ko", "net", (Part(f"“저탄소 도시” {n} " * 200, "ko"),))
        for n in range(count)
    ]


def test_many_values_come_back_as_they_were_and_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    given = [Slot(datetime(2025, 8, 25, tzinfo=UTC), "2025-08-25T00:00", "UTC"), *posts(300)]
    kept.keep(Path("/office"), "key", iter(given))
    [file] = kept.folder().glob("*.composed")
    assert file.stat().st_size > 3 * kept.PIECE
    assert kept.read(Path("/office"), "key") == given


def test_keeping_a_text_does_not_make_it_larger(tmp_path, monkeypatch):
    """Pickling leaves the UTF-8 of a text in it: half as much memory again while it lives."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    [post] = given = posts(1)
    before = sys.getsizeof(post.parts[0].text)
    kept.keep(Path("/office"), "key", given)
    assert sys.getsizeof(post.parts[0].text) == before
    pickle.dumps(given)
    assert sys.getsizeof(post.parts[0].text) > before
