"""How much of a name fits into so many pixels, when nobody can measure the font."""

from __future__ import annotations

# Widths of the characters from space to "~" in hundredths of the font size: the widest of Verdana and its free twin,
# DejaVu Sans, rounded up, so that text fits in both and in the narrower fonts that stand in for them.
_ASCII_WIDTHS = (
    "4046498296737328464664823746374665656565656565656565464682828255"
    "9969707978645978764646706085757961797070637574996969694646468264"
    "6461635363604064642835602898646262634353406460826061534664468464"
)
_WIDTHS = {chr(32 + at): int(_ASCII_WIDTHS[2 * at : 2 * at + 2]) for at in range(95)}
_WIDEST = 100
ELLIPSIS = "…"


class TextFit:
    """Cuts names to a width.

    Args:
        fontsize: in pixels.
        fontwidth: mean width of a character as a part of fontsize, or None for the default font's own widths.
        keep_end: cut at the beginning and not at the end.
    """

    def __init__(self, fontsize: float, fontwidth: float | None, *, keep_end: bool = False) -> None:
        self._pixel = fontsize / 100
        self._uniform = None if fontwidth is None else fontwidth * 100
        self._keep_end = keep_end

    def fit(self, text: str, pixels: float) -> str:
        """Give the text, or what fits of it with an ellipsis, or nothing where fewer than two characters fit."""
        room = pixels / self._pixel
        used = 0.0
        whole = 0  # characters that fit with the ellipsis after them
        ellipsis_width = self._width(ELLIPSIS)
        for count, char in enumerate(reversed(text) if self._keep_end else text, 1):
            used += self._width(char)
            if used > room:
                break
            if used + ellipsis_width <= room:
                whole = count
        else:
            return text
        if whole < 2:
            return ""
        return ELLIPSIS + text[-whole:] if self._keep_end else text[:whole] + ELLIPSIS

    def measure(self, text: str) -> float:
        """Give the width of a text in pixels."""
        return sum(map(self._width, text)) * self._pixel

    def _width(self, char: str) -> float:
        if char < "\x7f":
            return self._uniform or _WIDTHS[char]
        from unicodedata import combining, east_asian_width

        if combining(char):
            return 0
        if self._uniform is not None:
            return self._uniform * (2 if east_asian_width(char) in "WF" else 1)
        return _WIDEST
