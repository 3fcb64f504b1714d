"""What the configurations of all proxies have in common: the facts that they are made of, and their templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.grammar.hosts import is_local_host
from gateway.proxy_config import headers
from gateway.proxy_config.addresses import Application, parse_application, parse_listen, parse_site, reachable
from gateway.resources import resource_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

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


@dataclass(frozen=True, slots=True)
class Site:
    """What the operator says: the host to protect, the application behind it, and where visitors come."""

    host: str
    application: Application
    listen: str
    certificate: Certificate = PLACEHOLDER_CERTIFICATE


def parse_operator_words(*, site: str, application: str, listen: str, certificate: Certificate) -> Site:
    """Read what was typed; raise ValueError for an address that cannot be read."""
    return Site(parse_site(site), parse_application(application), parse_listen(listen), certificate)


def context_of(settings: Settings, site: Site) -> dict[str, object]:
    """Give the names that the templates of every proxy use.

    Where `public_url` is https, the proxy speaks TLS on all hosts: a cookie set there is never sent in the clear.
    """
    identity = headers.with_configured(settings.identity_headers.facts)
    port = site.listen.rpartition(":")[2]
    local = is_local_host(settings.public_host)
    return {
        "gateway": f"{reachable(settings.listen.host)}:{settings.listen.port}",
        "gateway_port": settings.listen.port,
        "site": site.host,
        "application": site.application,
        "listen": site.listen,
        "port": port,
        "portal": _PLACEHOLDER_PORTAL if local else settings.public_host,
        "portal_url": f"http://{_PLACEHOLDER_PORTAL}:{port}" if local else settings.public_url,
        "portal_is_placeholder": local,
        "cookie_domain": settings.cookie_domain,
        "certificate": site.certificate if settings.secure else None,
        "identity_headers": identity,
        "removed_identity_headers": headers.without(headers.removed_from_visitors(settings.workspace_header), identity),
        "removed_request_headers": headers.without(headers.REMOVED_REQUEST_HEADERS, identity),
    }


def render_templates(proxy: str, context: Mapping[str, object]) -> dict[str, str]:
    """Fill in every template of a proxy's folder; give the texts by the names of their files."""
    environment = Environment(
        loader=FileSystemLoader(resource_folder("templates") / "proxy" / proxy),
        autoescape=False,  # noqa: S701 - no proxy reads HTML; every value in the context is parsed or ours
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["variable"] = lambda name: name.lower().replace("-", "_")
    names = sorted(environment.list_templates(extensions=["j2"]))
    return {name.removesuffix(_SUFFIX): environment.get_template(name).render(context) for name in names}


def default_listen(settings: Settings) -> str:
    """Give the port where visitors come: that of https, or one that needs no rights."""
    return "443" if settings.secure else "8080"
