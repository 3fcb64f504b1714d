"""An open-loop load: each check is sent when it is due, whatever became of the ones before it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from tests.faults.history import Answer, Event, Kind
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, APP_URL
from tests.support.protected_site import HOST

_PATIENCE = ClientTimeout(total=6)
_LOGOUTS_PER_SECOND = 2
# Every check is about one of these; what was revoked lately is asked about most.
_LIVE, _MORTAL, _FORGED = 6, 4, 3
_ASKED_ABOUT = {"live": 4, "mortal": 2, "revoked": 3, "forged": 1}
_VERIFICATION_SECONDS = 20


def repeatable(seed: float) -> Random:
    """Give chance that is the same for the same seed."""
    return Random(seed)  # noqa: S311 - it decides an order, and no secret


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask: a gateway as a proxy would, or a proxy as a visitor would."""

    name: str
    url: str
    is_proxy: bool = False


@dataclass(frozen=True, slots=True)
class Credential:
    """What a check carries, and how to end it: the request, and what that one carries."""

    name: str
    carried: Mapping[str, str] = field(repr=False)
    ended_by: tuple[str, str] = ("POST", "/api/auth/logout")
    ended_with: Mapping[str, str] = field(default_factory=dict, repr=False)


class Load:
    """People and programs of one site, and everything that they were answered."""

    def __init__(self, client: ClientSession, *, targets: list[Target], portals: list[Target], random: Random) -> None:
        self.events: list[Event] = []
        self.lost: list[str] = []
        self.live: list[Credential] = []
        self.forged = [_session(f"forged-{number}", "x" * (40 + number)) for number in range(_FORGED)]
        self._client = client
        self._targets = targets
        self._portals = portals
        self._random = random
        self._mortal: list[Credential] = []
        self._revoked: list[Credential] = []
        self._sessions = 0
        # Of the first session, which lives as long as all this: what keys are made and ended with.
        self._bearer: dict[str, str] = {}
        self._flying: set[asyncio.Task[object]] = set()
        self._mistakes: list[BaseException] = []

    async def prepare(self) -> None:
        """Log in those who stay and some who will not, and make them known to every process."""
        self.live = [await self._log_in_surely() for _ in range(_LIVE)]
        self.live.append(await self._make_key("key-live"))
        self._mortal = [await self._log_in_surely() for _ in range(_MORTAL)]
        self._mortal.append(await self._make_key("key-mortal"))
        self._revoked = [await self._log_in_surely()]
        await self._end(self._portals[0], self._revoked[0])
        for credential in (*self.live, *self._mortal):
            for target in self._targets:
                await self._check(target, credential)

    @asynccontextmanager
    async def flowing(self, *, per_second: float) -> AsyncIterator[None]:
        """Send until the block ends, and wait for what was sent. Raises what went wrong with the load itself."""
        streams = [self._fly(self._send_checks(per_second)), self._fly(self._change_people())]
        try:
            yield
        finally:
            for stream in streams:
                stream.cancel()
            while self._flying:
                await asyncio.wait(self._flying)
        # A load that has stopped in silence would find every promise kept.
        if self._mistakes:
            raise self._mistakes[0]

    async def verify(self) -> None:
        """Ask everybody about every credential: what was answered once must hold, on each of them."""
        ends = {event.credential: event for event in self.events if event.kind is Kind.LOGOUT}
        for credential in (*self.live, *self._mortal, *self._revoked):
            end = ends.get(credential.name)
            expected = {Answer.YES} if end is None else {Answer.NO}
            if end is not None and end.answer is Answer.UNAVAILABLE:
                expected = {Answer.YES, Answer.NO}
            for target in self._targets:
                if (answer := await self._final_answer(target, credential)) not in expected:
                    self.lost.append(f"{target.name} answers {answer.name} about {credential.name}")

    async def _final_answer(self, target: Target, credential: Credential) -> Answer:
        deadline = time.monotonic() + _VERIFICATION_SECONDS
        while (await self._check(target, credential)).answer is Answer.UNAVAILABLE:
            if time.monotonic() > deadline:
                return Answer.UNAVAILABLE
            await asyncio.sleep(0.1)
        return self.events[-1].answer

    async def _send_checks(self, per_second: float) -> None:
        due, number = time.monotonic(), 0
        while True:
            due += 1 / per_second
            await asyncio.sleep(max(0, due - time.monotonic()))
            number += 1
            self._fly(self._check(self._targets[number % len(self._targets)], self._pick()))

    async def _change_people(self) -> None:
        """Log somebody in and another one out, at one process after the other."""
        turn = 0
        while True:
            await asyncio.sleep(1 / _LOGOUTS_PER_SECOND)
            turn += 1
            portal = self._portals[turn % len(self._portals)]
            self._fly(self._enter(portal))
            if len(self._mortal) > 1:
                leaving = self._mortal.pop(self._random.randrange(len(self._mortal)))
                self._revoked.append(leaving)
                self._fly(self._end(portal, leaving))

    def _pick(self) -> Credential:
        kinds = {"live": self.live, "mortal": self._mortal, "revoked": self._revoked[-8:], "forged": self.forged}
        kind = self._random.choices(list(_ASKED_ABOUT), weights=list(_ASKED_ABOUT.values()))[0]
        return self._random.choice(kinds[kind] or self.live)

    def _fly(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        task = asyncio.create_task(work)
        self._flying.add(task)
        task.add_done_callback(self._land)
        return task

    def _land(self, task: asyncio.Task[object]) -> None:
        self._flying.discard(task)
        if not task.cancelled() and (mistake := task.exception()) is not None:
            self._mistakes.append(mistake)

    async def _enter(self, portal: Target) -> None:
        if (made := await self._log_in(portal)) is not None:
            self._mortal.append(made)

    async def _log_in_surely(self) -> Credential:
        made = await self._log_in(self._portals[0])
        assert made is not None, self.events[-1]
        return made

    async def _log_in(self, portal: Target) -> Credential | None:
        self._sessions += 1
        name = f"session-{self._sessions}"
        body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
        response = await self._send(Kind.LOGIN, name, portal, "POST", "/api/auth/login", json=body)
        if response is None or response.status != HTTPStatus.OK:
            return None
        made = _session(name, response.cookies["gateway_session"].value)
        self._bearer = self._bearer or {"Authorization": f"Bearer {(await response.json())['token']}"}
        return made

    async def _make_key(self, name: str) -> Credential:
        owner = self._bearer
        response = await self._send(
            Kind.LOGIN, name, self._portals[0], "POST", "/api/api-keys", headers=owner, json={"name": name}
        )
        assert response is not None
        assert response.status == HTTPStatus.CREATED, await response.text()
        made = await response.json()
        return Credential(name, {"X-API-Key": made["key"]}, ("DELETE", f"/api/api-keys/{made['id']}"), owner)

    async def _end(self, portal: Target, credential: Credential) -> None:
        method, path = credential.ended_by
        await self._send(
            Kind.LOGOUT, credential.name, portal, method, path, headers=credential.ended_with or credential.carried
        )

    async def _check(self, target: Target, credential: Credential) -> Event:
        if target.is_proxy:
            await self._send(
                Kind.CHECK, credential.name, target, "GET", "/", headers={"Host": HOST, **credential.carried}
            )
        else:
            asked = {"X-Original-URL": APP_URL, "X-Original-Method": "GET", **credential.carried}
            await self._send(Kind.CHECK, credential.name, target, "GET", "/api/authz/auth-request", headers=asked)
        return self.events[-1]

    async def _send(  # noqa: PLR0913 - what happens, to whom, asked by what
        self,
        kind: Kind,
        credential: str,
        asked: Target,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: object = None,
    ) -> ClientResponse | None:
        response = None
        invoked = time.monotonic()
        with suppress(ClientError, OSError, TimeoutError):
            response = await self._client.request(
                method, f"{asked.url}{path}", headers=headers, json=json, allow_redirects=False
            )
            await response.read()
        status = None if response is None else response.status
        self.events.append(Event(kind, credential, asked.name, invoked, time.monotonic(), status))
        return response


def _session(name: str, token: str) -> Credential:
    return Credential(name, {"Cookie": f"gateway_session={token}"})


@asynccontextmanager
async def prepared_load(*, targets: list[Target], portals: list[Target], random: Random) -> AsyncIterator[Load]:
    """Give a load whose people have logged in."""
    async with ClientSession(cookie_jar=DummyCookieJar(), timeout=_PATIENCE, connector=TCPConnector(limit=0)) as client:
        load = Load(client, targets=targets, portals=portals, random=random)
        await load.prepare()
        yield load
