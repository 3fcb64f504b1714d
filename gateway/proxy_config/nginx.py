"""nginx asks by `auth_request`: the configuration, rendered from the templates and the running settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.proxy_config import headers
from gateway.proxy_config.addresses import parse_gateway, parse_listen
from gateway.proxy_config.rendering import (
    PLACEHOLDER_CERTIFICATE,
    Certificate,
    context_of,
    parse_operator_words,
    render_templates,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.config.settings import Settings


def render(  # noqa: PLR0913 - what the operator says, each with its name
    settings: Settings,
    *,
    site: str,
    application: str,
    listen: str,
    portal: bool = True,
    certificate: Certificate = PLACEHOLDER_CERTIFICATE,
    gateways: Sequence[str] = (),
    portal_listen: str | None = None,
) -> dict[str, str]:
    """Give the text of each file by its name; raise ValueError for an address that cannot be read.

    With `portal=False` the gateway's pages are left out: visitors reach `public_url` without this nginx. `gateways` are
    the URLs of several that share a database; without them nginx asks the one that these settings are of. With
    `portal_listen` the gateway's pages have a port of their own: then a local `public_url` is one that visitors reach.
    """
    said = parse_operator_words(site=site, application=application, listen=listen, certificate=certificate)
    context = context_of(settings, said)
    if portal_listen is not None:
        portal_listen = parse_listen(portal_listen)
        context |= {"portal": settings.public_host, "portal_is_placeholder": False}
    return render_templates(
        "nginx",
        {
            **context,
            "gateways": [parse_gateway(url) for url in gateways] or [context["gateway"]],
            "portal_is_here": portal,
            "portal_listen": portal_listen,
            "check_headers": headers.read_by_check(settings.workspace_header),
            "denied_headers": headers.DENIED_HEADERS,
            "keeps_credentials": not settings.forward_credentials,
            "our_cookie": headers.OUR_COOKIE,
            "cookie_passes": headers.OUR_COOKIES_AT_MOST,
        },
    )
