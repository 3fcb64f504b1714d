"""The lines of the table: a figure, how far it was spread, and whether it is as good as it has to be."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure has to reach: `at_least(2.4)`, `below(1)`."""

    bound: float
    upwards: bool
    unit: str = ""

    def is_reached_by(self, value: float) -> bool:
        return value >= self.bound if self.upwards else value < self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.upwards else '<'} {self.bound:,g}{self.unit and ' '}{self.unit}"


def at_least(bound: float, unit: str = "") -> Target:
    return Target(bound, upwards=True, unit=unit)


def below(bound: float, unit: str = "") -> Target:
    return Target(bound, upwards=False, unit=unit)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `spread` is the smallest and the largest of its rounds; without a target it is only stated."""

    id: str
    what: str
    value: float
    unit: str = ""
    target: Target | None = None
    spread: tuple[float, float] | None = None
    note: str = ""

    @classmethod
    def of_rounds(  # noqa: PLR0913 - one argument for each column
        cls,
        id: str,  # noqa: A002 - the column's name
        what: str,
        values: Sequence[float],
        *,
        unit: str = "",
        target: Target | None = None,
        note: str = "",
    ) -> Row:
        """Give the median of the rounds."""
        return cls(id, what, statistics.median(values), unit, target, (min(values), max(values)), note)

    @property
    def reached(self) -> bool:
        return self.target is None or self.target.is_reached_by(self.value)
