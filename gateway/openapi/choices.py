"""Closed sets of values stand where they are chosen from: a reader need not look them up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = "#/components/schemas/"


def split_choices(definitions: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell the models from the closed sets."""
    choices = {name: schema for name, schema in definitions.items() if "enum" in schema}
    return {name: schema for name, schema in definitions.items() if name not in choices}, choices


def with_choices(schema: Any, choices: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any part of a schema
    """Replace references to closed sets by what they hold; what a field says of itself stays."""
    if isinstance(schema, list):
        return [with_choices(part, choices) for part in schema]
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("$ref", "")).removeprefix(_REFERENCE)
    if name in choices:
        found = {key: value for key, value in choices[name].items() if key != "title"}
        return found | {key: value for key, value in schema.items() if key != "$ref"}
    return {key: with_choices(part, choices) for key, part in schema.items()}
