"""Is this visitor sent back and forth?"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.login.loop_breaker import note_arrival


def arrive(moments: Sequence[float]) -> list[bool]:
    """Arrive at these moments; say at each whether it was once too often."""
    known: list[float] = []
    answers = []
    for moment in moments:
        known, too_often = note_arrival(known, moment)
        answers.append(too_often)
    return answers


@pytest.mark.parametrize(
    ("moments", "loops"),
    [
        ([0], [False]),
        ([0, 0], [False, False]),
        ([0, 0, 0], [False, False, True]),
        ([0, 4.9, 9.9], [False, False, True]),
        ([0, 5, 10.1], [False, False, False]),
        ([0, 5, 10.1, 14.9], [False, False, False, True]),
        ([0, 9, 18, 27, 36], [False] * 5),
        ([0, 1, 2, 3, 60, 61, 62], [False, False, True, True, False, False, True]),
    ],
)
def test_third_arrival_within_ten_seconds_is_a_loop(moments: list[float], loops: list[bool]) -> None:
    assert arrive(moments) == loops


def test_arrivals_from_the_future_do_not_count() -> None:
    """The clock was set back: what was noted before says nothing."""
    assert arrive([1000, 1001, 0, 1]) == [False] * 4


def test_no_more_is_kept_than_is_asked_for() -> None:
    known: list[float] = []
    for moment in range(100):
        known, _ = note_arrival(known, moment / 100)
    assert len(known) <= 3
