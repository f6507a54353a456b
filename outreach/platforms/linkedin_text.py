"""LinkedIn's “little” text, in which commentary is sent and shown again.

An unescaped reserved character cuts the post off there, without an error. Comments are plain text.
https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/little-text-format
"""

import re

_RESERVED = re.compile(r"[\\|{}@\[\]()<>#*_~]")
_MENTION = r"@\[(?P<name>[^\[\]()\n]+)\]\((?P<urn>urn:li:(?:organization|person):[\w-]+)\)"
_TAG = r"(?<![\w&/#])#(?P<tag>\w*[^\W\d_]\w*)"
_WRITTEN = re.compile(f"{_MENTION}|{_TAG}|{_RESERVED.pattern}")
_LITTLE = re.compile(
    r"\{hashtag\|\\?#\|(?P<tag>(?:\\.|[^\\}])+)\}"
    r"|@\[(?P<name>(?:\\.|[^\\\]])+)\]\s?\(urn:li:[^)]+\)"
    rf"|\\(?P<char>{_RESERVED.pattern})"
)


def little(text: str) -> str:
    """The commentary for a text: `@[Name](urn:li:organization:1)` mentions, `#words` are hashtags,
    and every other reserved character stands for itself."""

    def element(found: re.Match[str]) -> str:
        if found["urn"]:
            return f"@[{_escaped(found['name'])}]({found['urn']})"
        if found["tag"]:
            return rf"{{hashtag|\#|{_escaped(found['tag'])}}}"
        return _escaped(found[0])

    return _WRITTEN.sub(element, text)


def shown(commentary: str) -> str:
    """What people read of a commentary, whether escaped or not."""

    def read(found: re.Match[str]) -> str:
        if found["tag"]:
            return f"#{_unescaped(found['tag'])}"
        return _unescaped(found["name"]) if found["name"] else str(found["char"])

    return _LITTLE.sub(read, commentary)


def without_markup(text: str) -> str:
    """A text of ours as a comment has it: a mention is the name alone."""
    return re.sub(_MENTION, lambda found: str(found["name"]), text)


def counted(text: str) -> int:
    """The UTF-16 units of what is sent, escapes and all.

    What LinkedIn counts is not published: no count of it can be larger.
    """
    return len(little(text).encode("utf-16-le", "surrogatepass")) // 2


def _escaped(text: str) -> str:
    return _RESERVED.sub(r"\\\g<0>", text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
