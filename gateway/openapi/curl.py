"""An example for each operation that can be pasted into a shell."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from gateway.openapi.schemas import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTINUED = " \\\n  "
_EXAMPLES: dict[str, object] = {"string": "…", "boolean": True, "integer": 0, "number": 0, "null": None}
_TOKEN = "Authorization: Bearer $TOKEN"  # noqa: S105 - the shell's variable


def curl_example(document: Mapping[str, Any], *, method: str, path: str) -> str:
    """Write the command, with `$TOKEN` for the access token; what a person has to fill in is an ellipsis."""
    described = document["paths"][path][method]
    target = shlex.quote(document["servers"][0]["url"] + path)
    parts = ["curl " + (f"-X {method.upper()} " if method not in ("get", "post") else "") + target]
    if {"accessToken": []} in described["security"] and not described.get("x-internal"):
        # Double quotes, for the shell puts the token in.
        parts.append(f'-H "{_TOKEN}"')
    parts += [
        f"-H {shlex.quote(parameter['name'] + ': …')}"
        for parameter in described.get("parameters", ())
        if parameter["in"] == "header"
    ]
    if "requestBody" in described:
        body = example_of(document, described["requestBody"]["content"]["application/json"]["schema"])
        parts += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}"]
    elif method == "post":
        parts[0] = parts[0].replace("curl ", "curl -X POST ", 1)
    return _CONTINUED.join(parts)


def example_of(document: Mapping[str, Any], schema: Mapping[str, Any]) -> object:
    """Give an example; of an object, the fields that are required."""
    schema = resolve(document, schema)
    said = [*schema.get("examples", ()), *(schema[name] for name in ("default", "const") if name in schema)]
    if said:
        return said[0]
    if "anyOf" in schema:
        return example_of(document, schema["anyOf"][0])
    if schema.get("type") == "array":
        return [example_of(document, schema["items"])]
    if schema.get("type") == "object":
        wanted = schema.get("required") or list(schema.get("properties", {}))[:1]
        return {name: example_of(document, schema["properties"][name]) for name in wanted}
    return _EXAMPLES.get(schema.get("type", ""), "…")
