"""The command line: a door to the desk, and nothing more.

    office      init, login, people, doctor, connect
    keeping     backup, restore
    files       check, plan, apply, lint, languages, sheet, rehearse, new, fmt, schema
    clearing    review, clear, return, trail
    running     status, run, tick, alarms, hold, release, settle
    wrong       take-down, correct
    readers     subscribers
    figures     import, adopt, report, figures, links
    giving      toolkit

Each command calls one verb of `Outreach` and hands the value to `show`. The error boundary is in
`door`: an officer gets words, a way out and an exit code, never a stack trace.
"""

import os
import sys

# Each registers its commands, in the order in which help lists them.
from outreach.cli import office, connecting, keeping, files, linting, languages, sheets, making  # isort: skip  # noqa: F401 - for what they register
from outreach.cli import rehearsing, clearing, running, wrong, readers, figures, outcomes, giving  # isort: skip  # noqa: F401 - for what they register
from outreach.cli.door import UNHEARD, Door, app, hush

__all__ = ["Door", "app", "main"]


def main() -> None:
    """What the command `outreach` runs."""
    try:
        app()
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            hush()
            os._exit(UNHEARD)
