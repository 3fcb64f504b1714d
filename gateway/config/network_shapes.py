"""Authelia's other places and shapes of named networks, brought to ours: `access_control.networks: {name: [...]}`."""

from __future__ import annotations

from typing import Any

from gateway.config.findings import Finding
from gateway.config.schema import KeyPath, dotted
from gateway.config.yaml_file import Document

_OURS: KeyPath = ("access_control", "networks")
_DEFINITIONS: KeyPath = ("definitions", "network")


def adopt_networks(document: Document) -> None:
    """Move `definitions.network`, and the list of `{name, networks}`, to the one mapping; names keep their lines."""
    section = document.values.get("access_control")
    definitions = document.values.pop("definitions", None)
    if isinstance(section, dict) and isinstance(section.get("networks"), list):
        items = section["networks"]
        section["networks"] = {}
        for index, item in enumerate(items):
            _adopt_item(document, item, (*_OURS, index))
    if definitions is None:
        return
    networks = definitions.pop("network", None) if isinstance(definitions, dict) else None
    if definitions or not isinstance(networks, dict):
        message = "must be a mapping with one key, network, that maps names to networks"
        _refuse(document, _DEFINITIONS[:1], message)
    elif not isinstance(section, dict):
        _refuse(document, _DEFINITIONS[:1], "no rule can use it, since there is no access_control: remove it")
    else:
        for name, members in networks.items():
            _define(document, str(name), members, (*_DEFINITIONS, name))


def _adopt_item(document: Document, item: object, path: KeyPath) -> None:
    if not isinstance(item, dict) or set(item) != {"name", "networks"} or not isinstance(item["name"], str):
        _refuse(document, path, "must have a name and networks, and nothing else")
        return
    _define(document, item["name"], item["networks"], (*path, "networks"))


def _define(document: Document, name: str, members: Any, origin: KeyPath) -> None:  # noqa: ANN401 - whatever YAML holds
    section = document.values["access_control"]
    if section.get("networks") is None:
        section["networks"] = {}
    if not isinstance(section["networks"], dict):
        return  # written as something else in our own place, and refused there
    if name in section["networks"]:
        _refuse(document, origin, f"the network {name} is defined twice: remove one")
        return
    section["networks"][name] = members
    for path, line in list(document.lines.items()):
        if path[: len(origin)] == origin:
            document.lines[(*_OURS, name, *path[len(origin) :])] = line


def _refuse(document: Document, path: KeyPath, message: str) -> None:
    document.problems.append(Finding(dotted(path), document.origin(path), message))
