"""A gateway in each lane over one database, and everybody who may come with a credential."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
import uvloop

from tests.fast_lane.client import Client
from tests.fast_lane.people import People, settle_in
from tests.support.background import in_background
from tests.support.gateway import Gateway, environment, start_gateway
from tests.support.lanes import Lane, lane_of_gateways

T = TypeVar("T")

RULES = r"""
basic_credentials: true
identity_headers: {presets: [authelia, langsmith]}
access_control:
  default_policy: one_factor
  networks: {office: ["203.0.113.0/24", "2001:db8::/32"]}
  rules:
    - {name: public, domain: app.example.com, path: ["/public/**"], policy: bypass}
    - {name: closed, domain: app.example.com, resources: ["^/admin"], policy: deny}
    - {name: home, domain: "{user}.home.example.com", policy: one_factor}
    - {name: homes of others, domain: "*.home.example.com", policy: deny}
    - {name: team, domain: "{group}.team.example.com", policy: one_factor}
    - {name: other teams, domain: "*.team.example.com", policy: deny}
    - {name: lab, domain_regex: '^(?P<User>\w+)\.lab\.example\.com$', policy: one_factor}
    - {name: other labs, domain: "*.lab.example.com", policy: deny}
    - {name: shelves, domain: files.example.com, resources: ['^/g/(?P<Group>\w+)/'], policy: one_factor}
    - {name: files, domain: files.example.com, policy: deny}
    - {name: reading, domain: ro.example.com, methods: [GET, HEAD], policy: one_factor}
    - {name: writing, domain: ro.example.com, policy: deny}
    - {name: office, domain: office.example.com, networks: [office], policy: bypass}
    - {name: outside, domain: office.example.com, networks: ["198.51.100.0/24"], policy: deny}
    - {name: staff, domain: staff.example.com, policy: one_factor,
       subject: [["group:staff", "user:ada@example.com"], "role:Organization Admin"]}
    - {name: not staff, domain: staff.example.com, policy: deny}
    - {name: programs, domain: staff-api.example.com, subject: ["service:report"], policy: one_factor}
    - {name: no programs, domain: staff-api.example.com, policy: deny}
    - {name: keys, domain: api.example.com, path: ["/v1/**"], credentials: [api_key], policy: one_factor}
    - {name: cors, domain: api.example.com, path: ["/cors/**"], allow_preflight: true, policy: one_factor}
    - {name: tokens, domain: api.example.com, path: ["/v2/*"], credentials: [jwt, session], policy: one_factor}
    - {name: vault, domain: vault.example.com, policy: two_factor}
    - {name: asked, domain: query.example.com, query: [{operator: pattern, key: q, value: "^x"}], policy: bypass}
"""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Both gateways, on a loop of their own beside the test, and what people carry."""

    gateways: dict[Lane, Gateway]
    people: People
    loop: asyncio.AbstractEventLoop

    def port(self, lane: Lane) -> int:
        port = urlsplit(self.gateways[lane].url).port
        assert port is not None
        return port

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def let_read(self) -> None:
        """Return when the gateways have read what was sent: their loop has looked at every connection since."""

        async def look() -> None:
            for _ in range(3):
                await asyncio.sleep(0)

        self.run(look())


@asynccontextmanager
async def _both(folder: Path) -> AsyncIterator[Lanes]:
    config = folder / "gateway.yaml"
    config.write_text(RULES)
    async with AsyncExitStack() as stack:
        gateways = {}
        for lane in Lane:
            with lane_of_gateways(lane):
                starting = start_gateway(environment(folder / "data"), config=config)
                gateways[lane] = await stack.enter_async_context(starting)
        yield Lanes(gateways, await settle_in(gateways[Lane.SLOW]), asyncio.get_running_loop())


@pytest.fixture(scope="session")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lanes]:
    """One pair for all tests of a process: none of them changes anything in it."""
    with in_background(_both(tmp_path_factory.mktemp("lanes")), new_loop=uvloop.new_event_loop) as both:
        yield both


@pytest.fixture
def client(lanes: Lanes) -> Iterator[Client]:
    client = Client(lanes)
    yield client
    for lane in Lane:
        client.close(lane)
