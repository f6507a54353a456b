"""A picture as a network takes it: turned upright, smaller, another type, without what it hides.

A picture that fits and hides nothing is sent byte for byte. Otherwise it is written anew: never
larger than it was, never cut. What is written is what is cleared, so the same picture gives the
same bytes, as long as the library that writes it is the same.
"""

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageOps

from outreach import kept
from outreach.platforms import Limits
from outreach.post import Picture

# Where a camera or an editor says who, where and with what: Exif with its GPS, XMP, IPTC, comments.
HIDDEN: Final = ("exif", "xmp", "XML:com.adobe.xmp", "photoshop", "comment")
QUALITIES: Final = (92, 85, 78, 70)  # of a JPEG or WebP; below it text in a card frays
SMALLER: Final = 0.85  # of its sides, where no quality is small enough
_NOBODYS: Final = Path("/")  # a picture is the same in every office, and in copies of its folder
LEAST: Final = 320  # pixels of its long side: smaller tells nothing

_SAVED: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


def fitted(picture: Picture, limits: Limits) -> Picture:
    """The picture as this network takes it; the same where it can stay, or cannot be helped.

    Moving pictures stay: to write them anew would stop them. A picture that is too long for its
    width stays so: which part to cut away is a person's choice.
    """
    with Image.open(io.BytesIO(picture.data)) as opened:
        if getattr(opened, "n_frames", 1) > 1:
            return picture
        hidden = [name for name in HIDDEN if opened.info.get(name)]
        scale = _scale(opened.size, limits)
        small = picture.size <= limits.picture_bytes
        if not hidden and scale == 1 and small and picture.type in limits.picture_types:
            return picture
        upright = ImageOps.exif_transpose(opened)
        written = _written(upright, picture, limits, scale)
    return written or picture


def fitted_before(picture: Picture, limits: Limits) -> Picture:
    """The same, kept in this person's cache by what the picture is and what the network takes."""
    takes = limits.picture_bytes, sorted(limits.picture_types), limits.picture_sides
    key = repr((picture.sha256, *takes, limits.picture_longest))
    kind = f"{kept.FITTED}{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if found := kept.read(_NOBODYS, key, kind):
        before: Picture = found[0]
        return replace(before, file=picture.file)
    made = fitted(picture, limits)
    if made is not picture:  # one that stays is nearly free
        kept.keep(_NOBODYS, key, [made], kind)
        kept.forget_old(_NOBODYS, kept.FITTED)
    return made


def _scale(size: tuple[int, int], limits: Limits) -> float:
    """How much smaller it has to be, at most 1."""
    of = [1.0]
    if limits.picture_longest:
        of.append(limits.picture_longest / max(size))
    if limits.picture_sides:
        of.append(limits.picture_sides / sum(size))
    return min(of)


def _written(image: Image.Image, picture: Picture, limits: Limits, scale: float) -> Picture | None:
    """The first writing that is small enough: lossless, then JPEG or WebP, then smaller."""
    clear = "A" in image.getbands() or "transparency" in image.info
    kinds = _kinds(picture.type, limits, clear=clear)
    while True:
        shown = _scaled(image, scale)
        for kind in kinds:
            for save in _ways(kind):
                data = save(shown)
                if len(data) <= limits.picture_bytes:
                    return _as(picture, data, kind, shown.size)
        if max(shown.size) * SMALLER < LEAST or not kinds:
            return None
        scale *= SMALLER


def _kinds(type_: str, limits: Limits, *, clear: bool) -> list[str]:
    """The types to try, best first: its own, then what keeps what is transparent, then JPEG."""
    order = [type_, "image/png", "image/webp"] if clear else [type_]
    if type_ not in _SAVED or type_ not in limits.picture_types:
        order += ["image/png"]
    order += ["image/jpeg", "image/webp"]
    return [one for one in dict.fromkeys(order) if one in _SAVED and one in limits.picture_types]


def _scaled(image: Image.Image, scale: float) -> Image.Image:
    if scale >= 1:
        return image
    if image.mode in ("P", "1", "I;16"):  # these are resized by repeating points
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    size = tuple(max(1, int(side * scale)) for side in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.LANCZOS)


def _ways(kind: str) -> list[Callable[[Image.Image], bytes]]:
    def way(quality: int) -> Callable[[Image.Image], bytes]:
        return lambda image: _save(image, kind, quality)

    return [way(0)] if kind == "image/png" else [way(quality) for quality in QUALITIES]


def _save(image: Image.Image, kind: str, quality: int) -> bytes:
    # The colour profile stays: without it a photograph of a telephone changes its colours.
    options: dict[str, Any] = {"icc_profile": image.info.get("icc_profile")}
    if kind == "image/jpeg":
        image = _opaque(image)
        options |= {"quality": quality, "optimize": True, "subsampling": 0 if quality > 85 else 2}
    elif kind == "image/webp":
        options |= {"quality": quality, "method": 4}
    else:
        options |= {"optimize": True}
    bare = image.copy()
    bare.info = {name: value for name, value in image.info.items() if name == "transparency"}
    if image.mode == "CMYK" or (kind == "image/jpeg" and image.mode != "RGB"):
        options["icc_profile"] = None  # it was of other colours
        bare = bare.convert("RGB")
    into = io.BytesIO()
    bare.save(into, _SAVED[kind], **options)
    return into.getvalue()


def _opaque(image: Image.Image) -> Image.Image:
    """On white, where one could see through it: a JPEG would show black there."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image
    above = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", above.size, "white"), above).convert("RGB")


def _as(picture: Picture, data: bytes, kind: str, size: tuple[int, int]) -> Picture:
    return replace(
        picture,
        sha256=hashlib.sha256(data).hexdigest(),
        type=kind,
        width=size[0],
        height=size[1],
        size=len(data),
        data=data,
    )
