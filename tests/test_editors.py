"""docs/editors.md and its workflow are right: what they name exists, and the workflow runs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from outreach.campaign.reader import read_yaml
from outreach.cli import app
from tests.conftest import CHANNELS_TOML, OUTREACH_TOML, PEOPLE_TOML, REPOSITORY

PAGE = (REPOSITORY / "docs" / "editors.md").read_text(encoding="utf-8")
TEXT = (REPOSITORY / "docs" / "github-plan.yml").read_text(encoding="utf-8")
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
STEPS = {step["name"]: step for step in WORKFLOW["jobs"]["plan"]["steps"] if "name" in step}
PROGRAM: Any = typer.main.get_command(app)

CAMPAIGN = """\
campaign: forum
programme: low-carbon-cities
title: An example forum
written-by: ana
events:
  forum: {date: 2099-05-20, starts: "09:00", zone: Asia/Bangkok, place: Bangkok}
audiences: {main: {en: [web]}}
defaults: {time: "10:00 Asia/Seoul", to: main}
messages:
  reminder: {at: forum - 3 days}
"""


def called(text: str) -> list[list[str]]:
    """Every call of outreach in a text, as words."""
    calls = re.findall(r"(?<![\w./@-])outreach ([^|>`\n)]*)", text)
    return [call.split() for call in calls]


def test_only_commands_and_options_that_exist_are_named():
    calls = [call for step in STEPS.values() for call in called(step["run"])]
    calls += called("\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)))
    calls += called("\n".join(re.findall(r"`(outreach [^`]*)`", PAGE)))
    assert len(calls) > 8
    everywhere = {opt for param in PROGRAM.params for opt in param.opts}
    for words in calls:
        if words[0] == "@":  # where it is installed from
            continue
        name = next(word for word, before in zip(words, ["", *words], strict=False)
                    if word not in everywhere and before not in everywhere)  # fmt: skip
        known = {opt for param in PROGRAM.commands[name].params for opt in param.opts}
        assert {word for word in words if word.startswith("--")} <= known | everywhere, words


def test_the_workflow_has_no_secret_and_few_rights():
    assert "secrets." not in TEXT
    assert WORKFLOW["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert WORKFLOW[True] == "pull_request"  # YAML 1.1 reads `on` as true
    tokens = [value for step in STEPS.values() for value in step.get("env", {}).values()]
    assert [value for value in tokens if "token" in value] == ["${{ github.token }}"]


def test_nothing_from_a_pull_request_is_put_into_a_script():
    """A branch may be called `$(rm …)`: its name reaches the shell as a variable only."""
    assert not any("${{" in step.get("run", "") for step in STEPS.values())


def test_the_page_s_settings_and_first_line_are_right():
    settings = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
    assert settings == {"yaml.schemas": {"campaign.schema.json": "campaigns/*.yaml"}}
    line = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
    assert read_yaml((line + CAMPAIGN).encode(), "x").value["campaign"] == "forum"
    assert (Path("campaigns") / line.split("=")[1].strip()).as_posix() == (
        "campaigns/../campaign.schema.json"
    )


class Repository:
    """An office's repository with a main branch and a proposed change, and the runner's tools."""

    def __init__(self, folder: Path) -> None:
        self.home, self.tools, self.said = folder / "checkout", folder / "tools", folder / "said"
        self.tools.mkdir()
        self._tool("outreach", f'exec {sys.executable} -m outreach "$@"')
        self._tool("gh", f'echo "$@" >> {self.said}; [ "$4" != --edit-last ]')
        self._tool("python3", f'exec {sys.executable} "$@"')
        for name, text in {
            "config/outreach.toml": OUTREACH_TOML,
            "config/people.toml": PEOPLE_TOML,
            "config/channels.toml": CHANNELS_TOML,
            "campaigns/forum.yaml": CAMPAIGN,
            "templates/posts/forum/reminder.md": "## en\nOn {{ events.forum.date }}.\n",
            "config/metrics.toml": (REPOSITORY / "config/metrics.toml").read_text(),
            "config/bots.txt": (REPOSITORY / "config/bots.txt").read_text(),
            ".gitignore": "data/\n",
        }.items():
            self.write(name, text)
        self.git("init", "-q", "-b", "main")
        self.commit("as it is")
        self.git("update-ref", "refs/remotes/origin/main", "main")

    def _tool(self, name: str, script: str) -> None:
        (self.tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.tools / name).chmod(0o755)

    def write(self, name: str, text: str) -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def git(self, *args: str) -> None:
        who = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
        subprocess.run(["git", *who, *args], cwd=self.home, check=True, capture_output=True)

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def step(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run a step as the runner does: bash, ending with the first error."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("OUTREACH_")}
        env = {"BASE": "origin/main", "NUMBER": "7", "GH_TOKEN": "", "GH_REPO": "office/folder"}
        return subprocess.run(
            ["bash", "-e", "-c", STEPS[name]["run"]],
            cwd=self.home,
            env={
                **kept,
                **env,
                "PATH": f"{self.tools}:{kept['PATH']}",
                "PYTHONPATH": str(REPOSITORY),
            },
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )

    def comment(self) -> str:
        for name in ("Apply what is there", "Plan", "Comment"):
            done = self.step(name)
            assert done.returncode == 0, done
        return (self.home / "comment.md").read_text(encoding="utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_the_workflow_says_what_a_pull_request_changes(repository: Repository):
    repository.write(
        "campaigns/forum.yaml",
        CAMPAIGN.replace("forum - 3 days", "forum - 5 days") + "  extra: {at: forum - 1 day}\n",
    )
    repository.write("templates/posts/forum/extra.md", "## en\nOne day to go.\n")
    repository.commit("a change")
    said = repository.comment()
    assert "0 mistakes, 0 to be confirmed, 2 changes to posts." in said
    assert "> forum/reminder/en@web  2099-05-15 10:00 Asia/Seoul\n" in said
    assert "+ forum/extra/en@web  2099-05-19 10:00 Asia/Seoul\n" in said
    assert repository.said.read_text().splitlines() == [
        "pr comment 7 --edit-last --body-file comment.md",
        "pr comment 7 --body-file comment.md",
    ]
    assert repository.step("Mistakes end this").returncode == 0


def test_mistakes_are_in_the_comment_and_end_the_run(repository: Repository):
    repository.write("campaigns/forum.yaml", CAMPAIGN.replace("messages:", "mesages:"))
    repository.commit("a slip")
    said = repository.comment()
    assert "campaigns/forum.yaml:9: there is no key mesages here → did you mean messages?" in said
    assert repository.step("Mistakes end this").returncode == 1
