"""The shipped fonts cut down to the letters of one text, to travel inside a page."""

import base64
import io
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset

from core.reports.letters import font_folder

_WEIGHTS = {"Regular": 400, "SemiBold": 600}
_FEATURES = ["ccmp", "kern", "locl", "mark", "mkmk", "tnum"]


def font_faces(text: str) -> str:
    """`@font-face` rules, as CSS, of those fonts that have letters of the text; families as the files are named."""
    return "".join(_face(font, text) for font in sorted(font_folder().glob("*.otf")))


def _face(font: Path, text: str) -> str:
    options = subset.Options(layout_features=_FEATURES, flavor="woff", hinting=False, notdef_outline=True)
    loaded = subset.load_font(io.BytesIO(font.read_bytes()), options)
    letters = _letters(text, loaded.getBestCmap())
    if not letters:
        return ""
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=letters)
    cutter.subset(loaded)
    out = io.BytesIO()
    subset.save_font(loaded, out, options)
    family, weight = font.stem.rsplit("-", 1)
    data = base64.b64encode(out.getvalue()).decode()
    return (
        f'@font-face{{font-family:"{family}";font-weight:{_WEIGHTS[weight]};'
        f'src:url(data:font/woff;base64,{data}) format("woff")}}'
    )


def _letters(text: str, held: Iterable[int]) -> set[int]:
    return {ord(letter) for letter in set(text)}.intersection(held)
