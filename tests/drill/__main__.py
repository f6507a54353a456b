"""`make drill`: every fault at length, and the table of what came of it.

python -m tests.drill [--posts 1000] [--kills 200] [--only WORDS] [--on NETWORK] [--keep FILE]

`--on` has the real adapter on that network's stand-in, and the rows that can be had there. Mind its
limits: Telegram takes twenty posts a minute.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from tests import postgresql
from tests.drill.faults import FAULTS, Fault
from tests.drill.field import Result, held
from tests.drill.stand_ins import STAND_INS

HEAD = ("fault", "database", "network", "posts", "doubled", "lost", "unread", "stranded", "doubts")


def run(
    fault: Fault, database: str, *, patience: float, on: str = "", **scale: float
) -> list[Result]:
    """Break it, wait until all is settled, and count; on a stand-in of a real network, if named.

    `scale` is what a Field is made with: its posts, its kills, how long a fault lasts.
    """
    if on:
        with STAND_INS[on]() as (_, elsewhere):
            fault = replace(fault, how={**fault.how, "elsewhere": elsewhere})
            return run(fault, database, patience=patience, **scale)
    how = {
        "channels": 9 if scale["posts"] < 500 else 21,
        "workers": fault.workers if database == "postgresql" else 1,
        **scale,
        **fault.how,
    }
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
            put=fault.put,
            **how,
        ) as field,
    ):
        fault.act(field)
        seconds = field.settle(patience)
        results = field.count(seconds)
        if field.elsewhere:
            results[0].lost += len(field.without_an_outcome())
        if any(wrong(result) for result in results) and not field.bug:
            told = (Path(folder) / "log").read_text().splitlines(keepends=True)
            sys.stderr.writelines(line for line in told if line[:4].isdigit())
    if server:
        server.drop(address)
    return results


def wrong(result: Result) -> bool:
    """Whether this is what must never happen."""
    bad = result.doubled + result.lost + result.unread + result.stranded
    return bool(bad or (result.doubts and not result.blind))


def lines(*, only: str, at_a_time: int, **how: Any) -> Iterator[tuple[str, ...]]:
    """The table's lines, in its order. Each row is an office of its own, so several are held at a
    time: a drill mostly waits."""
    rows = [
        (fault, database)
        for fault in FAULTS
        if only in fault.name and (fault.anywhere or not how["on"])
        for database in fault.databases
    ]
    if any(database == "postgresql" for _, database in rows):
        postgresql.server()  # made once, before several want it
    with ThreadPoolExecutor(at_a_time) as pool:
        begun = [pool.submit(run, fault, database, **how) for fault, database in rows]
        for (fault, database), results in zip(rows, begun, strict=True):
            with_ = f", {fault.workers} workers" if database == "postgresql" else ""
            for one in results.result():
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
    parser.add_argument("--on", default="", choices=("", *STAND_INS))
    parser.add_argument("--at-a-time", type=int, default=2, help="rows that are held together")
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
