"""Credentials on a check → what is presented to the rules."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.client_address import parse_address
from gateway.errors import GatewayError, InvalidCredentials, InvalidToken, PasswordChangeRequired, Unavailable
from gateway.forward_auth.presented import Credential, Presented
from gateway.grammar.cookies import cookie_values
from gateway.grammar.email import parse_email
from gateway.models import CredentialKind, Principal

if TYPE_CHECKING:
    from gateway.forward_auth.request_headers import RequestHeaders
    from gateway.recognition.default_user import DefaultUser
    from gateway.recognition.recognition import Recognition

# Far above our own tokens; longer values are not worth a digest.
_MAX_SESSION_TOKEN = 256
_MAX_NAME_AND_PASSWORD = 254 + 1024


@dataclass(frozen=True, slots=True)
class Authenticated:
    """What is presented to the rules, and the names of the headers that held something of ours."""

    presented: Presented
    strip: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A credential that is recognisably ours, before it was looked at: its header, kind and value."""

    header: str
    kind: CredentialKind
    value: str


class RequestAuthenticator:
    """Look at the credentials in their places. What is not ours is ignored and passes on to the application."""

    def __init__(
        self,
        recognition: Recognition,
        *,
        cookie_name: str,
        basic_credentials: bool,
        default_user: DefaultUser | None = None,
    ) -> None:
        self._recognition = recognition
        self._cookie_name = cookie_name
        self._basic_credentials = basic_credentials
        self._default_user = default_user

    async def authenticate(self, headers: RequestHeaders, *, client_address: str | None) -> Authenticated:
        """Look at every credential of ours. Raises `Unavailable`."""
        cookies = cookie_values(headers.get("cookie", ()), self._cookie_name)
        claims = list(self._claims(headers)) if "authorization" in headers or "x-api-key" in headers else []
        held = ["cookie"] if cookies else []
        presented = Presented(
            explicit=await self._explicit(claims, client_address) if claims else None,
            session=await self._session(cookies),
            default=await self._without_credential(),
            client_address=None if client_address is None else parse_address(client_address),
        )
        return Authenticated(presented, tuple(dict.fromkeys([*held, *(claim.header for claim in claims)])))

    async def _session(self, cookies: list[str]) -> Credential | None:
        # A doubled session cookie counts as none: a sibling host may have planted the second one.
        if len(cookies) != 1 or not 0 < len(cookies[0]) <= _MAX_SESSION_TOKEN:
            return None
        principal = await self._recognition.by_session_token(cookies[0])
        return None if principal is None else _credential(CredentialKind.SESSION, principal)

    async def _without_credential(self) -> Credential | None:
        principal = None if self._default_user is None else await self._default_user.principal()
        return None if principal is None else Credential(CredentialKind.NONE, principal=principal)

    async def _explicit(self, claims: list[_Claim], client_address: str | None) -> Credential:
        if len({claim.value for claim in claims}) > 1:
            # Whichever counted, somebody would be surprised.
            return Credential(claims[0].kind, refusal=InvalidToken("Two different credentials came at once."))
        kind, value = claims[0].kind, claims[0].value
        recognise: dict[CredentialKind, Callable[[], Awaitable[Principal]]] = {
            CredentialKind.JWT: lambda: self._recognition.by_access_token(value),
            CredentialKind.API_KEY: lambda: self._recognition.by_api_key(value),
            CredentialKind.BASIC: lambda: self._by_password(value, client_address),
        }
        try:
            return _credential(kind, await recognise[kind]())
        except Unavailable:
            raise
        except GatewayError as refusal:
            return Credential(kind, refusal=refusal)

    async def _by_password(self, pair: str, client_address: str | None) -> Principal:
        name, _, password = pair.partition(":")
        if len(pair) > _MAX_NAME_AND_PASSWORD:
            # Refused before it is normalised and hashed: both cost more than the length says.
            raise InvalidCredentials
        try:
            email = parse_email(name)
        except ValueError as error:
            raise InvalidCredentials from error
        return await self._recognition.by_password(email, password, client_address=client_address)

    def _claims(self, headers: RequestHeaders) -> Iterator[_Claim]:
        for line in headers.get("authorization", ()):
            scheme, _, value = line.strip().replace("\t", " ").partition(" ")
            if scheme.lower() == "bearer":
                yield from self._bearer(value.strip())
            elif scheme.lower() == "basic":
                yield from self._basic(value.strip())
        for value in headers.get("x-api-key", ()):
            if self._recognition.looks_like_api_key(value):
                yield _Claim("x-api-key", CredentialKind.API_KEY, value)

    def _bearer(self, token: str) -> Iterator[_Claim]:
        if self._recognition.looks_like_api_key(token):
            yield _Claim("authorization", CredentialKind.API_KEY, token)
        elif self._recognition.names_us(token):
            yield _Claim("authorization", CredentialKind.JWT, token)

    def _basic(self, encoded: str) -> Iterator[_Claim]:
        try:
            pair = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, ValueError):
            return
        name, _, password = pair.partition(":")
        if self._recognition.looks_like_api_key(password):
            yield _Claim("authorization", CredentialKind.API_KEY, password)
        elif self._recognition.looks_like_api_key(name) and not password:
            # `curl -u <key>:` as many programs' documentation has it.
            yield _Claim("authorization", CredentialKind.API_KEY, name)
        elif self._basic_credentials and "\x00" not in pair:
            yield _Claim("authorization", CredentialKind.BASIC, pair)


def _credential(kind: CredentialKind, principal: Principal) -> Credential:
    if principal.must_change_password:
        # Whoever handed the password over knows it too: until it is changed it proves nobody.
        return Credential(kind, refusal=PasswordChangeRequired())
    return Credential(kind, principal=principal)
