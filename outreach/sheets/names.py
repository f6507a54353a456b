"""What stands in braces in a text, and must stand in its translations as well."""

import re
from collections.abc import Iterator
from typing import Final

ALLOWED: Final = frozenset({"{{ unofficial }}"})  # a translation prints it, and its source does not

_CLOSES: Final = re.compile(r"\}\}|%\}")


def differing(source: str, translation: str, before: str = "") -> list[tuple[str, str]]:
    """What is wrong with a translation's braces: (what, hint) for each.

    Where the translation that stood there `before` differs from its source already (a partner's
    name in its own language, say), it may go on doing so.
    """
    ours, theirs, were = _names(source), _names(translation), _names(before)
    if isinstance(ours, str):
        return []  # the source itself cannot be read, and is told by `outreach check`
    if isinstance(theirs, str):
        return [(f"the braces cannot be read: {theirs}", "copy them from the source text")]
    stood = were if isinstance(were, list) and before else []
    missing = [name for name in ours if name not in theirs and (not before or name in stood)]
    extra = [name for name in theirs if name not in {*ours, *stood, *ALLOWED}]
    wrong = []
    if missing:
        what = f"{_listed(missing)} of the source text {_is(missing)} missing"
        wrong.append((what, "copy from the source text, braces included, what belongs there"))
    if extra:
        what = f"{_listed(extra)} {_is(extra)} not in the source text"
        wrong.append((what, "what stands in braces is filled in by the program: never change it"))
    return wrong


def _listed(names: list[str]) -> str:
    return ", ".join(name if len(name) <= 60 else f"{name[:59]}…" for name in names[:5])


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _names(text: str) -> list[str] | str:
    """Everything in braces, each once, with one blank between its words; or why not."""
    from jinja2 import Environment, TemplateSyntaxError

    try:
        # Only taken to pieces, never run: that is done in a process of its own.
        return list(dict.fromkeys(_pieces(Environment(autoescape=False).lex(text))))  # noqa: S701 - it is only read, never rendered
    except TemplateSyntaxError as error:
        return str(error.message)
    except _Unmatched as error:
        return str(error)


class _Unmatched(Exception):
    """A brace that opens and does not close, or the other way round: to Jinja2 that is text."""


def _pieces(tokens: Iterator[tuple[int, str, str]]) -> Iterator[str]:
    inside: list[str] | None = None
    for _line, kind, value in tokens:
        if kind in ("variable_begin", "block_begin"):
            inside = []
        elif kind in ("variable_end", "block_end") and inside is not None:
            words = " ".join("".join(inside).split())
            yield f"{{{{ {words} }}}}" if kind == "variable_end" else f"{{% {words} %}}"
            inside = None
        elif inside is not None:
            inside.append(" " if kind == "whitespace" else value)
        elif found := _CLOSES.search(value if kind == "data" else ""):
            raise _Unmatched(f"{found[0]} closes what nothing opens")
    if inside is not None:
        raise _Unmatched("what opens with {{ or {% is not closed")
