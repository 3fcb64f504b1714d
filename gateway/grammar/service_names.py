"""Names of service accounts: applications read `service:NAME`, and rules refer to it."""

from __future__ import annotations

from gateway.grammar.group_names import parse_compared_name


def parse_service_name(text: str) -> str:
    """Give the trimmed name in its composed form (NFKC), or raise ValueError with the broken rule."""
    name = parse_compared_name(text)
    if "," in name:
        message = "A service account's name cannot hold a comma: lists in rules and headers are split there."
        raise ValueError(message)
    return name
