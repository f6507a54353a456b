"""Help and completion come at once, and help explains itself."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from outreach.cli import app
from tests.conftest import REPOSITORY

COMMANDS: dict[str, Any] = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # a group
HEAVY = {
    *("sqlalchemy", "pydantic", "jinja2", "tweepy", "telegram", "fastapi", "docx", "docxtpl"),
    *("rich", "babel", "PIL", "alembic", "apscheduler", "yaml"),
}


def ran(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        encoding="utf-8",
    )


def test_help_says_where_the_documentation_is():
    from typer.testing import CliRunner

    said = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "400"}).stdout
    folder = Path(said.partition("Documentation:\n")[2].partition("\n")[0].strip())
    assert {"guide.md", "platforms.md", "configuration.md", "campaign-files.md"} <= {
        page.name for page in folder.iterdir()
    }


def test_an_installed_program_has_its_documentation_with_it():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert packed["docs"] == "outreach/starter/docs"  # where `starter.documentation` looks


def test_help_imports_nothing_that_takes_long():
    done = ran(
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from outreach.cli import main\n"
        "sys.argv = ['outreach', '--help']\n"
        "main()\n"
    )
    assert "Usage: " in done.stdout
    modules = set(done.stderr.split())
    assert "outreach.cli" in modules
    assert HEAVY & modules == set()


def test_completion_is_offered():
    done = ran(
        "import sys; sys.argv = ['outreach']; from outreach.cli import main; main()",
        _OUTREACH_COMPLETE="complete_bash",
        COMP_WORDS="outreach pl",
        COMP_CWORD="1",
    )
    assert done.stdout.split() == ["plan"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_itself_with_an_example(name):
    command = COMMANDS[name]
    assert "Example" in command.epilog
    assert f"\n  outreach {name}" in command.epilog
    assert not command.get_short_help_str(66).endswith("..."), "the overview would cut it"
