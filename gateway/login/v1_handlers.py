"""Logging in as LangSmith's clients do: e-mail address and password in, an access token out."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import Field

from gateway.challenges import OpenChallenge
from gateway.errors import EmailLoginOff, InvalidCredentials, InvalidFields, SecondFactorWanted
from gateway.login.password_login import LoginForm
from gateway.web.bodies import FORM, Body, Email, Password, parse_form, read_form, read_json

if TYPE_CHECKING:
    from gateway.login.password_login import PasswordLogin
    from gateway.web.login_answers import LoginAnswers
    from gateway.web.portal import Portal


class V1LoginBody(Body):
    """The body of `POST /api/v1/login`, as JSON or as a form."""

    email: Email | None = None
    username: Email | None = Field(default=None, description="The e-mail address, as forms of OAuth 2.0 call it.")
    password: Password

    @property
    def address(self) -> str:
        """Give the address under either name. Raises `InvalidFields`."""
        address = self.email or self.username
        if address is None:
            raise InvalidFields(fields={"email": "This field is missing."})
        return address


@dataclass(frozen=True, slots=True)
class V1Login:
    """`POST /api/v1/login`. No cookie is set: what it opens is for the program that asked."""

    portal: Portal
    login: PasswordLogin
    answers: LoginAnswers
    email_login_allowed: bool

    async def log_in(self, request: web.Request) -> web.Response:
        """Open a session and answer its access token. Where there is a second factor this is no way in."""
        if not self.email_login_allowed:
            raise EmailLoginOff
        body = await _read(request)
        form = LoginForm(body.address, body.password, remember_me=False)
        outcome = await self.login.log_in(form, self.portal.visitor(request))
        if isinstance(outcome, OpenChallenge):
            raise SecondFactorWanted
        return self.answers.as_access_token(outcome)


async def _read(request: web.Request) -> V1LoginBody:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return _basic(encoded)
    if request.content_type == FORM:
        return parse_form(await read_form(request), V1LoginBody)
    return await read_json(request, V1LoginBody)


def _basic(encoded: str) -> V1LoginBody:
    """Read Basic credentials (RFC 7617). Raises `InvalidCredentials` for what nobody can have."""
    try:
        name, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        return parse_form({"email": name, "password": password}, V1LoginBody)
    except (ValueError, InvalidFields):
        raise InvalidCredentials from None
