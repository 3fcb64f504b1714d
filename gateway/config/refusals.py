"""pydantic's errors in our own words: key, origin, what is wrong, a good value; never the value itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from gateway.config.findings import Finding
from gateway.config.origins import Origins
from gateway.config.schema import did_you_mean, dotted, example_for, keys_of, section_at

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_SENTENCES = {
    "missing": "is missing",
    "string_type": "must be text: put it in quotes",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "path_type": "must be the path of a folder",
    "tuple_type": "must be a list",
    "model_type": "must be a mapping of keys",
    "model_attributes_type": "must be a mapping of keys",
    "dict_type": "must be a mapping of keys",
}
_LANGSMITH_KEYS = frozenset({"authType", "basicAuth"})


def explain(error: ValidationError, origins: Origins) -> Iterator[Finding]:
    """Yield one finding for each error."""
    for detail in error.errors(include_input=False, include_url=False):
        path = detail["loc"]
        if detail["type"] == "extra_forbidden":
            yield Finding(dotted(path), origins.at(path), _unknown_key(path))
        else:
            yield Finding(dotted(path), origins.at(path), _sentence(detail), example_for(path))


def _sentence(detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    least = detail.get("ctx", {}).get("ge")
    if isinstance(least, timedelta):
        return f"must be {least.total_seconds():.0f}s or longer"
    return _SENTENCES.get(detail["type"]) or detail["msg"].replace("Input should", "must").replace(
        "Value should", "must"
    )


def _unknown_key(path: tuple[int | str, ...]) -> str:
    *above, name = path
    section = section_at(tuple(above))
    if section is not None and name in section.keys_of_later_versions:
        return "is not yet in this version"
    if path[0] in _LANGSMITH_KEYS:
        return f"belongs below `config:`, indented: config.{name}"
    known = keys_of(section) if section is not None else ()
    return f"there is no such setting{did_you_mean(str(name), known)}"
