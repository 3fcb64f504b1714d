"""The set-up page: the first administrator, by a one-time link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.errors import GatewayError, SetupLinkDead
from gateway.organization.bootstrap import FirstAdministrator
from gateway.web.bodies import Body, Email, Name, Password, parse_form, read_form
from gateway.web.page_state import flash
from gateway.web.portal import form_problems, see_other

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.organization.bootstrap import Bootstrap
    from gateway.web.portal import Portal


class SetupForm(Body):
    """The fields of the set-up page."""

    email: Email
    name: Name
    password: Password


@dataclass(frozen=True, slots=True)
class SetupPages:
    """`GET /setup`, `POST /setup`."""

    portal: Portal
    bootstrap: Bootstrap

    async def show(self, request: web.Request) -> web.Response:
        """Show the form to whoever has the link; opening it spends nothing."""
        token = request.query.get("token", "")
        if not await self.bootstrap.setup_token_is_good(token):
            raise SetupLinkDead
        return await self._form(request, {"token": token})

    async def submit(self, request: web.Request) -> web.Response:
        """Create the administrator, who then logs in."""
        fields = await read_form(request)
        try:
            await self.portal.require_form_token(request, fields)
            form = parse_form(fields, SetupForm)
            administrator = FirstAdministrator(email=form.email, name=form.name, password=form.password)
            await self.bootstrap.set_up(fields.get("token", ""), administrator)
        except GatewayError as refusal:
            return await self._form(request, fields, refusal=refusal)
        await flash(request, "The administrator was created. Log in.")
        return see_other("/login")

    async def _form(
        self, request: web.Request, fields: Mapping[str, str], *, refusal: GatewayError | None = None
    ) -> web.Response:
        return await self.portal.page(
            request,
            "setup.html",
            refusal=refusal,
            setup_token=fields.get("token", ""),
            email=fields.get("email", ""),
            name=fields.get("name", ""),
            errors=form_problems(refusal),
        )
