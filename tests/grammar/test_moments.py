from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.grammar.moments import format_moment, parse_moment

NEW_YEAR = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-01",
        "2030-01-01T00:00Z",
        "2030-01-01T00:00:00",
        "2030-01-01T00:00:00Z",
        "2030-01-01t00:00:00z",
        "2030-01-01 00:00:00.000Z",
        "2030-01-01T00:00:00.000000000Z",
        "2030-01-01T01:30:00+01:30",
        "2029-12-31T19:00:00-0500",
    ],
)
def test_moment_is_read_in_utc(text: str) -> None:
    assert parse_moment(text) == NEW_YEAR
    assert parse_moment(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "1893456000",
        "2030-13-01",
        "2030-02-30",
        "2030-W01-1",
        "20300101",
        "2030-01-01X00:00:00Z",
        "2030-01-01T25:00:00Z",
        "2030-01-01T00:00:00Z\n",
        "\u0662\u0660\u0663\u0660-01-01",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2030-01-01T00:00:00+99:99",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="2030-12-31T23:59:59Z"):
        parse_moment(text)


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_written_moment_is_read_again(moment: datetime) -> None:
    assert parse_moment(format_moment(moment)) == moment


def test_moment_is_written_in_utc_with_z() -> None:
    assert format_moment(NEW_YEAR.astimezone(timezone(timedelta(hours=2)))) == "2030-01-01T00:00:00Z"
