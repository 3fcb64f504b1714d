"""What a key may be limited to."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.credentials.key_scopes import parse_scope, plain_scope
from gateway.models import Scope


@pytest.mark.parametrize(
    ("written", "scope"),
    [
        ({}, Scope()),
        ({"host": "App.Example.com."}, Scope(host="app.example.com")),
        ({"host": "*.b\u00fccher.example"}, Scope(host="*.xn--bcher-kva.example")),
        ({"path": "/api/**"}, Scope(path="/api/**")),
        ({"methods": ["GET", "POST", "GET"]}, Scope(methods=("GET", "POST"))),
    ],
)
def test_scope_is_read_in_the_grammar_of_rules(written: dict[str, Any], scope: Scope) -> None:
    assert parse_scope(**written) == scope
    assert parse_scope(**plain_scope(scope)) == scope


@pytest.mark.parametrize(
    "written",
    [
        {"host": "https://app.example.com"},
        {"host": "app.example.com:8080"},
        {"host": "app.example.com/api"},
        {"host": "*"},
        {"host": "{user}.example.com"},
        {"host": " "},
        {"path": "api/**"},
        {"path": "/api?x=1"},
        {"path": "/" + "x" * 1024},
        {"methods": ["get"]},
        {"methods": [""]},
        {"methods": ["GET POST"]},
        {"methods": [chr(65 + number) for number in range(17)]},
    ],
)
def test_scope_that_would_never_fit_or_is_unclear_is_refused(written: dict[str, Any]) -> None:
    [part] = written
    with pytest.raises(ValueError, match=f"^{part}: "):
        parse_scope(**written)
