"""`outreach check --watch`: checked again after every change, until Ctrl-C."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from outreach.cli.door import Door
from outreach.cli.watching import again_and_again, seen
from outreach.errors import Problem, WrongFiles
from tests.cli.conftest import CAMPAIGN, Shell, declined


class Stop(Exception):
    """The test has seen enough."""


def watched(shell: Shell, steps: list[Callable[[], object]], look: Callable[[], object]) -> None:
    """Watch while one step after another happens between two looks."""
    left = iter(steps)

    def pause() -> None:
        step = next(left, None)
        if step is None:
            raise Stop
        step()

    with pytest.raises(Stop):
        again_and_again(Door(home=shell.home), look, pause=pause)


def test_it_looks_once_and_then_after_every_change_only(shell: Shell):
    looks: list[int] = []
    steps: list[Callable[[], object]] = [
        lambda: None,
        lambda: shell.write("campaigns/forum.yaml", CAMPAIGN + "\n# more\n"),
        lambda: None,
        lambda: shell.write("templates/posts/forum/new.md", "## en\nx\n"),
        (shell.home / "templates/posts/forum/new.md").unlink,
        lambda: shell.write("data/anything", "not a post's"),
    ]
    watched(shell, steps, lambda: looks.append(len(looks)))
    assert len(looks) == 4


def test_trouble_is_told_and_never_ends_it(shell: Shell, capsys):
    troubles = iter(
        [
            WrongFiles([Problem("campaigns/forum.yaml:3", "a slip")]),
            FileNotFoundError(2, "No such file", "campaigns/forum.yaml"),
            None,
        ]
    )

    def look() -> None:
        if trouble := next(troubles):
            raise trouble

    def change() -> None:
        shell.write("media/note.txt", f"{time.monotonic_ns()}")

    watched(shell, [change, change], look)
    told = capsys.readouterr().out
    assert "campaigns/forum.yaml:3: a slip" in told
    assert "campaigns/forum.yaml cannot be read now: No such file" in told
    assert told.count("Watching; Ctrl-C ends it.") == 3


def test_a_terminal_is_cleared_before_each_look_and_a_file_is_not(
    shell: Shell, capsys, monkeypatch
):
    watched(shell, [], lambda: print("looked"))
    assert capsys.readouterr().out.startswith("looked\n")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    watched(shell, [], lambda: print("looked"))
    assert capsys.readouterr().out.startswith("\x1b[2J\x1b[Hlooked\n")


def test_machines_do_not_watch(shell: Shell):
    declined(shell("check", "--watch", "--json"), 2, "--watch is for people", "leave one out")


def test_a_file_that_goes_while_we_look_is_no_trouble(shell: Shell):
    (shell.home / "campaigns/link.yaml").symlink_to("nowhere.yaml")
    assert not any("link.yaml" in name for name, _, _ in seen(shell.home))


def test_the_real_thing_sees_a_change_and_ends_with_ctrl_c(shell: Shell, tmp_path: Path):
    said = tmp_path / "said"
    # A shell's background job ignores Ctrl+C, and what it starts does too, unless handled here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "outreach", "--home", str(shell.home), "check", "--watch"],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            _until(lambda: said.read_text().count("Watching") == 1)
            shell.write("campaigns/forum.yaml", CAMPAIGN.replace("messages:", "mesages:"))
            _until(lambda: said.read_text().count("Watching") == 2)
            assert "there is no key mesages here" in said.read_text()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 130
        finally:
            process.kill()
            process.wait()
    assert "Traceback" not in said.read_text()


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not true():
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.1)
