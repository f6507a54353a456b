"""Help comes at once and explains itself, and the page of the commands leaves nothing out."""

import subprocess
import sys
from typing import Any

import pytest
import typer.main

from outreach.cli import app
from tests.conftest import REPOSITORY

GROUP: Any = typer.main.get_command(app)
PAGE = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")
HEAVY = ("sqlalchemy", "pydantic", "jinja2", "tweepy", "telegram", "fastapi", "docx")


def test_help_imports_nothing_heavy():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import atexit, sys\n"
            "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
            "from outreach.cli import main\n"
            "sys.argv = ['outreach', '--help']\n"
            "main()\n",
        ],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "Usage: " in done.stdout
    modules = done.stderr.split()
    assert "outreach.cli" in modules
    assert [name for name in HEAVY if name in modules] == []


@pytest.mark.parametrize("name", GROUP.commands)
def test_every_command_has_an_example_in_its_help_and_a_section_with_its_options(name: str):
    command = GROUP.commands[name]
    assert f"\n  outreach {name}" in command.epilog
    assert f"\n### {name}\n" in PAGE
    section = PAGE.split(f"\n### {name}\n")[1].split("\n##")[0]
    assert f"outreach {name}" in section
    assert "Exit codes: 0" in section
    spellings = [
        spelled
        for option in command.params
        if option.param_type_name == "option"
        for spelled in (*option.opts, *option.secondary_opts)
    ]
    assert [spelled for spelled in spellings if spelled not in section] == []


def test_the_options_of_every_command_are_described():
    spellings = [spelled for option in GROUP.params for spelled in option.opts]
    assert [spelled for spelled in spellings if spelled not in PAGE] == []
