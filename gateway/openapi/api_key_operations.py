"""A person's API keys."""

from __future__ import annotations

from gateway.account.api_key_handlers import NewApiKeyBody, RotationBody
from gateway.errors import Conflict, KeyCreationDisabled, NotFound
from gateway.openapi.answers import ApiKeyAnswer, NewApiKey
from gateway.openapi.operation import Answer, Operation, Tag

_KEY_ID = {"api_key_id": "The key's `id`. Another account's key is not found."}

CREATE = Operation(
    Tag.API_KEYS,
    "Make a key",
    description="`expiresAt` is a moment in the future in ISO 8601, within the organization's limit; without it the "
    "key ends there, or never where there is none.",
    body=NewApiKeyBody,
    answers={201: Answer("Made. The key itself is shown this once.", NewApiKey)},
    refusals=(KeyCreationDisabled, NotFound),
)
LIST = Operation(
    Tag.API_KEYS,
    "List your keys",
    answers={200: Answer("All keys, the newest first.", list[ApiKeyAnswer])},
)
SHOW = Operation(
    Tag.API_KEYS,
    "Show one key",
    path_parts=_KEY_ID,
    answers={200: Answer("The key, without the key itself.", ApiKeyAnswer)},
    refusals=(NotFound,),
)
DELETE = Operation(
    Tag.API_KEYS,
    "Delete a key",
    description="It is refused from now on.",
    path_parts=_KEY_ID,
    answers={204: Answer("Deleted.")},
    refusals=(NotFound,),
)
ROTATE = Operation(
    Tag.API_KEYS,
    "Replace a key",
    description="The former key ends after `overlapSeconds`, or at once without it.",
    body=RotationBody,
    path_parts=_KEY_ID,
    answers={201: Answer("Made. The key itself is shown this once.", NewApiKey)},
    refusals=(NotFound, Conflict, KeyCreationDisabled),
)
