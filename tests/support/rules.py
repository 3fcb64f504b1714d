"""Policies as somebody writes them, and requests as a proxy asks them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.config.settings import AccessControl
from gateway.forward_auth.original_request import Endpoint, OriginalRequest, parse_original_request
from gateway.forward_auth.policy import Policy, compile_policy


def policy(*rules: dict[str, Any], default: str | None = None, **section: Any) -> Policy:  # noqa: ANN401 - as in a file
    written: dict[str, Any] = {**section, "rules": list(rules)}
    if default is not None:
        written["default_policy"] = default
    return compile_policy(AccessControl.model_validate(written))


def rule(decision: str, domain: str = "app.test", **criteria: Any) -> dict[str, Any]:  # noqa: ANN401 - as in a file
    return {"domain": domain, "policy": decision, **criteria}


def ask(url: str, method: str = "GET", *, preflight: bool = False) -> OriginalRequest:
    url = url if "://" in url else f"https://app.test{url}"
    headers = {"x-original-url": [url], "x-original-method": [method]}
    return replace(parse_original_request(Endpoint.AUTH_REQUEST, headers), preflight=preflight)
