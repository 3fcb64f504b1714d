"""A request that nobody made, and a visitor whom nobody recognised: for `explain` and for the tests of rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from gateway.forward_auth.original_request import Endpoint, OriginalRequest, parse_original_request
from gateway.forward_auth.presented import Credential, Presented
from gateway.models import CredentialKind, OrganizationRole, Principal

_WITHOUT_PATH = re.compile(r"[A-Za-z]+://[^/?#\\]+")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is imagined to ask: a name, groups, or both; nobody without either."""

    user: str | None = None
    groups: tuple[str, ...] = ()
    factors: int = 1
    credential: CredentialKind = CredentialKind.SESSION
    client_address: IPv4Address | IPv6Address | None = None
    email: str | None = None

    def presenting(
        self, credential: CredentialKind, *, factors: int, client_address: IPv4Address | IPv6Address | None
    ) -> Visitor:
        """Give the same visitor with this in hand, at this address."""
        return replace(self, credential=credential, factors=factors, client_address=client_address)

    @property
    def level(self) -> int:
        """The level that the credential reaches: a password alone is never a second factor."""
        return min(self.factors, 1) if self.credential is CredentialKind.BASIC else self.factors

    @property
    def is_anonymous(self) -> bool:
        return self.user is None and not self.groups

    def presented(self) -> Presented:
        """Give what this visitor would present."""
        if self.is_anonymous:
            return Presented(client_address=self.client_address)
        credential = Credential(self.credential, principal=self._principal())
        if self.credential is CredentialKind.SESSION:
            return Presented(session=credential, client_address=self.client_address)
        return Presented(explicit=credential, client_address=self.client_address)

    def _principal(self) -> Principal:
        name = self.user or ""
        return Principal(
            account_id="",
            email=self.email or (name if "@" in name else ""),
            username=name or None,
            name=name,
            role=OrganizationRole.USER,
            organization="",
            workspace="",
            groups=self.groups,
            credential=self.credential,
            session_id=None,
            level=self.level,
            must_change_password=False,
        )


def imagine_request(method: str, url: str) -> OriginalRequest:
    """Read a request as a check does. Raises `MalformedRequest`."""
    url = f"{url}/" if _WITHOUT_PATH.fullmatch(url) else url
    return parse_original_request(Endpoint.AUTH_REQUEST, {"x-original-url": [url], "x-original-method": [method]})
