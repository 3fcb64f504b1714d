"""The cookie by which a browser that logged in before keeps a way in, whatever strangers try."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from gateway.credentials.known_devices import LIFETIME, KnownDevice, KnownDevices
from gateway.grammar.cookies import cookie_values


@dataclass(frozen=True, slots=True)
class KnownDeviceCookie:
    """Lasts a year, httpOnly, SameSite=Lax, of the portal's own host: no application sees it."""

    devices: KnownDevices
    secure: bool

    @property
    def name(self) -> str:
        return "__Host-gateway_device" if self.secure else "gateway_device"

    def read(self, request: web.Request) -> KnownDevice | None:
        """Give the device, unless the cookie came twice: a sibling host may have planted the second one."""
        cookies = cookie_values(request.headers.getall("Cookie", ()), self.name)
        return self.devices.open(cookies[0]) if len(cookies) == 1 else None

    def set(self, response: web.StreamResponse, device: KnownDevice) -> None:
        response.set_cookie(
            self.name,
            self.devices.seal(device),
            max_age=int(LIFETIME.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="Lax",
        )
