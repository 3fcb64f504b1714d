"""Heads that came before but for what varies: where they go, whose they are, from where they come. They are known.

Browsers and proxies send the same lines again and again. The parser looks at them once, strictly; what is remembered is
every byte of a head but the values that vary, and these are all that a check then still has to read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.fast_lane.heads import Last
    from gateway.forward_auth.head_layout import Frame
    from gateway.forward_auth.original_request import Endpoint
    from gateway.forward_auth.warm_check import WarmCheck

# As for everything that strangers can fill: forgotten as a whole when it is full, and only what is short is remembered.
MAX_HEADS = 2048
MAX_MARKS = 8
_MAX_REMEMBERED = 2048
# A longer head is parsed: that takes less than to look for each mark in what somebody made long.
_MAX_RECALLED = 8192
# What cannot stand in a value (RFC 9110 section 5.5), and how that is seen: such a value is changed.
_CONTROLS = bytes([*range(ord("\t")), *range(ord("\n"), ord(" ")), 0x7F])
_MARK_CONTROLS = bytes.maketrans(_CONTROLS, b"?" * len(_CONTROLS))


# Not frozen: these are made for each head that is new, and that would take as long as to look its values through.
@dataclass(slots=True)
class KnownHead:
    """What a head is about. `last`: why the answer to it is the last one on its connection, if it is."""

    endpoint: Endpoint
    warm: WarmCheck
    frame: Frame
    last: Last | None


@dataclass(slots=True)
class Branch:
    """What may follow on the pieces so far: a piece that ends at one of the marks, or the last one."""

    marks: list[tuple[bytes, dict[bytes, Branch]]] = field(default_factory=list)
    ends: dict[bytes, KnownHead] = field(default_factory=dict)

    def grow(self, piece: bytes, mark: bytes) -> Branch:
        """Give the branch behind a piece and a mark, with which others are forgotten if they are too many to try."""
        pieces = dict(self.marks).get(mark)
        if pieces is None:
            if len(self.marks) >= MAX_MARKS:
                self.marks.clear()
            pieces = {}
            self.marks.append((mark, pieces))
        return pieces.setdefault(piece, Branch())


class KnownHeads:
    """Remember heads by the pieces between the values that vary: one leads to the next, and the last to the head.

    A piece holds no line that varies, so no two marks of a branch can both be right.
    """

    __slots__ = ("_number", "_seen_once", "_tree")

    def __init__(self) -> None:
        self._tree = Branch()
        # How many were remembered since all were forgotten.
        self._number = 0
        self._seen_once: set[int] = set()

    def recall(self, data: bytes) -> tuple[KnownHead, list[bytes]] | None:
        """Give what is known of a head, and its values that vary. It is one, whole, alone and valid."""
        if len(data) > _MAX_RECALLED:
            return None
        branch, values, rest = self._tree, [], data
        while True:
            for mark, pieces in branch.marks:
                piece, _, behind = rest.partition(mark)
                if (following := pieces.get(piece)) is not None:
                    break
            else:
                break
            branch = following
            # Where a mark is missing nothing is left, which no head ends with.
            value, _, rest = behind.partition(b"\r")
            values.append(value)
        if (head := branch.ends.get(rest)) is None:
            return None
        said = b"".join(values)
        return (head, values) if said.translate(_MARK_CONTROLS) == said else None

    def remember(self, data: bytes, head: KnownHead) -> None:
        """Remember a head that the parser found to be one, whole and alone, if it came before.

        To remember what is new each time would cost more than all the rest of a check, and for nothing.
        """
        pieces = _cut(data, head.frame.layout.marks)
        # A mark that is not there is spelled otherwise than usual, without its blank.
        if pieces is None:
            return
        sight = hash(pieces)
        if sight not in self._seen_once:
            if len(self._seen_once) >= MAX_HEADS:
                self._seen_once.clear()
            self._seen_once.add(sight)
        elif sum(map(len, pieces)) <= _MAX_REMEMBERED:
            self._keep(pieces, head)

    def _keep(self, pieces: tuple[bytes, ...], head: KnownHead) -> None:
        if self._number >= MAX_HEADS:
            self._number, self._tree = 0, Branch()
        branch = self._tree
        *before, end = pieces
        for piece, mark in zip(before, head.frame.layout.marks, strict=True):
            branch = branch.grow(piece, mark)
        self._number += end not in branch.ends
        branch.ends[end] = head


def _cut(data: bytes, marks: Sequence[bytes]) -> tuple[bytes, ...] | None:
    """Cut a head as `recall` does, into what stands before each mark, and the rest. No name is on two lines of it."""
    pieces = []
    for mark in marks:
        piece, found, behind = data.partition(mark)
        if not found:
            return None
        pieces.append(piece)
        data = behind.partition(b"\r")[2]
    return (*pieces, data)
