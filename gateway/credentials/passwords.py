"""Passwords: Argon2id in a bounded pool, so that a flood of logins never delays a check."""

from __future__ import annotations

import asyncio
import os
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION, hash_secret_raw

from gateway.errors import Unavailable

if TYPE_CHECKING:
    from gateway.credentials.password_rules import PasswordRules

# OWASP Password Storage Cheat Sheet, second choice for Argon2id: 19 MiB, 2 passes, 1 lane (about 20 ms).
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)

MAX_PASSWORD_LENGTH = 128

# The same for recovery codes. Fixed apart from it: a bare digest does not say how it was made, so that a rise of the
# one above would make every code that was handed out unknown.
_DIGEST_PASSES = 2
_DIGEST_KIB = 19 * 1024
_DIGEST_BYTES = 32

# Memory in use is threads x 19 MiB. Whoever would wait longer than this is told to come back instead.
_QUEUE_DEADLINE = timedelta(seconds=10)
_QUEUE_LENGTH = 512
_LOWEST_PRIORITY = 19

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class PasswordHashing:
    """Hash and verify off the event loop, a few at a time. Raises `Unavailable` when the queue is full."""

    def __init__(self, *, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "argon2", initializer=_yield_to_checks)
        self._free = asyncio.Semaphore(threads)
        self._waiting = 0
        self._decoy = _decoy()

    async def hash(self, password: str) -> str:
        return await self._run(_hash, password)

    async def verify(self, password: str, *, expected: str | None) -> bool:
        """Verify against a stored hash; without one the same work is done and the answer is no (ASVS 6.3.8)."""
        matches = await self._run(_verify, expected or self._decoy, password)
        return matches and expected is not None

    async def digests(self, codes: Sequence[str], *, salt: bytes) -> tuple[bytes, ...]:
        """Digest recovery codes under their set's salt, at a password's cost each."""
        return await self._run(_digests, codes, salt)

    async def broken_rule(self, rules: PasswordRules, password: str, *, email: str) -> str | None:
        """Say which rule a chosen password breaks (`PasswordRules.broken`): scoring takes as long as hashing."""
        return await self._run(rules.broken, password, email=email)

    def outdated(self, password_hash: str) -> bool:
        """Say whether a hash that was just verified has other parameters than new ones get (ASVS 11.4.2)."""
        return _HASHER.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[_Given, _Result], *arguments: _Given.args, **named: _Given.kwargs) -> _Result:
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
            return await asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *arguments, **named))
        finally:
            self._free.release()


def hashing_threads(*, processes: int) -> int:
    """Give the share of one of so many processes in this machine's cores."""
    return max(1, (os.cpu_count() or 1) // processes)


def _decoy() -> str:
    """Give what unknown accounts are verified against: the same work, and no password is known to match.

    Random bytes stand where a digest would: to compute one would delay the start, and to compare costs the same.
    """
    salt, digest = (
        b64encode(secrets.token_bytes(length)).rstrip(b"=").decode() for length in (_HASHER.salt_len, _HASHER.hash_len)
    )
    costs = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${digest}"


def canonical_password(password: str) -> str:
    """Give the one form that is hashed and verified: NFKC, otherwise exactly as typed (SP 800-63B 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


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


def _digests(codes: Sequence[str], salt: bytes) -> tuple[bytes, ...]:
    return tuple(
        hash_secret_raw(
            code.encode(),
            salt,
            time_cost=_DIGEST_PASSES,
            memory_cost=_DIGEST_KIB,
            parallelism=1,
            hash_len=_DIGEST_BYTES,
            type=Type.ID,
        )
        for code in codes
    )


def _yield_to_checks() -> None:
    """Run this thread at the lowest priority (Linux gives each thread its own): checks come first."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, _LOWEST_PRIORITY)
