"""LangSmith's Helm values, `config: {authType, basicAuth: {…}, oauth: {…}}`, taken as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.config.findings import Finding
from gateway.config.schema import KeyPath, did_you_mean, dotted
from gateway.config.yaml_file import Document

BLOCK = "config"
_SECTION = "basicAuth"
_SECTIONS = (_SECTION, "oauth")
_MAPPINGS: frozenset[KeyPath] = frozenset({(), *((name,) for name in _SECTIONS)})
_KEYS: Mapping[KeyPath, tuple[str, ...]] = {
    ("authType",): ("auth_type",),
    (_SECTION, "enabled"): ("basic_auth", "enabled"),
    (_SECTION, "initialOrgAdminEmail"): ("basic_auth", "initial_org_admin_email"),
    (_SECTION, "initialOrgAdminPassword"): ("basic_auth", "initial_org_admin_password"),
    (_SECTION, "jwtSecret"): ("basic_auth", "jwt_secret"),
    ("oauth", "enabled"): ("oauth", "enabled"),
    ("oauth", "oauthClientId"): ("oauth", "client_id"),
    ("oauth", "oauthClientSecret"): ("oauth", "client_secret"),
    ("oauth", "oauthIssuerUrl"): ("oauth", "issuer_url"),
}


def adopt_helm_block(document: Document) -> None:
    """Move what stands below `config` to our own keys; a key that is set in both places is a problem."""
    if BLOCK not in document.values:
        return
    _restore_indentation(document)
    block = document.values.pop(BLOCK)
    for path, value in _leaves(block, ()):
        target = _KEYS.get(path)
        if target is None:
            _refuse(document, path)
        elif value is not None:
            _move(document, path, target, value)


def _restore_indentation(document: Document) -> None:
    """Read a block whose indentation was lost in copying (`config:` and `basicAuth:` then hold nothing) as meant."""
    values = document.values
    if values[BLOCK] is not None or values.get(_SECTION) is not None:
        return
    block: dict[str, Any] = {_SECTION: {}}
    for path in _KEYS:
        if path[0] != "oauth" and path[-1] in values:
            (block[_SECTION] if len(path) > 1 else block)[path[-1]] = values.pop(path[-1])
            document.lines[(BLOCK, *path)] = document.lines[path[-1:]]
    values.pop(_SECTION, None)
    values[BLOCK] = block


def _leaves(value: object, path: tuple[str, ...]) -> list[tuple[KeyPath, Any]]:
    if isinstance(value, dict) and path in _MAPPINGS:
        return [leaf for key, below in value.items() for leaf in _leaves(below, (*path, key))]
    return [] if value is None and path in _MAPPINGS else [(path, value)]


def _move(document: Document, path: KeyPath, target: tuple[str, ...], value: object) -> None:
    *above, name = target
    section = document.values
    for step in above:
        if section.get(step) is None:
            section[step] = {}
        section = section[step]
        if not isinstance(section, dict):
            return  # written as something else in our own place, and refused there
    if section.get(name) is not None:
        message = f"is set as {dotted(target)} in {document.origin(target)} already: remove one"
        document.problems.append(Finding(dotted((BLOCK, *path)), document.origin((BLOCK, *path)), message))
        return
    section[name] = value
    document.lines[target] = document.lines[BLOCK, *path]


def _refuse(document: Document, path: KeyPath) -> None:
    where = (BLOCK, *path)
    if path in _MAPPINGS:
        message = "must be a mapping of keys"
    else:
        known = [dotted((BLOCK, *key)) for key in _KEYS]
        message = f"there is no such setting{did_you_mean(dotted(where), known)}"
    document.problems.append(Finding(dotted(where), document.origin(where), message))
