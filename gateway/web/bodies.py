"""Bodies of requests: read once, bounded, and checked against a model."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import InvalidFields, MalformedBody, SlowBody, UnsupportedMediaType
from gateway.grammar.email import parse_email
from gateway.grammar.names import parse_name

MAX_BODY = 64 * 1024
# What is to be asked once the body is there, which may be seconds after the head.
AskAgain = Callable[[], Awaitable[object]]
WHEN_READ: web.RequestKey[AskAgain] = web.RequestKey("when_read")
FORM = "application/x-www-form-urlencoded"
_MAX_FORM_FIELDS = 100
# 64 KiB within this is 6 KiB a second: slower clients hold a connection, not a conversation.
_BODY_DEADLINE = timedelta(seconds=10)
_NO_OBJECT = "The body is not a JSON object."
_WORDS = {
    "missing": "This field is missing.",
    "string_type": "This must be text.",
    "string_too_long": "This is too long.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "int_type": "This must be a whole number.",
    "list_type": "This must be a list.",
    "tuple_type": "This must be a list.",
    "model_type": "This must be an object.",
    "extra_forbidden": "This holds a field that is not known.",
}
# Pydantic speaks of types of Python, which whoever sent JSON does not know.
_SUBJECT = re.compile(r"^(?:Input|Value|List|Tuple) should ")


def _without_nul(text: str) -> str:
    if "\x00" in text:
        message = "A NUL character cannot be part of it."
        raise ValueError(message)
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
# Longer ones can be nobody's, and cost more to normalise than their length says.
Password = Annotated[Text, Field(min_length=1, max_length=1024)]
Email = Annotated[
    Text, AfterValidator(parse_email), Field(description="An e-mail address.", examples=["ada@example.com"])
]
Name = Annotated[Text, AfterValidator(parse_name), Field(description="1 to 80 characters.", examples=["Ada"])]


class Body(BaseModel):
    """What a route takes. Unknown fields are ignored, as clients of the real systems expect."""

    # Built when the first comes: all of them together would take a tenth of the start.
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, defer_build=True)


_Body = TypeVar("_Body", bound=Body)


async def read_json(request: web.Request, model: type[_Body]) -> _Body:
    """Read a JSON body; an empty one counts as `{}`. Raises `MalformedBody`, `InvalidFields` or the like."""
    return _parse(model, await read_content(request))


async def read_content(request: web.Request) -> object:
    """Read a JSON body without looking at what it says; an empty one counts as `{}`."""
    raw = await _read(request)
    if raw.strip() and request.content_type != "application/json":
        message = "This address takes a JSON body: send `Content-Type: application/json`."
        raise UnsupportedMediaType(message)
    return parse_json(raw) if raw.strip() else {}


def parse_json(raw: bytes) -> object:
    """Read JSON as RFC 8259 has it, and nothing beyond. Raises `MalformedBody`.

    Of a key that stands twice a proxy, a log and we might each believe another one (RFC 8259 section 4).
    """
    try:
        text = raw.decode()
        content: object = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_number)
        if "\\ud" in text.lower():
            # A half of a surrogate pair is no character: nothing that hashes, stores or sends text can take it.
            json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        # The cause would carry what was sent.
        raise MalformedBody(_NO_OBJECT) from None
    return content


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        message = "A key of the JSON body stands there twice."
        raise MalformedBody(message)
    return found


def _no_number(_name: str) -> float:
    raise MalformedBody(_NO_OBJECT)


async def read_form(request: web.Request) -> Mapping[str, str]:
    """Read the fields of an HTML form; of a field that came twice the first counts."""
    raw = await _read(request)
    if raw and request.content_type != FORM:
        message = f"This address takes a form: send `Content-Type: {FORM}`."
        raise UnsupportedMediaType(message)
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FORM_FIELDS)
    except ValueError as error:
        raise MalformedBody from error
    return dict(reversed(pairs))


async def _read(request: web.Request) -> bytes:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        message = "Bodies are taken as they are: send no `Content-Encoding`."
        raise UnsupportedMediaType(message)
    try:
        async with asyncio.timeout(_BODY_DEADLINE.total_seconds()):
            raw = await request.read()
    except TimeoutError as error:
        raise SlowBody from error
    except (web.RequestPayloadError, ConnectionError) as error:
        # Broken off, or not framed as announced; often nobody is there to read the answer.
        raise MalformedBody from error
    if (ask_again := request.get(WHEN_READ)) is not None:
        await ask_again()
    return raw


def parse_form(fields: Mapping[str, str], model: type[_Body]) -> _Body:
    """Check the fields of a form against a model. Raises `InvalidFields`."""
    return _parse(model, fields)


def _parse(model: type[_Body], content: object) -> _Body:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> MalformedBody | InvalidFields:
    problems = error.errors(include_url=False, include_input=False)
    # Only whole-body problems have no place: the body is no JSON, or no object.
    if any(not problem["loc"] for problem in problems):
        return MalformedBody(_NO_OBJECT)
    return InvalidFields(
        fields={str(problem["loc"][0]): problem_sentence(problem["type"], problem["msg"]) for problem in problems}
    )


def problem_sentence(kind: str, message: str) -> str:
    words = _SUBJECT.sub("This must ", message.removeprefix("Value error, ")).replace(" after validation", "")
    return _WORDS.get(kind) or words
