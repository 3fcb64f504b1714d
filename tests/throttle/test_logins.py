"""How often may one try: per account in the store, per address in the process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import InvalidCredentials, TooManyAttempts
from gateway.models import Account
from gateway.storage.database import Database
from gateway.throttle.address_limits import throttled_address
from gateway.throttle.logins import Attempt, LoginThrottle, Secret
from tests.support.database import add_account
from tests.support.parts import make_proof, make_throttle

START = datetime(2026, 1, 1, tzinfo=UTC)
ADDRESS = "192.0.2.1"
LONGEST = timedelta(minutes=5)


@pytest.fixture
def throttle() -> LoginThrottle:
    """One that stops accounts only."""
    return make_throttle(10_000)


@pytest.fixture(autouse=True)
def travel() -> Iterator[time_machine.Traveller]:
    """Stand still at a moment; tests move on from there."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def now() -> datetime:
    return datetime.now(UTC)


async def attempt(
    database: Database, throttle: LoginThrottle, name: str = "ada", *, right: bool = False, address: str = ADDRESS
) -> bool:
    """Try once, as a login does; say whether it was evaluated."""
    tried = Attempt(name, address)
    try:
        async with database.read() as connection:
            await throttle.admit(connection, tried, now=now())
        async with database.write() as connection:
            await throttle.settle(connection, tried, proven=right, now=now())
        if not right:
            await throttle.count_failure_of(tried)
    except TooManyAttempts:
        return False
    return True


async def pause_of(database: Database, throttle: LoginThrottle, name: str = "ada") -> timedelta:
    """Say for how long the account pauses now."""
    async with database.read() as connection:
        try:
            await throttle.admit(connection, Attempt(name, None), now=now())
        except TooManyAttempts as refusal:
            return refusal.retry_after or timedelta.max
    return timedelta(0)


async def test_pause_begins_with_the_fifth_failure_and_doubles_up_to_five_minutes(
    database: Database, throttle: LoginThrottle, travel: time_machine.Traveller
) -> None:
    """L6."""
    pauses = []
    for _ in range(20):
        assert await attempt(database, throttle)
        pauses.append(await pause_of(database, throttle))
        travel.shift(pauses[-1])
    doubling = [timedelta(seconds=2**exponent) for exponent in range(9)]
    assert pauses == [timedelta(0)] * 4 + doubling + [LONGEST] * 7


async def test_nothing_is_evaluated_during_a_pause_not_even_the_right_password(
    database: Database, throttle: LoginThrottle, travel: time_machine.Traveller
) -> None:
    """L6."""
    for _ in range(5):
        await attempt(database, throttle)
    travel.shift(0.999)
    assert not await attempt(database, throttle, right=True)
    assert not await attempt(database, throttle)
    travel.shift(0.001)
    assert await attempt(database, throttle, right=True), "an attempt during the pause does not make it longer"


async def test_right_password_clears_the_count(database: Database, throttle: LoginThrottle) -> None:
    for _ in range(3):
        for _ in range(4):
            assert await attempt(database, throttle)
        assert await attempt(database, throttle, right=True)
    assert await pause_of(database, throttle) == timedelta(0)


async def test_owner_is_never_locked_out_for_ever(
    database: Database, throttle: LoginThrottle, travel: time_machine.Traveller
) -> None:
    """L6."""
    for _ in range(200):
        travel.shift(await pause_of(database, throttle))
        assert await attempt(database, throttle)
    travel.shift(LONGEST)
    assert await attempt(database, throttle, right=True)


async def test_failures_of_one_account_are_counted_over_all_addresses(
    database: Database, throttle: LoginThrottle
) -> None:
    """L6."""
    for number in range(5):
        await attempt(database, throttle, address=f"198.51.100.{number}")
    assert not await attempt(database, throttle, address="203.0.113.9")
    assert await attempt(database, throttle, "eve"), "another account is another count"


async def test_count_survives_a_restart(database: Database, throttle: LoginThrottle) -> None:
    for _ in range(5):
        await attempt(database, throttle)
    assert await pause_of(database, make_throttle(7)) == timedelta(seconds=1)


async def test_address_may_fail_seven_times_in_five_minutes_over_all_accounts(
    database: Database, travel: time_machine.Traveller
) -> None:
    throttle = make_throttle(7)
    assert [await attempt(database, throttle, f"account{number}") for number in range(9)] == [True] * 7 + [False] * 2
    assert not await attempt(database, throttle, "somebody", right=True)
    assert await attempt(database, throttle, "somebody", address="192.0.2.2")
    travel.shift(timedelta(minutes=5, seconds=1))
    assert await attempt(database, throttle, "somebody", right=True)


async def test_successes_do_not_count_against_an_address(database: Database) -> None:
    throttle = make_throttle(7)
    for number in range(50):
        assert await attempt(database, throttle, f"account{number}", right=True)
    assert await attempt(database, throttle)


async def test_success_does_not_clear_the_count_of_its_address(database: Database) -> None:
    """Otherwise an own account would buy seven more guesses at another's."""
    throttle = make_throttle(7)
    for number in range(6):
        await attempt(database, throttle, f"account{number}")
    assert await attempt(database, throttle, "own", right=True)
    assert await attempt(database, throttle, "another")
    assert not await attempt(database, throttle, "yet another")


async def test_refusal_says_when_to_come_back(database: Database) -> None:
    throttle = make_throttle(max_failures=2)
    for _ in range(2):
        await attempt(database, throttle)
    async with database.read() as connection:
        with pytest.raises(TooManyAttempts) as refusal:
            await throttle.admit(connection, Attempt("x", ADDRESS), now=now())
    assert refusal.value.retry_after is not None
    assert timedelta(0) < refusal.value.retry_after <= timedelta(minutes=5, seconds=1)
    assert refusal.value.headers["X-RateLimit-Limit"] == "2"
    assert refusal.value.headers["X-RateLimit-Remaining"] == "0"
    assert 0 < int(refusal.value.headers["X-RateLimit-Reset"]) <= 301


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        (None, None, True),
        (None, "192.0.2.1", False),
    ],
)
def test_addresses_of_one_customer_count_together(one: str | None, other: str | None, together: bool) -> None:  # noqa: FBT001
    """An IPv6 customer has a /64; an IPv4-mapped address is its IPv4 everywhere."""
    assert (throttled_address(one) == throttled_address(other)) is together


async def test_names_are_stored_as_keyed_digests(database: Database, throttle: LoginThrottle) -> None:
    await attempt(database, throttle, "ada@example.com")
    async with database.read() as connection:
        keys = (await connection.exec_driver_sql("SELECT account_key FROM login_failures")).scalars().all()
    assert [len(key) for key in keys] == [32]


class _Passwords:
    """Takes the place of the slow hash and counts: what is right is the password itself."""

    def __init__(self, *, together: int = 0) -> None:
        self.evaluated = 0
        self._all_here = asyncio.Barrier(together) if together else None

    async def verify(self, password: str, *, expected: str | None) -> bool:
        self.evaluated += 1
        if self._all_here is not None:
            await self._all_here.wait()
        return password == expected

    def outdated(self, _password_hash: str) -> bool:
        return False


async def _prove(
    database: Database, throttle: LoginThrottle, passwords: _Passwords, password: str, *, email: str = "ada@example.com"
) -> str:
    async def as_it_is(_connection: AsyncConnection, account: Account) -> Account:
        return account

    proof = make_proof(database, passwords, throttle=throttle)  # type: ignore[arg-type]
    try:
        return type(await proof.prove(Attempt(email, ADDRESS), password, as_it_is)).__name__
    except (InvalidCredentials, TooManyAttempts) as refusal:
        return type(refusal).__name__


# Each process has lines of its own, and knows of the others' failures through the database.
PROCESSES = 10


async def _at_once_in_ten_processes(database: Database, *passwords: str, email: str = "ada@example.com") -> list[str]:
    """Try five passwords in each process, all evaluated at the same moment, before any of them is counted."""
    evaluating = _Passwords(together=len(passwords))
    throttles = [make_throttle() for _ in range(PROCESSES)]
    tries = (
        _prove(database, throttles[number % PROCESSES], evaluating, password, email=email)
        for number, password in enumerate(passwords)
    )
    return await asyncio.gather(*tries)


@pytest.mark.both_databases
@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_of_fifty_wrong_passwords_in_ten_processes_at_most_five_are_answered(
    database: Database, email: str
) -> None:
    """L6, L7, N1."""
    await add_account(database, password_hash="right")
    outcomes = await _at_once_in_ten_processes(database, *["wrong"] * 50, email=email)
    assert outcomes.count(InvalidCredentials.__name__) == 5
    assert outcomes.count(TooManyAttempts.__name__) == 45


@pytest.mark.both_databases
async def test_right_password_among_fifty_guesses_is_not_told(database: Database) -> None:
    """N1: what was overtaken by five failures learns nothing."""
    await add_account(database, password_hash="right")
    outcomes = await _at_once_in_ten_processes(database, *["wrong"] * 49, "right")
    assert outcomes.count(InvalidCredentials.__name__) + outcomes.count(Account.__name__) <= 6


async def test_paused_account_costs_no_hash(database: Database, throttle: LoginThrottle) -> None:
    """L8."""
    passwords = _Passwords()
    for _ in range(20):
        await _prove(database, throttle, passwords, "wrong")
    assert passwords.evaluated == 5


async def test_right_passwords_at_once_in_ten_processes_all_pass(database: Database) -> None:
    await add_account(database, password_hash="right")
    assert await _at_once_in_ten_processes(database, *["right"] * 50) == [Account.__name__] * 50


async def test_passwords_and_codes_of_one_account_are_counted_apart(
    database: Database, throttle: LoginThrottle
) -> None:
    """M2: a right password, which comes before each code, clears nothing of the codes'."""
    code = Attempt("ada", ADDRESS, Secret.CODE)
    for _ in range(5):
        async with database.write() as connection:
            await throttle.settle(connection, code, proven=False, now=now())
        assert await attempt(database, throttle, right=True)
    async with database.read() as connection:
        with pytest.raises(TooManyAttempts):
            await throttle.admit(connection, code, now=now())
