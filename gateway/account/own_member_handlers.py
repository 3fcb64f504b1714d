"""A person's own name and password, as LangSmith's clients change them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.errors import InvalidFields, Unauthorized
from gateway.revocation.accounts import rename
from gateway.storage.accounts import find_account
from gateway.web.bodies import Body, Name, Password, read_json

if TYPE_CHECKING:
    from gateway.account.password_change import PasswordChange
    from gateway.models import Account, Principal
    from gateway.revocation import Revocation
    from gateway.sessions import LoggedIn
    from gateway.storage.database import Database
    from gateway.web.login_answers import LoginAnswers
    from gateway.web.portal import Portal

_FIELDS = {"newPassword": "password", "currentPassword": "current_password"}


class OwnMemberBody(Body):
    """The body of `PATCH /api/v1/orgs/members/basic`: what is left out or null stays as it is."""

    full_name: Name | None = None
    password: Password | None = None
    current_password: Password | None = None


@dataclass(frozen=True, slots=True)
class OwnMemberHandlers:
    """`PATCH /api/v1/orgs/members/basic`."""

    portal: Portal
    database: Database
    password_change: PasswordChange
    revocation: Revocation
    answers: LoginAnswers

    async def change(self, request: web.Request) -> web.Response:
        """Change the password, the name, or both; a new password ends the other sessions."""
        principal = await self.portal.by_bearer(request, password_may_be_due=True)
        body = await read_json(request, OwnMemberBody)
        logged_in = None
        if body.password is not None:
            logged_in = await self._change_password(request, principal, body, new=body.password)
        elif body.full_name is not None:
            await self._rename(principal, body.full_name)
        response = web.json_response(_shown(await self._account(principal)))
        if logged_in is not None:
            self.answers.set_cookie(response, logged_in)
        return response

    async def _change_password(
        self, request: web.Request, principal: Principal, body: OwnMemberBody, *, new: str
    ) -> LoggedIn:
        if body.current_password is None:
            raise InvalidFields(fields={"current_password": "A new password takes the current one."})
        try:
            return await self.password_change.change(
                principal,
                current=body.current_password,
                new=new,
                visitor=self.portal.visitor(request),
                name=body.full_name,
            )
        except InvalidFields as refusal:
            fields = {_FIELDS.get(field, field): reason for field, reason in refusal.fields.items()}
            raise InvalidFields(fields=fields) from None

    async def _rename(self, principal: Principal, name: str) -> None:
        async with self.revocation.transaction() as transaction:
            account = await find_account(transaction.connection, principal.account_id)
            if account is None:
                raise Unauthorized
            await rename(transaction, account, name)

    async def _account(self, principal: Principal) -> Account:
        async with self.database.read() as connection:
            account = await find_account(connection, principal.account_id)
        if account is None:
            raise Unauthorized
        return account


def _shown(account: Account) -> dict[str, str | None]:
    return {
        "id": account.id,
        "email": account.email,
        "full_name": account.name,
        "username": account.username,
        "role": account.role.value,
    }
