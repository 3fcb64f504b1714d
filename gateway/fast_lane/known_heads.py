"""Heads that came before but for what varies: where they go, whose they are, from where they come. They are known.

Browsers and proxies send the same lines again and again. The parser looks at them once, strictly; what is remembered is
every byte of a head but the values that vary, and these are all that a check then still has to read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.fast_lane.heads import MAX_HEAD

if TYPE_CHECKING:
    from gateway.fast_lane.heads import Last
    from gateway.forward_auth.head_layout import Frame
    from gateway.forward_auth.original_request import Endpoint
    from gateway.forward_auth.warm_check import WarmCheck

# As for everything that strangers can fill: forgotten as a whole when it is full, and only what is short is remembered.
MAX_HEADS = 2048
MAX_KINDS = 8
_MAX_REMEMBERED = 2048
# What cannot stand in a value (RFC 9110 section 5.5), and how that is seen: such a value is changed.
_CONTROLS = bytes([*range(ord("\t")), *range(ord("\n"), ord(" ")), 0x7F])
_MARK_CONTROLS = bytes.maketrans(_CONTROLS, b"?" * len(_CONTROLS))

# What stands before each value that varies.
Marks = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class KnownHead:
    """What a head is about. `last`: why the answer to it is the last one on its connection, if it is."""

    endpoint: Endpoint
    warm: WarmCheck
    frame: Frame
    last: Last | None


class KnownHeads:
    """Remember heads by the pieces between the values that vary: one leads to the next, and the last to the head.

    Heads of one kind are cut at the same marks. Between others the same pieces would be another head.
    """

    __slots__ = ("_kinds", "_number", "_seen_once")

    def __init__(self) -> None:
        self._kinds: tuple[tuple[Marks, dict[bytes, Any]], ...] = ()
        self._number = 0
        self._seen_once: set[int] = set()

    def __len__(self) -> int:
        return self._number

    def recall(self, data: bytes) -> tuple[KnownHead, list[bytes]] | None:
        """Give what is known of a head, and its values that vary. It is one, whole, alone and valid."""
        for marks, first in self._kinds:
            known: Any = first
            values, rest = [], data
            for mark in marks:
                piece, _, rest = rest.partition(mark)
                known = known.get(piece)
                if known is None:
                    break
                # Where a mark is missing nothing is left, which no head ends with.
                value, _, rest = rest.partition(b"\r")
                values.append(value)
            else:
                if (head := known.get(rest)) is not None:
                    said = b"".join(values)
                    valid = len(data) <= MAX_HEAD and said.translate(_MARK_CONTROLS) == said
                    return (head, values) if valid else None
        return None

    def remember(self, data: bytes, head: KnownHead, values: list[bytes]) -> None:
        """Remember a head that the parser found to be one, whole and alone, with these values, if it came before.

        To remember what is new each time would cost more than all the rest of a check, and for nothing.
        """
        marks = head.frame.layout.marks
        cut = _cut(data, marks)
        # Where a mark is not spelled as usual, another line may hold the same value, and vary in its stead.
        if cut is None or cut[1] != values or sum(map(len, cut[0])) > _MAX_REMEMBERED:
            return
        sight = hash((marks, *cut[0]))
        if sight not in self._seen_once:
            if len(self._seen_once) >= MAX_HEADS:
                self._seen_once.clear()
            self._seen_once.add(sight)
            return
        known = dict(self._kinds).get(marks)
        if self._number >= MAX_HEADS or (known is None and len(self._kinds) >= MAX_KINDS):
            self._number, self._kinds, known = 0, (), None
        if known is None:
            known = {}
            # Those with most marks first: of another kind they soon miss one.
            kinds = (*self._kinds, (marks, known))
            self._kinds = tuple(sorted(kinds, key=lambda kind: len(kind[0]), reverse=True))
        *pieces, last = cut[0]
        for piece in pieces:
            known = known.setdefault(piece, {})
        self._number += last not in known
        known[last] = head


def _cut(data: bytes, marks: Marks) -> tuple[list[bytes], list[bytes]] | None:
    """Cut a head into pieces, and the values behind the marks between them; `None`: a mark is not there."""
    pieces, values = [], []
    for mark in marks:
        piece, found, data = data.partition(mark)
        if not found:
            return None
        value, _, data = data.partition(b"\r")
        pieces.append(piece)
        values.append(value)
    return [*pieces, data], values
