"""Coming in, and back in, by JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.registration.bodies import AddressBody, PasswordResetBody, RegistrationBody, VerificationBody
from gateway.registration.chosen_password import ChosenPassword
from gateway.registration.registration import WantedAccount
from gateway.throttle.address_limits import Limit
from gateway.web.bodies import read_json

if TYPE_CHECKING:
    from gateway.registration.password_reset import PasswordReset
    from gateway.registration.registration import Registration
    from gateway.registration.verification import Verification
    from gateway.throttle.address_limits import AddressLimits
    from gateway.web.portal import Portal

_REGISTERED = "Please check your email to verify your email address."
_RESET_REQUESTED = "If an account with that email exists, a password reset link has been sent to it."


@dataclass(frozen=True, slots=True)
class RegistrationApi:
    """`POST /api/auth/register`, `/api/user/verify[/resend]`, `/api/auth/requestPasswordReset`, `/resetPassword`.

    The addresses' limits count every call, before it is read.
    """

    portal: Portal
    addresses: AddressLimits
    registration: Registration
    verification: Verification
    password_reset: PasswordReset

    async def register(self, request: web.Request) -> web.Response:
        """Make an account, or tell the mailbox that there is one: the answer is the same."""
        self.registration.require_open()
        await self.addresses.count(Limit.REGISTER, self.portal.client_address(request))
        body = await read_json(request, RegistrationBody)
        await self.registration.register(wanted_account(body))
        return web.json_response({"message": _REGISTERED})

    async def verify(self, request: web.Request) -> web.Response:
        """Spend a mailed link."""
        await self.addresses.count(Limit.VERIFY_EMAIL, self.portal.client_address(request))
        body = await read_json(request, VerificationBody)
        await self.verification.verify(email=body.email, token=body.token)
        return web.json_response({"message": "Email verification was successful", "status": "success"})

    async def send_link_again(self, request: web.Request) -> web.Response:
        """Send a link to an address that waits for one: the answer is the same for all."""
        await self.addresses.count(Limit.VERIFY_EMAIL, self.portal.client_address(request))
        body = await read_json(request, AddressBody)
        await self.verification.send_again(body.email)
        return web.json_response({"message": _REGISTERED})

    async def request_reset(self, request: web.Request) -> web.Response:
        """Send a reset link to an account's address: the answer is the same for all."""
        self.password_reset.require_allowed()
        client_address = self.portal.client_address(request)
        await self.addresses.count(Limit.RESET_REQUEST, client_address)
        body = await read_json(request, AddressBody)
        await self.password_reset.request(body.email, client_address=client_address)
        return web.json_response({"message": _RESET_REQUESTED})

    async def reset(self, request: web.Request) -> web.Response:
        """Spend a mailed link on a new password; nobody is logged in by it."""
        self.password_reset.require_allowed()
        body = await read_json(request, PasswordResetBody)
        password = ChosenPassword(body.password, body.confirm_password)
        await self.password_reset.reset(user_id=body.userId, token=body.token, password=password)
        return web.json_response({"message": "Password reset was successful"})


def wanted_account(body: RegistrationBody) -> WantedAccount:
    return WantedAccount(body.email, body.name, body.username, ChosenPassword(body.password, body.confirm_password))
