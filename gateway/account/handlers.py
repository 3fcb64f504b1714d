"""A person's own account: the portal's home, who am I, and a new password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.errors import GatewayError, Unauthorized
from gateway.storage.accounts import find_account
from gateway.web.bodies import Body, Password, parse_form, read_form, read_json
from gateway.web.page_state import flash, take_notice
from gateway.web.portal import form_problems, see_other
from gateway.web.return_urls import origin_of

if TYPE_CHECKING:
    from gateway.account.password_change import PasswordChange
    from gateway.credentials.password_rules import PasswordRules
    from gateway.models import Principal
    from gateway.storage.database import Database
    from gateway.web.login_answers import LoginAnswers
    from gateway.web.portal import Portal
    from gateway.web.profile import Profiles
    from gateway.web.return_urls import ReturnUrls

_CHANGED = "Your password was changed. Your other devices are logged out."
_FORM_NAMES = {"currentPassword": "current_password", "newPassword": "new_password"}


class PasswordChangeBody(Body):
    """The body of `POST /api/auth/changePassword`."""

    currentPassword: Password  # noqa: N815 - the API's name
    newPassword: Password  # noqa: N815 - the API's name


class PasswordChangeForm(Body):
    """The fields of the page of the same purpose."""

    current_password: Password
    new_password: Password


@dataclass(frozen=True, slots=True)
class AccountHandlers:
    """`GET /`, `GET/POST /change-password`, `GET /api/user`, `POST /api/auth/changePassword`."""

    portal: Portal
    database: Database
    profiles: Profiles
    password_change: PasswordChange
    password_rules: PasswordRules
    return_urls: ReturnUrls
    answers: LoginAnswers

    async def home(self, request: web.Request) -> web.Response:
        """Greet whoever is logged in; send everybody else to the login page."""
        principal = await self.portal.on_page(request)
        if principal is None:
            return see_other("/login")
        return await self.portal.page(
            request,
            "home.html",
            name=principal.name,
            email=principal.email,
            role=principal.role.value,
            logged_in=principal.session_id is not None,
            notice=await take_notice(request),
        )

    async def show_password_change(self, request: web.Request) -> web.Response:
        principal = await self.portal.by_cookie(request)
        if principal is None:
            return see_other("/login?rd=%2Fchange-password")
        return await self._password_page(request, principal, request.query)

    async def submit_password_change(self, request: web.Request) -> web.Response:
        """Change the password and go on to where the visitor wanted to be."""
        fields = await read_form(request)
        principal = await self.portal.by_cookie(request)
        if principal is None:
            return see_other("/login?rd=%2Fchange-password")
        try:
            await self.portal.require_form_token(request, fields)
            form = parse_form(fields, PasswordChangeForm)
            logged_in = await self.password_change.change(
                principal,
                current=form.current_password,
                new=form.new_password,
                visitor=self.portal.visitor(request),
            )
        except GatewayError as refusal:
            return await self._password_page(request, principal, fields, refusal=refusal)
        return_url = self.return_urls.accept(fields.get("rd", "")) or "/"
        if origin_of(return_url) is None:
            # An application does not show it: it would wait for the next login, whoever's that is.
            await flash(request, _CHANGED)
        response = see_other(return_url)
        self.answers.set_cookie(response, logged_in)
        return response

    async def who_am_i(self, request: web.Request) -> web.Response:
        """Answer the account of the access token, as it is now."""
        principal = await self.portal.by_bearer(request, password_may_be_due=True)
        async with self.database.read() as connection:
            account = await find_account(connection, principal.account_id)
        if account is None:
            raise Unauthorized
        return web.json_response(self.profiles.user(account))

    async def change_password(self, request: web.Request) -> web.Response:
        """Change the password; this session goes on with new cookies, the others end."""
        principal = await self.portal.by_session(request, password_may_be_due=True)
        body = await read_json(request, PasswordChangeBody)
        logged_in = await self.password_change.change(
            principal, current=body.currentPassword, new=body.newPassword, visitor=self.portal.visitor(request)
        )
        response = web.json_response({"message": "Password changed successfully"})
        self.answers.set_cookie(response, logged_in)
        return response

    async def _password_page(
        self,
        request: web.Request,
        principal: Principal,
        fields: Mapping[str, str],
        *,
        refusal: GatewayError | None = None,
    ) -> web.Response:
        problems = form_problems(refusal)
        return_url = self.return_urls.accept(fields.get("rd", "")) or ""
        return await self.portal.page(
            request,
            "change_password.html",
            refusal=refusal,
            form_leads_to=origin_of(return_url),
            return_url=return_url,
            errors={_FORM_NAMES.get(name, name): problem for name, problem in problems.items()},
            required=principal.must_change_password,
            min_length=self.password_rules.min_length,
            email=principal.email,
        )
