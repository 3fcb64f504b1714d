"""Somebody who asks both lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.raw_conversation import Connection, comparable

if TYPE_CHECKING:
    from tests.fast_lane.checks import Asked
    from tests.fast_lane.conftest import Lanes
    from tests.support.lanes import Lane

_FIRST_FINAL = 200
_UNREADABLE = 400


class Client:
    """Keeps a connection to each lane, as long as it is let."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._kept: dict[Lane, Connection] = {}

    def ask(self, lane: Lane, asked: Asked, *, anew: bool = False) -> tuple[Any, ...]:
        """Give the answer, and what came before it and, where it was the last one, after it."""
        if anew:
            self.close(lane)
        if lane not in self._kept:
            self._kept[lane] = Connection(self._lanes.port(lane))
        connection = self._kept[lane]
        connection.send(asked.data)
        interim = 0
        while (answer := connection.answer(to_head=asked.to_head)) is not None and answer.status < _FIRST_FINAL:
            interim += 1
        assert answer is not None, (lane, asked.data)
        says_so = any((name.lower(), value.lower()) == ("connection", "close") for name, value in answer.headers)
        # What could not be read ends a connection without a word.
        if not says_so and answer.status != _UNREADABLE:
            return interim, comparable(answer)
        rest = connection.rest()
        self.close(lane)
        return interim, comparable(answer), rest

    def close(self, lane: Lane) -> None:
        if (connection := self._kept.pop(lane, None)) is not None:
            connection.close()
