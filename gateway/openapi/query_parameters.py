"""The parameters in a query, as the model that reads them has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.web.queries import Query


def parameters_of(query: type[Query]) -> list[dict[str, Any]]:
    """Describe each field; none of them has to be there."""
    schema = query.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "description": part["description"],
            "schema": _plain(schema, part),
        }
        for name, part in schema["properties"].items()
    ]


def _plain(whole: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """Give a schema that stands alone. Null is how a model says that a parameter was left out: no query says it."""
    if "$ref" in part:
        part = whole["$defs"][part["$ref"].rpartition("/")[2]]
    if "anyOf" in part:
        [part] = [one for one in part["anyOf"] if one != {"type": "null"}]
        return _plain(whole, part)
    kept = {name: value for name, value in part.items() if name not in {"title", "description"}}
    if kept.get("default") in (None, []):
        kept.pop("default", None)
    if "items" in kept:
        kept["items"] = _plain(whole, kept["items"])
    return kept
