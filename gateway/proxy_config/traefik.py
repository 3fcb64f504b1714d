"""Traefik asks by `forwardAuth`: its files, Docker labels and Kubernetes resources, from the running settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.proxy_config import headers
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

# Traefik sets these itself, after it has removed the visitor's.
_TRAEFIKS_OWN = ("X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server")

_OUR_PREFIX = "Remote-"


def render(
    settings: Settings,
    *,
    site: str,
    application: str,
    listen: str,
    certificate: Certificate = PLACEHOLDER_CERTIFICATE,
) -> dict[str, str]:
    """Give the text of each file by its name; raise ValueError for an address that cannot be read."""
    said = parse_operator_words(site=site, application=application, listen=listen, certificate=certificate)
    context = context_of(settings, said)
    identity = headers.with_configured(settings.identity_headers.facts)
    removed = (*headers.removed_from_visitors(settings.workspace_header), *headers.REMOVED_REQUEST_HEADERS)
    return render_templates(
        "traefik",
        {
            **context,
            "entry_point": "websecure" if settings.secure else "web",
            "address": said.listen if ":" in said.listen else f":{said.listen}",
            "application_url": f"{said.application.scheme}://{said.application.address}",
            "answer_headers": _answer_headers(identity),
            "removed_headers": headers.without(removed, (*identity, *_TRAEFIKS_OWN)),
        },
    )


def _answer_headers(identity: Sequence[str]) -> str:
    """Match what is the gateway's to say, so that Traefik removes the visitor's copies before it sets the answer's.

    A name with anything but letters, digits and hyphens matches too, and is in no answer: `remote_user` and
    `Remote.User` are removed, which many applications read as Remote-User.
    """
    others = (re.escape(name).replace(r"\-", "-") for name in identity if not name.startswith(_OUR_PREFIX))
    return f"(?i)^({'|'.join((f'{_OUR_PREFIX}.*', *others))})$|[^a-z0-9-]"
