"""Waiting in line before a secret is looked at."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import TooManyAttempts, Unavailable
from gateway.throttle import lines
from gateway.throttle.lines import Lines


class Place:
    """Something that only so many may do at once; whoever is in it stays until told to go."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.lines = Lines()
        self.inside = 0
        self.most = 0
        self.order: list[int] = []
        self.may_go = asyncio.Event()

    async def has_room(self) -> int:
        if not self.room:
            raise TooManyAttempts
        return self.room

    async def visit(self, number: int = 0, key: str = "ada") -> None:
        async with self.lines.turn(key, self.has_room):
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.order.append(number)
            await self.may_go.wait()
            await asyncio.sleep(0)
            self.inside -= 1

    async def settle(self) -> None:
        """Let everybody who can move do so."""
        for _ in range(50):
            await asyncio.sleep(0)


async def test_no_more_than_there_is_room_for_have_their_turn_at_once() -> None:
    """N1."""
    place = Place(3)
    visits = [asyncio.create_task(place.visit(number)) for number in range(20)]
    await place.settle()
    assert place.inside == 3
    place.may_go.set()
    await asyncio.gather(*visits)
    assert place.most == 3
    assert place.order == list(range(20)), "first come, first served"


async def test_one_line_does_not_wait_for_another() -> None:
    place = Place(1)
    visits = [asyncio.create_task(place.visit(key=key)) for key in ("ada", "bob", "cy")]
    await place.settle()
    assert place.inside == 3
    place.may_go.set()
    await asyncio.gather(*visits)


async def test_who_waits_is_refused_once_there_is_no_room_for_anybody() -> None:
    place = Place(2)
    visits = [asyncio.create_task(place.visit(number)) for number in range(10)]
    await place.settle()
    place.room = 0
    place.may_go.set()
    outcomes = await asyncio.gather(*visits, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None)] * 2 + [TooManyAttempts] * 8


async def test_who_gives_up_takes_no_place() -> None:
    place = Place(1)
    inside = asyncio.create_task(place.visit(0))
    await place.settle()
    leaving = [asyncio.create_task(place.visit(number)) for number in (1, 2)]
    await place.settle()
    for task in leaving:
        task.cancel()
    await asyncio.wait(leaving)
    last = asyncio.create_task(place.visit(3))
    place.may_go.set()
    await asyncio.gather(inside, last)
    assert place.order == [0, 3]


async def test_who_fails_in_their_turn_gives_it_back() -> None:
    place = Place(1)
    with pytest.raises(ZeroDivisionError):
        async with place.lines.turn("ada", place.has_room):
            raise ZeroDivisionError
    place.may_go.set()
    await place.visit(1)
    assert place.order == [1]


async def test_line_is_bounded_in_length_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """L8, N3."""
    place = Place(1)
    inside = asyncio.create_task(place.visit(0))
    await place.settle()
    monkeypatch.setattr(lines, "_LENGTH", 1)
    with pytest.raises(Unavailable):
        await place.visit(1)
    monkeypatch.undo()
    monkeypatch.setattr(lines, "_DEADLINE", lines._DEADLINE * 0)  # noqa: SLF001 - the bound itself
    with pytest.raises(Unavailable):
        await place.visit(2)
    place.may_go.set()
    await inside


async def test_empty_lines_are_forgotten() -> None:
    """N3: otherwise every name that somebody makes up would be kept."""
    place = Place(1)
    place.may_go.set()
    for number in range(100):
        await place.visit(key=f"nobody{number}")
    assert not place.lines._lines  # noqa: SLF001 - what must not grow
