"""What every page of the portal shares: who is there, how a page is sent, which forms count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.audit.events import note_actor
from gateway.errors import GatewayError, LoginNotNeeded, PasswordChangeRequired, StaleForm, Unauthorized
from gateway.models import CredentialKind, Principal
from gateway.sessions import Visitor
from gateway.web.cross_origin import require_own_host, require_own_origin
from gateway.web.errors import refusal_headers
from gateway.web.page_state import form_token, form_token_matches
from gateway.web.pages import Pages, security_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.client_address import TrustedProxies
    from gateway.recognition.default_user import DefaultUser
    from gateway.recognition.recognition import Recognition
    from gateway.web.cookies import SessionCookie
    from gateway.web.known_device import KnownDeviceCookie


@dataclass(frozen=True, slots=True)
class Portal:
    """Given to every handler by the wiring."""

    public_url: str
    pages: Pages
    cookie: SessionCookie
    trusted_proxies: TrustedProxies
    recognition: Recognition
    device_cookie: KnownDeviceCookie
    # Whoever presents nothing, where nobody logs in.
    default_user: DefaultUser | None = None

    def visitor(self, request: web.Request) -> Visitor:
        """Say where a request comes from, and from which device."""
        return Visitor(
            client_address=self.client_address(request),
            user_agent=request.headers.get("User-Agent"),
            device=self.device_cookie.read(request),
        )

    def client_address(self, request: web.Request) -> str | None:
        """Give the visitor's address: forwarded headers count from trusted proxies only."""
        peer = peer_address(request)
        forwarded = request.headers.getall("X-Forwarded-For", []) if self.trusted_proxies.trust(peer) else []
        return self.trusted_proxies.client_address(forwarded or [peer])

    async def by_cookie(self, request: web.Request) -> Principal | None:
        """Give the principal of the session cookie: pages, and the few API routes that take it."""
        token = self.cookie.read(request)
        principal = None if token is None else await self.recognition.by_session_token(token)
        if principal is not None:
            note_actor(principal.account_id)
        return principal

    async def by_bearer(self, request: web.Request, *, password_may_be_due: bool = False) -> Principal:
        """Give the principal of the access token; the cookie never counts here.

        Raises `Unauthorized` and its kinds, and `PasswordChangeRequired` for a password that somebody else chose and
        could use as well, except where it `may_be_due`. Where nobody logs in, whoever presents nothing is the default
        user; any web page could let its visitor do that, which raises `CrossOrigin`.
        """
        if self.default_user is not None and "Authorization" not in request.headers:
            return await self._without_credential(request, self.default_user)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self.recognition.names_us(token.strip()):
            raise Unauthorized
        principal = await self.recognition.by_access_token(token.strip())
        note_actor(principal.account_id)
        if principal.must_change_password and not password_may_be_due:
            raise PasswordChangeRequired
        return principal

    async def by_session(self, request: web.Request, *, password_may_be_due: bool = False) -> Principal:
        """Give the principal as `by_bearer` does, for what is about a login. Raises `LoginNotNeeded` where none is."""
        principal = await self.by_bearer(request, password_may_be_due=password_may_be_due)
        if principal.credential is CredentialKind.NONE:
            raise LoginNotNeeded
        return principal

    async def on_page(self, request: web.Request) -> Principal | None:
        """Give whom a page greets: the principal of the session cookie, or the default user."""
        principal = await self.by_cookie(request)
        return await self.default_user.principal() if principal is None and self.default_user else principal

    def require_logins(self, _request: web.Request) -> None:
        """Raise `LoginNotNeeded` where nobody logs in."""
        if self.default_user is not None:
            raise LoginNotNeeded

    def require_own_origin(self, request: web.Request) -> None:
        require_own_origin(request, public_url=self.public_url)

    async def _without_credential(self, request: web.Request, default_user: DefaultUser) -> Principal:
        require_own_origin(request, public_url=self.public_url)
        require_own_host(request, public_url=self.public_url)
        principal = await default_user.principal()
        if principal is None:
            raise Unauthorized
        note_actor(principal.account_id)
        return principal

    async def require_form_token(self, request: web.Request, fields: Mapping[str, str]) -> None:
        """Raise `StaleForm` unless the form is one that we gave to this browser."""
        if not await form_token_matches(request, fields.get("form_token", "")):
            raise StaleForm

    async def page(
        self,
        request: web.Request,
        template: str,
        /,
        *,
        status: int = 200,
        refusal: GatewayError | None = None,
        form_leads_to: str | None = None,
        **context: object,
    ) -> web.Response:
        """Render a page with a form of this visitor's, and the headers that keep it ours.

        A `refusal` that the page shows gives its status and its headers, such as `Retry-After`.
        `form_leads_to` is the origin that the form's answer redirects to: Chromium holds it to `form-action` as well.
        """
        headers = security_headers(
            form_action=f"'self' {form_leads_to}" if form_leads_to else "'self'", secure=self._secure
        )
        if refusal is not None:
            status, headers = refusal.status, {**refusal_headers(refusal), **headers}
        text = self.pages.render(template, form_token=await form_token(request), **context)
        return web.Response(status=status, text=text, content_type="text/html", headers=headers)

    @property
    def _secure(self) -> bool:
        return self.public_url.startswith("https:")


def form_problems(refusal: GatewayError | None) -> dict[str, str]:
    """Give what a form shows: the reason at each field, or (under "") the one for the form as a whole."""
    return {} if refusal is None else refusal.fields or {"": refusal.message}


def see_other(location: str) -> web.Response:
    """Redirect after a form: 303 makes the next request a GET; nothing is posted again (RFC 9700 section 4.12)."""
    return web.Response(status=303, headers={"Location": location})


def peer_address(request: web.Request) -> str:
    """Give the address of the direct peer; a Unix socket has none."""
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return str(peer[0]) if isinstance(peer, tuple) else ""
