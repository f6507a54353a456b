"""`make drill`: every fault at length, and the table of what came of it.

python -m tests.drill [--posts 1000] [--kills 200] [--only WORDS] [--keep FILE]
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from tests import postgresql
from tests.drill.faults import FAULTS, Fault
from tests.drill.field import Result, held

HEAD = ("fault", "database", "network", "posts", "doubled", "lost", "unread", "stranded", "doubts")


def run(
    fault: Fault, database: str, *, posts: int, kills: int, patience: float, bug: str = ""
) -> list[Result]:
    """Break it, wait until all is settled, and count."""
    server = None
    address = ""
    if database == "postgresql":
        restarts = "restarts" in fault.name
        server = postgresql.own() if restarts else postgresql.server()
        address = server.make()
    with (
        tempfile.TemporaryDirectory(prefix="outreach-drill-") as folder,
        held(
            Path(folder),
            database=address,
            server=server,
            workers=fault.workers if address else 1,
            posts=posts,
            kills=kills,
            bug=bug,
            channels=9 if posts < 500 else 21,
        ) as field,
    ):
        fault.act(field)
        seconds = field.settle(patience)
        results = field.count(seconds)
        if any(wrong(result) for result in results) and not bug:
            told = (Path(folder) / "log").read_text().splitlines(keepends=True)
            sys.stderr.writelines(line for line in told if line[:4].isdigit())
    if server:
        server.drop(address)
    return results


def wrong(result: Result) -> bool:
    """Whether this is what must never happen."""
    bad = result.doubled + result.lost + result.unread + result.stranded
    return bool(bad or (result.doubts and result.kind != "blind"))


def lines(**how: int | float | str) -> Iterator[tuple[str, ...]]:
    only = str(how.pop("only"))
    for fault in FAULTS:
        if only not in fault.name:
            continue
        for database in fault.databases:
            with_ = f", {fault.workers} workers" if database == "postgresql" else ""
            for one in run(fault, database, **how):  # type: ignore[arg-type] # as typed
                yield (
                    fault.name,
                    database + with_,
                    one.kind,
                    *map(str, (one.posts, one.doubled, one.lost, one.unread, one.stranded)),
                    str(one.doubts),
                    f"{one.seconds:.1f}",
                    "WRONG" if wrong(one) else "",
                )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--patience", type=float, default=180.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path)
    given = vars(parser.parse_args())
    keep = given.pop("keep")
    table = ["| " + " | ".join((*HEAD, "settled, s")) + " |", "|" + "---|" * (len(HEAD) + 1)]
    print("\n".join(table), flush=True)
    bad = 0
    for line in lines(**given):
        bad += bool(line[-1])
        table.append("| " + " | ".join(line[:-1]) + " |")
        print(table[-1], line[-1], flush=True)
    if keep:
        words = f"{given['posts']} posts a row, {given['kills']} kills; "
        keep.write_text(
            f"# The drill, {date.today():%d %B %Y}\n\n{words}\n\n" + "\n".join(table) + "\n"
        )
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
