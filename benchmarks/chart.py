"""The picture beside the table: what growth costs, and how latency is spread. SVG, for light and dark pages alike."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from benchmarks.row import Row

_WIDTH = 860
_LEFT, _RIGHT = 470, 800
_LINE = 30
_TITLE = 44
_NARROWEST_PERCENT = 30.0
# Each step of the scale is ten times the one before.
_SHORTEST_MS, _LONGEST_MS = 0.01, 100.0
_GROWTH, _LATENCY = "P7", "latency, "
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .quiet { fill: #59636e; font-size: 12px }
  .bar { fill: #0969da } .axis { stroke: #8c959f } .bound { stroke: #bc4c00; stroke-width: 2 }
  .gateway { fill: #0969da; stroke: #0969da } .floor { fill: #8c959f; stroke: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .quiet { fill: #9198a1 } .bar { fill: #4493f8 }
    .gateway { fill: #4493f8; stroke: #4493f8 } .bound { stroke: #f0883e }
  }
"""


def as_svg(rows: Sequence[Row]) -> str:
    """Draw the rows of growth and of latency; the others are in the table only."""
    grown = [row for row in rows if row.id == _GROWTH]
    latencies = [row for row in rows if row.what.startswith(_LATENCY)]
    parts: list[str] = []
    height = 0
    for lines, needed in ((_growth(grown), len(grown)), (_latency(latencies), len(_by_program(latencies)))):
        parts += [f'<g transform="translate(0 {height})">', *lines, "</g>"]
        height += _TITLE + _LINE * (needed + 1)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
    return "\n".join([head, "<title>Growth and latency</title>", f"<style>{_STYLE}</style>", *parts, "</svg>", ""])


def _growth(rows: Sequence[Row]) -> Iterator[str]:
    widest = max([_NARROWEST_PERCENT, *(row.value for row in rows)])

    def at(percent: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * max(percent, 0) / widest

    yield _text(16, 24, "Growth: how much less a core does", "title")
    yield _text(16, 24, "per cent; the mark is the line", "quiet", anchor="end", x_from_right=True)
    for number, row in enumerate(rows):
        y = _TITLE + _LINE * number
        yield _text(16, y + 14, row.what.partition(":")[0])
        yield f'<rect class="bar" x="{_LEFT}" y="{y}" width="{at(row.value) - _LEFT:.1f}" height="18" rx="2"/>'
        if row.target is not None:
            yield _line(at(row.target.bound), y - 3, at(row.target.bound), y + 21, "bound")
        yield _text(_RIGHT + 10, y + 14, f"{row.value:.1f}")
    yield _line(_LEFT, _TITLE - 6, _LEFT, _TITLE + _LINE * len(rows) - 6, "axis")


def _latency(rows: Sequence[Row]) -> Iterator[str]:
    programs = _by_program(rows)
    yield _text(16, 24, "Latency of a check", "title")
    yield _text(16, 24, "milliseconds", "quiet", anchor="end", x_from_right=True)
    bottom = _TITLE + _LINE * len(programs)
    for number, (program, points) in enumerate(programs.items()):
        y = _TITLE + _LINE * number + 9
        kind = "floor" if program == "floor" else "gateway"
        yield _text(16, y + 5, f"{program}: {', '.join(f'{label} {ms:.2f}' for label, ms in points)}")
        places = [_at_ms(ms) for _, ms in points]
        yield _line(min(places), y, max(places), y, kind)
        yield from (f'<circle class="{kind}" cx="{place:.1f}" cy="{y}" r="5"/>' for place in places)
    yield _line(_LEFT, bottom, _RIGHT, bottom, "axis")
    for exponent in range(round(math.log10(_SHORTEST_MS)), round(math.log10(_LONGEST_MS)) + 1):
        place = _at_ms(10.0**exponent)
        yield _line(place, bottom, place, bottom + 5, "axis")
        yield _text(place, bottom + 20, f"{10.0**exponent:g}", "quiet", anchor="middle")


def _by_program(rows: Sequence[Row]) -> dict[str, list[tuple[str, float]]]:
    """Give the quantiles of each program: rows are called `latency, PROGRAM, QUANTILE, ...`."""
    programs: dict[str, list[tuple[str, float]]] = {}
    for row in rows:
        program, label, *_ = row.what.removeprefix(_LATENCY).split(", ")
        programs.setdefault(program, []).append((label, row.value))
    return programs


def _at_ms(milliseconds: float) -> float:
    within = min(max(milliseconds, _SHORTEST_MS), _LONGEST_MS)
    return _LEFT + (_RIGHT - _LEFT) * math.log10(within / _SHORTEST_MS) / math.log10(_LONGEST_MS / _SHORTEST_MS)


def _text(  # noqa: PLR0913 - one argument for each attribute
    x: float, y: float, text: str, kind: str = "", *, anchor: str = "start", x_from_right: bool = False
) -> str:
    place = _WIDTH - x if x_from_right else x
    return f'<text class="{kind}" x="{place:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
