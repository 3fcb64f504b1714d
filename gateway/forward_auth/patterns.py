"""Patterns and globs as RE2 runs them: in linear time, so that no pattern of an operator can stall the check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import re2


class Match(Protocol):
    """Where a pattern was found."""

    def __getitem__(self, group: str) -> str | None: ...


class Pattern(Protocol):
    """A compiled pattern; the library has no types."""

    @property
    def pattern(self) -> str: ...

    @property
    def groupindex(self) -> Mapping[str, int]: ...

    def search(self, text: str) -> Match | None: ...

    def fullmatch(self, text: str) -> Match | None: ...


def compile_pattern(source: str, *, ignore_case: bool = False) -> Pattern:
    """Compile a pattern that is to be searched."""
    compiled: Pattern = re2.compile(f"(?i){source}" if ignore_case else source)
    return compiled


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob over a whole path, with what somebody wrote."""

    text: str
    pattern: Pattern

    def covers(self, path: str) -> bool:
        return self.pattern.fullmatch(path) is not None


def compile_glob(glob: str, *, ignore_case: bool = False) -> Glob:
    """Compile a glob: `**` crosses segments, `*` does not."""
    parts = re.split(r"(\*\*|\*)", glob)
    source = "".join({"**": "(?s:.*)", "*": "[^/]*"}.get(part, re2.escape(part)) for part in parts)
    return Glob(glob, compile_pattern(source, ignore_case=ignore_case))
