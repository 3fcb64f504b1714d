"""The pages on which a person sets up a second factor, and changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.account.second_factor_owner import Owner
from gateway.credentials.totp import otpauth_url, secret_as_text
from gateway.errors import GatewayError, SecondFactorNotSetUp
from gateway.web.bodies import read_form
from gateway.web.page_state import flash, form_token, take_notice
from gateway.web.portal import form_problems, see_other
from gateway.web.qr_codes import qr_svg
from gateway.web.return_urls import origin_of, with_return_url

if TYPE_CHECKING:
    from gateway.account.second_factor import SecondFactorChange, SecondFactorState
    from gateway.account.second_factor_enrolment import SecondFactorEnrolment
    from gateway.revocation import Revocation
    from gateway.web.login_answers import LoginAnswers
    from gateway.web.portal import Portal
    from gateway.web.return_urls import ReturnUrls

_PAGE = "/second-factor"
_GROUP = 4


@dataclass(frozen=True, slots=True)
class SecondFactorAccountPages:
    """`GET/POST /second-factor`, `POST /second-factor/recovery-codes`, `POST /second-factor/disable`."""

    portal: Portal
    enrolment: SecondFactorEnrolment
    change: SecondFactorChange
    revocation: Revocation
    return_urls: ReturnUrls
    answers: LoginAnswers

    async def show(self, request: web.Request) -> web.Response:
        """Let a person enrol, or show what they have; send on whoever only came to have one."""
        return_url = self.return_urls.accept(request.query.get("rd", "")) or ""
        owner = await self._owner(request)
        if owner is None:
            return await self._elsewhere(request, return_url)
        state = await self.change.state(owner)
        if not state.enrolled:
            return await self._enrolment_page(request, owner, return_url)
        if not state.proven:
            # No login leads here: whatever made this session, it is not what the account asks for now.
            await self.revocation.end_session(owner.session_id, reason="second factor")
            return see_other(with_return_url("/login", return_url))
        return see_other(return_url) if return_url else await self._state_page(request, state)

    async def confirm(self, request: web.Request) -> web.Response:
        """Let the enrolment count, and show the recovery codes, once."""
        fields = await read_form(request)
        return_url = self.return_urls.accept(fields.get("rd", "")) or ""
        owner = await self._owner(request)
        if owner is None:
            return await self._elsewhere(request, return_url)
        try:
            await self.portal.require_form_token(request, fields)
            enrolled = await self.enrolment.confirm(owner, fields.get("code", ""), make_codes=True)
        except SecondFactorNotSetUp as refusal:
            # Begun too long ago, or confirmed in another tab: the page knows which.
            await flash(request, refusal.message)
            return see_other(with_return_url(_PAGE, return_url))
        except GatewayError as refusal:
            return await self._enrolment_page(request, owner, return_url, refusal=refusal)
        response = await self._codes_page(request, enrolled.recovery_codes, return_url=return_url)
        self.answers.set_cookie(response, enrolled.logged_in)
        return response

    async def replace_codes(self, request: web.Request) -> web.Response:
        """Make new recovery codes, and show them, once."""
        fields = await read_form(request)
        owner = await self._owner(request)
        if owner is None:
            return await self._elsewhere(request, "")
        try:
            await self.portal.require_form_token(request, fields)
            codes = await self.change.replace_codes(owner, fields.get("replace_code", ""))
        except GatewayError as refusal:
            return await self._refused(request, owner, refusal, form="replace")
        return await self._codes_page(request, codes)

    async def disable(self, request: web.Request) -> web.Response:
        """Do without a second factor from now on."""
        fields = await read_form(request)
        owner = await self._owner(request)
        if owner is None:
            return await self._elsewhere(request, "")
        try:
            await self.portal.require_form_token(request, fields)
            await self.change.disable(owner, fields.get("disable_code", ""))
        except GatewayError as refusal:
            return await self._refused(request, owner, refusal, form="disable")
        await flash(request, "Two-factor authentication is off. Your other devices are logged out.")
        return see_other("/")

    async def _owner(self, request: web.Request) -> Owner | None:
        """Give whoever may be here: a password that somebody else chose has to be changed first."""
        principal = await self.portal.by_cookie(request)
        if principal is None or principal.must_change_password:
            return None
        return Owner.behind(principal, self.portal.visitor(request), browser=await form_token(request))

    async def _elsewhere(self, request: web.Request, return_url: str) -> web.Response:
        """Send a visitor to what comes before: a login, or a password of their own."""
        due = await self.portal.by_cookie(request) is not None
        # Not back to here on the way to somewhere else: the login's form may lead to one more origin only, and
        # whoever has no factor when they arrive there is sent here again.
        return see_other(with_return_url("/change-password" if due else "/login", return_url or _PAGE))

    async def _enrolment_page(
        self, request: web.Request, owner: Owner, return_url: str, *, refusal: GatewayError | None = None
    ) -> web.Response:
        enrolment = await self.enrolment.begin_or_go_on(owner)
        origin = origin_of(return_url)
        site_name, secret = self.portal.pages.site_name, secret_as_text(enrolment.secret)
        return await self.portal.page(
            request,
            "enrol.html",
            refusal=refusal,
            qr_code=qr_svg(otpauth_url(enrolment.secret, issuer=site_name, label=enrolment.email)),
            secret=_grouped(secret),
            email=enrolment.email,
            return_url=return_url,
            return_host=origin.partition("://")[2] if origin else None,
            errors=form_problems(refusal),
            notice=await take_notice(request) if refusal is None else None,
        )

    async def _codes_page(self, request: web.Request, codes: tuple[str, ...], *, return_url: str = "") -> web.Response:
        shown = [_grouped(code) for code in codes]
        return await self.portal.page(request, "recovery_codes.html", codes=shown, return_url=return_url or "/")

    async def _refused(self, request: web.Request, owner: Owner, refusal: GatewayError, *, form: str) -> web.Response:
        if isinstance(refusal, SecondFactorNotSetUp):
            return see_other(_PAGE)
        state = await self.change.state(owner)
        return await self._state_page(request, state, refusal=refusal, problems={form: form_problems(refusal)})

    async def _state_page(
        self,
        request: web.Request,
        state: SecondFactorState,
        *,
        refusal: GatewayError | None = None,
        problems: Mapping[str, Mapping[str, str]] | None = None,
    ) -> web.Response:
        return await self.portal.page(
            request,
            "second_factor_state.html",
            refusal=refusal,
            recovery_codes_left=state.recovery_codes_left,
            errors={"replace": {}, "disable": {}, **(problems or {})},
            notice=await take_notice(request) if refusal is None else None,
        )


def _grouped(text: str) -> str:
    """Write it as people copy it: what is read back drops the blanks."""
    return " ".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))
