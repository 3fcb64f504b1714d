"""The shapes of answers about the organization and its members."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gateway.models import AuthMode, OrganizationRole
from gateway.openapi.answers import Moment, Shape


class OrganizationAnswer(Shape):
    """The organization, and what you are in it."""

    id: str
    display_name: str = Field(examples=["Default"])
    auth_mode: AuthMode
    is_personal: Literal[False]
    role: OrganizationRole
    permissions: list[str] = Field(examples=[["organization:read"]])


class InvitedMember(Shape):
    """A new member."""

    id: str
    email: str
    full_name: str
    role: OrganizationRole
    created_at: Moment
    password: str | None = Field(description="The one that was made. It is shown this once.")


class MemberAnswer(Shape):
    """A person in the organization."""

    id: str
    email: str
    full_name: str
    username: str | None
    role: OrganizationRole
    disabled: bool
    must_change_password: bool
    two_factor_enabled: bool
    workspace_ids: list[str] = Field(
        description="Where somebody put them. An Organization Admin is Admin of every workspace besides."
    )
    created_at: Moment
    last_login_at: Moment | None


class ChangedMember(MemberAnswer):
    """A member after a change."""

    password: str | None = Field(description="The one that was made, if one was. It is shown this once.")


class MemberList(Shape):
    organization_id: str
    members: list[MemberAnswer]
    pending: list[MemberAnswer] = Field(description="Empty: whoever is invited is a member at once.")


class OwnMember(Shape):
    """Your own account."""

    id: str
    email: str
    full_name: str
    username: str | None
    role: OrganizationRole


class AccessTokenAnswer(Shape):
    """Somebody is logged in."""

    access_token: str = Field(description="Send it as `Authorization: Bearer …`.")
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds.")
