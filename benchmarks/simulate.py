"""A thousand organisations and ten million posts a day: where would they wait, and for what?

A simulation, second by second, of the parts that were measured (bench_scale.py, bench_publish.py):
posts fall due as offices plan them, most of them at full and half hours; each of their accounts
sends one at a time; workers and databases take no more than they were measured to take.

    python benchmarks/simulate.py
"""

import random
from dataclasses import dataclass

DAY = 86_400
POSTS, ORGANISATIONS, CHANNELS = 10_000_000, 1_000, 12

# Measured on two shared cores (docs/measured/): a machine of an office is no slower.
WORKER = 230.0  # deliveries a second that one process sends: 3.4 ms of a core each
DATABASE = 600.0  # that one PostgreSQL records: 1.0 ms of a core each, and room for its disk
CALL = 0.5  # seconds that a real network takes for a post
AT_REST_MB, AT_REST_SHARE = 88.0, 0.006  # of a desk with nothing due: memory, and share of a core
ROW = 200  # bytes of a snapshot with its index
SNAPSHOTS = 7 * 6  # rows that a post's figures leave: seven rungs of the ladder, six metrics
SNAPSHOT_ROWS = 40_000.0  # rows a second that PostgreSQL takes in bulk


@dataclass(frozen=True)
class Plan:
    """When posts fall due: this share at full hours, this one at half hours, the rest anywhere;
    and this share of the day's posts within eight working hours."""

    full: float = 0.45
    half: float = 0.25
    working: float = 0.8


def due_in_a_day(posts: int, plan: Plan, seed: int = 1) -> list[int]:
    """How many posts fall due in each second of a day."""
    chance = random.Random(seed)
    counts = [0] * DAY
    hours = [plan.working / 8 if 8 <= h < 16 else (1 - plan.working) / 16 for h in range(24)]
    for hour, share in enumerate(hours):
        here = round(posts * share)
        counts[hour * 3600] += round(here * plan.full)
        counts[hour * 3600 + 1800] += round(here * plan.half)
        for _ in range(round(here * (1 - plan.full - plan.half)) // 100):
            counts[hour * 3600 + chance.randrange(3600)] += 100
    return counts


def lateness(counts: list[int], capacity: float) -> tuple[float, float]:
    """p99 and the longest wait in seconds, first come first served at `capacity` a second."""
    waiting, worst = 0.0, 0.0
    waits: list[tuple[float, int]] = []
    for fresh in counts:
        wait = waiting / capacity
        if fresh:
            waits.append((wait + fresh / capacity, fresh))
        worst = max(worst, wait + fresh / capacity)
        waiting = max(0.0, waiting + fresh - capacity)
    waits.sort()
    total, so_far = sum(count for _, count in waits), 0
    for wait, count in waits:
        so_far += count
        if so_far >= 0.99 * total:
            return wait, worst
    return worst, worst


def main() -> None:
    whole = due_in_a_day(POSTS, Plan())
    one = due_in_a_day(POSTS // ORGANISATIONS, Plan())
    busiest, here = max(whole), max(one)
    print(
        f"{POSTS:,} posts a day are {POSTS / DAY:.0f} a second; at full hours {busiest:,} at once"
    )
    print()
    print("| how | p99 late | at most | what it takes |")
    print("|---|---|---|---|")
    p99, most = lateness(one, min(WORKER, CHANNELS / CALL))
    print(
        f"| a desk an organisation, {POSTS // ORGANISATIONS:,} posts a day each, {here} at once "
        f"| {p99:.0f} s | {most:.0f} s | {ORGANISATIONS * AT_REST_MB / 1000:.0f} GB, "
        f"{ORGANISATIONS * AT_REST_SHARE:.0f} cores at rest |"
    )
    for databases in (1, 4, 16, 64):
        p99, most = lateness(whole, databases * DATABASE)
        workers = round(databases * DATABASE / WORKER)
        print(
            f"| {databases} PostgreSQL shared by all | {p99 / 60:.0f} min | {most / 60:.0f} min "
            f"| {workers} workers with {DATABASE * databases * CALL:,.0f} calls in flight |"
        )
    rows = POSTS * SNAPSHOTS
    print()
    print(
        f"figures: {rows:,} snapshots a day, {rows / DAY:,.0f} a second "
        f"({rows / DAY / SNAPSHOT_ROWS:.0%} of what one PostgreSQL takes in bulk), "
        f"{rows * ROW / 1e9:.0f} GB a day"
    )


if __name__ == "__main__":
    main()
