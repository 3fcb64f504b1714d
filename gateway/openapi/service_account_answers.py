"""The shapes of our answers about service accounts, their keys, and what is allowed of keys."""

from __future__ import annotations

from pydantic import Field

from gateway.models import OrganizationRole, WorkspaceRole
from gateway.openapi.answers import KeyScope, Moment, Shape


class ServiceMembership(Shape):
    id: str = Field(description="The workspace's.")
    display_name: str
    role: WorkspaceRole


class ServiceAccountAnswer(Shape):
    """Owns keys of programs, and never logs in."""

    id: str
    name: str
    role: OrganizationRole
    workspaces: list[ServiceMembership] = Field(description="An Organization Admin is in all of them.")
    default_workspace_id: str | None = Field(
        description="Where several are open: the one that a request means that names none."
    )
    created_at: Moment


class NewServiceKey(Shape):
    """A service account's key that was just made."""

    key: str = Field(description="The key itself. It is shown this once.")
    id: str
    short_key: str
    description: str
    service_account_id: str
    scopes: list[KeyScope]
    created_at: Moment
    expires_at: Moment | None


class ServiceKeyAnswer(Shape):
    id: str
    short_key: str = Field(description="The key's beginning, by which you tell your keys apart.")
    description: str
    service_account_id: str
    scopes: list[KeyScope] = Field(description="Empty: whatever the service account may.")
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class OrganizationInfo(Shape):
    """What counts for new keys. A day is one of 24 hours; `null` is no limit, and of two limits the smaller counts."""

    id: str
    display_name: str
    pat_creation_disabled: bool = Field(description="Nobody can make personal API keys.")
    max_api_key_expiry_days: int | None = Field(description="For every key.")
    max_pat_expiry_days: int | None = Field(description="For personal keys.")
    max_service_key_expiry_days: int | None = Field(description="For keys of service accounts.")
    set_in_configuration: list[str] = Field(description="Which of these can only be changed there.")
