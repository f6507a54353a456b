"""What the Graph API's errors and its counters of calls mean.

https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from outreach.errors import NotNow, PlatformError, Refused, Uncertain
from outreach.platforms.failures import bounded
from outreach.platforms.rest import Answer

SPENT = frozenset({4, 17, 32, 341, 613, 80001})
TOKEN = frozenset({102, 190})
FORBIDDEN = frozenset({3, 10, *range(200, 300)})
DUPLICATE, BLOCKED, UNKNOWN = 506, 368, frozenset({1, 2})
PERMISSIONS = (
    "pages_manage_posts",
    "pages_manage_engagement",
    "pages_read_engagement",
    "pages_read_user_content",
    "read_insights",
)


def meaning(answer: Answer, scrubbed: Callable[[str], str]) -> PlatformError:
    """What an error means for a post, by its code; `scrubbed` takes secrets out of its words."""
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    if not isinstance(error, dict):
        return Uncertain(f"no clear answer from Facebook: {answer.status} {answer.reason}")
    code = error.get("code")
    told = error.get("error_user_msg") or error.get("message")
    said = scrubbed(f"{told} (code {code})")
    if code in SPENT or answer.status == 429:
        wait = spent(answer.headers) or timedelta(minutes=15)
        return NotNow(f"Facebook asks to wait: {said}", wait, everything=True)
    if code == BLOCKED:
        why = f"Facebook blocks the page for a while, and a person should see why: {said}"
        return NotNow(why, timedelta(hours=6), everything=True)
    if code == DUPLICATE:
        return Uncertain(f"Facebook has the same text already: {said}")
    if code in TOKEN:
        return Refused(
            f"Facebook does not accept this token ({said}): make a new one, with outreach connect"
        )
    if code in FORBIDDEN:
        needed = ", ".join(PERMISSIONS)
        return Refused(f"Facebook does not permit it ({said}): the token needs {needed}")
    if code in UNKNOWN or error.get("is_transient") or not 400 <= answer.status < 500:
        return Uncertain(f"no clear answer from Facebook: {said}")
    return Refused(f"Facebook refuses it: {said}")


def code_of(answer: Mapping[str, Any]) -> object:
    """The code of its error; None where it has none."""
    return answer.get("error", {}).get("code")


def no_such_metric(answer: Mapping[str, Any]) -> bool:
    """Whether it refuses a name of a metric: all others that were asked for fail with it."""
    return code_of(answer) == 100 and "insights metric" in str(answer["error"].get("message"))


def spent(headers: Mapping[str, str]) -> timedelta:
    """How long until calls are taken again, as Facebook's counters say; 0 where there is room.

    https://developers.facebook.com/docs/graph-api/overview/rate-limiting
    """
    waits = [timedelta(0)]
    with suppress(ValueError, TypeError, AttributeError, OverflowError):
        used = json.loads(headers.get("X-App-Usage", "{}")).values()
        waits += [timedelta(minutes=15) for share in used if share >= 100]
    with suppress(ValueError, TypeError, AttributeError, OverflowError):
        for kinds in json.loads(headers.get("X-Business-Use-Case-Usage", "{}")).values():
            minutes = [float(kind.get("estimated_time_to_regain_access", 0)) for kind in kinds]
            waits += [bounded(one * 60) for one in minutes if one > 0]
    return max(waits)
