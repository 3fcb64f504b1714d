"""Names of workspaces: applications may know one by its name alone, in a header or a list."""

from __future__ import annotations

from gateway.grammar.group_names import parse_compared_name


def parse_workspace_name(text: str) -> str:
    """Give the trimmed name in its composed form (NFKC), or raise ValueError with the broken rule."""
    name = parse_compared_name(text)
    if "," in name:
        message = "A workspace's name cannot hold a comma: applications list workspaces with commas between them."
        raise ValueError(message)
    return name
