"""What a row is measured with: one core for the program, another for the load, and rounds that take turns."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol


class Unusable(Exception):
    """What was measured says nothing, or nothing can be measured here; the message says what to do."""


class Missing(Unusable):
    """A program is not installed: what the gateway said last has nothing to do with it."""


@dataclass(slots=True)
class Progress:
    """One line for each step; on a terminal the same line again and again."""

    rewrites: bool = field(default_factory=sys.stderr.isatty)

    def say(self, step: str) -> None:
        print(f"\r\x1b[K{step}" if self.rewrites else step, end="" if self.rewrites else "\n", file=sys.stderr)
        sys.stderr.flush()

    def clear(self) -> None:
        if self.rewrites:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how long: each measurement takes `seconds`, and is made `rounds` times in turn with the others.

    Seconds are whole: wrk knows no others.
    """

    folder: Path
    rounds: int
    seconds: int
    program_cores: frozenset[int]
    load_cores: frozenset[int]
    progress: Progress = field(default_factory=Progress)

    @contextmanager
    def on_program_core(self) -> Iterator[None]:
        """Start programs that are measured inside this block: they and their threads stay on that core."""
        with pinned_to(self.program_cores):
            yield

    @contextmanager
    def on_load_core(self) -> Iterator[None]:
        """Make load, or start servers that are not measured, inside this block."""
        with pinned_to(self.load_cores):
            yield

    def sharing_cores(self) -> Bench:
        """Give one in which program and load share the two cores."""
        both = self.program_cores | self.load_cores
        return replace(self, program_cores=both, load_cores=both)

    def own_folder(self, name: str) -> Path:
        """Make a folder for a program, below the one that is deleted at the end."""
        folder = self.folder / f"{name}-{sum(1 for _ in self.folder.iterdir())}"
        folder.mkdir()
        return folder


@contextmanager
def pinned_to(cores: frozenset[int]) -> Iterator[None]:
    """Keep this thread, and what it starts meanwhile, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def two_cores() -> tuple[frozenset[int], frozenset[int]]:
    """Give the core of the program and the one of the load."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:  # noqa: PLR2004 - the program's and the load's
        message = "two cores are needed, one for the program and one for the load: with one they would share it"
        raise Unusable(message)
    # Interrupts land on the first one more often than on others.
    return frozenset({cores[-1]}), frozenset({cores[0]})


@dataclass(frozen=True, slots=True)
class Measured:
    """What one round of load came to: answers that all were 200, within so long, for so much time of the processor."""

    answers: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        return self.answers / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of the processor for each answer, user and system."""
        return self.cpu_seconds * 1e6 / self.answers


class Contender(Protocol):
    """A program under its load."""

    def measure(self, seconds: int, *, round_number: int) -> Measured:
        """Load it for so long. Raises `Unusable` when anything but 200 was answered."""
        ...


def take_turns(bench: Bench, contenders: Mapping[str, Contender]) -> dict[str, list[Measured]]:
    """Measure each once a round, so that a busy moment of the machine meets them all alike."""
    measured: dict[str, list[Measured]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(bench.rounds):
        # Nobody is always the first after a pause, nor always behind the same one.
        for name in _beginning_at(names, number):
            one = contenders[name].measure(bench.seconds, round_number=number)
            measured[name].append(one)
            bench.progress.say(
                f"round {number + 1} of {bench.rounds}: {name}: {one.rate:,.0f}/s, {one.cpu_us:.1f} µs of the processor"
            )
    bench.progress.clear()
    return measured


def _beginning_at(names: Sequence[str], number: int) -> list[str]:
    start = number % len(names)
    return [*names[start:], *names[:start]]


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Divide round by round: what slowed both in one of them falls out."""
    return [one / other for one, other in zip(above, below, strict=True)]
