"""What a key may be limited to, as a person or program writes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from gateway.grammar.hosts import parse_host_pattern
from gateway.grammar.path_patterns import require_path_glob
from gateway.models import Scope

_Part = TypeVar("_Part")

# Each is looked at on every check with the key.
MAX_SCOPES = 32
_MAX_METHODS = 16
_MAX_PATH = 256
# Each star multiplies what a pattern costs, and anybody may make keys.
_MAX_STARS = 8
_METHOD = re.compile(r"[A-Z]{1,32}", re.ASCII)


def parse_scope(*, host: str = "", path: str = "", methods: Sequence[str] = ()) -> Scope:
    """Read a scope in the grammar of rules; a part that is left out means any. Raises ValueError, naming the part."""
    return Scope(
        host=_part("host", lambda: str(parse_host_pattern(host))) if host else "",
        path=_part("path", lambda: _parse_path(path)) if path else "",
        methods=_part("methods", lambda: _parse_methods(methods)),
    )


def _part(name: str, parse: Callable[[], _Part]) -> _Part:
    try:
        return parse()
    except ValueError as error:
        message = f"{name}: {error}"
        raise ValueError(message) from error


def _parse_path(path: str) -> str:
    if len(path) > _MAX_PATH:
        message = f"a path has at most {_MAX_PATH} characters"
        raise ValueError(message)
    if len(re.findall(r"\*+", path)) > _MAX_STARS:
        message = f"a path has at most {_MAX_STARS} stars"
        raise ValueError(message)
    return require_path_glob(path)


def _parse_methods(methods: Sequence[str]) -> tuple[str, ...]:
    if len(methods) > _MAX_METHODS or not all(_METHOD.fullmatch(method) for method in methods):
        message = "a method is written in capitals, such as GET"
        raise ValueError(message)
    return tuple(dict.fromkeys(methods))


def plain_scope(scope: Scope) -> dict[str, Any]:
    """Give the parts that were said; the others mean any."""
    parts = {"host": scope.host, "path": scope.path, "methods": list(scope.methods)}
    return {name: part for name, part in parts.items() if part}
