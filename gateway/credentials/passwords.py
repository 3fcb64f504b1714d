"""Passwords: Argon2id in a bounded pool, so that a flood of logins never delays a check."""

from __future__ import annotations

import asyncio
import os
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.errors import Unavailable

# OWASP Password Storage Cheat Sheet, second choice for Argon2id: 19 MiB, 2 passes, 1 lane (about 20 ms).
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 128

# Memory in use is threads x 19 MiB. Whoever would wait longer than this is told to come back instead.
_QUEUE_DEADLINE = timedelta(seconds=10)
_QUEUE_LENGTH = 512
_LOWEST_PRIORITY = 19

_Result = TypeVar("_Result")


class PasswordHashing:
    """Hash and verify off the event loop, a few at a time. Raises `Unavailable` when the queue is full."""

    def __init__(self, *, threads: int | None = None) -> None:
        self._threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._threads, "argon2", initializer=_yield_to_checks)
        self._free = asyncio.Semaphore(self._threads)
        self._waiting = 0
        # What unknown accounts are verified against: the same work, and nobody knows its password.
        self._decoy = _HASHER.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        return await self._run(_hash, password)

    async def verify(self, password: str, *, expected: str | None) -> bool:
        """Verify against a stored hash; without one the same work is done and the answer is no (ASVS 6.3.8)."""
        matches = await self._run(_verify, expected or self._decoy, password)
        return matches and expected is not None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[..., _Result], *arguments: str) -> _Result:
        if self._waiting >= _QUEUE_LENGTH:
            raise Unavailable
        self._waiting += 1
        try:
            async with asyncio.timeout(_QUEUE_DEADLINE.total_seconds()):
                await self._free.acquire()
        except TimeoutError as error:
            raise Unavailable from error
        finally:
            self._waiting -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._free.release()


def canonical_password(password: str) -> str:
    """Give the one form that is hashed and verified: NFKC, otherwise exactly as typed (SP 800-63B 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def broken_password_rule(password: str) -> str | None:
    """Say which rule for a chosen password is broken; one code point is one character."""
    # NFKC can make eighteen characters of one: neither what was typed nor what is hashed may be too short or too long.
    lengths = len(password), len(canonical_password(password))
    if min(lengths) < MIN_PASSWORD_LENGTH:
        return f"Use at least {MIN_PASSWORD_LENGTH} characters."
    if max(lengths) > MAX_PASSWORD_LENGTH:
        return f"Use at most {MAX_PASSWORD_LENGTH} characters."
    if not password.strip():
        return "A password cannot consist of spaces only."
    return None


def generate_password() -> str:
    """Make a password to hand over: 20 letters and digits of 116 bits, with a symbol and both cases for the rule."""
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
    while True:
        groups = ["".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4)]
        password = "-".join(groups)
        if any(c.islower() for c in password) and any(c.isupper() for c in password):
            return password


def _hash(password: str) -> str:
    return _HASHER.hash(canonical_password(password))


def _verify(expected: str, password: str) -> bool:
    # A damaged hash is a refusal, not an error page. VerifyMismatchError is a VerificationError.
    with suppress(VerificationError, InvalidHashError):
        return _HASHER.verify(expected, canonical_password(password))
    return False


def _yield_to_checks() -> None:
    """Run this thread at the lowest priority (Linux gives each thread its own): checks come first."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, _LOWEST_PRIORITY)
