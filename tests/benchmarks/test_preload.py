from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.preload import PASSWORD, Amounts, fill
from gateway.config.database_url import DatabaseAddress
from gateway.config.loading import load_settings
from tests.support.gateway import environment, start_gateway


@pytest.mark.both_databases
async def test_a_gateway_accepts_everything_that_was_loaded(tmp_path: Path, gateways_database: DatabaseAddress) -> None:
    amounts = Amounts(members=2, sessions=5, api_keys=3, access_tokens=4, groups_per_member=2)
    environ = environment(tmp_path)
    made = await fill(load_settings(None, (), environ).settings, amounts)
    async with start_gateway(environ) as gateway:
        assert gateway.settings.database == gateways_database
        cookies = [{"Cookie": f"{gateway.settings.session_cookie_name}={token}"} for token in made.sessions]
        keys = [{"X-API-Key": key} for key in made.api_keys]
        tokens = [{"Authorization": f"Bearer {token}"} for token in made.access_tokens]
        answers = [await gateway.check(**headers) for headers in (*cookies, *keys, *tokens)]
        logins = [await gateway.log_in(email, PASSWORD) for email in made.emails]
    assert [answer.status for answer in answers] == [200] * (5 + 3 + 4)
    assert {answer.headers["Remote-Groups"].count(",") for answer in answers} == {1}
    assert {answer.headers["Remote-Email"] for answer in answers} == set(made.emails)
    assert [login.status for login in logins] == [200, 200]


async def test_loading_twice_adds_to_what_is_there(tmp_path: Path) -> None:
    settings = load_settings(None, (), environment(tmp_path)).settings
    amounts = Amounts(members=1, sessions=1, groups_per_member=1)
    once, twice = await fill(settings, amounts), await fill(settings, amounts)
    async with start_gateway(environment(tmp_path)) as gateway:
        name = gateway.settings.session_cookie_name
        answers = [await gateway.check(Cookie=f"{name}={made.sessions[0]}") for made in (once, twice)]
    assert [answer.status for answer in answers] == [200, 200]
