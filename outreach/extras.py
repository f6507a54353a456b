"""Parts that an office may install beside the program: each finds more, and nothing needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final


@dataclass(frozen=True)
class Extra:
    """An optional part: the modules that are imported, their packages, and what it is for."""

    modules: tuple[str, ...]
    packages: tuple[str, ...]
    does: str

    @property
    def installed(self) -> bool:
        """Whether all of it is here; it is not imported for that."""
        return all(find_spec(module) is not None for module in self.modules)


EXTRAS: Final[Mapping[str, Extra]] = {
    "languages": Extra(
        ("lingua",),
        ("lingua-language-detector",),
        "a text that stands under another language's heading is known by its words",
    ),
    "pictures": Extra(
        ("rapidocr", "onnxruntime"),
        ("rapidocr", "onnxruntime"),
        "outreach check names the words of a picture that its alt text leaves out",
    ),
}
"""By name, as in the program's pyproject.toml."""


def here() -> tuple[str, ...]:
    """The names of those that are installed."""
    return tuple(name for name, extra in EXTRAS.items() if extra.installed)
