"""Which facts an entry of the invalidation log ends. Most subjects have one, and a set for it would weigh as much."""

from __future__ import annotations

from collections.abc import Iterable


class SubjectIndex:
    """The keys of facts by the names of their subjects; one without facts is not remembered."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes | set[bytes]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def of(self, name: str) -> tuple[bytes, ...]:
        found = self._keys.get(name, ())
        return (found,) if isinstance(found, bytes) else tuple(found)

    def add(self, key: bytes, names: Iterable[str]) -> None:
        for name in names:
            found = self._keys.setdefault(name, key)
            if isinstance(found, set):
                found.add(key)
            elif found != key:
                self._keys[name] = {found, key}

    def discard(self, key: bytes, names: Iterable[str]) -> None:
        for name in names:
            found = self._keys.get(name)
            if found == key:
                del self._keys[name]
            elif isinstance(found, set):
                found.discard(key)
                if len(found) == 1:
                    self._keys[name] = found.pop()

    def clear(self) -> None:
        self._keys.clear()
