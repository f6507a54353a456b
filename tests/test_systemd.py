"""The units of docs/systemd: systemd takes them, and they say what the program does."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from outreach import clock
from outreach.cli import app
from outreach.ending import PATIENCE
from tests.conftest import REPOSITORY

UNITS = REPOSITORY / "docs" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
PROGRAM = "/opt/outreach/.venv/bin/outreach"


def settings(unit: Path) -> list[str]:
    """The lines of a unit that set something."""
    return [line for line in unit.read_text().splitlines() if re.match(r"[A-Z]\w+=", line)]


def value(unit: Path, name: str) -> str:
    [found] = [line.partition("=")[2] for line in settings(unit) if line.startswith(f"{name}=")]
    return found


@pytest.fixture
def here(tmp_path):
    """The units as they would be on a machine where the program stands where we found it."""
    for unit in UNITS.iterdir():
        program = str(Path(sys.executable).with_name("outreach"))
        (tmp_path / unit.name).write_text(unit.read_text().replace(PROGRAM, program))
    return tmp_path


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")
def test_systemd_takes_every_unit_without_a_word(here):
    units = sorted(str(unit) for unit in here.iterdir())
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
        check=False,
    )
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_systemd_calls_each_service_hardened(here, unit):
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", here / unit.name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout[-500:]


def test_every_timer_has_its_service_and_every_command_of_ours_is_one():
    commands = set(typer.main.get_command(app).commands)
    for timer in UNITS.glob("*.timer"):
        assert timer.with_suffix(".service") in SERVICES
    for unit in SERVICES:
        program, command, *_ = value(unit, "ExecStart").split()
        assert program == PROGRAM
        assert command in commands, unit.name


def test_all_services_are_the_same_user_in_the_same_folder_and_equally_hardened():
    def shared(unit: Path) -> list[str]:
        lines = settings(unit)
        first = lines.index("User=outreach")
        return [
            line for line in lines[first:] if not line.startswith(("StateDirectory=", "Wanted"))
        ]

    kinds = {unit.name: shared(unit) for unit in SERVICES}
    assert len({tuple(lines) for lines in kinds.values()}) == 1, kinds


def test_a_desk_has_the_time_to_end_by_itself_and_is_heard_several_times_before_it_is_hung():
    desk = UNITS / "outreach.service"
    assert int(value(desk, "TimeoutStopSec")) >= PATIENCE + 20
    assert int(value(desk, "WatchdogSec")) >= 4 * clock.ALIVE
    assert value(desk, "Type") == "notify"
