"""What an administrator sees of members: their sessions, and what happened."""

from __future__ import annotations

from gateway.errors import NotFound
from gateway.openapi.audit_answers import AuditPage, MemberSessionAnswer
from gateway.openapi.operation import Answer, Operation, Tag
from gateway.organization.audit_handlers import AuditQuery

_MEMBER = {"member_id": "The member's `id`, which is the account's."}

LIST_SESSIONS = Operation(
    Tag.MEMBERS,
    "List a member's sessions",
    path_parts=_MEMBER,
    answers={200: Answer("Those that are open, the newest first.", list[MemberSessionAnswer])},
    refusals=(NotFound,),
)
END_SESSION = Operation(
    Tag.MEMBERS,
    "End a member's session",
    path_parts={**_MEMBER, "session_id": "The `id` of one of the member's sessions."},
    answers={204: Answer("Ended, with every token of it.")},
    refusals=(NotFound,),
)
END_SESSIONS = Operation(
    Tag.MEMBERS,
    "End all of a member's sessions",
    description="Logins that wait for their second factor end as well; API keys go on.",
    path_parts=_MEMBER,
    answers={204: Answer("Ended.")},
    refusals=(NotFound,),
)
AUDIT = Operation(
    Tag.ORGANIZATION,
    "Read the audit log",
    description="Every security event, the newest first. Parameters that are not known are ignored.",
    query=AuditQuery,
    answers={200: Answer("One page.", AuditPage)},
)
