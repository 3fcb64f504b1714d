"""The nouns: what the gateway knows about people, their sessions, and who is asking."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class OrganizationRole(StrEnum):
    """The organization role as people and applications read it (LangSmith's names)."""

    ADMIN = "Organization Admin"
    OPERATOR = "Organization Operator"
    USER = "Organization User"
    VIEWER = "Organization Viewer"


class WorkspaceRole(StrEnum):
    """The role in one workspace (LangSmith's names)."""

    ADMIN = "Admin"
    EDITOR = "Editor"
    VIEWER = "Viewer"


class AuthMode(StrEnum):
    """How people log in to this installation; stored, since one cannot be changed into every other."""

    NONE = "none"
    BASIC = "basic"
    OAUTH = "oauth"


class CredentialKind(StrEnum):
    """What proved who is asking; the value of `Remote-Auth-Method`. `NONE`: nobody logs in here."""

    NONE = "none"
    SESSION = "session"
    JWT = "jwt"
    API_KEY = "api_key"
    BASIC = "basic"


@dataclass(frozen=True, slots=True)
class Organization:
    """The single organization."""

    id: str
    display_name: str
    mode: AuthMode


@dataclass(frozen=True, slots=True)
class Workspace:
    """A part of the organization whose resources applications keep apart."""

    id: str
    display_name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """A workspace that somebody is in, and as what."""

    workspace: Workspace
    role: WorkspaceRole


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is in the organization: the workspaces (the default one first) and the names of the groups."""

    organization: Organization
    memberships: tuple[Membership, ...]
    groups: tuple[str, ...] = ()

    def membership_in(self, workspace_id: str | None) -> Membership | None:
        return next((one for one in self.memberships if one.workspace.id == workspace_id), None)


@dataclass(frozen=True, slots=True)
class Account:
    """A stored record of a person who can log in."""

    id: str
    email: str
    username: str | None
    name: str
    password_hash: str | None
    role: OrganizationRole
    email_verified: bool
    must_change_password: bool
    disabled: bool
    banned_until: datetime | None
    has_second_factor: bool
    logged_in_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def known_as(self) -> str:
        """What devices remember: another password, or a second factor, makes every device a stranger's again.

        Whoever logged in with a stolen password has as many known devices as they like, each with tries of its own.
        """
        return f"{self.email}\0{self.password_hash}\0{self.has_second_factor}"

    def banned(self, now: datetime) -> bool:
        return self.banned_until is not None and self.banned_until > now

    def active(self, now: datetime) -> bool:
        """Whether its credentials count."""
        return not self.disabled and not self.banned(now)


@dataclass(frozen=True, slots=True)
class Session:
    """The period after a login during which a browser is remembered.

    `id` is stable; the token in the cookie is not part of it (only a keyed digest is stored). `remembered`: the person
    asked for it, and the browser keeps the cookie when it is closed.
    """

    id: str
    account_id: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    idle_timeout: timedelta
    level: int
    second_factor_at: datetime | None = None
    remembered: bool = False

    @property
    def idle_expires_at(self) -> datetime:
        return self.last_seen_at + self.idle_timeout


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a program trades for its next access token, and when that ends at the latest."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Challenge:
    """A login that has passed the first factor and waits for the second. It opens nothing else (ASVS 6.3.3)."""

    id: str
    account_id: str
    remember_me: bool
    failures: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Scope:
    """What a credential is limited to; an empty part means any. `path` is a glob as in rules, `host` a host pattern."""

    host: str = ""
    path: str = ""
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Owns keys of programs, and never logs in. Where it has several workspaces, requests say which they mean."""

    id: str
    name: str
    role: OrganizationRole
    default_workspace_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A long-lived credential of a program, used in its owner's name: an account's, or a service account's.

    `prefix` is the beginning that may be shown; of the key itself only a keyed digest is stored.
    """

    id: str
    owner_id: str
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None
    of_service: bool = False


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What the organization allows of new keys. `pat`: a personal key; of days, `None` is no limit."""

    pat_creation_disabled: bool = False
    max_api_key_expiry_days: int | None = None
    max_pat_expiry_days: int | None = None
    max_service_key_expiry_days: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A named set of accounts that rules refer to."""

    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Principal:
    """Who the gateway has established is asking, and how.

    `session_id` is that of the login behind it, `api_key_id` that of the key, if there is one; `scopes` narrow it
    (none: whatever the owner may). `account_id` is a service account's where `is_service` says so; those have neither
    e-mail address nor username. `workspace` is the one that counts unless the request names another of the standing's.
    """

    account_id: str
    email: str
    username: str | None
    name: str
    role: OrganizationRole
    standing: Standing
    workspace: Workspace | None
    credential: CredentialKind
    session_id: str | None
    level: int
    must_change_password: bool
    scopes: tuple[Scope, ...] = ()
    api_key_id: str | None = None
    is_service: bool = False

    @property
    def groups(self) -> tuple[str, ...]:
        return self.standing.groups
