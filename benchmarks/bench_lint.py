"""How long linting a post takes: milliseconds, and as a ratio of its bare patterns, in one run.

The floor is running the compiled patterns of the same rules over the same text and doing nothing
with what they find; the bounds are 2 ms a post, and 4 times the floor (the checks that are no
patterns come on top of it). Posts of 280 and 1,000 characters; best of 200 runs each.
"""

import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from outreach.compose.style import load_style

RUNS, MILLISECONDS, RATIO = 200, 2.0, 4
RULES = Path(__file__).parents[1] / "config" / "house-style"
SENTENCES = (
    "Save the date: Fifth International Forum on Low Carbon Cities, 25 August 2025.",
    "It will take place on Monday, 25 August 2025, at the United Nations Conference Centre.",
    "Its theme is “Rethinking Urban Climate Actions under Demographic Change”.",
    "City leaders, policymakers, urban experts, youth and development partners take part.",
    "South Korea is one of the six; 34 per cent of its cities, says its report, have a plan.",
    "The forum exchanges knowledge, shares best practices, and shapes regional strategies.",
)
END = "\n\nhttps://neaspec.org/forum 🌏\n\n#LowCarbonCities #ClimateAction"


def post(length: int) -> str:
    """A post of so many characters, with things to find and things to pass over."""
    text = ""
    while len(text) < length:
        text += "\n\n".join(SENTENCES) + "\n\n"
    return text[: length - len(END)] + END


def best(work: Callable[[], object]) -> float:
    """Milliseconds of the quickest run."""
    quickest = float("inf")
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        quickest = min(quickest, time.perf_counter() - started)
    return quickest * 1000


def bare(patterns: list[re.Pattern[str]], text: str) -> None:
    for pattern in patterns:
        list(pattern.finditer(text))


def main() -> int:
    house = load_style(RULES)
    patterns = [rule.pattern for rule in house.rules("en", "post") if rule.pattern]
    failed = bool(house.problems)
    for length in (280, 1000):
        text = post(length)
        found = house.lint(text)
        floor = best(partial(bare, patterns, text))
        ours = best(partial(house.lint, text))
        print(
            f"lint, {length} characters: {ours:.2f} ms (at most {MILLISECONDS:g}), "
            f"{ours / floor:.1f} x its {len(patterns)} bare patterns ({floor:.2f} ms; "
            f"at most {RATIO}); {len(found)} findings"
        )
        failed |= ours > MILLISECONDS or ours > RATIO * floor
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
