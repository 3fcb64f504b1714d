"""Every setting, its default and its rule; `docs/configuration.md` says what each is for."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from gateway.config.access_control import AccessControl, RuleSettings
from gateway.config.addresses import (
    ListenAddress,
    parse_cookie_domain,
    parse_listen_address,
    parse_network,
    parse_public_url,
    read_redirect_target,
)
from gateway.config.auth_api import AuthApi
from gateway.config.basic_auth import BasicAuth
from gateway.config.database_url import (
    DatabaseAddress,
    SqliteFile,
    database_address,
    parse_database_url,
)
from gateway.config.identity_headers import IdentityHeaders, WorkspaceHeader
from gateway.config.key_prefix import KeyPrefix
from gateway.config.mail import MailSettings
from gateway.config.oauth import OAuth
from gateway.config.organization import OrganizationSettings
from gateway.config.redis_url import require_redis_url
from gateway.config.section import Duration, PositiveDuration, Section, TruthValue, Whole, split_list
from gateway.config.well_known_secrets import require_own_secret
from gateway.grammar.durations import format_duration
from gateway.grammar.hosts import split_host_and_port
from gateway.grammar.redirect_targets import RedirectTarget
from gateway.models import AuthMode

__all__ = ["AccessControl", "AuthApi", "BasicAuth", "ListenAddress", "RuleSettings", "Settings"]

_COOKIE_NAME = "gateway_session"
_DATABASE_FILE = "gateway.db"
_OLDEST_FACT = timedelta(minutes=5)


class FactSettings(Section):
    """How much is remembered in process about verified credentials."""

    max_entries: Whole = Field(default=100_000, ge=1, examples=["100000"])
    max_age: PositiveDuration = Field(default=_OLDEST_FACT, examples=["5m"])

    @field_validator("max_age")
    @classmethod
    def _bound_age(cls, age: timedelta) -> timedelta:
        if age > _OLDEST_FACT:
            message = f"must be at most {format_duration(_OLDEST_FACT)}: a fact that is older may be wrong"
            raise ValueError(message)
        return age


class SessionSettings(Section):
    """How long a login is remembered."""

    idle_timeout: PositiveDuration = Field(default=timedelta(hours=12), examples=["12h"])
    lifetime: PositiveDuration = Field(default=timedelta(days=7), validate_default=True, examples=["7d"])
    remember_me_lifetime: PositiveDuration = Field(default=timedelta(days=30), validate_default=True, examples=["30d"])

    @field_validator("lifetime", "remember_me_lifetime")
    @classmethod
    def _outlast_idle_timeout(cls, lifetime: timedelta, info: ValidationInfo) -> timedelta:
        idle_timeout = info.data.get("idle_timeout", timedelta(0))
        if info.field_name == "lifetime" and lifetime < idle_timeout:
            message = (
                f"{format_duration(lifetime)} is shorter than session.idle_timeout ({format_duration(idle_timeout)})"
            )
            raise ValueError(message)
        return lifetime


class LogSettings(Section):
    """What is written to the log, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", examples=["info"])
    format: Literal["auto", "json", "console"] = Field(default="auto", examples=["json"])


class AuditSettings(Section):
    """How long security events are kept."""

    retention: PositiveDuration = Field(default=timedelta(days=365), examples=["365d"])


def _folder(written: object) -> Path:
    folder = written if isinstance(written, Path) else None
    if isinstance(written, str) and written.strip() and written.isprintable():
        folder = Path(written)
    if folder is None:
        message = "must be the path of a folder"
        raise ValueError(message)
    try:
        is_something_else = folder.exists() and not folder.is_dir()
    except OSError as error:
        message = f"cannot be used: {error.strerror}"
        raise ValueError(message) from None
    if is_something_else:
        message = "is a file, and must be a folder"
        raise ValueError(message)
    return folder


class Settings(Section):
    """The whole configuration: frozen, complete."""

    keys_of_later_versions: ClassVar[frozenset[str]] = frozenset({"trusted_issuers", "assertion"})

    public_url: Annotated[str, BeforeValidator(parse_public_url)] = Field(
        default="http://localhost:9091", examples=["https://auth.example.com"]
    )
    listen: Annotated[ListenAddress, BeforeValidator(parse_listen_address)] = Field(
        default=ListenAddress("127.0.0.1", 9091), examples=["127.0.0.1:9091"]
    )
    data_dir: Annotated[Path, BeforeValidator(_folder)] = Field(default=Path("data"), examples=["/var/lib/gateway"])
    site_name: str = Field(default="Gateway", min_length=1, max_length=80, examples=["Example Inc."])
    cookie_domain: str | None = Field(default=None, examples=["example.com"])
    trusted_proxies: Annotated[
        tuple[Annotated[IPv4Network | IPv6Network, BeforeValidator(parse_network)], ...], BeforeValidator(split_list)
    ] = Field(default=(ip_network("127.0.0.0/8"), ip_network("::1/128")), examples=["10.0.0.0/8, ::1/128"])
    allowed_redirects: Annotated[
        tuple[Annotated[RedirectTarget, BeforeValidator(read_redirect_target)], ...], BeforeValidator(split_list)
    ] = Field(default=(), examples=["app.example.org, *.example.net"])
    identity_headers: IdentityHeaders = IdentityHeaders()
    workspace_header: WorkspaceHeader = Field(default="X-Tenant-Id", examples=["X-Tenant-Id"])
    forward_credentials: TruthValue = Field(default=False, examples=["false"])
    basic_credentials: TruthValue = Field(default=False, examples=["false"])
    api_keys_satisfy: Literal["one_factor", "two_factor"] = Field(default="one_factor", examples=["one_factor"])
    api_key_salt: Annotated[SecretStr | None, AfterValidator(require_own_secret)] = Field(
        default=None, examples=["the output of: openssl rand -base64 32"]
    )
    encryption_key: Annotated[SecretStr | None, AfterValidator(require_own_secret)] = Field(
        default=None, examples=["the output of: openssl rand -base64 32"]
    )
    api_key_prefix: KeyPrefix = Field(default="lc_ak_", examples=["lc_ak_"])
    service_key_prefix: KeyPrefix = Field(default="lc_sk_", validate_default=True, examples=["lc_sk_"])
    # The nginx snippet that we ship takes 32 KiB of answer headers; proxies differ, and few take more.
    max_answer_headers: Whole = Field(default=8192, ge=1024, le=32768, examples=["8192"])
    outage_grace: Duration = Field(default=timedelta(seconds=60), examples=["60s"])
    facts: FactSettings = FactSettings()
    session: SessionSettings = SessionSettings()
    log: LogSettings = LogSettings()
    database_url: Annotated[SecretStr, BeforeValidator(parse_database_url)] | None = Field(
        default=None, examples=["postgresql://gateway:password@db/gateway"]
    )
    redis_url: Annotated[SecretStr, BeforeValidator(require_redis_url)] | None = Field(
        default=None, examples=["redis://localhost:6379/0"]
    )
    workers: Whole = Field(default=1, ge=1, le=64, examples=["2"])
    auth_type: Literal["none", "mixed", "oauth"] = Field(default="mixed", examples=["mixed"])
    basic_auth: BasicAuth = BasicAuth()
    oauth: OAuth = OAuth()
    auth_api: AuthApi = AuthApi()
    mail: MailSettings = MailSettings()
    audit: AuditSettings = AuditSettings()
    organization: OrganizationSettings = OrganizationSettings()
    access_control: AccessControl | None = None

    @field_validator("site_name")
    @classmethod
    def _require_printable(cls, name: str) -> str:
        if not name.isprintable() or not name.strip():
            message = "must be readable text of one line"
            raise ValueError(message)
        return name.strip()

    @field_validator("cookie_domain", mode="before")
    @classmethod
    def _belong_to_public_host(cls, domain: object, info: ValidationInfo) -> str | None:
        if domain is None:
            return None
        public_url = info.data.get("public_url")
        return parse_cookie_domain(domain, public_host=_host_of(public_url) if public_url else None)

    @field_validator("service_key_prefix")
    @classmethod
    def _tell_keys_apart(cls, prefix: str, info: ValidationInfo) -> str:
        personal = info.data.get("api_key_prefix", "")
        # One that was refused is missing, and has its own problem.
        if personal and (prefix.startswith(personal) or personal.startswith(prefix)):
            message = f"neither of {prefix} and api_key_prefix ({personal}) may begin with the other"
            raise ValueError(message)
        return prefix

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https."""
        return self.public_url.startswith("https://")

    @property
    def public_host(self) -> str:
        """The host of the public URL, without port; IPv6 in brackets."""
        return _host_of(self.public_url)

    @property
    def session_cookie_name(self) -> str:
        """The prefix makes browsers hold what the name promises (RFC 6265bis section 4.1.3); http can have none."""
        if not self.secure:
            return _COOKIE_NAME
        return f"__Host-{_COOKIE_NAME}" if self.cookie_domain is None else f"__Secure-{_COOKIE_NAME}"

    @property
    def auth_mode(self) -> AuthMode:
        """How people log in; `modes.py` refuses what leaves that open."""
        if self.auth_type == "none":
            return AuthMode.NONE
        return AuthMode.OAUTH if self.auth_type == "oauth" or self.basic_auth.enabled is False else AuthMode.BASIC

    @property
    def email_login_allowed(self) -> bool:
        """Whether people log in with an e-mail address and a password."""
        return self.auth_mode is AuthMode.BASIC and self.auth_api.allow_email_login

    @property
    def registration_allowed(self) -> bool:
        """Whether people may make accounts for themselves; there are none to make where nobody logs in by password."""
        return self.auth_mode is AuthMode.BASIC and self.auth_api.allow_registration

    @property
    def password_reset_allowed(self) -> bool:
        """Whether a forgotten password can be reset by mail; without mail nobody would get the link."""
        has_mail = self.mail.transport != "none"
        return self.auth_mode is AuthMode.BASIC and has_mail and self.auth_api.allow_password_reset is not False

    @property
    def database(self) -> DatabaseAddress:
        """Where everything is stored."""
        if self.database_url is None:
            return SqliteFile(self.data_dir / _DATABASE_FILE)
        return database_address(self.database_url.get_secret_value())


def _host_of(public_url: str) -> str:
    return split_host_and_port(public_url.partition("://")[2])[0]
