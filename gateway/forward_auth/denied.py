"""The page that a refused browser is shown, on whichever host it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.models import CredentialKind
from gateway.web.pages import security_headers

if TYPE_CHECKING:
    from gateway.errors import GatewayError
    from gateway.models import Principal
    from gateway.web.pages import Pages


@dataclass(frozen=True, slots=True)
class DeniedPage:
    """Says who you are, what was refused, and by which decision. Its addresses lead to the portal."""

    pages: Pages
    public_url: str

    def render(
        self, refusal: GatewayError | type[GatewayError], *, principal: Principal | None, host: str, decision_id: str
    ) -> str:
        return self.pages.render(
            "denied.html",
            portal_url=self.public_url,
            name=principal.name if principal else None,
            email=principal.email if principal else None,
            # Where nobody logs in there is no other account to try.
            as_default_user=principal is not None and principal.credential is CredentialKind.NONE,
            host=host,
            reason=refusal.code,
            message=refusal.sentence,
            decision_id=decision_id,
        )

    @property
    def headers(self) -> dict[str, str]:
        return security_headers(assets=self.public_url, secure=self.public_url.startswith("https:"))
