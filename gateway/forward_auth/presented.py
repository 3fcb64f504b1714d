"""What a check presents to the rules: each credential, what came of it, and which of them a rule looks at."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from gateway.errors import GatewayError
from gateway.models import CredentialKind, Principal


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential that is recognisably ours: good (`principal`), or bad (`refusal`), never both."""

    kind: CredentialKind
    principal: Principal | None = None
    refusal: GatewayError | None = None


@dataclass(frozen=True, slots=True)
class Presented:
    """All that is known about who asks.

    `explicit` came in a header of its own (bearer token, API key, Basic) and decides alone: a bad one never falls
    back to the cookie. `default` stands in for a session where nobody logs in. `client_address` is `None` when unknown.
    """

    explicit: Credential | None = None
    session: Credential | None = None
    default: Credential | None = None
    client_address: IPv4Address | IPv6Address | None = None

    def credential(self, kinds: frozenset[CredentialKind] | None = None) -> Credential | None:
        """Give the credential that counts for a rule; kinds that it does not take are not looked at."""
        if self.explicit is not None and (kinds is None or self.explicit.kind in kinds):
            return self.explicit
        return self.session or self.default if kinds is None or CredentialKind.SESSION in kinds else None


ANONYMOUS = Presented()
