"""How a text looks on each network: addresses, hashtags, mentions, pictures, and its length.

Whatever stands in a text is escaped first, and only then marked; nothing of it is ever markup.
Addresses are shown and lead nowhere: nothing was published, and they may not answer yet.
"""

import base64
import io
import re
import unicodedata
from dataclasses import dataclass

from markupsafe import Markup, escape

from outreach.platforms import Limits
from outreach.post import Part, Picture
from outreach.rehearsal.marks import MARKED, without_marks
from outreach.words import clean

"""The networks whose manner is drawn; any other is plain."""

_TOKEN = re.compile(
    MARKED.pattern
    # Chinese, Korean and Japanese put the next word right after an address, and end it there.
    + "|(https?://[A-Za-z0-9\u00c0-\u024f\u0400-\u04ff._~:/?#\\[\\]@!$&'()*+,;=%-]+)"
    + r"|((?<![\w&/#])#\w+)|((?<![\w@/.])@\w+)"
    + r"|@\[([^\[\]()\n]+)\]\(urn:li:\w+:[\w-]+\)",  # whom LinkedIn shows by name alone
    re.IGNORECASE,
)
_AFTER = ".,;:!?'*~_)]"  # what ends the sentence around an address rather than the address

# A person passes this page round for reading: nothing in it may turn text around, or hide.
_NO_TEXT = re.compile("[\ud800-\udfff\ufffe\uffff]")

SHORT = 26  # characters of an address that X shows
THUMBNAIL = 720  # pixels of a picture's longer side on the page


def spelled(text: str) -> str:
    """The text with what a browser would obey, or hide, spelled out: ⟨U+202E⟩."""
    return _NO_TEXT.sub("\ufffd", clean(text))


def marked_up(text: str, network: str) -> Markup:
    """A text as HTML: its marks, addresses, hashtags and mentions in spans, all else escaped."""
    html, end = Markup(""), 0
    for found in _TOKEN.finditer(text):
        html += escape(text[end : found.start()])
        open_, address, hashtag, _mention, named = found.groups()
        end = found.end()
        if open_ is not None:
            html += Markup('<mark class="open">{}</mark>').format(found[0])
        elif address:
            whole = address.rstrip(_AFTER)
            end -= len(address) - len(whole)
            html += Markup('<span class="link" title="{}">{}</span>').format(
                whole, _as_shown(whole, network)
            )
        elif named and network != "linkedin":
            html += escape(found[0])
        else:
            kind = "hashtag" if hashtag else "mention"
            html += Markup('<span class="{}">{}</span>').format(kind, named or found[0])
    return html + escape(text[end:])


def _as_shown(address: str, network: str) -> str:
    """X leaves out the scheme, and all but the beginning."""
    if network != "x":
        return address
    bare = re.sub(r"^https?://(www\.)?", "", address)
    return bare if len(bare) <= SHORT else f"{bare[:SHORT]}…"


def title_and_text(text: str, network: str) -> tuple[str, str]:
    """On the web feed a first line that a blank one follows is the title."""
    if network == "feed":
        head, blank, rest = text.partition("\n\n")
        if blank and rest.strip() and "\n" not in head:
            return head.strip(), rest.strip("\n")
    return "", text


@dataclass(frozen=True)
class Room:
    """How much of a network's room a part takes: `count` of `room`, and whether that is sure."""

    count: int
    room: int
    unit: str
    sure: bool

    @property
    def full(self) -> bool:
        return self.count > self.room


def room_of(part: Part, limits: Limits, number: int = 0) -> Room:
    """Counted as the network counts, an address for one that is to come, and no other mark.

    `number` is the part's place in its post, the first being 0.
    """
    bare = without_marks(part.text)
    return Room(limits.length(bare), limits.room(part, number), limits.unit, bare == part.text)


def thumbnail(picture: Picture) -> str:
    """The picture as an address that holds it, small; "" where it cannot be shown."""
    from PIL import Image, ImageOps

    if picture.still:
        picture = picture.still
    if not picture.data or picture.kind != "picture":
        return ""
    try:
        with Image.open(io.BytesIO(picture.data)) as opened:
            small = ImageOps.exif_transpose(opened).convert("RGBA")
            small.thumbnail((THUMBNAIL, THUMBNAIL))
            paper = Image.new("RGB", small.size, "white")
            paper.paste(small, mask=small.getchannel("A"))
            kept = io.BytesIO()
            paper.save(kept, "JPEG", quality=80)
    except Exception:  # a decoder can raise anything; the page is made all the same
        return ""
    return f"data:image/jpeg;base64,{base64.b64encode(kept.getvalue()).decode()}"


def initial(name: str) -> str:
    """The letter in the circle beside an account's name."""
    return next((c.upper() for c in name if unicodedata.category(c).startswith("L")), "·")
