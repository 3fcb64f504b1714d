from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from benchmarks.chart import as_svg
from benchmarks.row import Row, below

_SVG = "{http://www.w3.org/2000/svg}"
_ROWS = [
    Row("P1", "in the table only", 3),
    Row("P7", "1 rule → 1,000 rules: less", 15, "%", below(30)),
    Row("P7", "few & < many: less", -2, "%", below(10)),
    Row("P4", "latency, gateway, p50, open loop", 0.1, "ms"),
    Row("P4", "latency, gateway, p99, open loop", 1000, "ms"),
    Row("", "latency, floor, p50, open loop", 0.1, "ms"),
]


def test_growth_is_as_long_as_it_is_large_and_never_negative() -> None:
    drawing = _drawn(_ROWS)
    half, none = (float(bar.attrib["width"]) for bar in drawing.iter(f"{_SVG}rect"))
    marks = [float(line.attrib["x1"]) for line in drawing.iter(f"{_SVG}line") if line.attrib["class"] == "bound"]
    start = float(next(bar.attrib["x"] for bar in drawing.iter(f"{_SVG}rect")))
    assert half == (marks[0] - start) / 2
    assert none == 0


def test_latencies_of_one_program_stand_on_one_line_within_the_picture() -> None:
    drawing = _drawn(_ROWS)
    _, _, width, height = map(float, drawing.attrib["viewBox"].split())
    points = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in drawing.iter(f"{_SVG}circle")]
    (x50, y50), (x99, y99), (floor50, floor_y) = points
    assert (y50, x50) == (y99, floor50)
    assert y50 < floor_y < height
    assert x50 < x99 < width


def test_labels_are_what_was_measured() -> None:
    texts = {text.text for text in _drawn(_ROWS).iter(f"{_SVG}text")}
    assert {"1 rule → 1,000 rules", "few & < many", "gateway: p50 0.10, p99 1000.00"} <= texts
    assert "in the table only" not in texts


def test_a_table_without_such_rows_has_an_empty_picture() -> None:
    assert not list(_drawn(_ROWS[:1]).iter(f"{_SVG}circle"))


def _drawn(rows: Sequence[Row]) -> ET.Element:
    return ET.fromstring(as_svg(rows))  # noqa: S314 - our own picture
