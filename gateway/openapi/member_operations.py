"""The organization and its members."""

from __future__ import annotations

from gateway.account.own_member_handlers import OwnMemberBody
from gateway.errors import (
    Banned,
    Conflict,
    Forbidden,
    InvalidCredentials,
    NotFound,
    TooManyAttempts,
)
from gateway.openapi.member_answers import (
    ChangedMember,
    InvitedMember,
    MemberAnswer,
    MemberList,
    OrganizationAnswer,
    OwnMember,
)
from gateway.openapi.operation import Answer, Operation, Tag
from gateway.organization.members.bodies import InvitationBody, InvitationRows, MemberChangeBody

_MEMBER_ID = {"member_id": "The member's `id`."}
_PASSWORDS = (
    "A password that is handed over, made here or sent, has to be changed at the first login "
    "(`organization.force_password_change`)."
)

CURRENT = Operation(
    Tag.ORGANIZATION,
    "Show the organization",
    answers={200: Answer("The organization, and your role in it.", OrganizationAnswer)},
)
ORGANIZATIONS = Operation(
    Tag.ORGANIZATION,
    "List the organizations",
    answers={200: Answer("There is always one.", list[OrganizationAnswer])},
)
CREATE_ORGANIZATION = Operation(
    Tag.ORGANIZATION,
    "Create an organization",
    description="Is refused: there is one organization in an installation, and workspaces divide it.",
    # The tool that reads this wants a good answer to be described, and this can have none.
    answers={},
    refusals=(Forbidden,),
)
LIST = Operation(
    Tag.MEMBERS,
    "List the members",
    answers={200: Answer("Everybody, by e-mail address.", MemberList)},
)
SHOW = Operation(
    Tag.MEMBERS,
    "Show a member",
    path_parts=_MEMBER_ID,
    answers={200: Answer("The member.", MemberAnswer)},
    refusals=(NotFound,),
)
INVITE = Operation(
    Tag.MEMBERS,
    "Invite somebody",
    description=_PASSWORDS,
    body=InvitationBody,
    answers={200: Answer("A member from now on.", InvitedMember)},
)
INVITE_MANY = Operation(
    Tag.MEMBERS,
    "Invite many people",
    description=f"Everybody or nobody: of a list in which something is wrong, every row is told. {_PASSWORDS}",
    body=InvitationRows,
    answers={200: Answer("Members from now on, in the order of the rows.", list[InvitedMember])},
)
CHANGE = Operation(
    Tag.MEMBERS,
    "Change a member",
    description=(
        "All of it or nothing. A new password, and disabling, end every session; another role counts at once in those "
        "that go on. Your own password is changed with `PATCH /api/v1/orgs/members/basic`. The last active "
        "Organization Admin stays what it is."
    ),
    body=MemberChangeBody,
    path_parts=_MEMBER_ID,
    answers={200: Answer("The member as it is now.", ChangedMember)},
    refusals=(NotFound, Conflict),
)
REMOVE = Operation(
    Tag.MEMBERS,
    "Remove a member",
    description="With sessions, API keys and memberships. The last active Organization Admin cannot be removed.",
    path_parts=_MEMBER_ID,
    answers={204: Answer("Removed.")},
    refusals=(NotFound, Conflict),
)
REMOVE_FACTOR = Operation(
    Tag.MEMBERS,
    "Remove a member's second factor",
    description=(
        "For somebody who lost app and recovery codes; their sessions end. Make sure that it is them who ask: the "
        "password alone opens the account then."
    ),
    path_parts=_MEMBER_ID,
    answers={204: Answer("Removed.")},
    refusals=(NotFound,),
)
CHANGE_OWN = Operation(
    Tag.MEMBERS,
    "Change your own name or password",
    description=(
        "A new password takes the current one. This session then goes on with new cookies, and all others of the "
        "account end."
    ),
    body=OwnMemberBody,
    password_may_be_due=True,
    answers={200: Answer("Your account as it is now.", OwnMember, sets_cookies=True)},
    refusals=(InvalidCredentials, Banned, TooManyAttempts),
)
