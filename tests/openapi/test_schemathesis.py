"""A tool that makes requests from our own document, and holds every answer against it."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.core.result import Ok
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, environment, start_gateway

pytestmark = pytest.mark.long

# What the run would spend at once: it sends as much as a hundred people.
_NO_LIMITS = {
    f"{name}_MAX": "1000000" for name in ("LOGIN", "REGISTER", "RESET_PASSWORD", "VERIFY_EMAIL", "TWO_FACTOR_TEMP")
}
_SETTINGS: dict[str, Any] = {
    "seed": 20_260_131,
    "continue-on-failure": True,
    "generation": {"deterministic": True, "database": "none", "no-shrink": True},
    "phases": {
        "examples": {"enabled": True},
        "coverage": {"enabled": True},
        "fuzzing": {"generation": {"max-examples": 8}},
        "stateful": {"generation": {"max-examples": 4}},
    },
    "operations": [
        # Where no second factor is on, a code beside is looked at as little as a field that is not known. Each answer
        # costs ten slow hashes.
        {
            "include-path": "/api/auth/2fa/enable",
            "checks": {"negative_data_rejection": {"enabled": False}},
            "phases": {"fuzzing": {"generation": {"max-examples": 2}}},
        },
        # Whoever is logged out already, and has the cookie still, is told that the logout succeeded.
        {"include-name": "POST /api/auth/logout", "checks": {"ignored_auth": {"enabled": False}}},
        # The router reads `revoke-others` as an id, too, and names DELETE: which is answered 404.
        {
            "include-name": "POST /api/auth/sessions/revoke-others",
            "checks": {"allow_header_conformance": {"enabled": False}},
        },
        # In the same way `basic` is read as a member's id.
        {
            "include-name": "POST /api/v1/orgs/current/members/basic",
            "checks": {"allow_header_conformance": {"enabled": False}},
        },
    ],
    "checks": {
        # A body that fits the schema can still break a rule that no schema can state, and be refused for it.
        "positive_data_acceptance": {"enabled": False},
    },
}
_TOKEN = {
    "openapi": {
        "accessToken": {
            "path": "/api/auth/login",
            "payload": {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD},
            "extract_selector": "/token",
        }
    }
}


# Those that the tool can get a good answer from: the others want a code, a link, or a password that it does not know.
_REACHED = {
    "POST /api/auth/logout",
    "GET /api/user",
    "GET /api/auth/sessions",
    "POST /api/auth/sessions/revoke-others",
    "GET /api/auth/2fa/enable",
    "POST /api/auth/requestPasswordReset",
    "POST /api/user/verify/resend",
    "POST /api/api-keys",
    "GET /api/api-keys",
    "GET /api/api-keys/{api_key_id}",
    "POST /api/api-keys/{api_key_id}/rotate",
    "DELETE /api/api-keys/{api_key_id}",
    "GET /api/v1/orgs",
    "GET /api/v1/orgs/current",
    "GET /api/v1/orgs/current/members",
    "POST /api/v1/orgs/current/members/basic",
    "GET /api/v1/orgs/current/members/{member_id}",
    "PATCH /api/v1/orgs/current/members/{member_id}",
}


async def test_no_answer_differs_from_the_document(tmp_path: Path) -> None:
    async with start_gateway(_environment(tmp_path)) as gateway:
        run = await asyncio.to_thread(_run, gateway, _SETTINGS)
    assert not run.problems, "\n\n".join(run.problems)
    assert run.operations == set(run.statuses)


async def test_no_answer_to_somebody_logged_in_differs_from_the_document(tmp_path: Path) -> None:
    async with start_gateway(_environment(tmp_path)) as gateway:
        run = await asyncio.to_thread(_run, gateway, {**_SETTINGS, "auth": {"dynamic": _TOKEN}})
    assert not run.problems, "\n\n".join(run.problems)
    assert run.operations == set(run.statuses)
    answered_well = {operation for operation, seen in run.statuses.items() if any(status < 300 for status in seen)}
    assert answered_well >= _REACHED


def _environment(data_dir: Path) -> dict[str, str]:
    return environment(data_dir, **_NO_LIMITS, ALLOW_REGISTRATION="true", ALLOW_PASSWORD_RESET="true")


class _Run:
    """What was answered to whom, and what was wrong with it."""

    def __init__(self, operations: set[str]) -> None:
        self.operations = operations
        self.statuses: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.problems: list[str] = []

    def add(self, event: events.EngineEvent) -> None:
        if isinstance(event, events.ScenarioFinished):
            self._add_answers(event.recorder)
            self.problems += _failures(event.recorder)
        elif isinstance(event, events.NonFatalError):
            self.problems.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            self.problems.append(f"{event.exception!r}")

    def _add_answers(self, recorder: ScenarioRecorder) -> None:
        for case_id, interaction in recorder.interactions.items():
            if interaction.response is not None:
                self.statuses[recorder.cases[case_id].value.operation.label][interaction.response.status_code] += 1


def _run(gateway: Gateway, settings: Mapping[str, Any]) -> _Run:
    config = schemathesis.Config.from_dict(dict(settings))
    schema = schemathesis.openapi.from_url(f"{gateway.url}/openapi.json", config=config)
    schema.config.update(base_url=gateway.url)
    run = _Run({result.ok().label for result in schema.get_all_operations() if isinstance(result, Ok)})
    for event in from_schema(schema).execute():
        run.add(event)
    return run


def _failures(recorder: ScenarioRecorder) -> Iterator[str]:
    for checks in recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                failure, sample = check.failure_info.failure, check.failure_info.code_sample
                yield f"{recorder.label}: {check.name}: {failure.title}\n{failure.message}\n{sample}"
