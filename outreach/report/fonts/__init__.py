"""The fonts that documents are set in, and how broad text is in them.

Tinos has the widths of Times New Roman; Noto Sans is for charts. Both have Latin, Greek and
Cyrillic letters, Mongolian's too. Chinese, Japanese and Korean are found at run time: in this
folder (`make fonts` fills `more/`), in the office's `templates/reports/fonts`, or installed.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FOLDER = Path(__file__).parent
SERIF, SANS = "Tinos", "Noto Sans"  # the families


@cache
def length(text: str, face: str = "Tinos-Regular") -> float:
    """How broad a text is in ems: at 10 points, ten times as many points."""
    return float(_font(face).getlength(text)) / 1000


@cache
def _font(face: str) -> "FreeTypeFont":
    from PIL import ImageFont

    return ImageFont.truetype(FOLDER / f"{face}.ttf", 1000)
