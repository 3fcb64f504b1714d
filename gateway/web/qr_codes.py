"""QR codes: as a picture for programs, and as a drawing for pages, whose policy takes no `data:` addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    import segno

# The quiet zone that scanners want around the code (ISO/IEC 18004).
_BORDER = 4
_PIXELS = 6
_DARK, _LIGHT = "#000", "#fff"


def qr_png(content: str) -> str:
    """Give a PNG as a `data:` address."""
    return _drawn(content).png_data_uri(scale=_PIXELS, border=_BORDER)


def qr_svg(content: str) -> Markup:
    """Give an inline SVG without any style or script; dark on light in every colour scheme, or it cannot be read."""
    drawn = _drawn(content).svg_inline(
        border=_BORDER, dark=_DARK, light=_LIGHT, omitsize=True, svgclass="qr", lineclass=None
    )
    return Markup(drawn)  # noqa: S704 - segno draws squares; nothing of the content is in it as text


def _drawn(content: str) -> segno.QRCode:
    # Few people enrol; every start would pay for it.
    import segno  # noqa: PLC0415

    return segno.make_qr(content)
