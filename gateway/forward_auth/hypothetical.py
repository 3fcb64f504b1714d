"""A request that nobody made, and a visitor whom nobody recognised: for `explain` and for the tests of rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from gateway.forward_auth.original_request import Endpoint, OriginalRequest, parse_original_request
from gateway.forward_auth.presented import Credential, Presented
from gateway.grammar.subjects import Subject, SubjectKind
from gateway.models import AuthMode, CredentialKind, Organization, OrganizationRole, Principal, Standing

# Rules look at roles and groups, never at where they come from.
_NO_ORGANIZATION = Organization("", "", AuthMode.BASIC)
_WITHOUT_PATH = re.compile(r"[A-Za-z]+://[^/?#\\]+")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is imagined to ask: a person or a service account by name, groups, a role; nobody without any of them."""

    user: str | None = None
    groups: tuple[str, ...] = ()
    role: OrganizationRole | None = None
    service: str | None = None
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
        return self.user is None and self.service is None and self.role is None and not self.groups

    def presented(self) -> Presented:
        """Give what this visitor would present."""
        if self.is_anonymous:
            return Presented(client_address=self.client_address)
        credential = Credential(self.credential, principal=self._principal())
        if self.credential is CredentialKind.SESSION:
            return Presented(session=credential, client_address=self.client_address)
        if self.credential is CredentialKind.NONE:
            return Presented(default=credential, client_address=self.client_address)
        return Presented(explicit=credential, client_address=self.client_address)

    def _principal(self) -> Principal:
        if self.service is not None:
            return replace(self._person(), name=self.service, is_service=True)
        return self._person()

    def _person(self) -> Principal:
        name = self.user or ""
        return Principal(
            account_id="",
            email=self.email or (name if "@" in name else ""),
            username=name or None,
            name=name,
            role=self.role or OrganizationRole.USER,
            standing=Standing(_NO_ORGANIZATION, memberships=(), groups=self.groups),
            workspace=None,
            credential=self.credential,
            session_id=None,
            level=self.level,
            must_change_password=False,
        )


def visitor_called(subjects: Sequence[Subject]) -> Visitor:
    """Give the visitor who is all of these, and has in hand what such visitors have: `require_one_visitor` has passed.

    What is not said about somebody is as with most: a role of `Organization User`.
    """
    names = {kind: tuple(subject.name for subject in subjects if subject.kind is kind) for kind in SubjectKind}
    [user] = names[SubjectKind.USER] or [None]
    [service] = names[SubjectKind.SERVICE] or [None]
    [role] = names[SubjectKind.ROLE] or [None]
    return Visitor(
        user=user,
        groups=names[SubjectKind.GROUP],
        role=None if role is None else OrganizationRole(role),
        service=service,
        credential=CredentialKind.SESSION if service is None else CredentialKind.API_KEY,
    )


def imagine_request(method: str, url: str) -> OriginalRequest:
    """Read a request as a check does. Raises `MalformedRequest`."""
    url = f"{url}/" if _WITHOUT_PATH.fullmatch(url) else url
    return parse_original_request(Endpoint.AUTH_REQUEST, {"x-original-url": [url], "x-original-method": [method]})
