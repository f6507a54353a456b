"""Checking and planning many messages in a cold process, against bare Jinja2 in the same run.

The floor reads each message's own text file, compiles it, and renders it once for each channel,
with no sandbox and no checks. Ours reads the same files as an officer would have them read:
campaign files, texts, limits, collisions, plan. The house's style is measured apart
(bench_lint.py). Then the same again with nothing changed, and again once the plan is applied and
every post stands in the database: the start of Python and every import counted. Short runs are the
best of REPEATS, long ones run once.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = tuple(int(n) for n in sys.argv[1:]) or (1_000, 10_000)
BOUND, AGAIN, GROWTH = 3.0, 0.1, 8_000  # times the floor; of the first run; bytes a message
REPEATS = 3

CHANNELS = "".join(f'[c{n}]\nplatform = "memory"\n\n' for n in range(4))
PEOPLE = (
    '[ana]\nname = "Ana Example"\nroles = ["officer", "administrator"]\n\n'
    '[bo]\nname = "Bo Example"\nroles = ["clearer", "officer", "administrator"]\n'
)
HEAD = """campaign: c{n}
programme: low-carbon-cities
title: Campaign {n}
written-by: ana
events:
  forum: {{date: 2030-05-20, starts: "09:00", ends: "17:00", zone: Asia/Bangkok}}
facts:
  theme: {{value: An example theme, source: note}}
links: {{page: "https://example.org/page"}}
audiences: {{main: {{en: [c0, c1, c2, c3]}}}}
defaults: {{to: main}}
messages:
"""
TEXT = """## en

Message {n} of the forum of {{{{ events.forum.date }}}}: “{{{{ facts.theme }}}}”.

{{% if channel.name == "c0" %}}For the first.{{% else %}}For {{{{ channel.name }}}}.{{% endif %}}

Read more about number {n}: {{{{ links.page }}}}
"""


def office(home: Path, size: int) -> None:
    for name in ("config", "media"):
        (home / name).mkdir(parents=True)
    (home / "config" / "outreach.toml").write_text('[office]\nname = "Bench"\n')
    (home / "config" / "channels.toml").write_text(CHANNELS)
    (home / "config" / "people.toml").write_text(PEOPLE)
    (home / "campaigns").mkdir()
    for n in range(0, size, 100):
        lines = [HEAD.format(n=n)]
        folder = home / "templates" / "posts" / f"c{n}"
        folder.mkdir(parents=True)
        for m in range(n, min(n + 100, size)):
            day, minute = 1 + m // 1440, m % 1440
            when = (
                f"2029-{1 + day // 28:02}-{1 + day % 28:02} {minute // 60:02}:{minute % 60:02} UTC"
            )
            lines.append(f'  m{m}: {{at: "{when}"}}\n')
            (folder / f"m{m}.md").write_text(TEXT.format(n=m))
        (home / "campaigns" / f"c{n}.yaml").write_text("".join(lines))


OURS = """
import sys
from pathlib import Path
from outreach.app import open_desk
desk = open_desk(Path(sys.argv[1]), make=True)
files = desk.files()
assert not files.mistakes, files.mistakes[:3]
made = desk.plan(files)
assert len(made.operations) == int(sys.argv[2]), len(made.operations)
desk.close()
"""
APPLY = """
import sys
from pathlib import Path
from outreach.app import open_desk
from outreach.clearance import Person
desk = open_desk(Path(sys.argv[1]))
desk.apply(desk.plan().hash, by=Person("ana", "Ana Example", "", frozenset({"officer"})))
desk.close()
"""
FLOOR = """
import sys
from pathlib import Path
from jinja2 import Environment
environment = Environment(trim_blocks=True, lstrip_blocks=True)
events = {"forum": {"date": "20 May 2030"}}
count = 0
for path in sorted((Path(sys.argv[1]) / "templates").rglob("*.md")):
    template = environment.from_string(path.read_text().partition("## en\\n")[2])
    for name in ("c0", "c1", "c2", "c3"):
        template.render(events=events, facts={"theme": "An example theme"}, channel={"name": name},
                        links={"page": "https://example.org/page"})
        count += 1
assert count == int(sys.argv[2])
"""


def run(program: str, home: Path, posts: int = 0) -> tuple[float, int]:
    """Seconds of a cold process, and the most bytes that it or a child of it held."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(home / "cache")}
    # Modules are compiled once, as they are wherever this is installed.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    arguments = [sys.executable, "-c", program, str(home), str(posts)]
    before = time.perf_counter()
    process = subprocess.Popen(arguments, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - before
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"a measured program ended with {process.returncode}")
    return seconds, used.ru_maxrss * 1024


def quickest(program: str, home: Path, posts: int = 0) -> float:
    return min(run(program, home, posts)[0] for _ in range(REPEATS))


def main() -> int:
    """Print the ratios; 1 where they are over their bounds."""
    worst, memory = 0.0, {}
    for size in SIZES:
        posts = 4 * size
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            office(home, size)
            start = quickest("import outreach.app", home)
            floor, _ = run(FLOOR, home, posts)
            first, memory[size] = run(OURS, home, posts)
            again = quickest(OURS, home, posts)
            run(APPLY, home)
            applied = quickest(OURS, home)
        print(
            f"check and plan {size:,} messages on 4 channels: {first:.2f} s, "
            f"{first / floor:.1f} x bare Jinja2 ({floor:.2f} s; at most {BOUND:g}); "
            f"{start:.2f} s of it and of each further run is the start"
        )
        worst = max(worst, first / floor / BOUND)
        for what, seconds in (("again", again), ("again, applied", applied)):
            print(
                f"  {what}: {seconds:.2f} s, {seconds / first:.3f} of the first, with the start "
                f"(at most {AGAIN:g})"
            )
            worst = max(worst, seconds / first / AGAIN)
    if len(SIZES) > 1:
        small, large = SIZES[0], SIZES[-1]
        growth = (memory[large] - memory[small]) / (large - small)
        print(f"memory: {growth / 1000:.1f} kB a message (at most {GROWTH / 1000:g})")
        worst = max(worst, growth / GROWTH)
    return int(worst > 1)


if __name__ == "__main__":
    sys.exit(main())
