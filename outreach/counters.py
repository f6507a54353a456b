"""What this process has done since it began, counted for whoever watches the machine.

Each process counts its own calls; what waits is counted in the database, by `outreach/vitals.py`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram

from outreach.errors import Handed, NotNow, Refused

COUNTED = CollectorRegistry()

CALLS = Counter(
    "outreach_calls",
    "Calls to networks that could make something public, by what they led to.",
    ("channel", "outcome"),
    registry=COUNTED,
)
SECONDS = Histogram(
    "outreach_call_seconds",
    "How long such a call took.",
    ("channel",),
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
    registry=COUNTED,
)
LATENESS = Histogram(
    "outreach_lateness_seconds",
    "How long after its slot a post was live.",
    ("channel",),
    buckets=(1, 2, 5, 10, 30, 60, 300, 900, 3600, 86400),
    registry=COUNTED,
)

_OUTCOMES: tuple[tuple[type[Exception], str], ...] = (
    (NotNow, "not now"),
    (Refused, "refused"),
    (Handed, "handed"),
    (Exception, "uncertain"),
)


@contextmanager
def call(channel: str) -> Iterator[None]:
    """Count the call that is made within, by what it raises."""
    began, outcome = time.monotonic(), "uncertain"
    try:
        yield
        outcome = "live"
    except Exception as error:
        outcome = next(words for kind, words in _OUTCOMES if isinstance(error, kind))
        raise
    finally:
        CALLS.labels(channel, outcome).inc()
        SECONDS.labels(channel).observe(time.monotonic() - began)
