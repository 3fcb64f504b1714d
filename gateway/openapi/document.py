"""The OpenAPI 3.1 document, made from the routes and from the models that check the bodies."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from gateway.errors import MethodNotAllowed, NotFound
from gateway.openapi.answers import ErrorAnswer, V1ErrorAnswer
from gateway.openapi.choices import split_choices, with_choices
from gateway.openapi.operation import Credential, Tag
from gateway.openapi.query_parameters import parameters_of
from gateway.openapi.refusals import COMMON_HEADERS, refusals_of, response_of, status_of
from gateway.web.v1_errors import is_v1

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic.json_schema import JsonSchemaMode

    from gateway.errors import GatewayError
    from gateway.openapi.operation import Answer, DescribedRoute, Operation

_ERROR_SCHEMA = {"$ref": "#/components/schemas/ErrorAnswer"}
_V1_ERROR_SCHEMA = {"$ref": "#/components/schemas/V1ErrorAnswer"}
_ANY_METHOD = "*"
_PATH_PART = re.compile(r"\{(\w+)(?::[^}]*)?\}")
_DESCRIPTION = """\
Bodies are JSON, and so are answers. A POST without a body counts as `{}`, and fields that are not known are ignored. \
A key that stands twice in one object is refused.

Every refusal has the same shape: `error` is a short title, `message` a sentence for people, `code` a stable name for \
programs. `fields` says for each field of the body what is wrong with it. Beside what each operation lists, an address \
that does not exist answers 404, a method that an address does not take answers 405 with `Allow`, and a request that \
cannot be read answers 400.

Every answer carries `X-Request-Id`, which names the request in the log. Answers with 429 or 503 carry `Retry-After` \
in seconds.\
"""


class _PlainSchemas(GenerateJsonSchema):
    """JSON Schema without a title on every field: each would repeat the field's name."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - the library's signature
        return False


def openapi_document(
    routes: Sequence[DescribedRoute], *, title: str, version: str, public_url: str, session_cookie: str
) -> dict[str, Any]:
    """Describe these routes."""
    schemas = _Schemas([route.operation for route in routes])
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in routes:
        # A check may come with any method; GET is the one that proxies send.
        method = "get" if route.method == _ANY_METHOD else route.method.lower()
        paths[_PATH_PART.sub(r"{\1}", route.path)][method] = _operation(route, schemas)
    used = {route.operation.tag for route in routes}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{title} API", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": public_url}],
        "tags": [{"name": tag.value} for tag in Tag if tag in used],
        "paths": dict(paths),
        "components": {
            "schemas": schemas.definitions,
            "responses": {refusal.code: response_of([refusal], _ERROR_SCHEMA) for refusal in _shared_refusals(routes)},
            "securitySchemes": _security_schemes(session_cookie),
        },
    }


class _Schemas:
    """The schemas of all models, made at once, so that each stands in the document once."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        wanted: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
            ("error", "validation", TypeAdapter(ErrorAnswer)),
            ("v1 error", "validation", TypeAdapter(V1ErrorAnswer)),
        ]
        for operation in operations:
            if operation.body is not None:
                wanted.append((_key(operation.body), "validation", TypeAdapter(operation.body)))
            wanted += [
                (_key(answer.content), "validation", TypeAdapter(answer.content))
                for answer in operation.answers.values()
                if answer.content is not None
            ]
        by_key, rest = TypeAdapter.json_schemas(
            wanted, ref_template="#/components/schemas/{model}", schema_generator=_PlainSchemas
        )
        models, choices = split_choices(rest.get("$defs", {}))
        self._by_key = {key: _tidied(with_choices(schema, choices)) for (key, _mode), schema in by_key.items()}
        self.definitions = {name: _tidied(with_choices(schema, choices)) for name, schema in models.items()}

    def of(self, content: object) -> dict[str, Any]:
        schema: dict[str, Any] = self._by_key[_key(content)]
        return schema


def _key(content: object) -> str:
    return repr(content)


def _tidied(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Leave out defaults of null: such a field may be left out, which is not to say that it may be null."""
    if isinstance(schema, list):
        return [_tidied(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _tidied(part) for name, part in schema.items() if not (name == "default" and part is None)}


def _operation(route: DescribedRoute, schemas: _Schemas) -> dict[str, Any]:
    operation = route.operation
    described: dict[str, Any] = {
        "operationId": _operation_id(route),
        "tags": [operation.tag.value],
        "summary": operation.summary,
    }
    if operation.description:
        described["description"] = operation.description
    if operation.internal:
        described["x-internal"] = True
    described["security"] = [{name.value: []} for name in operation.credentials]
    if operation.anonymous and operation.credentials:
        described["security"].append({})
    if parameters := _parameters(route):
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {
            "required": any(field.is_required() for field in operation.body.model_fields.values()),
            "content": {"application/json": {"schema": schemas.of(operation.body)}},
        }
    described["responses"] = _responses(route, schemas)
    return described


def _operation_id(route: DescribedRoute) -> str:
    words = re.findall(r"[A-Za-z0-9]+", _PATH_PART.sub(r"by \1", route.path.removeprefix("/api/")))
    method = "any" if route.method == _ANY_METHOD else route.method.lower()
    return "_".join([method, *words])


def _parameters(route: DescribedRoute) -> list[dict[str, Any]]:
    parts = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": route.operation.path_parts[name],
            "schema": {"type": "string", "minLength": 1},
        }
        for name in _PATH_PART.findall(route.path)
    ]
    query = [] if route.operation.query is None else parameters_of(route.operation.query)
    return [*parts, *query] + [
        {
            "name": parameter.name,
            "in": parameter.place,
            "description": parameter.description,
            "schema": {"type": parameter.kind},
        }
        for parameter in route.operation.parameters
    ]


def _responses(route: DescribedRoute, schemas: _Schemas) -> dict[str, Any]:
    responses = {
        str(status): _good_response(answer, schemas) for status, answer in sorted(route.operation.answers.items())
    }
    by_status: dict[int, list[type[GatewayError]]] = defaultdict(list)
    for refusal in refusals_of(route):
        by_status[status_of(route, refusal)].append(refusal)
    return responses | {str(status): _refused(route, by_status[status]) for status in sorted(by_status)}


def _refused(route: DescribedRoute, refusals: Sequence[type[GatewayError]]) -> dict[str, Any]:
    """Refer to what stands under the components, where a status has one meaning only."""
    if is_v1(route.path):
        return response_of(refusals, _V1_ERROR_SCHEMA, v1=True)
    if len(refusals) == 1:
        return {"$ref": f"#/components/responses/{refusals[0].code}"}
    return response_of(refusals, _ERROR_SCHEMA)


def _shared_refusals(routes: Sequence[DescribedRoute]) -> Sequence[type[GatewayError]]:
    """Give every refusal, with those that an address as such can answer."""
    of_routes = [refusal for route in routes for refusal in refusals_of(route)]
    return sorted({*of_routes, NotFound, MethodNotAllowed}, key=lambda refusal: refusal.code)


def _good_response(answer: Answer, schemas: _Schemas) -> dict[str, Any]:
    headers: dict[str, Any] = dict(COMMON_HEADERS)
    if answer.sets_cookies:
        headers["Set-Cookie"] = {"description": "The cookies of the session.", "schema": {"type": "string"}}
    response: dict[str, Any] = {"description": answer.description, "headers": headers}
    if answer.content is not None:
        response["content"] = {"application/json": {"schema": schemas.of(answer.content)}}
    return response


def _security_schemes(session_cookie: str) -> dict[str, Any]:
    return {
        Credential.ACCESS_TOKEN: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `token` of a login or of a refresh. It lives for minutes and ends with its session.",
        },
        Credential.SESSION_COOKIE: {"type": "apiKey", "in": "cookie", "name": session_cookie},
        Credential.REFRESH_COOKIE: {"type": "apiKey", "in": "cookie", "name": "refreshToken"},
        Credential.API_KEY: {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "For checks only. `Authorization: Bearer` takes it, too.",
        },
        Credential.BASIC: {"type": "http", "scheme": "basic", "description": "For checks only."},
    }
