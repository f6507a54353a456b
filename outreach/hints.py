"""How a mistake is told: where it stands, and what was probably meant."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

LONGEST = 60  # characters; no name of ours is longer, and difflib takes seconds over a paragraph


def nearest(word: str, known: Iterable[Any], cutoff: float = 0.6) -> str:
    """The known word that `word` was probably meant to be, or ""."""
    if len(word) > LONGEST:
        return ""
    import difflib  # only where something is wrong, and programs start often

    near = difflib.get_close_matches(word, [str(one) for one in known], 1, cutoff)
    return near[0] if near else ""


def did_you_mean(word: str, known: Iterable[Any]) -> str:
    """A hint that names the nearest known word, or ""."""
    near = nearest(word, known)
    return f"did you mean {near}?" if near else ""


def known_as(path: Path, root: Path | None) -> str:
    """A file as people know it: from the office's folder, where it is in it."""
    return (path.relative_to(root) if root and path.is_relative_to(root) else path).as_posix()
