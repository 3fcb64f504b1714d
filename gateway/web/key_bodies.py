"""What bodies say about an API key, whoever's it is."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StrictInt

from gateway.credentials.key_scopes import MAX_SCOPES, parse_scope
from gateway.grammar.moments import parse_moment
from gateway.models import Scope
from gateway.owned_api_keys import LONGEST_OVERLAP
from gateway.web.bodies import Body, Text


class ScopeBody(Body):
    """One scope. A misspelt part would widen the key, so that unknown ones are refused here."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: Text | None = None
    path: Text | None = None
    methods: list[Text] | None = None

    def scope(self) -> Scope:
        return parse_scope(host=self.host or "", path=self.path or "", methods=self.methods or ())


def _require_readable(scopes: tuple[ScopeBody, ...]) -> tuple[ScopeBody, ...]:
    for scope in scopes:
        scope.scope()
    return scopes


def _require_moment(text: str) -> str:
    parse_moment(text)
    return text


Expiry = Annotated[Text, AfterValidator(_require_moment)]
KeyScopes = Annotated[tuple[ScopeBody, ...], AfterValidator(_require_readable), Field(max_length=MAX_SCOPES)]
# Without an overlap the old key ends at once.
OverlapSeconds = Annotated[StrictInt, Field(ge=0, le=int(LONGEST_OVERLAP.total_seconds()))]
