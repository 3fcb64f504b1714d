"""Service accounts, their keys, and what the organization allows of keys."""

from __future__ import annotations

from gateway.errors import Conflict, NotFound
from gateway.openapi.operation import Answer, Operation, Tag
from gateway.openapi.service_account_answers import (
    NewServiceKey,
    OrganizationInfo,
    ServiceAccountAnswer,
    ServiceKeyAnswer,
)
from gateway.organization.key_limit_handlers import OrganizationInfoBody
from gateway.organization.service_accounts.handlers import NewServiceAccountBody, ServiceAccountBody
from gateway.organization.service_accounts.key_handlers import NewServiceKeyBody, ServiceKeyRotationBody

_ID = {"service_account_id": "The service account's `id`."}
_KEY_ID = {"key_id": "The key's `id`."}

ADD = Operation(
    Tag.SERVICE_ACCOUNTS,
    "Add a service account",
    description="Without `workspaces` it is in the default one; an empty list is none. Names that read alike are one.",
    body=NewServiceAccountBody,
    answers={200: Answer("Added.", ServiceAccountAnswer)},
    refusals=(Conflict,),
)
LIST = Operation(
    Tag.SERVICE_ACCOUNTS,
    "List the service accounts",
    answers={200: Answer("All of them, by name.", list[ServiceAccountAnswer])},
)
SHOW = Operation(
    Tag.SERVICE_ACCOUNTS,
    "Show one service account",
    path_parts=_ID,
    answers={200: Answer("The service account.", ServiceAccountAnswer)},
    refusals=(NotFound,),
)
CHANGE = Operation(
    Tag.SERVICE_ACCOUNTS,
    "Change its role or workspaces",
    description="What is left out stays. `workspaces` replaces the list; its keys follow within a second.",
    body=ServiceAccountBody,
    path_parts=_ID,
    answers={200: Answer("As it is now.", ServiceAccountAnswer)},
    refusals=(NotFound,),
)
REMOVE = Operation(
    Tag.SERVICE_ACCOUNTS,
    "Remove a service account",
    description="All its keys are refused from now on.",
    path_parts=_ID,
    answers={204: Answer("Removed.")},
    refusals=(NotFound,),
)
CREATE_KEY = Operation(
    Tag.SERVICE_ACCOUNTS,
    "Make a service key",
    description="Without `expires_at` it ends when the organization's limit says, or never where there is none.",
    body=NewServiceKeyBody,
    answers={200: Answer("Made. The key itself is shown this once.", NewServiceKey)},
)
LIST_KEYS = Operation(
    Tag.SERVICE_ACCOUNTS,
    "List the service keys",
    answers={200: Answer("The keys of all service accounts, the newest first.", list[ServiceKeyAnswer])},
)
ROTATE_KEY = Operation(
    Tag.SERVICE_ACCOUNTS,
    "Replace a service key",
    description="The former key ends after `overlap_seconds`, or at once without it.",
    body=ServiceKeyRotationBody,
    path_parts=_KEY_ID,
    answers={200: Answer("Made. The key itself is shown this once.", NewServiceKey)},
    refusals=(NotFound, Conflict),
)
DELETE_KEY = Operation(
    Tag.SERVICE_ACCOUNTS,
    "Delete a service key",
    description="It is refused from now on.",
    path_parts=_KEY_ID,
    answers={204: Answer("Deleted.")},
    refusals=(NotFound,),
)
SHOW_INFO = Operation(
    Tag.ORGANIZATION,
    "Show what is allowed of keys",
    answers={200: Answer("What counts now, from the configuration where that says something.", OrganizationInfo)},
)
CHANGE_INFO = Operation(
    Tag.ORGANIZATION,
    "Change what is allowed of keys",
    description="What is left out stays, and so do keys that are there already.",
    body=OrganizationInfoBody,
    answers={200: Answer("What counts now.", OrganizationInfo)},
    refusals=(Conflict,),
)
