"""The audit log, as programs read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from aiohttp import web
from pydantic import AfterValidator, Field

from gateway.audit.events import EventKind
from gateway.audit.rendering import as_object
from gateway.grammar.email import parse_email
from gateway.storage.audit_events import EventFilter, read_newest
from gateway.web.bodies import Text
from gateway.web.queries import WHOLE, PointInTime, Query, Truth, read_query

if TYPE_CHECKING:
    from gateway.models import Principal
    from gateway.storage.database import Database

_MOST = 1000
# Readers in JavaScript know no higher number exactly.
_HIGHEST_ID = 2**53 - 1


class AuditQuery(Query):
    """Which events are asked for; nothing said means all."""

    limit: Annotated[int, Field(ge=1, le=_MOST), WHOLE] = Field(default=100, description="At most so many.")
    before: Annotated[int, Field(ge=1, le=_HIGHEST_ID), WHOLE] | None = Field(
        default=None, description="Go on here: the `next` of the page before."
    )
    kind: tuple[EventKind, ...] = Field(default=(), description="Only these kinds of events (repeatable).")
    email: Annotated[Text, AfterValidator(parse_email)] | None = Field(
        default=None, description="Only by or about the account with this e-mail address."
    )
    actor: Annotated[Text, Field(max_length=80)] | None = Field(
        default=None, description="Only what this account (its id) did, or what `gateway` did by itself."
    )
    succeeded: Truth | None = Field(default=None, description="Only what succeeded, or only what failed.")
    since: PointInTime | None = Field(default=None, description="Only from this moment on (ISO 8601).")
    until: PointInTime | None = Field(default=None, description="Only before this moment (ISO 8601).")

    @property
    def wanted(self) -> EventFilter:
        return EventFilter(
            since=self.since,
            until=self.until,
            kinds=self.kind,
            email=self.email,
            actor=self.actor,
            succeeded=self.succeeded,
        )


@dataclass(frozen=True, slots=True)
class AuditHandlers:
    """`/api/v1/orgs/current/audit`."""

    database: Database

    async def list(self, request: web.Request, _asker: Principal) -> web.Response:
        query = read_query(request, AuditQuery)
        async with self.database.read() as connection:
            # One more than is asked for says whether there is another page.
            found = await read_newest(connection, query.wanted, limit=query.limit + 1, before_id=query.before)
        page = found[: query.limit]
        return web.json_response(
            {"events": [as_object(event) for event in page], "next": page[-1].id if len(found) > len(page) else None}
        )
