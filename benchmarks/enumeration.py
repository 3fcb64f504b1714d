"""Does the time of an answer tell whether an account exists (ASVS 6.3.8)? Measured on a real gateway.

Each round asks every path about one address of each kind, one request at a time, in random order. For each kind the
median of its differences from the unknown address of the same round is printed with a 99.9 % interval, and how often
it was the slower one (50 %: the time tells nothing). Exit code 1: an interval lies beyond the bound, so that whoever
measures often enough learns something; 2: nothing could be learnt. Meant for a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
import socket
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientConnectionError, ClientSession, DummyCookieJar, encode_basic_auth
from sqlalchemy import text

from gateway.config.database_url import SqliteFile
from gateway.credentials.passwords import PasswordHashing
from gateway.models import OrganizationRole
from gateway.storage.accounts import create_account
from gateway.storage.database import Database

# The noise of any network hides less.
BOUND_MS = 1.0
# A wider interval says that the machine was busy, and nothing about the gateway.
_WIDEST_MS = 10.0
# Standard deviations: 99.9 % of a normal distribution lie within. A dozen intervals are looked at.
_CONFIDENCE = 3.29
_FEWEST_ROUNDS = 20
_STARTING_SECONDS = 60
_PASSWORD = "mint grows on the wall"  # noqa: S105 - of accounts that live as long as this program
_WRONG = "mint grows on the roof"
_UNKNOWN = "unknown"
_REFUSED_FOR_ANOTHER_REASON = (429, 503)


@dataclass(frozen=True, slots=True)
class Kind:
    """Addresses of one kind, and the password that is tried with them; `state` is what makes the account one."""

    name: str
    password: str = _WRONG
    state: str | None = None
    exists: bool = True


_STRANGER = Kind(_UNKNOWN, exists=False)
_KNOWN = Kind("known")
_LOGIN_KINDS = (
    _STRANGER,
    _KNOWN,
    Kind("disabled", state="disabled_at = created_at"),
    Kind("disabled, right password", password=_PASSWORD, state="disabled_at = created_at"),
    Kind("unverified", state="email_verified = 0"),
)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to ask about an address; whatever is asked about, one status is the answer."""

    name: str
    path: str
    body: Callable[[str, str], dict[str, str]] | None = None
    kinds: tuple[Kind, ...] = _LOGIN_KINDS


_WAYS = (
    Way("login", "/api/auth/login", lambda email, password: {"email": email, "password": password}),
    Way("Basic on a check", "/api/authz/auth-request"),
    Way("register", "/api/auth/register", lambda email, _: _registration(email), kinds=(_STRANGER, _KNOWN)),
    Way(
        "reset request", "/api/auth/requestPasswordReset", lambda email, _: {"email": email}, kinds=(_STRANGER, _KNOWN)
    ),
)


@dataclass(frozen=True, slots=True)
class Sample:
    way: Way
    kind: Kind
    email: str


class _UselessError(Exception):
    """What was measured says nothing."""


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=150, help="answers of each kind on each path")
    parser.add_argument("--seconds", type=float, default=300, help="stop measuring after so long")
    arguments = parser.parse_args()
    try:
        return asyncio.run(_measure_and_judge(rounds=arguments.rounds, seconds=arguments.seconds))
    except _UselessError as error:
        print(f"Nothing was learnt: {error}", file=sys.stderr)
        return 2


async def _measure_and_judge(*, rounds: int, seconds: float) -> int:
    samples = [list(_samples_of_round(number)) for number in range(rounds)]
    with tempfile.TemporaryDirectory() as folder:
        async with _gateway(Path(folder)) as url:
            await _add_accounts(Path(folder), [sample for one in samples for sample in one])
            times = await _measure(url, samples, seconds=seconds)
    return _judge(times)


def _samples_of_round(number: int) -> Iterator[Sample]:
    """Give one of each kind for each way; no account is asked about twice, so that none pauses."""
    for way_number, way in enumerate(_WAYS):
        for kind_number, kind in enumerate(way.kinds):
            # All addresses are of one length: a longer one takes longer to read.
            yield Sample(way, kind, f"person{way_number}{kind_number}{number:06}@example.com")


@asynccontextmanager
async def _gateway(folder: Path) -> AsyncIterator[str]:
    """Run `gateway serve` in a process of its own, without limits per address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    limits = {f"{name}_MAX": "1000000" for name in ("LOGIN", "REGISTER", "RESET_PASSWORD", "VERIFY_EMAIL")}
    environ = {
        "PATH": os.environ["PATH"],
        "GATEWAY_DATA_DIR": str(folder),
        "GATEWAY_LISTEN": url.removeprefix("http://"),
        "GATEWAY_PUBLIC_URL": url,
        "GATEWAY_BASIC_CREDENTIALS": "true",
        "ALLOW_REGISTRATION": "true",
        "BAN_VIOLATIONS": "false",
        **limits,
    }
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", "serve", env=environ, stdout=log, stderr=log
        )
    try:
        await _wait_until_it_answers(url, process)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _wait_until_it_answers(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(_STARTING_SECONDS), ClientSession() as client:
        while process.returncode is None:
            try:
                async with client.get(f"{url}/healthz"):
                    return
            except ClientConnectionError:
                await asyncio.sleep(0.1)
    message = "the gateway did not start"
    raise _UselessError(message)


async def _add_accounts(folder: Path, samples: Sequence[Sample]) -> None:
    passwords = PasswordHashing(threads=1)
    password_hash = await passwords.hash(_PASSWORD)
    passwords.close()
    database = Database.open(SqliteFile(folder / "gateway.db"))
    async with database.write() as connection:
        for sample in samples:
            if not sample.kind.exists:
                continue
            account = await create_account(
                connection,
                email=sample.email,
                name="Somebody",
                password_hash=password_hash,
                role=OrganizationRole.USER,
                must_change_password=False,
                now=datetime.now(UTC),
            )
            if sample.kind.state is not None:
                statement = f"UPDATE accounts SET {sample.kind.state} WHERE id = :id"  # noqa: S608 - our own words
                await connection.execute(text(statement), {"id": account.id})
    await database.close()


async def _measure(
    url: str, rounds: Sequence[Sequence[Sample]], *, seconds: float
) -> dict[tuple[str, str], list[float]]:
    """Give milliseconds by way and kind, one for each round."""
    times: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    statuses: defaultdict[str, set[int]] = defaultdict(set)
    ends_at = time.monotonic() + seconds
    async with ClientSession(cookie_jar=DummyCookieJar()) as client:
        for sample in rounds[0]:
            # Before it counts: connections and caches of the first requests are cold.
            await _ask(client, url, Sample(sample.way, _STRANGER, f"nobody{sample.email}"))
        for done, samples in enumerate(rounds):
            if time.monotonic() > ends_at:
                print(f"Stopped after {seconds:.0f} s, with {done} of {len(rounds)} rounds.")
                break
            for sample in random.sample(samples, len(samples)):
                status, milliseconds = await _ask(client, url, sample)
                statuses[sample.way.name].add(status)
                times[sample.way.name, sample.kind.name].append(milliseconds)
    _require_one_status(statuses)
    return times


async def _ask(client: ClientSession, url: str, sample: Sample) -> tuple[int, float]:
    options: dict[str, Any] = {}
    if sample.way.body is not None:
        options["json"] = sample.way.body(sample.email, sample.kind.password)
    else:
        options["headers"] = {
            "Authorization": encode_basic_auth(sample.email, sample.kind.password),
            "X-Original-URL": "http://app.example.com/",
            "X-Original-Method": "GET",
        }
    method = "GET" if sample.way.body is None else "POST"
    began = time.perf_counter()
    async with client.request(method, f"{url}{sample.way.path}", **options) as response:
        await response.read()
    return response.status, (time.perf_counter() - began) * 1000


def _require_one_status(statuses: dict[str, set[int]]) -> None:
    for way, seen in statuses.items():
        if len(seen) > 1 or not seen.isdisjoint(_REFUSED_FOR_ANOTHER_REASON):
            message = (
                f"{way}: the answers are {sorted(seen)}; one and the same was expected (503: the machine is too busy)"
            )
            raise _UselessError(message)


def _judge(times: dict[tuple[str, str], list[float]]) -> int:
    told_apart, widest = False, 0.0
    print(f"{'path':18} {'kind':26} {'median':>10} {'difference, 99.9 % interval':>32} {'slower':>7}")
    for (way, kind), measured in sorted(times.items(), key=lambda item: (item[0][0], item[0][1] != _UNKNOWN)):
        line = f"{way:18} {kind:26} {statistics.median(measured):7.2f} ms"
        if kind == _UNKNOWN:
            print(line)
            continue
        differences = [one - other for one, other in zip(measured, times[way, _UNKNOWN], strict=True)]
        low, high = _interval_of_median(differences)
        beyond = low > BOUND_MS or high < -BOUND_MS
        told_apart, widest = told_apart or beyond, max(widest, high - low)
        interval = f"{statistics.median(differences):+.2f} ms ({low:+.2f} to {high:+.2f})"
        slower = sum(difference > 0 for difference in differences) / len(differences)
        print(f"{line} {interval:>32} {slower:6.0%} {'TOLD APART' if beyond else ''}".rstrip())
    if widest > _WIDEST_MS and not told_apart:
        message = f"an interval is {widest:.0f} ms wide, so take a quieter machine or more rounds"
        raise _UselessError(message)
    print(f"{'Told apart' if told_apart else 'Not told apart'} by more than {BOUND_MS:.0f} ms.")
    return 1 if told_apart else 0


def _interval_of_median(differences: Sequence[float]) -> tuple[float, float]:
    """Give the two order statistics between which the true median lies (binomial, as a normal distribution)."""
    if len(differences) < _FEWEST_ROUNDS:
        message = f"{len(differences)} rounds say nothing: {_FEWEST_ROUNDS} are needed"
        raise _UselessError(message)
    ordered = sorted(differences)
    outside = math.floor((len(ordered) - _CONFIDENCE * math.sqrt(len(ordered))) / 2)
    return ordered[outside], ordered[-1 - outside]


def _registration(email: str) -> dict[str, str]:
    return {"email": email, "password": _PASSWORD, "confirm_password": _PASSWORD, "name": "Somebody"}


if __name__ == "__main__":
    sys.exit(main())
