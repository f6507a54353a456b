"""Which visits of a short link are a person's.

A post's link is fetched by machines before anybody sees it: by the network for its preview, by
every chat it is forwarded to, by search engines, by the reader's browser ahead of a tap. Those
are not readers. They are told by what they say of themselves, against a kept list
(config/bots.txt). A machine that poses as a browser is counted; a report says so. Nothing about
who came is kept: this module returns yes or no.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from outreach.errors import Problem, WrongFiles

HEADERS = ("user-agent", "purpose", "sec-purpose", "x-purpose", "x-moz", "sec-fetch-mode")
"""The headers that `is_person` looks at; a door need hand over no others."""

_AHEAD = frozenset({"prefetch", "prerender", "preview"})

# A name on the list that is part of one of these would stop counting people.
_PEOPLE = {
    "Safari on an iPhone": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
    ),
    "Chrome on Android": (
        "Mozilla/5.0 (Linux; Android 14; SM-S921N Build/UP1A.231005.007; wv) AppleWebKit/537.36 "
        "(KHTML, like Gecko) Version/4.0 Chrome/138.0.0.0 Mobile Safari/537.36"
    ),
    "a browser on Windows": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0 OPR/ YaBrowser/ Yowser/ SamsungBrowser/"
    ),
    "Firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "WeChat's browser": "MicroMessenger/8.0.50(0x1800322f) NetType/WIFI Language/zh_CN",
    "KakaoTalk's browser": "KAKAOTALK/11.2.0 (INAPP)",
    "Line's browser": "Safari Line/15.8.0/IAB",
    "Naver's browser": "NAVER(inapp; search; 2000; 12.9.3)",
    "Facebook's browser": "[FBAN/FBIOS;FBAV/470.0.0.38.109;FBBV/613249553] [FB_IAB/FB4A]",
    "Instagram's browser": "Instagram 341.0.0.36.98 (iPhone14,5)",
    "X's browser": "Twitter for iPhone/10.51",
    "LinkedIn's browser": "[LinkedInApp]/9.30.1",
    "Telegram's browser": "Telegram-Android/11.4.2 (Samsung SM-S921N)",
    "VK's browser": "com.vk.vkclient/1094 VKAndroidApp/8.99",
    "a Cubot telephone": "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20 Build/RP1A.200720.011)",
}


@dataclass(frozen=True)
class Bots:
    """The kept list: parts of the names by which previews and bots call themselves."""

    names: tuple[str, ...]
    _any: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pattern = "|".join(re.escape(name) for name in self.names) or r"(?!)"
        object.__setattr__(self, "_any", re.compile(pattern, re.IGNORECASE))

    def know(self, agent: str) -> bool:
        """Whether a User-Agent names one of them; capitals and small letters are the same."""
        return self._any.search(agent) is not None


def is_person(method: str, headers: Mapping[str, str], bots: Bots) -> bool:
    """Whether this visit counts as a click; in doubt it does.

    `method` is HTTP's, `headers` by name in any case. A HEAD looks and does not read; a browser
    that fetches ahead says so (Sec-Purpose; formerly Purpose, X-Purpose, X-Moz), and what a page
    loads by itself is no navigation (Fetch Metadata: Sec-Fetch-Mode). Every browser names itself.
    """
    said = {name.lower(): value.strip().lower() for name, value in headers.items()}
    if method.upper() != "GET":
        return False
    if said.get("sec-fetch-mode", "navigate") != "navigate":
        return False
    for name in ("sec-purpose", "purpose", "x-purpose", "x-moz"):
        if _AHEAD & set(re.split(r"[\s;,]+", said.get(name, ""))):
            return False
    agent = said.get("user-agent", "")
    return bool(agent) and not bots.know(agent)


def load_bots(path: Path) -> Bots:
    """The list in this file: one part of a name a line, `#` begins a comment.

    Raises WrongFiles with every mistake at once: a name so short or so common that it would
    stop counting people, a name twice, a file that cannot be read or lists nothing.
    """
    try:
        lines = path.read_bytes().decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        what, line = "the list of previews and bots cannot be read", ""
        hint = "restore it; `outreach init` writes a new one"
        if isinstance(error, UnicodeDecodeError):
            line = ":" + str(error.object.count(b"\n", 0, error.start) + 1)
            what, hint = f"{what}: this line is not UTF-8 text", "save it as UTF-8"
        else:
            what += f": {error.strerror}"
        raise WrongFiles([Problem(f"{path}{line}", what, hint)]) from error
    first: dict[str, int] = {}
    problems = []
    for number, line in enumerate(lines, start=1):
        name = re.split(r"(?:^|\s)#", line.removeprefix("\ufeff"), maxsplit=1)[0].strip()
        if not name:
            continue
        if name.lower() in first:
            what, hint = f"{name!r} is in line {first[name.lower()]} already", "delete one of them"
        elif len(name) < 4:
            what, hint = f"{name!r} is too short", "write at least four characters of the name"
        elif people := [who for who, agent in _PEOPLE.items() if name.lower() in agent.lower()]:
            what = f"{name!r} would stop counting people who use {people[0]}"
            hint = "write more of the bot's name"
        else:
            first[name.lower()] = number
            continue
        problems.append(Problem(f"{path}:{number}", what, hint))
    if not first and not problems:
        what = "lists no previews or bots: every one of them would be counted as a reader"
        problems.append(Problem(str(path), what, "restore it; `outreach init` writes a new one"))
    if problems:
        raise WrongFiles(problems)
    return Bots(tuple(first))
