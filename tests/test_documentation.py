"""The documentation tells the truth: every command, option and key stands in it, links lead
somewhere, and nothing of the machine it was written on is left in the project."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from outreach.cli import app
from outreach.cli.door import EXITS
from outreach.config import ChannelSettings, PersonSettings, Settings
from outreach.config_files import keys_of
from outreach.platforms import PLATFORMS, load, secrets_of
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
PROGRAM: Any = typer.main.get_command(app)
COMMANDS = (DOCS / "commands.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", COMMANDS, re.MULTILINE | re.DOTALL))


def tracked() -> list[Path]:
    try:
        told = subprocess.run(
            ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    return [REPOSITORY / name for name in told.stdout.split("\0") if name]


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in tracked():
        if path.is_file():
            data = path.read_bytes()
            if b"\0" not in data:
                found.append((path, data.decode("utf-8")))
    return found


def options(command: Any) -> list[str]:
    """Every spelling of each."""
    return [
        spelled
        for option in command.params
        if option.param_type_name == "option"
        for spelled in (*option.opts, *option.secondary_opts)
    ]


def test_every_command_has_a_section_and_every_section_a_command():
    assert set(SECTIONS) == set(PROGRAM.commands)


@pytest.mark.parametrize("name", PROGRAM.commands)
def test_a_section_has_an_example_the_exit_codes_and_every_option(name):
    section = SECTIONS[name]
    assert f"outreach {name}" in section
    assert "Exit codes: 0" in section
    assert [option for option in options(PROGRAM.commands[name]) if option not in section] == []


def test_global_options_and_exit_codes_are_described():
    everywhere = options(PROGRAM)
    assert {"--home", "--as", "--version", "--install-completion", "--show-completion"} <= set(
        everywhere
    )
    for option in everywhere:
        assert f"`{option}" in COMMANDS or f"outreach {option}" in COMMANDS, option
    for code in EXITS:
        assert f"| {code} |" in COMMANDS


def test_every_key_of_the_configuration_is_described():
    page = (DOCS / "configuration.md").read_text()
    wanted = {key for kind in (Settings, ChannelSettings, PersonSettings) for key in keys_of(kind)}
    assert {key for key in wanted if f"`{key}`" not in page} == set()


def test_every_platform_and_its_options_are_described():
    page = (DOCS / "platforms.md").read_text()
    for name in PLATFORMS:
        assert f"`{name}`" in page
        for option in load(name).asks:
            assert f"`{option}`" in page or f"{option} =" in page, (name, option)
        for secret in secrets_of(load(name)):
            assert secret.upper() in page or f"`{secret}`" in page, (name, secret)


def test_the_first_two_commands_of_the_readme_are_make_demo_and_make_test():
    readme = (REPOSITORY / "README.md").read_text()
    commands = re.findall(r"^(?:\$ )?(make \w+)", readme, re.MULTILINE)
    assert commands[:2] == ["make demo", "make test"]


def test_links_between_pages_and_pictures_lead_somewhere():
    broken = []
    for page in [REPOSITORY / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if ":" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(REPOSITORY)}: {target}")
    assert broken == []


def test_nothing_of_a_machine_or_a_registry_is_left_in_the_project():
    # The patterns are written so that they do not find themselves.
    machine = re.compile(r"(?<![\w.])/(?:tmp|work|root|home|farm)/[a-z]")
    registry = re.compile(
        r"files\.pythonhosted|registry\.np" + r"mjs|deb\.deb" + r"ian\.org|pypi\.o" + r"rg"
    )
    found = []
    for path, text in texts():
        for number, line in enumerate(text.splitlines(), 1):
            if machine.search(line) or registry.search(line):
                found.append(f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_every_change_log_entry_says_what_a_user_gains():
    log = (REPOSITORY / "CHANGELOG.md").read_text()
    assert re.search(r"^## ", log, re.MULTILINE)
    assert all(len(line) > 20 for line in log.splitlines() if line.startswith("- "))


def test_each_decision_fits_on_a_page():
    pages = sorted((DOCS / "decisions").glob("*.md"))
    assert pages
    for page in pages:
        text = page.read_text()
        assert re.match(r"\d{4}-[a-z0-9-]+\.md", page.name)
        assert len(text.split()) <= 500, page.name
        for heading in ("## Context", "## Decision", "## Consequences"):
            assert heading in text, (page.name, heading)
