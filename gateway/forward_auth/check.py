"""The check: original request → principal → decision → answer. Knows no HTTP library, so that every lane can use it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import Circumstances, under
from gateway.errors import (
    AnswerTooLarge,
    Banned,
    Forbidden,
    GatewayError,
    InsufficientScope,
    SecondFactorRequired,
    TooManyAttempts,
    Unauthorized,
    Unavailable,
    UntrustedPeer,
)
from gateway.forward_auth.answers import Answer, Challenge, allow, ask_to_log_in, refuse
from gateway.forward_auth.decision_ids import DecisionIds
from gateway.forward_auth.login_url import enrol_url, login_url
from gateway.forward_auth.original_request import Endpoint, OriginalRequest, parse_original_request
from gateway.forward_auth.policy import Decision, Outcome
from gateway.forward_auth.visitor import is_navigation
from gateway.forward_auth.workspace_choice import choose_workspace
from gateway.models import CredentialKind

if TYPE_CHECKING:
    from gateway.client_address import TrustedProxies
    from gateway.forward_auth.authentication import RequestAuthenticator
    from gateway.forward_auth.denied import DeniedPage
    from gateway.forward_auth.identity_headers import IdentityHeaders
    from gateway.forward_auth.policy import Policy
    from gateway.forward_auth.request_headers import RequestHeaders
    from gateway.models import Principal

_log = structlog.get_logger("gateway.check")

# Whatever happens inside: Caddy waits for ever, Traefik 30 s.
_DEADLINE = timedelta(milliseconds=1500)

_REFUSALS: dict[Outcome, type[Forbidden]] = {
    Outcome.SECOND_FACTOR: SecondFactorRequired,
    Outcome.OUT_OF_SCOPE: InsufficientScope,
    Outcome.FORBID: Forbidden,
}


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """One question of a proxy: on which endpoint, with which headers, from which direct peer.

    `begun_at` is on the loop's clock, where something was tried before; that counts towards the deadline.
    """

    endpoint: Endpoint
    headers: RequestHeaders
    peer: str
    begun_at: float | None = None


@dataclass(frozen=True, slots=True)
class CheckSettings:
    public_url: str
    max_answer_headers: int
    forward_credentials: bool
    # In lower case; empty: none is read.
    workspace_header: str
    # Where nobody logs in, a login page would only send a browser back to where it was refused.
    logins: bool = True


class Check:
    """Answer checks. A 200 exists only in `_answer`, where the policy allowed it; anything that fails refuses."""

    def __init__(  # noqa: PLR0913 - one argument for each collaborator of the recipe
        self,
        settings: CheckSettings,
        *,
        trusted_proxies: TrustedProxies,
        authenticator: RequestAuthenticator,
        policy: Policy,
        identity_headers: IdentityHeaders,
        denied_page: DeniedPage,
    ) -> None:
        self._settings = settings
        self._trusted_proxies = trusted_proxies
        self._authenticator = authenticator
        self._policy = policy
        self._identity_headers = identity_headers
        self._denied_page = denied_page
        self.decisions = DecisionIds()

    def trust(self, peer: str) -> bool:
        """Say whether a direct peer may tell us what was asked."""
        return self._trusted_proxies.trust(peer)

    @staticmethod
    def in_time(begun_at: float | None) -> asyncio.Timeout:
        """Give what ends a check's work at its deadline, by `TimeoutError`. `None`: it begins now."""
        begun_at = asyncio.get_running_loop().time() if begun_at is None else begun_at
        return asyncio.timeout_at(begun_at + _DEADLINE.total_seconds())

    async def answer(self, request: CheckRequest) -> Answer:
        """Answer within the deadline, with 503 if nothing else is known by then."""
        decision_id = self.decisions.next()
        try:
            async with self.in_time(request.begun_at):
                return await self._answer(request, decision_id)
        except GatewayError as refusal:
            _log_failure(request, decision_id).info("check_refused", status=refusal.status, reason=refusal.code)
            return self._refuse(request, refusal, decision_id=decision_id)
        except TimeoutError:
            _log_failure(request, decision_id).warning("check_refused", status=Unavailable.status, reason="deadline")
        except Exception:  # noqa: BLE001 - logged with its traceback
            # Fail closed: an error of ours is never an answer of 2xx, nor nginx's guess about a broken connection.
            _log_failure(request, decision_id).exception("check_refused", status=Unavailable.status, reason="internal")
        return refuse(Unavailable(), decision_id=decision_id)

    async def _answer(self, request: CheckRequest, decision_id: str) -> Answer:
        # 1. Who speaks? Forwarded headers count from trusted proxies only.
        if not self.trust(request.peer):
            raise UntrustedPeer
        client_address = self._trusted_proxies.client_address(request.headers.get("x-forwarded-for", ()))
        # 2. What was asked? Refuses what it cannot read.
        original = parse_original_request(request.endpoint, request.headers)
        # 3. Who is asking?
        with under(Circumstances(client_address=client_address, request_id=decision_id)):
            authenticated = await self._authenticator.authenticate(request.headers, client_address=client_address)
        # 4. May it pass?
        decision = self._policy.decide(authenticated.presented, original)
        # 5. In which workspace?
        decision = choose_workspace(decision, request.headers, named_in=self._settings.workspace_header)
        if decision.outcome is Outcome.ALLOW:
            return self.let_pass(decision.principal, strip=authenticated.strip, decision_id=decision_id)
        _log_refusal(original, decision, client_address=client_address, decision_id=decision_id)
        if isinstance(decision.refusal, TooManyAttempts | Banned):
            # A rule that opens anyway, or does not look at passwords, does not care.
            return refuse(decision.refusal, decision_id=decision_id)
        if decision.outcome is Outcome.LOG_IN:
            return self._limited(self._ask_to_log_in(request, original, decision, decision_id))
        if decision.outcome is Outcome.SECOND_FACTOR and _could_enrol(request, decision):
            return self._limited(self._send_to_enrol(request, original, decision_id))
        refusal = decision.refusal or _REFUSALS[decision.outcome]()
        return self._refuse(request, refusal, decision=decision, original=original, decision_id=decision_id)

    def let_pass(self, principal: Principal | None, *, strip: tuple[str, ...], decision_id: str) -> Answer:
        """Give the answer that lets pass; `strip` are the headers that held credentials. Raises `AnswerTooLarge`."""
        identity = self._identity_headers.of(principal)
        stripped = () if self._settings.forward_credentials else strip
        return self._limited(allow(identity, strip=stripped, decision_id=decision_id))

    def _ask_to_log_in(
        self, request: CheckRequest, original: OriginalRequest, decision: Decision, decision_id: str
    ) -> Answer:
        challenge = Challenge(
            login_url=login_url(self._settings.public_url, original),
            navigation=self._settings.logins and is_navigation(request.headers),
            method=original.method,
            reason=decision.refusal or Unauthorized(),
        )
        return ask_to_log_in(request.endpoint, challenge, decision_id=decision_id)

    def _send_to_enrol(self, request: CheckRequest, original: OriginalRequest, decision_id: str) -> Answer:
        """Send a person to the page where a second factor is set up; the way there is that of a login."""
        challenge = Challenge(
            login_url=enrol_url(self._settings.public_url, original),
            navigation=True,
            method=original.method,
            reason=SecondFactorRequired(),
        )
        return ask_to_log_in(request.endpoint, challenge, decision_id=decision_id)

    def _refuse(
        self,
        request: CheckRequest,
        refusal: GatewayError,
        *,
        decision_id: str,
        decision: Decision | None = None,
        original: OriginalRequest | None = None,
    ) -> Answer:
        answer = refuse(refusal, decision_id=decision_id)
        # Behind nginx our snippet fetches the page by itself; other proxies pass on what they get.
        if request.endpoint is Endpoint.AUTH_REQUEST or not isinstance(refusal, Forbidden):
            return answer
        if not is_navigation(request.headers):
            return answer
        page = self._denied_page.render(
            refusal,
            principal=decision.principal if decision else None,
            host=original.authority if original else "",
            decision_id=decision_id,
        )
        return answer.as_page(page, self._denied_page.headers)

    def _limited(self, answer: Answer) -> Answer:
        # Proxies answer 500 by themselves above their buffer, for this one person only: better said than cut.
        words = "".join([word for header in answer.headers for word in header])
        size = len(words.encode()) + len(": \r\n") * len(answer.headers)
        if size > self._settings.max_answer_headers:
            raise AnswerTooLarge
        return answer


def _could_enrol(request: CheckRequest, decision: Decision) -> bool:
    """Say whether it is a person at a page: keys, tokens and passwords in headers can be taken nowhere.

    An account that has a second factor is not told apart here. Its sessions have proven it; for one that has not, that
    page wants a new login.
    """
    by_session = decision.principal is not None and decision.principal.credential is CredentialKind.SESSION
    return by_session and is_navigation(request.headers)


def _log_failure(request: CheckRequest, decision_id: str) -> structlog.stdlib.BoundLogger:
    bound: structlog.stdlib.BoundLogger = _log.bind(decision_id=decision_id, peer=request.peer)
    return bound


def _log_refusal(
    original: OriginalRequest, decision: Decision, *, client_address: str | None, decision_id: str
) -> None:
    """Write the one line of a refusal. The query stays out: it may hold a secret of the application's."""
    _log.info(
        "check_refused",
        decision_id=decision_id,
        reason=decision.refusal.code if decision.refusal else decision.outcome.name.lower(),
        rule=decision.rule,
        method=original.method,
        url=original.origin + original.path,
        client_address=client_address,
        account_id=decision.principal.account_id if decision.principal else None,
        credential=decision.principal.credential.value if decision.principal else None,
    )
