"""The demo's settings: what was configured, with what the demo needs where nothing was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from gateway.config.settings import AccessControl
from gateway.demo.errors import DemoFailed
from gateway.grammar.hosts import is_local_host
from gateway.models import AuthMode

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.demo.administrator import DemoAdministrator


def demo_settings(settings: Settings) -> Settings:
    """Give settings for this machine: rules with a public page unless there are some, a public URL at our own port.

    Raises `DemoFailed` for a public URL that is somewhere else (a login there would not count on this machine), and
    for a mode in which the demo's administrator could not log in.
    """
    if settings.auth_mode is not AuthMode.BASIC:
        message = "The demo shows how people log in: leave AUTH_TYPE and the OAUTH_… values out."
        raise DemoFailed(message)
    changed: dict[str, object] = {}
    if "public_url" not in settings.model_fields_set:
        changed["public_url"] = f"http://localhost:{settings.listen.port}"
    elif settings.secure or not is_local_host(settings.public_host):
        message = (
            f"The demo runs on this machine only, and public_url is {settings.public_url}. "
            f"Leave GATEWAY_PUBLIC_URL out, or set it to http://localhost:{settings.listen.port}."
        )
        raise DemoFailed(message)
    if settings.access_control is None:
        changed["access_control"] = _rules(settings.public_host)
    return settings.model_copy(update=changed)


def with_administrator(settings: Settings, administrator: DemoAdministrator) -> Settings:
    """Let the demo's administrator be the first one."""
    basic_auth = settings.basic_auth.model_copy(
        update={
            "initial_org_admin_email": administrator.email,
            "initial_org_admin_password": SecretStr(administrator.password),
        }
    )
    return settings.model_copy(update={"basic_auth": basic_auth})


def administrator_is_configured(settings: Settings) -> bool:
    basic_auth = settings.basic_auth
    return basic_auth.initial_org_admin_email is not None and basic_auth.initial_org_admin_password is not None


def _rules(host: str) -> AccessControl:
    public = {"name": "public page", "domain": host, "path": "/public", "policy": "bypass"}
    return AccessControl.model_validate({"default_policy": "one_factor", "rules": [public]})
