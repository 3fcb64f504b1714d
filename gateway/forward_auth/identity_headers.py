"""Principal → the headers that tell the application who is there."""

from __future__ import annotations

from gateway.models import Principal

Header = tuple[str, str]

IDENTITY_HEADERS = (
    "Remote-User",
    "Remote-Email",
    "Remote-Name",
    "Remote-Groups",
    "Remote-Role",
    "Remote-Organization",
    "Remote-Workspace",
    "Remote-Auth-Method",
    "Remote-Auth-Level",
)

# On every 200, bypass included, each header is present: a proxy that copies what it finds would otherwise
# let the visitor's own copy through.
_ANONYMOUS = tuple((name, "0" if name == "Remote-Auth-Level" else "") for name in IDENTITY_HEADERS)


def identity_headers(principal: Principal | None) -> tuple[Header, ...]:
    """Render the identity headers, in the order of `IDENTITY_HEADERS`. Values are UTF-8 as they are."""
    if principal is None:
        return _ANONYMOUS
    values = (
        principal.username or principal.email,
        principal.email,
        principal.name,
        ",".join(principal.groups),
        principal.role.value,
        principal.organization,
        principal.workspace,
        principal.credential.value,
        str(principal.level),
    )
    return tuple(zip(IDENTITY_HEADERS, values, strict=True))
