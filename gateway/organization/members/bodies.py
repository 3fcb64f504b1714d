"""What the routes about members take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool, ValidationInfo, field_validator

from gateway.grammar.usernames import parse_username
from gateway.models import OrganizationRole, WorkspaceRole
from gateway.organization.members.handed_passwords import HandedPassword
from gateway.organization.members.invitation_rows import Invitation
from gateway.organization.members.members import MemberChange
from gateway.web.bodies import Body, Email, Name, Password, Text
from gateway.web.rows import Rows

MAX_ROWS = 500
_MAX_WORKSPACES = 100

_Username = Annotated[Text, AfterValidator(parse_username)]
_WorkspaceIds = Annotated[tuple[Text, ...], Field(max_length=_MAX_WORKSPACES)]


class InvitationBody(Body):
    """Somebody who is to become a member."""

    email: Email
    role: OrganizationRole = OrganizationRole.USER
    full_name: Name | None = Field(default=None, description="Without it: what stands before the @.")
    username: _Username | None = None
    password: Password | None = Field(default=None, description="Without it one is made and answered, this once.")
    workspace_ids: _WorkspaceIds | None = Field(default=None, description="Without it: the default workspace.")
    workspace_role: WorkspaceRole | None = Field(
        default=None, description="Without it: Admin, Editor or Viewer, as goes with the role."
    )
    send_mail: StrictBool = Field(default=False, description="Mails the invitation, with the password if one was made.")

    def invitation(self) -> Invitation:
        return Invitation(
            email=self.email,
            role=self.role,
            full_name=self.full_name,
            username=self.username,
            password=HandedPassword(self.password),
            workspaces=self.workspace_ids,
            workspace_role=self.workspace_role,
            send_mail=self.send_mail,
        )


class InvitationRows(Rows[InvitationBody]):
    """The body of `POST /api/v1/orgs/current/members/basic/batch`."""

    root: Annotated[Sequence[InvitationBody], Field(min_length=1, max_length=MAX_ROWS)]


class MemberChangeBody(Body):
    """The body of `PATCH /api/v1/orgs/current/members/{member_id}`: what is left out or null stays as it is."""

    role: OrganizationRole | None = None
    full_name: Name | None = None
    disabled: StrictBool | None = None
    password: Password | None = Field(default=None, description="A new one, to be changed at the next login.")
    generate_password: StrictBool = Field(default=False, description="Makes one instead, and answers it, this once.")

    @field_validator("generate_password")
    @classmethod
    def _require_one_password(cls, generate: bool, other: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's signature
        if generate and other.data.get("password") is not None:
            message = "Send a password, or let one be made."
            raise ValueError(message)
        return generate

    def change(self) -> MemberChange:
        handed = HandedPassword(self.password) if self.password is not None or self.generate_password else None
        return MemberChange(role=self.role, full_name=self.full_name, disabled=self.disabled, password=handed)
