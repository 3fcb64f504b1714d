"""How much memory a program has, and what else it could leave lying about, as the kernel counts it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import family_of

_KIBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process, in bytes. `share` (PSS) counts what several share once, `private` is what nobody shares."""

    resident: int
    share: int
    private: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a program with all its processes holds at one moment."""

    memory: int
    descriptors: int
    threads: int


def family_memory(pid: int) -> list[Memory]:
    """Give the memory of a process and of those that it started, in this order."""
    found = []
    for one in family_of(pid):
        with suppress(OSError):
            found.append(_memory(one))
    return found


def held_by(pid: int) -> Held:
    memory = sum(one.share for one in family_memory(pid))
    folders = [Path(f"/proc/{one}") for one in family_of(pid)]
    return Held(memory, sum(_count(one / "fd") for one in folders), sum(_count(one / "task") for one in folders))


def _memory(pid: int) -> Memory:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    of = {name: int(rest.split()[0]) * _KIBIBYTE for name, _, rest in (line.partition(":") for line in lines)}
    return Memory(of["Rss"], of["Pss"], of["Private_Clean"] + of["Private_Dirty"])


def _count(folder: Path) -> int:
    # It may just have ended.
    with suppress(OSError):
        return sum(1 for _ in folder.iterdir())
    return 0
