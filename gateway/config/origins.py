"""Where each value came from."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.config.schema import KeyPath, dotted, plain_keys
from gateway.config.yaml_file import Document

# The origin of what nobody wrote.
NOWHERE = "default"


class Origins:
    """The lines of the configuration file, overruled key by key by variables."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._variables: dict[KeyPath, str] = {}

    def assign(self, path: KeyPath, origin: str) -> None:
        """Note that a variable set this key."""
        self._variables[path] = origin

    def at(self, path: KeyPath) -> str:
        """Name the origin of a key, or of the nearest key above it; `default` where nobody wrote it."""
        above = [path[:end] for end in range(len(path), 0, -1)]
        # A variable replaces the whole value, so lines of a list that it overruled no longer count.
        variable = next((self._variables[steps] for steps in above if steps in self._variables), None)
        line = next((self._document.origin(steps) for steps in above if steps in self._document.lines), None)
        return variable or line or NOWHERE

    def of_keys(self) -> Mapping[str, str]:
        """Map every key that somebody set to its origin."""
        own = {path: self._variables.get(path) or self._line(path) for path in plain_keys()}
        return {dotted(path): origin for path, origin in own.items() if origin}

    def _line(self, path: KeyPath) -> str | None:
        return self._document.origin(path) if path in self._document.lines else None
