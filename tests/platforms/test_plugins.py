"""Networks that other packages add, as real distributions on the path."""

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from outreach import doctor
from outreach.app import Outreach
from outreach.errors import WrongFiles
from outreach.platforms import load, plugins
from tests.conftest import REPOSITORY, apply, clear_all, state
from tests.drafts import AT, run_to

PAGE = (REPOSITORY / "docs" / "platforms.md").read_text(encoding="utf-8")

CAMPAIGN = """
campaign: visit
programme: NEASPEC
title: Visit
written-by: ana
audiences: {all: {en: [net, lobby]}}
messages:
  hello: {at: 2025-07-20 09:00 Asia/Bangkok, to: all}
"""


def written(name: str) -> str:
    """The file of this name as docs/platforms.md shows it."""
    block = rf"^```\w+\n# {re.escape(name)}\n(.*?)^```"
    [text] = re.findall(block, PAGE, re.MULTILINE | re.DOTALL)
    return text


def forget() -> None:
    """What was installed may have changed; a program would be started anew."""
    plugins._offered.cache_clear()
    load.cache_clear()


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a distribution on the path: its module, and the metadata that an installer writes."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def make(project: str, **modules: str) -> Path:
        told = tomllib.loads(project)["project"]
        name, version = told["name"], told["version"]
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        offered = told["entry-points"]["outreach.platforms"]
        lines = [f"{n} = {value}" for n, value in offered.items()]
        (info / "entry_points.txt").write_text("\n".join(["[outreach.platforms]", *lines, ""]))
        for module, source in modules.items():
            (site / f"{module}.py").write_text(source)
        forget()
        return site

    yield make
    forget()
    for name in [n for n in sys.modules if n.startswith(("outreach_screens", "outreach_odd"))]:
        del sys.modules[name]


def odd(name: str, value: str = "outreach_odd:Odd", package: str = "outreach-odd") -> str:
    entry = f'[project.entry-points."outreach.platforms"]\n{name} = "{value}"\n'
    return f'[project]\nname = "{package}"\nversion = "2.1"\n{entry}'


def screens(install, *, without: str = "", instead: str = "") -> Path:
    module = written("outreach_screens.py")
    assert without in module
    source = module.replace(without, instead) if without else module
    return install(written("pyproject.toml"), outreach_screens=source)


def channels(office, platform: str = "screens", **options: str) -> None:
    lines = "".join(f'{name} = "{value}"\n' for name, value in options.items())
    text = f'[net]\nplatform = "memory"\n\n[lobby]\nplatform = "{platform}"\n{lines}'
    office.write("config/channels.toml", text)


def suite(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """The documentation's test of its adapter, run as its author would."""
    (folder / "test_screens.py").write_text(written("test_screens.py"))
    return subprocess.run(  # noqa: PLW1510 - whoever asks looks at how it ended
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_screens.py"],
        cwd=folder,
        env={"PYTHONPATH": f"{site}:{REPOSITORY}", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )


class TestTheOneOfTheDocumentation:
    def test_it_passes_the_suite_that_it_shows(self, install, tmp_path):
        said = suite(tmp_path, screens(install))
        assert said.returncode == 0, said.stdout + said.stderr
        assert re.search(r"1[0-9] passed", said.stdout) and "skipped" not in said.stdout

    def test_the_suite_catches_an_adapter_that_forgets_the_fence(self, install, tmp_path):
        said = suite(tmp_path, screens(install, without="part.fence(1)", instead="pass"))
        assert said.returncode == 1
        assert "test_the_fence_stands_before_anything_is_live" in said.stdout

    def test_a_desk_publishes_on_it_what_was_cleared(self, install, office, tmp_path):
        screens(install)
        folder = tmp_path / "screens"
        folder.mkdir()
        channels(office, folder=str(folder))
        office.campaign(CAMPAIGN, hello="## en\nWelcome to the Forum.\n")
        desk = office.open()
        desk.tick()
        apply(desk)
        clear_all(desk)
        run_to(office, desk, AT)

        assert state(desk, "visit/hello/en@lobby") == "published"
        [shown] = folder.glob("*.json")
        assert "Welcome to the Forum." in shown.read_text()

    def test_its_limits_and_its_options_are_checked_as_any_networks(self, install, office):
        screens(install)
        channels(office, folder="screens", colour="red")
        with pytest.raises(WrongFiles, match="colour is not an option of screens"):
            office.open()
        channels(office)
        with pytest.raises(WrongFiles, match="folder is missing"):
            office.open()
        channels(office, folder="screens")
        office.campaign(CAMPAIGN, hello=f"## en\n{'Long. ' * 30}\n")
        assert any("lobby takes 140" in p.what for p in office.open().files().mistakes)


BROKEN = {
    "not found": ("", "cannot be imported: ModuleNotFoundError: No module named 'outreach_odd'"),
    "raises": ("raise RuntimeError('licence\\nexpired')", "RuntimeError: licence expired"),
    "exits": ("import sys; sys.exit(3)", "cannot be imported: SystemExit: 3"),
    "syntax": ("def", "cannot be imported: SyntaxError"),
    "no such class": ("", "cannot be imported: AttributeError"),
    "no adapter": ("class Odd: pass", "is no adapter: it has no limits, offers, needs"),
}


class TestWhatCannotBeUsed:
    @pytest.mark.parametrize("kind", BROKEN)
    def test_it_costs_its_own_channel_and_says_why(self, install, office, kind):
        source, why = BROKEN[kind]
        install(odd("odd"), **({} if kind == "not found" else {"outreach_odd": source}))
        channels(office, "odd")
        office.campaign(CAMPAIGN, hello="## en\nWelcome.\n")
        desk = office.open()
        desk.tick()

        assert why in desk.unready["lobby"]
        assert "outreach-odd" in desk.unready["lobby"]
        [told] = [p for p in desk.files().mistakes if "lobby" in p.what]
        assert why in told.what and "\n" not in told.what and told.hint
        apply(desk)
        clear_all(desk)
        run_to(office, desk, AT)
        assert state(desk, "visit/hello/en@net") == "published"
        found = {finding.name: finding for finding in doctor._channels(desk)}
        assert found["channel lobby"].ok is False and found["channel net"].ok

    def test_a_class_that_takes_no_account_costs_its_own_channel(self, install, office):
        begins = "self.account ="
        screens(install, without=begins, instead=f"raise KeyError('folder')\n        {begins}")
        channels(office, folder="screens")
        desk = office.open()
        assert "makes no account of this channel: KeyError: 'folder'" in desk.unready["lobby"]
        assert list(desk.platforms) == ["net"]

    def test_what_was_cleared_for_it_stays_cleared_while_it_is_broken(
        self, install, office, tmp_path
    ):
        site = screens(install)
        folder = tmp_path / "screens"
        folder.mkdir()
        channels(office, folder=str(folder))
        office.campaign(CAMPAIGN, hello="## en\nWelcome to the Forum.\n")
        desk = office.open()
        desk.tick()
        apply(desk)
        clear_all(desk)

        def become(source: str) -> Outreach:
            (site / "outreach_screens.py").write_text(source)
            sys.modules.pop("outreach_screens", None)
            importlib.invalidate_caches()
            forget()
            return office.open()

        broken = become("raise RuntimeError('half installed')")
        assert broken.plan().operations == ()
        apply(broken)
        assert state(broken, "visit/hello/en@lobby") == "cleared"

        mended = become(written("outreach_screens.py"))
        assert mended.plan().operations == ()
        run_to(office, mended, AT)
        assert state(mended, "visit/hello/en@lobby") == "published"

    def test_a_name_of_our_own_stays_our_own_and_the_doctor_says_who_wanted_it(
        self, install, office
    ):
        install(odd("telegram"), outreach_odd="class Odd: pass")
        assert load("telegram").__module__ == "outreach.platforms.telegram"
        [told] = [f for f in doctor._channels(office.open()) if f.name == "packages"]
        assert "outreach-odd offers a platform 'telegram'" in told.sentence

    def test_a_name_that_two_packages_claim_is_neithers(self, install, office):
        install(odd("odd"), outreach_odd="class Odd: pass")
        install(odd("odd", "outreach_odd_too:Odd", "outreach-odd-too"), outreach_odd_too="Odd = 1")
        channels(office, "odd")
        assert "outreach-odd and outreach-odd-too both call" in office.open().unready["lobby"]

    def test_a_package_that_is_not_installed_is_a_platform_that_is_not_there(self, office):
        channels(office, "screens")
        with pytest.raises(WrongFiles, match="there is no platform 'screens'"):
            office.open()


def test_the_program_needs_no_pytest():
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "import outreach.cli, outreach.app, outreach.clock, outreach.doctor, outreach.web.app\n"
        "assert 'outreach.testing' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, timeout=60)
