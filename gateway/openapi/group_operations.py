"""Groups and who is in them."""

from __future__ import annotations

from gateway.errors import Conflict, NotFound
from gateway.openapi.operation import Answer, Operation, Tag
from gateway.openapi.workspace_answers import GroupAnswer, GroupMemberAnswer
from gateway.organization.groups.handlers import GroupBody, GroupMemberBody

_GROUP = {"group_id": "The group's `id`."}

LIST = Operation(
    Tag.GROUPS,
    "List groups",
    answers={200: Answer("Every group, by name.", list[GroupAnswer])},
)
CREATE = Operation(
    Tag.GROUPS,
    "Add a group",
    description="Rules refer to it by its name (`subject: group:NAME`), and applications read it in `Remote-Groups`.",
    body=GroupBody,
    answers={200: Answer("Added, and empty.", GroupAnswer)},
    refusals=(Conflict,),
)
SHOW = Operation(
    Tag.GROUPS,
    "Show a group",
    path_parts=_GROUP,
    answers={200: Answer("The group.", GroupAnswer)},
    refusals=(NotFound,),
)
REMOVE = Operation(
    Tag.GROUPS,
    "Remove a group",
    description="Who was in it stays. Rules that name it then match nobody.",
    path_parts=_GROUP,
    answers={204: Answer("Removed.")},
    refusals=(NotFound,),
)
LIST_MEMBERS = Operation(
    Tag.GROUPS,
    "List who is in a group",
    path_parts=_GROUP,
    answers={200: Answer("By their addresses.", list[GroupMemberAnswer])},
    refusals=(NotFound,),
)
ADD_MEMBER = Operation(
    Tag.GROUPS,
    "Put somebody into a group",
    body=GroupMemberBody,
    path_parts=_GROUP,
    answers={200: Answer("Added.", GroupMemberAnswer)},
    refusals=(NotFound, Conflict),
)
REMOVE_MEMBER = Operation(
    Tag.GROUPS,
    "Take somebody out of a group",
    path_parts={**_GROUP, "account_id": "The account's `id`."},
    answers={204: Answer("Taken out.")},
    refusals=(NotFound,),
)
