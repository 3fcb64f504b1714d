"""The check: original request → principal → decision → answer. Knows no HTTP library, so that every lane can use it."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.errors import AnswerTooLarge, Forbidden, GatewayError, Unauthorized, Unavailable, UntrustedPeer
from gateway.forward_auth.answers import Answer, Challenge, allow, ask_to_log_in, refuse
from gateway.forward_auth.identity_headers import identity_headers
from gateway.forward_auth.login_url import login_url
from gateway.forward_auth.original_request import Endpoint, OriginalRequest, parse_original_request
from gateway.forward_auth.policy import Decision, Outcome
from gateway.forward_auth.visitor import is_navigation

if TYPE_CHECKING:
    from gateway.client_address import TrustedProxies
    from gateway.forward_auth.authentication import Authenticated, RequestAuthenticator
    from gateway.forward_auth.policy import Policy
    from gateway.forward_auth.request_headers import RequestHeaders

_log = structlog.get_logger("gateway.check")

# Whatever happens inside: Caddy waits for ever, Traefik 30 s.
_DEADLINE = timedelta(milliseconds=1500)

_FORBIDDEN = "A rule says that you may not open this."


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """One question of a proxy: on which endpoint, with which headers, from which direct peer."""

    endpoint: Endpoint
    headers: RequestHeaders
    peer: str


@dataclass(frozen=True, slots=True)
class CheckSettings:
    public_url: str
    max_answer_headers: int


class Check:
    """Answer checks. A 200 exists only in `_answer`, where the policy allowed it; anything that fails refuses."""

    def __init__(
        self,
        settings: CheckSettings,
        *,
        trusted_proxies: TrustedProxies,
        authenticator: RequestAuthenticator,
        policy: Policy,
    ) -> None:
        self._settings = settings
        self._trusted_proxies = trusted_proxies
        self._authenticator = authenticator
        self._policy = policy
        self._decision_prefix = secrets.token_hex(5)
        self._decisions = itertools.count(1)
        self.allowed = 0

    async def answer(self, request: CheckRequest) -> Answer:
        """Answer within the deadline, with 503 if nothing else is known by then."""
        decision_id = f"{self._decision_prefix}{next(self._decisions):x}"
        log = _log.bind(decision_id=decision_id, peer=request.peer)
        try:
            async with asyncio.timeout(_DEADLINE.total_seconds()):
                return await self._answer(request, decision_id)
        except GatewayError as refusal:
            log.info("check_refused", status=refusal.status, reason=refusal.code)
            return refuse(refusal, decision_id=decision_id)
        except TimeoutError:
            log.warning("check_refused", status=Unavailable.status, reason="deadline")
        except Exception:
            # Fail closed: an error of ours is never an answer of 2xx, nor nginx's guess about a broken connection.
            log.exception("check_refused", status=Unavailable.status, reason="internal")
        return refuse(Unavailable(), decision_id=decision_id)

    async def _answer(self, request: CheckRequest, decision_id: str) -> Answer:
        # 1. Who speaks? Forwarded headers count from trusted proxies only.
        if not self._trusted_proxies.trust(request.peer):
            raise UntrustedPeer
        # 2. What was asked? Refuses what it cannot read.
        original = parse_original_request(request.endpoint, request.headers)
        # 3. Who is asking?
        authenticated = await self._authenticator.authenticate(request.headers)
        # 4. May it pass?
        decision = self._policy.decide(authenticated.principal, original)
        if decision.outcome is Outcome.ALLOW:
            self.allowed += 1
            identity = identity_headers(authenticated.principal)
            return self._limited(allow(identity, strip=authenticated.strip, decision_id=decision_id))
        self._log_refusal(request, original, authenticated, decision, decision_id)
        if decision.outcome is Outcome.LOG_IN:
            challenge = self._challenge(request, original, authenticated)
            return self._limited(ask_to_log_in(request.endpoint, challenge, decision_id=decision_id))
        return refuse(Forbidden(_FORBIDDEN), decision_id=decision_id)

    def _challenge(self, request: CheckRequest, original: OriginalRequest, authenticated: Authenticated) -> Challenge:
        return Challenge(
            login_url=login_url(self._settings.public_url, original),
            navigation=is_navigation(request.headers),
            method=original.method,
            reason=authenticated.refusal or Unauthorized(),
        )

    def _limited(self, answer: Answer) -> Answer:
        # Proxies answer 500 by themselves above their buffer, for this one person only: better said than cut.
        if (
            sum(len(name) + len(value.encode()) + 4 for name, value in answer.headers)
            > self._settings.max_answer_headers
        ):
            raise AnswerTooLarge
        return answer

    def _log_refusal(
        self,
        request: CheckRequest,
        original: OriginalRequest,
        authenticated: Authenticated,
        decision: Decision,
        decision_id: str,
    ) -> None:
        principal = authenticated.principal
        reason = authenticated.refusal.code if authenticated.refusal else decision.outcome.name.lower()
        # The query stays out: it may hold a secret of the application's.
        _log.info(
            "check_refused",
            decision_id=decision_id,
            reason=reason,
            rule=decision.rule,
            method=original.method,
            url=original.origin + original.path,
            client_address=self._trusted_proxies.client_address(request.headers.get("x-forwarded-for", ())),
            account_id=principal.account_id if principal else None,
        )
