"""The shapes of what an administrator sees: members' sessions, and what happened."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from gateway.audit.events import EventKind
from gateway.openapi.answers import Moment, Shape


class MemberSessionAnswer(Shape):
    """An open session. What it says about the device is what that says about itself."""

    id: str
    device: str = Field(examples=["Firefox on Linux"])
    user_agent: str | None
    client_address: str | None = Field(description="Where it was opened from.")
    created_at: Moment
    last_seen_at: Moment
    current: bool = Field(description="Whether it is the one of this access token.")


class AuditEventAnswer(Shape):
    """Something that happened."""

    id: int
    number: int | None = Field(description="Its place in the sealed log; null until it is sealed.")
    at: Moment
    kind: EventKind
    succeeded: bool
    actor: str | None = Field(
        description="Who did it: an account's `id`, `command line (…)`, or `gateway`; null where nobody knows."
    )
    account_id: str | None = Field(description="Whom it concerns.")
    email: str | None = Field(description="Their address as it was then.")
    client_address: str | None
    request_id: str | None = Field(description="The `X-Request-Id` of the answer in whose request it happened.")
    details: dict[str, Any] | str
    seal: str | None


class AuditPage(Shape):
    """Some of the events, the newest first."""

    events: list[AuditEventAnswer]
    next: int | None = Field(description="Send it as `before` for the next page; null on the last one.")
