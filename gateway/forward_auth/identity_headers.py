"""Principal → the headers that tell the application who is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from gateway.models import Principal

Header = tuple[str, str]

# What a percent-encoded value keeps as it is: readable, and no other character of a header's grammar.
_KEPT = " !#$&'()*+,/:;=?@[]~"

_ANONYMOUS = {"auth_level": "0"}


@dataclass(frozen=True, slots=True)
class IdentityHeaders:
    """The configured headers. On every 200 each is present, bypass included, empty when unknown.

    A proxy that copies what it finds would otherwise let the visitor's own copy through.
    """

    facts: Mapping[str, str]
    percent_encoded: bool = False

    def of(self, principal: Principal | None) -> tuple[Header, ...]:
        """Render one header for each configured name. Values are UTF-8 as they are, unless percent-encoded."""
        known = _ANONYMOUS if principal is None else _facts_of(principal)
        values = [(name, known.get(fact, "")) for name, fact in self.facts.items()]
        if self.percent_encoded:
            values = [(name, quote(value, safe=_KEPT)) for name, value in values]
        return tuple(values)


def _facts_of(principal: Principal) -> dict[str, str]:
    return {
        # No username holds a colon: a service account can be taken for nobody.
        "user": f"service:{principal.name}" if principal.is_service else principal.username or principal.email,
        "user_id": principal.account_id,
        "email": principal.email,
        "name": principal.name,
        "groups": ",".join(principal.groups),
        "role": principal.role.value,
        "organization": principal.standing.organization.display_name,
        "organization_id": principal.standing.organization.id,
        "workspace": principal.workspace.display_name if principal.workspace else "",
        "workspace_id": principal.workspace.id if principal.workspace else "",
        "auth_method": principal.credential.value,
        "auth_level": str(principal.level),
    }
