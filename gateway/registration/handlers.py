"""The pages on which somebody registers, and on which mailed links are followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.errors import GatewayError, InvalidFields, LinkDead, NotFound
from gateway.grammar.email import parse_email
from gateway.registration.api_handlers import wanted_account
from gateway.registration.bodies import AddressBody, RegistrationBody, VerificationBody
from gateway.throttle.address_limits import Limit
from gateway.web.bodies import parse_form, read_form
from gateway.web.page_state import flash
from gateway.web.portal import form_problems, see_other

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.credentials.password_rules import PasswordRules
    from gateway.registration.registration import Registration
    from gateway.registration.verification import Verification
    from gateway.throttle.address_limits import AddressLimits
    from gateway.web.portal import Portal

_VERIFIED = "Your email address is confirmed. You can log in now."
# What the page after a form says; it knows no more than that, so that anybody may open it.
_LETTERS = frozenset({"registration", "verification", "reset"})


@dataclass(frozen=True, slots=True)
class RegistrationForm:
    """What the page says about its rules, as the server holds them."""

    rules: PasswordRules
    email_domains: tuple[str, ...]
    confirmation_required: bool


@dataclass(frozen=True, slots=True)
class RegistrationPages:
    """`GET/POST /register`, `GET/POST /verify`, `POST /verify/resend`, `GET /check-mail`."""

    portal: Portal
    addresses: AddressLimits
    registration: Registration
    verification: Verification
    form: RegistrationForm
    mail_enabled: bool

    async def show(self, request: web.Request) -> web.Response:
        """Show the form, where people may register."""
        self.registration.require_open()
        return await self._form(request, {})

    async def submit(self, request: web.Request) -> web.Response:
        """Make an account, or tell the mailbox that there is one: the next page is the same."""
        self.registration.require_open()
        fields = await read_form(request)
        try:
            await self.portal.require_form_token(request, fields)
            await self.addresses.count(Limit.REGISTER, self.portal.client_address(request))
            await self.registration.register(wanted_account(parse_form(fields, RegistrationBody)))
        except GatewayError as refusal:
            return await self._form(request, fields, refusal=refusal)
        return see_other("/check-mail?about=registration")

    async def check_mail(self, request: web.Request) -> web.Response:
        """Say what happens next."""
        about = request.query.get("about")
        if about not in _LETTERS:
            raise NotFound
        return await self.portal.page(request, "check_mail.html", about=about, mail_enabled=self.mail_enabled)

    async def show_verification(self, request: web.Request) -> web.Response:
        """Show the button; opening the link changes nothing, for mail scanners open links as well."""
        email, token = _address_in(request.query), request.query.get("token", "")
        if not token:
            return await self._resend_form(request, email)
        if not await self.verification.link_is_good(email=email, token=token):
            return await self._resend_form(request, email, refusal=LinkDead())
        return await self._button(request, {"email": email, "token": token})

    async def verify(self, request: web.Request) -> web.Response:
        """Spend the link; whoever followed it then logs in."""
        fields = await read_form(request)
        try:
            await self.portal.require_form_token(request, fields)
            await self.addresses.count(Limit.VERIFY_EMAIL, self.portal.client_address(request))
            form = parse_form(fields, VerificationBody)
            await self.verification.verify(email=form.email, token=form.token)
        except (LinkDead, InvalidFields):
            return await self._resend_form(request, fields.get("email", ""), refusal=LinkDead())
        except GatewayError as refusal:
            return await self._button(request, fields, refusal=refusal)
        await flash(request, _VERIFIED)
        return see_other("/login")

    async def send_link_again(self, request: web.Request) -> web.Response:
        """Send a link to an address that waits for one: the next page is the same for all."""
        fields = await read_form(request)
        try:
            await self.portal.require_form_token(request, fields)
            await self.addresses.count(Limit.VERIFY_EMAIL, self.portal.client_address(request))
            await self.verification.send_again(parse_form(fields, AddressBody).email)
        except GatewayError as refusal:
            return await self._resend_form(request, fields.get("email", ""), refusal=refusal)
        return see_other("/check-mail?about=verification")

    async def _form(
        self, request: web.Request, fields: Mapping[str, str], *, refusal: GatewayError | None = None
    ) -> web.Response:
        return await self.portal.page(
            request,
            "register.html",
            refusal=refusal,
            email=fields.get("email", ""),
            name=fields.get("name", ""),
            username=fields.get("username", ""),
            min_length=self.form.rules.min_length,
            email_domains=self.form.email_domains,
            confirmation_required=self.form.confirmation_required,
            errors=form_problems(refusal),
        )

    async def _button(
        self, request: web.Request, fields: Mapping[str, str], *, refusal: GatewayError | None = None
    ) -> web.Response:
        return await self.portal.page(
            request,
            "verify_email.html",
            refusal=refusal,
            email=fields.get("email", ""),
            link_token=fields.get("token", ""),
            errors=form_problems(refusal),
        )

    async def _resend_form(
        self, request: web.Request, email: str, *, refusal: GatewayError | None = None
    ) -> web.Response:
        return await self.portal.page(
            request, "resend.html", refusal=refusal, email=email, errors=form_problems(refusal)
        )


def _address_in(query: Mapping[str, str]) -> str:
    """Give the address of a link in its canonical form; one that is none belongs to no link."""
    try:
        return parse_email(query.get("email", ""))
    except ValueError:
        return ""
