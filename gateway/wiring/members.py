"""The members and the organization: what manages them, and the handlers over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.handlers import MembersApi
from gateway.organization.handlers import OrganizationHandlers
from gateway.organization.members.handed_passwords import PasswordHandover
from gateway.organization.members.handlers import MemberHandlers
from gateway.organization.members.invitations import Invitations
from gateway.organization.members.members import Members
from gateway.wiring.account import make_own_member

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.wiring.parts import Parts


def make_members(settings: Settings, parts: Parts) -> MembersApi:
    handover = PasswordHandover(rules=parts.password_rules, passwords=parts.passwords)
    invitations = Invitations(
        parts.database,
        handover=handover,
        revocation=parts.revocation,
        outbox=parts.outbox,
        login_url=f"{settings.public_url}/login",
    )
    members = MemberHandlers(
        members=Members(parts.database, handover=handover, revocation=parts.revocation),
        invitations=invitations,
        force_password_change=settings.organization.force_password_change,
    )
    return MembersApi(OrganizationHandlers(), members, make_own_member(parts))
