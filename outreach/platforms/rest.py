"""Networks that are asked in plain HTTPS and JSON: a request, its answer, and what a failure means.

For networks whose own client library is unfinished, or is many times what we use of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from outreach.errors import NotNow, PlatformError, Uncertain
from outreach.platforms.wire import never_left, wire
from outreach.post import unfenced

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What a network answered. `body` is its JSON; None where it has none that can be read."""

    status: int
    headers: Mapping[str, str]  # found in any case
    body: Any
    reason: str


@dataclass(frozen=True)
class Rest:
    """The way to one network. `base`, where it is set, replaces scheme and host of every address.

    `connect` seconds to connect, then `timeout` without a byte. `live` says of a method and path
    whether they could make something public: only such a request asks the fence. What
    `secrets` gives stands in no error. `meaning` says what an answer means that is no yes.
    """

    network: str
    connect: float
    timeout: float
    live: Callable[[str, str], bool]
    meaning: Callable[[Answer], PlatformError]
    secrets: Callable[[], Iterable[str]] = field(repr=False)
    base: str = ""

    def ask(
        self,
        method: str,
        url: str,
        read: Callable[[Answer], T],
        *,
        fence: Callable[[float], None] = unfenced,
        **request: Any,
    ) -> T:
        """What `read` makes of the answer; a yes that it cannot read is no clear answer.

        A new session each time: they are not for several threads, and a kept connection that the
        network closed meanwhile would be a false doubt.
        """
        import requests

        way = wire(self.connect, self.timeout, base=self.base, fence=fence, live=self.live)
        with requests.Session() as session:
            session.trust_env = not self.base
            session.mount("https://", way)
            try:
                # Not followed: a redirected request would be sent twice.
                told = session.request(method, url, allow_redirects=False, **request)
                answer = Answer(told.status_code, told.headers, _json(told), told.reason)
                if 200 <= told.status_code < 300:
                    return read(answer)
                failure = self.meaning(answer)
            except PlatformError as error:  # the fence's, or what `read` found
                failure = error
            except requests.RequestException as error:
                failure = self._unanswered(error)
            except Exception as error:
                why = type(error).__name__
                failure = Uncertain(f"no clear answer from {self.network}: {why}")
        # Raised outside the handler: as a context, the original could tell the token.
        raise failure

    def scrubbed(self, text: object) -> str:
        """A network's words in one line, without the secrets that they may quote."""
        plain = " ".join(str(text).split())
        for secret in self.secrets():
            plain = plain.replace(secret, "…") if secret else plain
        return plain[:300]

    def _unanswered(self, error: Exception) -> PlatformError:
        import requests

        if never_left(error):
            return NotNow(f"{self.network} cannot be reached")
        slow = isinstance(error, requests.Timeout)
        why = "it took too long" if slow else "the connection broke"
        return Uncertain(f"no answer from {self.network}: {why}")


def _json(told: Any) -> Any:
    try:
        return told.json()
    except ValueError:
        return None
