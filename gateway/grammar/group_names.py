"""Names of groups: they travel in one header, joined by commas, and rules refer to them."""

from __future__ import annotations

import unicodedata

from gateway.grammar.names import parse_name


def parse_group_name(text: str) -> str:
    """Give the trimmed name in its composed form (NFKC), or raise ValueError with the broken rule."""
    name = parse_compared_name(text)
    if "," in name:
        message = "A group's name cannot hold a comma: commas stand between the groups in Remote-Groups."
        raise ValueError(message)
    return name


def parse_compared_name(text: str) -> str:
    """Give the trimmed name, composed (NFKC), of what is found by it; raise ValueError with the broken rule."""
    name = parse_name(unicodedata.normalize("NFKC", text))
    # Some characters grow when they are folded, and what is compared has to fit as well.
    parse_name(canonical_group_name(name))
    return name


def canonical_group_name(name: str) -> str:
    """Give the form in which names of groups are compared: NFKC, without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
