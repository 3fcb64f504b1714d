"""Queries that are looked at: each parameter is read once, and checked against a model."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, TypeVar, get_origin

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema

from gateway.errors import InvalidQuery
from gateway.grammar.moments import parse_moment
from gateway.web.bodies import problem_sentence

_WHOLE = re.compile(r"[0-9]{1,18}")
_TWICE = "This stands there twice."


def _read_whole(text: str) -> int:
    # Python reads more: signs, underscores, spaces, other scripts' digits.
    if not _WHOLE.fullmatch(text):
        message = "This must be a whole number."
        raise ValueError(message)
    return int(text)


def _read_truth(text: str) -> bool:
    if text not in {"true", "false"}:
        message = "This must be true or false."
        raise ValueError(message)
    return text == "true"


# Beside the bounds of the number, which then are in its schema as well.
WHOLE = BeforeValidator(_read_whole)
Truth = Annotated[bool, BeforeValidator(_read_truth)]
PointInTime = Annotated[
    datetime, BeforeValidator(parse_moment), WithJsonSchema({"type": "string", "examples": ["2026-01-31T12:00:00Z"]})
]


class Query(BaseModel):
    """What a route takes in its query, each with its description. Unknown parameters are ignored, as fields are."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, defer_build=True)


_Query = TypeVar("_Query", bound=Query)


def read_query(request: web.Request, model: type[_Query]) -> _Query:
    """Read the query; only a parameter that is a list may be repeated. Raises `InvalidQuery`."""
    lists = {name for name, field in model.model_fields.items() if get_origin(field.annotation) is tuple}
    known = [name for name in model.model_fields if name in request.query]
    sent = {name: request.query.getall(name) for name in known}
    # Of two, a proxy, a log and we might each believe another one.
    if twice := [name for name in known if name not in lists and len(sent[name]) > 1]:
        raise InvalidQuery(fields=dict.fromkeys(twice, _TWICE))
    try:
        return model.model_validate({name: sent[name] if name in lists else sent[name][0] for name in known})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise InvalidQuery(
            fields={str(problem["loc"][0]): problem_sentence(problem["type"], problem["msg"]) for problem in problems}
        ) from None
