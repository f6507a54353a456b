"""`python -m outreach.demo`: a forum's campaign from the file to the report, in some seconds.

With a terminal it goes on serving the feed until Ctrl-C; without one it ends by itself. Exit code
0 means that everything it tells of has really happened.
"""

import argparse
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from outreach.cli import logs, rows
from outreach.cli.door import DECLINED, FOUND, OURS, STOPPED, UNUSABLE
from outreach.errors import NotAllowed, OutreachError, Unusable


def main() -> int:
    """Run the demo; returns the exit code."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(prog="python -m outreach.demo", description=__doc__)
    parser.add_argument(
        "--dir", type=Path, default=Path(".demo"), help="the demo's folder, made anew: .demo"
    )
    folder: Path = parser.parse_args().dir
    _fill_standard_streams()
    try:
        rows.say([rows.row(("A demonstration. Nothing leaves this machine.", "bold cyan"))])
        from outreach.demo.story import demo, report_file

        with demo(folder) as feed:
            stays = sys.stdout.isatty()
            files = [report_file(folder, kind) for kind in ("docx", "pdf", "html")]
            _where(feed, files, folder, stays=stays, seconds=time.monotonic() - began)
            if stays:
                with suppress(KeyboardInterrupt):
                    threading.Event().wait()
    except KeyboardInterrupt:
        return STOPPED
    except OutreachError as error:
        _say(str(error), error.hint)
        codes = ((NotAllowed, DECLINED), (Unusable, UNUSABLE))
        return next((code for kind, code in codes if isinstance(error, kind)), FOUND)
    except Exception as error:
        kept = logs.keep_trace(folder if folder.is_dir() else None, error)
        _say("something went wrong inside the demo", f"details are in {kept}" if kept else "")
        return OURS
    return 0


def _where(feed: str, files: list[Path], folder: Path, *, stays: bool, seconds: float) -> None:
    """Where to look."""
    program = Path(sys.executable).with_name("outreach")
    outreach = os.path.relpath(program) if program.is_file() else "outreach"
    key = "forum-2025/recap/en@wechat"
    lines = [
        rows.row(),
        rows.row((f"Done in {seconds:.1f} seconds. Look here:", "bold")),
        rows.row(f"{'The feed':<10}", feed, "" if stays else "  (served while the demo runs)"),
        *(
            rows.row(f"{name:<10}", str(file))
            for name, file in zip(("Word", "PDF", "Web page"), files, strict=True)
        ),
        rows.row(f"{'A trail':<10}", f"{outreach} --home {folder} trail {key}"),
    ]
    if stays:
        lines.append(rows.row(("The feed stays open: press Ctrl-C to end.", "bold cyan")))
    rows.say(lines)


def _fill_standard_streams() -> None:
    """Put nothing where a standard stream is closed.

    Its number would go to the next file that is opened, and a child takes that for its own.
    """
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(opened, True)
    os.close(opened)


def _say(message: str, hint: str) -> None:
    print(rows.clean(message), file=sys.stderr)  # noqa: T201 - this is a door
    if hint:
        print(f"→ {rows.clean(hint)}", file=sys.stderr)  # noqa: T201 - this is a door


if __name__ == "__main__":
    sys.exit(main())
