from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.grammar.durations import format_duration, parse_duration, parse_product


@pytest.mark.parametrize(
    ("written", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(days=7)),
        ("1h30m", timedelta(minutes=90)),
        ("500ms", timedelta(milliseconds=500)),
        (" 12H ", timedelta(hours=12)),
        ("0", timedelta(0)),
        ("60", timedelta(minutes=1)),
        (60, timedelta(minutes=1)),
    ],
)
def test_duration_is_read(written: str | int, duration: timedelta) -> None:
    assert parse_duration(written) == duration


def test_bare_number_counts_the_unit_of_its_key() -> None:
    assert parse_duration("1000 * 60 * 15", unit=timedelta(milliseconds=1)) == timedelta(minutes=15)
    assert parse_duration(5, unit=timedelta(minutes=1)) == timedelta(minutes=5)
    assert parse_duration("5s", unit=timedelta(minutes=1)) == timedelta(seconds=5)


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "h",
        "-1h",
        -5,
        "1.5h",
        "1h 30m",
        "30m1h",
        "12 hours",
        "1e3",
        "٣h",
        True,
        "9" * 400,
        "99999999d",
        "4000d",
    ],
)
def test_other_text_is_no_duration(written: str | int) -> None:
    with pytest.raises(ValueError, match=r"duration|ten years"):
        parse_duration(written)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3000)))
def test_written_duration_is_read_again(duration: timedelta) -> None:
    whole = duration - timedelta(microseconds=duration.microseconds % 1000)
    assert parse_duration(format_duration(whole)) == whole


@pytest.mark.parametrize(("text", "product"), [("900000", 900_000), ("1000 * 60 * 15", 900_000), ("2*3", 6), ("0", 0)])
def test_product_is_multiplied(text: str, product: int) -> None:
    assert parse_product(text) == product


@pytest.mark.parametrize("text", ["", "*", "2*", "2**3", "-1", "1+1", "__import__('os')", "2 ^ 3", "1" * 99])
def test_other_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        parse_product(text)
