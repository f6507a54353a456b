"""docs/commands.md tells of every command, with each of its options, an example and exit codes."""

import re
from typing import Any

import pytest
import typer

from outreach.cli import app
from outreach.cli.door import EXITS
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "commands.md").read_text()
COMMANDS: dict[str, Any] = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # a group
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def test_every_command_has_a_section_and_every_section_a_command():
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_section_has_an_example_the_exit_codes_and_every_option(name):
    section = SECTIONS[name]
    assert f"outreach {name}" in section
    assert "Exit codes: 0" in section
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option":
            for option in [*parameter.opts, *parameter.secondary_opts]:
                assert option in section, f"{option} of {name}"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_itself_with_an_example(name):
    command = COMMANDS[name]
    assert "Example" in command.epilog
    assert f"outreach {name}" in command.epilog
    assert not command.get_short_help_str(66).endswith("..."), "the overview would cut it"


def test_global_options_and_exit_codes_are_described():
    for option in ("--home", "--as", "--version", "--install-completion", "--show-completion"):
        assert f"`{option}" in PAGE or f"outreach {option}" in PAGE
    for code in EXITS:
        assert f"| {code} |" in PAGE
