"""JSON Schemas in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NULL = {"type": "null"}
_KINDS = {
    "string": "text",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "null": "null",
    "object": "object",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object, or one parameter."""

    name: str
    kind: str
    required: bool
    rules: str
    description: str


def resolve(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference within the document, if it is one."""
    if "$ref" not in part:
        return part
    found: Any = document
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    resolved: Mapping[str, Any] = found
    return resolved


def shape_names(schema: Any) -> set[str]:  # noqa: ANN401 - any part of a schema
    """Name the models that a schema refers to."""
    if isinstance(schema, list):
        return {name for part in schema for name in shape_names(part)}
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"].rpartition("/")[2]} if "$ref" in schema else set()
    return own | {name for part in schema.values() for name in shape_names(part)}


def read_fields(schema: Mapping[str, Any], *, inline: Mapping[str, Any] | None = None) -> list[Field]:
    """List the fields of an object; with a document to look into, those of the objects in it as well."""
    if inline is not None and schema.get("type") == "array":
        return list(_fields(resolve(inline, schema["items"]), prefix="[].", inline=inline))
    return list(_fields(schema, prefix="", inline=inline))


def _fields(schema: Mapping[str, Any], *, prefix: str, inline: Mapping[str, Any] | None) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        yield Field(
            name=prefix + name,
            kind=kind_of(part, named=inline is None),
            required=name in required,
            rules=", ".join(_rules(part)),
            description=part.get("description", ""),
        )
        if inline is None:
            continue
        if "$ref" in part:
            yield from _fields(resolve(inline, part), prefix=f"{prefix}{name}.", inline=inline)
        elif "$ref" in part.get("items", {}):
            yield from _fields(resolve(inline, part["items"]), prefix=f"{prefix}{name}[].", inline=inline)


def kind_of(schema: Mapping[str, Any], *, named: bool) -> str:
    """Say what a value is; models by their name, where the reader can look them up."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2] if named else "object"
    if literals := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return " or ".join(map(_literal, literals))
    if "anyOf" in schema:
        return " or ".join(kind_of(alternative, named=named) for alternative in schema["anyOf"])
    if schema.get("type") == "array":
        kind = kind_of(schema["items"], named=named)
        return f"list of {'objects' if kind == 'object' else kind}"
    return _KINDS.get(schema.get("type", ""), "anything")


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def _rules(schema: Mapping[str, Any]) -> Iterator[str]:
    for alternative in schema.get("anyOf", ()):
        if alternative != _NULL:
            yield from _rules(alternative)
    for least, most, unit in (
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " entries"),
        ("minimum", "maximum", ""),
    ):
        yield from _bounds(schema.get(least), schema.get(most), unit)
    if "format" in schema:
        yield _FORMATS.get(schema["format"], schema["format"])
    if schema.get("default") not in (None, []):
        yield f"{_literal(schema['default'])} if it is left out"


_FORMATS = {"date-time": "a moment in ISO 8601", "email": "an e-mail address"}


def _bounds(least: int | None, most: int | None, unit: str) -> Sequence[str]:
    if least is not None and most is not None:
        return [f"{least} to {most}{unit}"]
    if least is not None:
        return [f"at least {least}{unit}"]
    return [] if most is None else [f"at most {most}{unit}"]
