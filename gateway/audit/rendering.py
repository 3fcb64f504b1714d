"""An event as programs read it: from the command line and from the API alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gateway.grammar.moments import format_moment

if TYPE_CHECKING:
    from gateway.storage.audit_events import StoredEvent


def as_object(event: StoredEvent) -> dict[str, Any]:
    """Give all that is known of an event. The seal is no secret: it says nothing without the key."""
    return {
        "id": event.id,
        "number": event.number,
        "at": format_moment(event.at),
        "kind": event.kind,
        "succeeded": event.succeeded,
        "actor": event.actor,
        "account_id": event.account_id,
        "email": event.email,
        "client_address": event.client_address,
        "request_id": event.request_id,
        "details": details_of(event),
        "seal": None if event.seal is None else event.seal.hex(),
    }


def details_of(event: StoredEvent) -> dict[str, Any] | str:
    """Give the details, or the text as it is where somebody wrote what are none."""
    try:
        details = json.loads(event.details)
    except ValueError:
        return event.details
    return details if isinstance(details, dict) else event.details
