"""nginx asks by `auth_request`: the configuration, rendered from the templates and the running settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.grammar.hosts import is_local_host
from gateway.proxy_config import headers
from gateway.proxy_config.addresses import parse_application, parse_listen, parse_site, reachable
from gateway.resources import resource_folder

if TYPE_CHECKING:
    from gateway.config.settings import Settings

DEFAULT_SITE = "app.example.com"
DEFAULT_APPLICATION = "http://127.0.0.1:8081"

_SUFFIX = ".j2"
_PLACEHOLDER_PORTAL = "auth.example.com"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of the TLS certificate for all hosts of the configuration."""

    chain: str
    key: str


PLACEHOLDER_CERTIFICATE = Certificate("/etc/ssl/certs/gateway.pem", "/etc/ssl/private/gateway.key")


def render(  # noqa: PLR0913 - what the operator says, each with its name
    settings: Settings,
    *,
    site: str,
    application: str,
    listen: str,
    portal: bool = True,
    certificate: Certificate = PLACEHOLDER_CERTIFICATE,
) -> dict[str, str]:
    """Give the text of each file by its name; raise ValueError for an address that cannot be read.

    With `portal=False` the gateway's pages are left out: visitors reach `public_url` without this nginx.
    Where `public_url` is https, nginx speaks TLS on all hosts: a cookie set there is never sent in the clear.
    """
    local = is_local_host(settings.public_host)
    listen = parse_listen(listen)
    context = {
        "gateway": f"{reachable(settings.listen.host)}:{settings.listen.port}",
        "site": parse_site(site),
        "application": parse_application(application),
        "listen": listen,
        "port": listen.rpartition(":")[2],
        "portal": (_PLACEHOLDER_PORTAL if local else settings.public_host) if portal else None,
        "portal_is_placeholder": local,
        "certificate": certificate if settings.secure else None,
        "identity_headers": headers.IDENTITY_HEADERS,
        "check_headers": headers.CHECK_HEADERS,
        "denied_headers": headers.DENIED_HEADERS,
        "removed_identity_headers": headers.REMOVED_IDENTITY_HEADERS,
        "removed_request_headers": headers.REMOVED_REQUEST_HEADERS,
        "our_cookie": headers.OUR_COOKIE,
        "cookie_passes": headers.OUR_COOKIES_AT_MOST,
    }
    environment = _environment()
    names = sorted(environment.list_templates(extensions=["j2"]))
    return {name.removesuffix(_SUFFIX): environment.get_template(name).render(context) for name in names}


def default_listen(settings: Settings) -> str:
    """Give the port where visitors come: that of https, or one that needs no rights."""
    return "443" if settings.secure else "8080"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(resource_folder("templates") / "proxy" / "nginx"),
        autoescape=False,  # noqa: S701 - nginx reads no HTML; every value above is parsed or ours
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["variable"] = lambda name: name.lower().replace("-", "_")
    return environment
