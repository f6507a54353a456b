"""The way to the network for libraries that stand on `requests`: the fence, and an end to waiting.

tweepy sets no time-out, Mastodon.py one of five minutes; neither ends an answer that only drips.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from outreach.post import unfenced


def wire(
    connect: float,
    timeout: float,
    *,
    base: str = "",
    fence: Callable[[float], None] = unfenced,
    live: Callable[[str, str], bool] = lambda method, path: False,
    heard: Callable[..., None] = lambda answer, *, posting: None,
) -> Any:
    """A transport for a `requests.Session`, which keeps the last `answer` or None.

    `connect` seconds to connect, then `timeout` without a byte; the body has `timeout` in all.
    `base` replaces scheme and host of every address. The fence is asked before each request that
    `live` says can make something public. `heard` is shown each answer before its library is, and
    whether it is one to such a request; it may raise.
    """
    from requests import PreparedRequest, ReadTimeout, Response
    from requests.adapters import HTTPAdapter

    target = urlsplit(base)

    def in_time(raw: Any, until: float) -> Iterator[bytes]:
        while chunk := raw.read1(2**16, decode_content=True):
            if time.monotonic() > until:
                raw.close()
                raise ReadTimeout("the answer did not end in time")
            yield chunk

    class Wire(HTTPAdapter):
        answer: Response | None = None

        def send(self, request: PreparedRequest, *_: Any, **options: Any) -> Response:
            url = urlsplit(request.url or "")
            options |= {"timeout": (connect, timeout), "stream": True}
            if base:
                request.url = urlunsplit(url._replace(scheme=target.scheme, netloc=target.netloc))
                options["proxies"] = {}
            self.answer = None
            posting = live(request.method or "", url.path)
            if posting:
                fence(connect + timeout)
            answer = super().send(request, **options)
            until = time.monotonic() + timeout
            raw: Any = answer.raw
            raw.stream = lambda *_, **__: in_time(raw, until)
            self.answer = answer
            heard(answer, posting=posting)
            return answer

    return Wire()


def never_left(error: BaseException | None) -> bool:
    """Whether an error of `requests` says that no connection was made: no byte of it left."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

    reason = error.args[0] if error and error.args else None
    reason = getattr(reason, "reason", reason)
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError, ProxyError))
