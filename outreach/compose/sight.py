"""The child program that reads words in pictures: `pictures.py` starts it, feeds it, and ends it.

A process of its own: what reads pictures takes 700 MB, a second to start, and is native code that
a damaged picture may bring down. It imports nothing of the project and asks no network.

It says "ready", then reads one picture a line from standard input, in Base64, and answers each
with one line: the lines of words that it could read for sure, as JSON.
"""

import base64
import io
import json
import sys
from typing import Any

SURE = 0.8  # words in print are read with 0.95 and more; what it guesses of other scripts with 0.6
SIDE = 1600  # pixels: more makes it slower and reads no more


def main() -> None:
    """Answer pictures until standard input ends."""
    answer, sys.stdout = sys.stdout, sys.stderr
    from rapidocr import RapidOCR

    read: Any = RapidOCR(params={"Global.log_level": "critical"})
    answer.write("ready\n")
    answer.flush()
    for line in sys.stdin.buffer:
        try:
            found = read(_flat(base64.b64decode(line)))
            scored = zip(found.txts or (), found.scores or (), strict=False)
            said = [text for text, score in scored if score >= SURE]
        except Exception:  # whatever is odd about one picture, the others are read
            said = []
        answer.write(json.dumps(said) + "\n")
        answer.flush()


def _flat(data: bytes) -> Any:
    """The picture as it is seen: upright, on white, of a size that can be read quickly."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(data)) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGBA")
    picture.thumbnail((SIDE, SIDE))
    flat = Image.new("RGBA", picture.size, "white")
    flat.alpha_composite(picture)
    return flat.convert("RGB")


if __name__ == "__main__":
    main()
