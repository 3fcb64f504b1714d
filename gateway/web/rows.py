"""Bodies that are lists: each row is checked against a model, and all that is wrong with any is said at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import ConfigDict, RootModel, ValidationError

from gateway.errors import BodyTooLarge, InvalidFields, MalformedBody
from gateway.web.bodies import Body, problem_sentence, read_content

_MAX_MIB = 1
_NO_LIST = "The body is not a JSON list."

_Row = TypeVar("_Row", bound=Body)


class Rows(RootModel[Sequence[_Row]], Generic[_Row]):
    """A list of bodies; a subclass says of what, and how many."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)


_Rows = TypeVar("_Rows", bound="Rows[Any]")


async def read_rows(request: web.Request, model: type[_Rows]) -> _Rows:
    """Read a JSON list. Raises `MalformedBody`, or `InvalidFields` whose fields are named `3.email`."""
    try:
        # More than other bodies may have: a school's list of people has to fit.
        content = await read_content(request.clone(client_max_size=_MAX_MIB * 1024 * 1024))
    except web.HTTPRequestEntityTooLarge:
        message = f"A body may have {_MAX_MIB} MiB at most here."
        raise BodyTooLarge(message) from None
    if not isinstance(content, list):
        raise MalformedBody(_NO_LIST)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise InvalidFields(
            fields={
                ".".join(map(str, problem["loc"][:2])): problem_sentence(problem["type"], problem["msg"])
                for problem in problems
            }
        ) from None
