"""How soon does the slowest of several workers refuse what was revoked? Measured on real servers.

Each round logs somebody in, makes the session known to every worker, ends it by one of them (or by the command line),
and asks each worker again and again, on a connection that is its own, until it refuses. What counts is the time from
the answer to the logout until the last worker's first refusal. Exit code 1: some round took a second or longer.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from tests.support.commands import run_gateway
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, environment
from tests.support.servers.gateway import GatewayProcess
from tests.support.servers.postgresql import PostgresqlProcess, running_postgresql
from tests.support.servers.redis import RedisServer, running_redis

_WORKERS = 4
_BOUND_SECONDS = 1.0
# So many connections without meeting a worker mean that it does not serve.
_MOST_CONNECTIONS = 400
# A decision's id begins with some digits that each process draws for itself.
_PREFIX_LENGTH = 10
_BETWEEN_LOOKS_SECONDS = 0.001
# A command takes a second of a processor: fewer rounds of it.
_COMMANDS_SHARE = 10


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    cookies: list[str]


class Connection:
    """One kept connection, and so one worker."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost:9091", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", body]).encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        received = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
        await self._reader.readexactly(int(received.get("content-length", 0)))
        cookies = [line.partition(": ")[2].partition(";")[0] for line in head if line.lower().startswith("set-cookie:")]
        return Answer(int(head[0].split()[1]), received, cookies)

    async def check(self, cookie: str = "") -> Answer:
        said = {"X_Original_URL": "http://app.example.com/", "X_Original_Method": "GET", "Cookie": cookie}
        return await self.ask("GET", "/api/authz/auth-request", **said)

    async def log_in(self) -> str:
        body = f'{{"email": "{ADMIN_EMAIL}", "password": "{ADMIN_PASSWORD}"}}'
        answer = await self.ask("POST", "/api/auth/login", body, Content_Type="application/json")
        if answer.status != HTTPStatus.OK:
            message = f"a login was answered {answer.status}"
            raise RuntimeError(message)
        return next(cookie for cookie in answer.cookies if cookie.startswith("gateway_session="))

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def connection_to_each_worker(port: int) -> AsyncIterator[list[Connection]]:
    """Connect until every worker has taken one."""
    found: dict[str, Connection] = {}
    others = []
    for _ in range(_MOST_CONNECTIONS):
        connection = await Connection.to(port)
        prefix = (await connection.check()).headers["x-decision-id"][:_PREFIX_LENGTH]
        if prefix in found:
            others.append(connection)
        found.setdefault(prefix, connection)
        if len(found) == _WORKERS:
            break
    for connection in others:
        connection.close()
    if len(found) < _WORKERS:
        message = f"only {len(found)} of {_WORKERS} workers answer"
        raise RuntimeError(message)
    try:
        yield list(found.values())
    finally:
        for connection in found.values():
            connection.close()


async def seconds_until_refused(connection: Connection, cookie: str, since: float) -> float:
    while True:
        answer = await connection.check(cookie)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return time.monotonic() - since
        if answer.status != HTTPStatus.OK:
            message = f"a check was answered {answer.status}"
            raise RuntimeError(message)
        await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)


Revoke = Callable[[int, list[Connection], str], Awaitable[None]]


async def measure(port: int, revoke: Revoke, *, rounds: int) -> list[float]:
    """Give for each round the seconds until the slowest worker refused."""
    slowest = []
    async with connection_to_each_worker(port) as connections:
        for number in range(rounds):
            cookie = await connections[number % _WORKERS].log_in()
            for connection in connections:
                if (await connection.check(cookie)).status != HTTPStatus.OK:
                    message = "a worker refuses a session that is good"
                    raise RuntimeError(message)
            await revoke(number, connections, cookie)
            answered = time.monotonic()
            waits = [seconds_until_refused(connection, cookie, answered) for connection in connections]
            slowest.append(max(await asyncio.gather(*waits)))
    return slowest


async def log_out(number: int, connections: list[Connection], cookie: str) -> None:
    # Not the one that logged in: each does both for different sessions.
    answer = await connections[(number + 1) % _WORKERS].ask("POST", "/api/auth/logout", Cookie=cookie)
    if answer.status != HTTPStatus.OK:
        message = f"a logout was answered {answer.status}"
        raise RuntimeError(message)


class Way:
    """One way by which workers hear of a revocation."""

    def __init__(self, name: str, *, rounds: int, postgresql: PostgresqlProcess | None, redis: bool) -> None:
        self.name = name
        self._rounds = rounds
        self._postgresql = postgresql
        self._has_redis = redis
        self._redis: RedisServer | None = None
        self._environ: dict[str, str] = {}

    def measured(self) -> list[float]:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-revocation-")))
            self._environ = environment(folder / "data")
            if self._postgresql is not None:
                self._environ["DATABASE_URL"] = self._postgresql.new_database()
            if self._has_redis:
                self._redis = stack.enter_context(running_redis())
                self._environ["REDIS_URL"] = self._redis.url
            gateway = GatewayProcess(folder, self._environ, "--workers", str(_WORKERS))
            stack.callback(gateway.stop)
            gateway.start()
            return asyncio.run(measure(gateway.port, self.revoke, rounds=self._rounds))

    async def revoke(self, number: int, connections: list[Connection], cookie: str) -> None:
        await log_out(number, connections, cookie)


class RedisKilled(Way):
    """Redis dies after half of the rounds, in the moment of a logout."""

    async def revoke(self, number: int, connections: list[Connection], cookie: str) -> None:
        if number == self._rounds // 2 and self._redis is not None:
            await asyncio.to_thread(self._redis.stop)
        await log_out(number, connections, cookie)


class CommandLine(Way):
    """A process of its own ends the sessions; the time counts from its end."""

    async def revoke(self, _number: int, _connections: list[Connection], _cookie: str) -> None:
        done = await run_gateway("session", "end-all", ADMIN_EMAIL, "--yes", environ=self._environ)
        if done.code != 0:
            raise RuntimeError(done.err)


def main() -> int:
    """Print a line for each way; give 1 if any round reached the bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="logouts for each way")
    rounds = parser.parse_args().rounds
    print(
        f"{_WORKERS} workers, {rounds} logouts each; milliseconds from the answer to the slowest worker's first refusal"
    )
    print(f"{'heard by':38} {'rounds':>6} {'p50':>7} {'p99':>7} {'max':>7}")
    with running_postgresql() as postgresql:
        commands = max(rounds // _COMMANDS_SHARE, 1)
        ways = (
            Way("Redis (PostgreSQL)", rounds=rounds, postgresql=postgresql, redis=True),
            Way("Redis (SQLite)", rounds=rounds, postgresql=None, redis=True),
            Way("NOTIFY alone", rounds=rounds, postgresql=postgresql, redis=False),
            Way("the log alone (SQLite)", rounds=rounds, postgresql=None, redis=False),
            RedisKilled("Redis killed in the middle (SQLite)", rounds=rounds, postgresql=None, redis=True),
            CommandLine("command line, the log alone (SQLite)", rounds=commands, postgresql=None, redis=False),
            CommandLine("command line (PostgreSQL)", rounds=commands, postgresql=postgresql, redis=False),
        )
        worst = max(_told(way.name, way.measured()) for way in ways)
    print(f"The bound of {_BOUND_SECONDS:.0f} s was {'kept' if worst < _BOUND_SECONDS else 'BROKEN'}.")
    return 0 if worst < _BOUND_SECONDS else 1


def _told(name: str, seconds: Sequence[float]) -> float:
    ordered = sorted(seconds)
    shown = (ordered[len(ordered) // 2], ordered[-1 - len(ordered) // 100], ordered[-1])
    print(f"{name:38} {len(ordered):6} {' '.join(f'{1000 * one:7.1f}' for one in shown)}", flush=True)
    return ordered[-1]


if __name__ == "__main__":
    sys.exit(main())
