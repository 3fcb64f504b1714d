"""Passwords: what is hashed, what is refused, and at which cost."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type

from gateway.credentials import passwords
from gateway.credentials.passwords import (
    PasswordHashing,
    canonical_password,
    generate_password,
)
from gateway.errors import Unavailable
from gateway.grammar.initial_password import broken_initial_password_rules
from tests.support.parts import RULES


@pytest.fixture(autouse=True)
def cheap_hashes() -> None:
    """Pay the price of a real one."""


@pytest.fixture
async def hashing() -> AsyncIterator[PasswordHashing]:
    hashing = PasswordHashing(threads=2)
    yield hashing
    hashing.close()


class Bench:
    """Takes the place of the slow work: each piece waits in its thread until it may end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.running = 0
        self.most = 0
        self._lock = threading.Lock()
        monkeypatch.setattr(passwords, "_verify", self._work)

    def _work(self, _expected: str, _password: str) -> bool:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.begun.release()
        self.may_end.wait(timeout=10)
        with self._lock:
            self.running -= 1
        return True


async def test_hash_is_argon2id_at_the_recommended_cost(hashing: PasswordHashing) -> None:
    """L5."""
    parameters = extract_parameters(await hashing.hash("correct horse"))
    assert parameters.type is Type.ID
    assert parameters.memory_cost >= 19 * 1024
    assert parameters.time_cost >= 2
    assert parameters.salt_len >= 16


async def test_two_hashes_of_one_password_differ(hashing: PasswordHashing) -> None:
    """L5."""
    assert await hashing.hash("correct horse") != await hashing.hash("correct horse")


async def test_only_the_same_password_verifies(hashing: PasswordHashing) -> None:
    expected = await hashing.hash("correct horse")
    assert await hashing.verify("correct horse", expected=expected)
    for wrong in ("Correct horse", "correct horse ", " correct horse", "correct", "", "correct horse\x00"):
        assert not await hashing.verify(wrong, expected=expected)


async def test_nothing_is_cut_off(hashing: PasswordHashing) -> None:
    """L4: bcrypt stops at byte 72."""
    expected = await hashing.hash("a" * 120 + "b")
    assert not await hashing.verify("a" * 120 + "c", expected=expected)
    assert not await hashing.verify("a" * 72, expected=expected)


async def test_spellings_that_look_the_same_are_the_same(hashing: PasswordHashing) -> None:
    expected = await hashing.hash("cafe\u0301 \ufb01 \u2460\u2461")
    assert await hashing.verify("caf\u00e9 fi 12", expected=expected)
    assert canonical_password(" Caf\u00e9 ") == " Caf\u00e9 "


@pytest.mark.parametrize("expected", [None, "", "no hash", "$argon2id$v=19$m=65536,t=3,p=4$damaged"])
async def test_without_a_usable_hash_the_answer_is_no(hashing: PasswordHashing, expected: str | None) -> None:
    """L7."""
    assert not await hashing.verify("anything", expected=expected)


async def test_unknown_account_costs_the_same_work(hashing: PasswordHashing, monkeypatch: pytest.MonkeyPatch) -> None:
    """L7."""
    verified: list[str] = []

    def note(expected: str, _password: str) -> bool:
        verified.append(expected)
        return True

    monkeypatch.setattr(passwords, "_verify", note)
    known = await hashing.hash("correct horse")
    assert await hashing.verify("x", expected=known)
    assert not await hashing.verify("x", expected=None), "even if the decoy's password were guessed"
    assert [extract_parameters(work) for work in verified] == [extract_parameters(known)] * 2


def test_decoy_is_refused_for_its_digest_and_not_for_its_form() -> None:
    """L7: argon2 would answer at once to what it cannot read."""
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(passwords._decoy(), "anything")  # noqa: SLF001 - nobody else gets to see it


async def test_no_more_are_hashed_at_once_than_there_are_threads(
    hashing: PasswordHashing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L8."""
    bench = Bench(monkeypatch)
    work = [asyncio.create_task(hashing.verify("x", expected="y")) for _ in range(20)]
    await asyncio.to_thread(bench.begun.acquire)
    await asyncio.to_thread(bench.begun.acquire)
    bench.may_end.set()
    assert all(await asyncio.gather(*work))
    assert bench.most == 2


async def test_whoever_waits_past_the_deadline_is_told_to_come_back(
    hashing: PasswordHashing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L8."""
    bench = Bench(monkeypatch)
    monkeypatch.setattr(passwords, "_QUEUE_DEADLINE", timedelta(0))
    work = [asyncio.create_task(hashing.verify("x", expected="y")) for _ in range(3)]
    with pytest.raises(Unavailable):
        await work[2]
    bench.may_end.set()
    assert await work[0]
    assert await work[1]


async def test_full_queue_is_refused_at_once_and_empties_again(
    hashing: PasswordHashing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L8, N3."""
    bench = Bench(monkeypatch)
    monkeypatch.setattr(passwords, "_QUEUE_LENGTH", 3)
    work = [asyncio.create_task(hashing.verify("x", expected="y")) for _ in range(5)]
    await asyncio.to_thread(bench.begun.acquire)
    with pytest.raises(Unavailable):
        await hashing.verify("x", expected="y")
    bench.may_end.set()
    assert all(await asyncio.gather(*work))
    assert await hashing.verify("x", expected="y")


async def test_caller_who_gives_up_in_the_queue_takes_no_place(
    hashing: PasswordHashing, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(monkeypatch)
    monkeypatch.setattr(passwords, "_QUEUE_LENGTH", 1)
    running = [asyncio.create_task(hashing.verify("x", expected="y")) for _ in range(2)]
    await asyncio.to_thread(bench.begun.acquire)
    waiting = asyncio.create_task(hashing.verify("x", expected="y"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    last = asyncio.create_task(hashing.verify("x", expected="y"))
    bench.may_end.set()
    assert all(await asyncio.gather(*running, last))


def test_generated_password_keeps_every_rule_and_never_repeats() -> None:
    generated = {generate_password() for _ in range(200)}
    assert len(generated) == 200
    for password in generated:
        assert RULES.broken(password, email="ada@example.com") is None
        assert broken_initial_password_rules(password) == []


@pytest.mark.parametrize(("cores", "processes", "threads"), [(4, 1, 4), (4, 2, 2), (4, 3, 1), (2, 4, 1), (None, 1, 1)])
def test_processes_share_the_cores_of_their_machine(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, processes: int, threads: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert passwords.hashing_threads(processes=processes) == threads
