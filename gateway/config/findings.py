"""What there is to say about a setting: a problem that stops the start, or a warning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Which key, where it came from (`gateway.yaml:12`, a variable), what is wrong, and a good value."""

    key: str
    origin: str
    message: str
    example: str = ""

    def __str__(self) -> str:
        example = f" (for example: {self.example})" if self.example else ""
        where = self.origin if self.origin == self.key else f"{self.origin}: {self.key}"
        return f"{where}: {self.message}{example}"


class ConfigurationError(Exception):
    """The configuration cannot be used; every problem is in `problems`."""

    def __init__(self, problems: Iterable[Finding]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
