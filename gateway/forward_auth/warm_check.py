"""The check from memory: the steps of `Check`, for what may pass and is known already. It never refuses.

Whatever it does not let pass at once, for whichever reason, is asked of `Check`, which alone says no. So it has to be
right about one thing only: that `Check` would let pass the same, with the same answer. It remembers where things stand,
which rule decides about a place, and who somebody is; whether they may pass is found out each time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.client_address import parse_address
from gateway.errors import MalformedRequest
from gateway.forward_auth.head_layout import COOKIE, lay_out
from gateway.forward_auth.original_request import Endpoint, OriginalRequest, family_of, parse_original_request
from gateway.forward_auth.policy import Outcome, Policy, Requirement
from gateway.forward_auth.presented import Credential, Presented
from gateway.forward_auth.request_headers import collect_headers
from gateway.forward_auth.warm_credentials import NotAtOnce

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv6Address

    from gateway.client_address import TrustedProxies
    from gateway.facts.facts import Facts
    from gateway.forward_auth.head_layout import Frame, Headers, HeadLayout
    from gateway.forward_auth.warm_answers import WarmAnswers
    from gateway.forward_auth.warm_credentials import WarmCredentials

# Random heads, hosts and paths must not fill the memory: what is remembered is forgotten as a whole when it is full,
# and of what a visitor can make long only what is short: names of 64 kB, or a path of 500 bytes that has 64 readings.
MAX_LAYOUTS = 1024
MAX_PLACES = 8192
_MAX_NAMES = 64
_MAX_REMEMBERED_NAMES = 2048
_MAX_REMEMBERED_PLACE = 1024
# What no query holds as it is sent, and how that is seen: such a query is changed.
_UNPRINTABLE = bytes([*range(0x21), *range(0x7F, 0x100)])
_MARK_UNPRINTABLE = bytes.maketrans(_UNPRINTABLE, b"?" * len(_UNPRINTABLE))
_BLANKS = (b" ", b"\t")


@dataclass(frozen=True, slots=True)
class WarmSettings:
    """`workspace_header` is in lower case; empty: none is read. `open_to_strangers`: presenting nothing is nobody."""

    workspace_header: str
    open_to_strangers: bool


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """Where requests go, without their query. `level` is what decides there; `None`: that depends on more."""

    original: OriginalRequest
    level: Requirement | None


class WarmCheck:
    """Let requests pass at one endpoint. Its caller trusts the peer, and has seen that no name came twice."""

    def __init__(  # noqa: PLR0913 - one argument for each collaborator of the recipe
        self,
        endpoint: Endpoint,
        settings: WarmSettings,
        *,
        trusted_proxies: TrustedProxies,
        credentials: WarmCredentials,
        policy: Policy,
        answers: WarmAnswers,
    ) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._trusted_proxies = trusted_proxies
        self._credentials = credentials
        self._policy = policy
        self._answers = answers
        self._layouts: dict[tuple[bytes, ...], HeadLayout] = {}
        self._places: dict[bytes, KnownPlace] = {}

    def frame(self, headers: Headers) -> Frame | None:
        """Give what `head` needs of a head; `None`: ask `Check`."""
        names = tuple(headers)
        layout = self._layouts.get(names) or self._lay_out(names)
        return None if layout is None else layout.frame(headers)

    def head(self, frame: Frame, values: Sequence[bytes]) -> bytes:
        """Give the head of the answer that lets pass, up to its date. Raises `NotAtOnce`: ask `Check`.

        `values` are those of what varies, with or without the blanks around them.
        """
        # 1. What was asked?
        layout = frame.layout
        path, mark, query = values[layout.target].partition(b"?")
        place = self._places.get(path + frame.rest) or self._locate(path, frame)
        if mark and query.translate(_MARK_UNPRINTABLE) != query:
            raise NotAtOnce
        # 2. Who is asking?
        session = explicit = None
        if layout.cookie is not None:
            session = self._credentials.by_cookie(values[layout.cookie])
        if layout.explicit:
            explicit = self._credentials.by_header(layout, values)
        facts = explicit or session
        if facts is None:
            return self._head_for_strangers(place)
        # 3. May it pass?
        principal = facts.principal
        if place.level is None or principal.scopes:
            if not self._settings.open_to_strangers:
                # Beside what was presented, rules that look at sessions look at the default user.
                raise NotAtOnce
            address = None if layout.forwarded_for is None else self._address(values[layout.forwarded_for])
            presented = Presented(_credential(explicit), _credential(session), None, address)
            self._require_allowed(presented, place.original, mark + query, facts)
        elif principal.level < place.level:
            raise NotAtOnce
        # 4. What is said? As a rule the same as the last time.
        strip = COOKIE if explicit is None else layout.strip if session is None else layout.strip_both
        if facts.head_for is strip and frame.workspace is None:
            return facts.head
        return self._answers.of(facts, strip, frame.workspace)

    def _head_for_strangers(self, place: KnownPlace) -> bytes:
        if place.level is not Requirement.NOTHING or not self._settings.open_to_strangers:
            raise NotAtOnce
        return self._answers.to_strangers

    def _require_allowed(self, presented: Presented, original: OriginalRequest, query: bytes, facts: Facts) -> None:
        """Ask the policy, and require that it lets pass whom the answer will be about."""
        if query:
            original = replace(original, query=query.decode("ascii"))
        decision = self._policy.decide(presented, original)
        if decision.outcome is not Outcome.ALLOW or decision.principal is not facts.principal:
            raise NotAtOnce

    def _lay_out(self, names: tuple[bytes, ...]) -> HeadLayout | None:
        if len(names) > _MAX_NAMES:
            return None
        layout = lay_out(names, self._endpoint, workspace_header=self._settings.workspace_header)
        if layout is not None and sum(map(len, names)) <= _MAX_REMEMBERED_NAMES:
            if len(self._layouts) >= MAX_LAYOUTS:
                self._layouts.clear()
            self._layouts[names] = layout
        return layout

    def _locate(self, path: bytes, frame: Frame) -> KnownPlace:
        if path.endswith(_BLANKS) or len(path) > _MAX_REMEMBERED_PLACE:
            # Before a query blanks belong to the path, at the end of the line they do not. And what would be forgotten
            # is not worth being read twice: a long path may have many readings.
            raise NotAtOnce
        family, rest = family_of(self._endpoint), iter(frame.rest.split(b"\n")[1:])
        lines = [(name.encode(), path if name == family.target else next(rest)) for name in family.names]
        try:
            original = parse_original_request(self._endpoint, collect_headers(lines))
        except MalformedRequest as error:
            raise NotAtOnce from error
        if original.method == "OPTIONS":
            # It may be a preflight.
            raise NotAtOnce
        place = KnownPlace(original, self._policy.settled(original))
        length = sum(len(value) for _, value in lines) + sum(map(len, original.readings))
        if length <= _MAX_REMEMBERED_PLACE:
            if len(self._places) >= MAX_PLACES:
                self._places.clear()
            self._places[path + frame.rest] = place
        return place

    def _address(self, forwarded_for: bytes) -> IPv4Address | IPv6Address | None:
        """Find the visitor, as `Check` does."""
        [lines] = collect_headers([(b"x-forwarded-for", forwarded_for)]).values()
        address = self._trusted_proxies.client_address(lines)
        return None if address is None else parse_address(address)


def _credential(facts: Facts | None) -> Credential | None:
    if facts is None:
        return None
    if facts.principal.must_change_password:
        # It proves nobody, which is more than that it is not looked at.
        raise NotAtOnce
    return Credential(facts.principal.credential, principal=facts.principal)
