"""Parts that an office may install beside the program: each finds more, and nothing needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final


@dataclass(frozen=True)
class Extra:
    """An optional part: the module that is imported, the package it comes in, what it is for."""

    module: str
    package: str
    does: str

    @property
    def installed(self) -> bool:
        """Whether it is here; it is not imported for that."""
        return find_spec(self.module) is not None


EXTRAS: Final[Mapping[str, Extra]] = {
    "languages": Extra(
        "lingua",
        "lingua-language-detector",
        "a text that stands under another language's heading is known by its words",
    ),
}
"""By name, as in the program's pyproject.toml."""


def here() -> tuple[str, ...]:
    """The names of those that are installed."""
    return tuple(name for name, extra in EXTRAS.items() if extra.installed)
