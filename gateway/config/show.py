"""The settings in force as YAML, each with its origin; secrets stay hidden."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from typing import Any

import yaml
from pydantic import SecretStr

from gateway.config.database_url import redacted
from gateway.config.loading import LoadedSettings
from gateway.config.origins import NOWHERE
from gateway.config.schema import dotted
from gateway.config.section import Section
from gateway.grammar.durations import format_duration

_HIDDEN = "********"
# Of these only a part is secret, and the rest is what an operator wants to see.
_URLS = {"database_url", "redis_url"}
_INDENT = "  "


def show_settings(loaded: LoadedSettings) -> str:
    """Write every setting; keys that nobody set say `default`."""
    return "\n".join(_lines(loaded.settings, (), loaded)) + "\n"


def _lines(section: Section, above: tuple[str, ...], loaded: LoadedSettings) -> Iterator[str]:
    indent = _INDENT * len(above)
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield f"{indent}{name}:"
            yield from _lines(value, (*above, name), loaded)
            continue
        origin = loaded.origins.get(dotted((*above, name)), NOWHERE)
        first, *rest = _dump({name: _plain(name, value)})
        yield f"{indent}{first}{_INDENT}# {origin}"
        yield from (f"{indent}{line}" for line in rest)


def _dump(value: dict[str, Any]) -> list[str]:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000).splitlines()


def _plain(name: str, value: object) -> Any:  # noqa: ANN401 - whatever YAML can hold
    if isinstance(value, SecretStr):
        return redacted(value.get_secret_value()) if name in _URLS else _HIDDEN
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Section):
        fields = {field.alias or key: (getattr(value, key), field) for key, field in type(value).model_fields.items()}
        return {key: _plain(key, item) for key, (item, field) in fields.items() if item != field.default}
    if isinstance(value, tuple):
        return [_plain(name, item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(key, item) for key, item in value.items()}
    plain = value.value if isinstance(value, Enum) else value
    return plain if plain is None or isinstance(plain, bool | int | str) else str(plain)
