"""What `/docs` shows, read from the document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.openapi.curl import curl_example
from gateway.openapi.schemas import Field, read_fields, resolve, shape_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FIRST_ERROR = 400
_PROOFS = {
    "accessToken": "access token",
    "sessionCookie": "session cookie",
    "refreshCookie": "refresh cookie",
    "apiKey": "API key",
    "basic": "email and password (Basic)",
}


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """One status. `shapes` are names of models that stand further down; `codes` tell refusals apart."""

    status: str
    description: str
    shapes: Sequence[str] = ()
    codes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ShownOperation:
    """One method of one path."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    proof: str
    parameters: Sequence[Field]
    body: Sequence[Field]
    answers: Sequence[ShownAnswer]
    refusals: Sequence[ShownAnswer]
    curl: str


@dataclass(frozen=True, slots=True)
class Section:
    """The operations under one heading."""

    title: str
    anchor: str
    operations: Sequence[ShownOperation]


@dataclass(frozen=True, slots=True)
class Shape:
    """A model that answers are made of."""

    name: str
    description: str
    fields: Sequence[Field]


def read_sections(document: Mapping[str, Any]) -> list[Section]:
    operations = [
        (described["tags"][0], _operation(document, method=method, path=path))
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]
    return [
        Section(
            title=tag["name"],
            anchor="".join(letter if letter.isalnum() else "-" for letter in tag["name"].lower()),
            operations=[operation for name, operation in operations if name == tag["name"]],
        )
        for tag in document["tags"]
    ]


def read_shapes(document: Mapping[str, Any]) -> list[Shape]:
    """Give the models of answers, with those that they are made of; those of bodies stand where they are sent."""
    schemas = document["components"]["schemas"]
    names = {name for section in read_sections(document) for name in _shapes_of(section)}
    pending = list(names)
    while pending:
        found = shape_names(schemas[pending.pop()]["properties"]) - names
        names |= found
        pending += found
    return [Shape(name, schemas[name].get("description", ""), read_fields(schemas[name])) for name in sorted(names)]


def _shapes_of(section: Section) -> set[str]:
    return {
        name
        for operation in section.operations
        for answer in (*operation.answers, *operation.refusals)
        for name in answer.shapes
    }


def _operation(document: Mapping[str, Any], *, method: str, path: str) -> ShownOperation:
    described = document["paths"][path][method]
    answers = [_answer(document, status, response) for status, response in described["responses"].items()]
    body = _body_schema(document, described)
    return ShownOperation(
        anchor=described["operationId"],
        method="ANY" if described.get("x-internal") else method.upper(),
        path=path,
        summary=described["summary"],
        description=described.get("description", ""),
        proof=_proof(described["security"]),
        parameters=[_parameter(parameter) for parameter in described.get("parameters", ())],
        body=read_fields(body, inline=document),
        answers=[answer for answer in answers if int(answer.status) < _FIRST_ERROR],
        refusals=[answer for answer in answers if int(answer.status) >= _FIRST_ERROR],
        curl=curl_example(document, method=method, path=path),
    )


def _body_schema(document: Mapping[str, Any], described: Mapping[str, Any]) -> Mapping[str, Any]:
    if "requestBody" not in described:
        return {}
    return resolve(document, described["requestBody"]["content"]["application/json"]["schema"])


def _answer(document: Mapping[str, Any], status: str, response: Mapping[str, Any]) -> ShownAnswer:
    response = resolve(document, response)
    content = response.get("content", {}).get("application/json", {})
    return ShownAnswer(
        status=status,
        description=response["description"],
        shapes=sorted(shape_names(content.get("schema", {}))),
        codes=sorted(content.get("examples", ())),
    )


def _parameter(parameter: Mapping[str, Any]) -> Field:
    return Field(
        name=parameter["name"],
        kind=f"{parameter['schema']['type']}, in the {parameter['in']}",
        required=parameter.get("required", False),
        rules="",
        description=parameter["description"],
    )


def _proof(security: Sequence[Mapping[str, Any]]) -> str:
    names = [_PROOFS[name] for alternative in security for name in alternative]
    if not names:
        return "nothing"
    return " or ".join(names) + (", or nothing" if {} in security else "")
