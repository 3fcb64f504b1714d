"""A person's own second factor, by JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.account.second_factor_owner import Owner
from gateway.credentials.totp import otpauth_url, secret_as_text
from gateway.web.bodies import read_json
from gateway.web.code_bodies import CodeBody
from gateway.web.qr_codes import qr_png

if TYPE_CHECKING:
    from gateway.account.second_factor import SecondFactorChange
    from gateway.account.second_factor_enrolment import SecondFactorEnrolment
    from gateway.web.login_answers import LoginAnswers
    from gateway.web.portal import Portal


@dataclass(frozen=True, slots=True)
class SecondFactorApi:
    """`/api/auth/2fa/…`, but for the step of a login."""

    portal: Portal
    enrolment: SecondFactorEnrolment
    change: SecondFactorChange
    answers: LoginAnswers

    async def enable(self, request: web.Request) -> web.Response:
        """Begin an enrolment: everything that its owner has to keep is shown once, here."""
        owner = await self._owner(request)
        body = await read_json(request, CodeBody)
        enrolment = await self.enrolment.begin(owner, body.given)
        url = otpauth_url(enrolment.secret, issuer=self.portal.pages.site_name, label=enrolment.email)
        return web.json_response(
            {
                "qrCode": qr_png(url),
                "secret": secret_as_text(enrolment.secret),
                "otpauthUrl": url,
                "backupCodes": list(enrolment.recovery_codes),
            }
        )

    async def verify(self, request: web.Request) -> web.Response:
        """Try a code of the enrolment; clients send the same one to confirm it."""
        owner = await self._owner(request)
        body = await read_json(request, CodeBody)
        await self.enrolment.try_code(owner, body.given)
        return web.json_response({"message": "The code is right."})

    async def confirm(self, request: web.Request) -> web.Response:
        """Let the enrolment count; this session goes on with new tokens, the others end."""
        owner = await self._owner(request)
        body = await read_json(request, CodeBody)
        enrolled = await self.enrolment.confirm(owner, body.given)
        response = web.json_response({"message": "Two-factor authentication is on."})
        self.answers.set_cookie(response, enrolled.logged_in)
        return response

    async def disable(self, request: web.Request) -> web.Response:
        """Switch the second factor off; the other sessions end."""
        owner = await self._owner(request)
        body = await read_json(request, CodeBody)
        await self.change.disable(owner, body.given)
        return web.json_response({"message": "Two-factor authentication is off."})

    async def replace_codes(self, request: web.Request) -> web.Response:
        """Give a new set of recovery codes; the old one is dead."""
        owner = await self._owner(request)
        body = await read_json(request, CodeBody)
        codes = await self.change.replace_codes(owner, body.given)
        # LibreChat's page reads the second list before it offers the codes for download. It holds numbers in place of
        # hashes: eight digits are guessed from any hash that leaves this process.
        listed = [{"codeHash": str(number), "used": False, "usedAt": None} for number, _ in enumerate(codes, start=1)]
        return web.json_response({"backupCodes": list(codes), "backupCodesHash": listed})

    async def _owner(self, request: web.Request) -> Owner:
        return Owner.behind(await self.portal.by_session(request), self.portal.visitor(request))
