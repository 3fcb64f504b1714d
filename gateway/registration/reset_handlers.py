"""The pages for a forgotten password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.errors import GatewayError, LinkDead
from gateway.registration.bodies import AddressBody, PasswordResetBody
from gateway.registration.chosen_password import ChosenPassword
from gateway.throttle.address_limits import Limit
from gateway.web.bodies import parse_form, read_form
from gateway.web.page_state import flash
from gateway.web.portal import form_problems, see_other

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.credentials.password_rules import PasswordRules
    from gateway.registration.password_reset import PasswordReset
    from gateway.throttle.address_limits import AddressLimits
    from gateway.web.portal import Portal

_RESET = "Your password was changed, and you are logged out everywhere. Log in with the new one."


@dataclass(frozen=True, slots=True)
class PasswordResetPages:
    """`GET/POST /forgot-password`, `GET/POST /reset-password`."""

    portal: Portal
    addresses: AddressLimits
    password_reset: PasswordReset
    rules: PasswordRules
    confirmation_required: bool

    async def show_request(self, request: web.Request) -> web.Response:
        self.password_reset.require_allowed()
        return await self._request_form(request, {})

    async def submit_request(self, request: web.Request) -> web.Response:
        """Send a link to an account's address: the next page is the same for all."""
        self.password_reset.require_allowed()
        fields = await read_form(request)
        client_address = self.portal.client_address(request)
        try:
            await self.portal.require_form_token(request, fields)
            await self.addresses.count(Limit.RESET_REQUEST, client_address)
            email = parse_form(fields, AddressBody).email
            await self.password_reset.request(email, client_address=client_address)
        except GatewayError as refusal:
            return await self._request_form(request, fields, refusal=refusal)
        return see_other("/check-mail?about=reset")

    async def show_reset(self, request: web.Request) -> web.Response:
        """Show the form to whoever has the link; opening it spends nothing."""
        self.password_reset.require_allowed()
        return await self._reset_form(request, request.query)

    async def submit_reset(self, request: web.Request) -> web.Response:
        """Spend the link on a new password; whoever followed it then logs in, by every factor that there is."""
        self.password_reset.require_allowed()
        fields = await read_form(request)
        try:
            await self._reset(request, fields)
        except GatewayError as refusal:
            return await self._reset_form(request, fields, refusal=refusal)
        await flash(request, _RESET)
        return see_other("/login")

    async def _reset(self, request: web.Request, fields: Mapping[str, str]) -> None:
        await self.portal.require_form_token(request, fields)
        form = parse_form(fields, PasswordResetBody)
        password = ChosenPassword(form.password, form.confirm_password)
        await self.password_reset.reset(user_id=form.userId, token=form.token, password=password)

    async def _request_form(
        self, request: web.Request, fields: Mapping[str, str], *, refusal: GatewayError | None = None
    ) -> web.Response:
        return await self.portal.page(
            request,
            "forgot_password.html",
            refusal=refusal,
            email=fields.get("email", ""),
            errors=form_problems(refusal),
        )

    async def _reset_form(
        self, request: web.Request, fields: Mapping[str, str], *, refusal: GatewayError | None = None
    ) -> web.Response:
        """Show the form for a good link; for one that is dead the form to ask for another."""
        user_id, token = fields.get("userId", ""), fields.get("token", "")
        try:
            account = await self.password_reset.account_of(user_id=user_id, token=token)
        except LinkDead as dead:
            return await self._request_form(request, {}, refusal=dead)
        return await self.portal.page(
            request,
            "reset_password.html",
            refusal=refusal,
            email=account.email,
            user_id=user_id,
            link_token=token,
            min_length=self.rules.min_length,
            confirmation_required=self.confirmation_required,
            errors=form_problems(refusal),
        )
