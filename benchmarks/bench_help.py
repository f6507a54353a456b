"""How long `outreach --help` takes, as a ratio of starting Python at all, in the same run.

The floor is `python -c pass`; the bound is 15 times that. Most of the rest is Typer's own import,
shown beside it, which no door that uses it can go below. Best of 20 runs each.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

RUNS, BOUND = 20, 15


def best(*commands: tuple[str, ...]) -> list[float]:
    """Seconds of each command's quickest run; in turns, so that a busy moment is everybody's."""
    quickest = [float("inf")] * len(commands)
    for _ in range(RUNS):
        for number, command in enumerate(commands):
            started = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            quickest[number] = min(quickest[number], time.perf_counter() - started)
    return quickest


def main() -> int:
    beside = Path(sys.executable).with_name("outreach")
    outreach = str(beside) if beside.exists() else shutil.which("outreach")
    if outreach is None:
        print("help: outreach is not installed here")
        return 1
    python = sys.executable
    nothing, library, ours = best(
        (python, "-c", "pass"), (python, "-c", "import typer"), (outreach, "--help")
    )
    print(
        f"outreach --help: {ours:.3f} s, {ours / nothing:.1f} x python -c pass ({nothing:.3f} s; "
        f"at most {BOUND}); import typer alone {library / nothing:.1f} x"
    )
    return int(ours / nothing > BOUND)


if __name__ == "__main__":
    sys.exit(main())
