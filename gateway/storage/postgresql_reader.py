"""Asking PostgreSQL by the driver itself, on connections that are held: a pool would ask twice for each question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import asyncpg
from sqlalchemy import LargeBinary, literal_column

from gateway.errors import DatabaseUnavailable
from gateway.storage.prepared_reads import CompiledRead, PreparedRead, Row

if TYPE_CHECKING:
    from sqlalchemy import Dialect

# While one is under way the next questions gather. Every process has as many.
HELD_CONNECTIONS = 3
# However many wait: all of them in one statement would be late together, or too much for the server's deadline.
MOST_AT_ONCE = 100

# Each of the wanted by itself, as if it were the only one: the server could otherwise prefer to read whole tables.
# They are in a SELECT of their own, so that no plan is the better for knowing them: with `$1` in its place the server
# plans for each question anew, which takes longer than the answer.
_EACH = """\
SELECT found.*, asked.place FROM unnest((SELECT $1::{type}[])) WITH ORDINALITY AS asked (wanted, place)
CROSS JOIN LATERAL ({one} LIMIT 1) AS found"""


class _ReadOfMany(CompiledRead):
    """A prepared read that is asked for many at once: a round trip costs more than a row."""

    def __init__(self, read: PreparedRead, dialect: Dialect) -> None:
        super().__init__(read.where(literal_column("asked.wanted")), dialect)
        # Never a type that has a length: what is longer would be cut, and then found.
        kind = "bytea" if isinstance(read.key.type, LargeBinary) else "text"
        self.text = _EACH.format(type=kind, one=self.text)


@dataclass(slots=True)
class _Question:
    wanted: str | bytes
    # None: ask the ordinary way.
    answer: asyncio.Future[list[Row] | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class PostgresqlReader:
    """A few connections that read, each for everybody who has asked meanwhile.

    One that fails is replaced, and what it was asked is asked the ordinary way.
    """

    answers_at_once = False

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], dialect: Dialect) -> None:
        self._connect = connect
        self._dialect = dialect
        self._compiled: dict[PreparedRead, _ReadOfMany] = {}
        self._waiting: dict[PreparedRead, list[_Question]] = {}
        self._at_work: set[asyncio.Task[None]] = set()
        self._idle: list[asyncpg.Connection] = []

    async def ask(self, read: PreparedRead, wanted: str | bytes) -> list[Row] | None:
        question = _Question(wanted)
        if not self._waiting:
            # It begins when everybody who asks now has asked.
            self._begin_to_answer()
        self._waiting.setdefault(read, []).append(question)
        return await question.answer

    def ask_at_once(self, _read: PreparedRead, _wanted: str | bytes) -> None:
        """Give nothing: a server has to be waited for."""

    async def close(self) -> None:
        at_work, self._at_work = self._at_work, set()
        for work in at_work:
            work.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)
        self._settle_waiting(None)
        self._drop()

    def _begin_to_answer(self) -> None:
        if len(self._at_work) < HELD_CONNECTIONS:
            self._at_work.add(asyncio.create_task(self._answer_waiting()))

    async def _answer_waiting(self) -> None:
        while self._waiting:
            read, questions = self._take_waiting()
            if self._waiting:
                # Nobody waits for these while there is another connection.
                self._begin_to_answer()
            try:
                await self._answer(read, questions)
            except Exception as error:  # noqa: BLE001 - for whoever asked, and others go on asking
                _settle(questions, error)
            finally:
                _settle(questions, None)
        # At once: whoever asks next has to begin anew.
        self._at_work.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _take_waiting(self) -> tuple[PreparedRead, list[_Question]]:
        """Give those who have waited longest, as many as are asked for at once; the others go behind other reads."""
        read = next(iter(self._waiting))
        waiting = self._waiting.pop(read)
        if len(waiting) > MOST_AT_ONCE:
            self._waiting[read] = waiting[MOST_AT_ONCE:]
        return read, waiting[:MOST_AT_ONCE]

    def _settle_waiting(self, failure: Exception | None) -> None:
        while self._waiting:
            _settle(self._waiting.popitem()[1], failure)

    async def _answer(self, read: PreparedRead, questions: list[_Question]) -> None:
        """Answer those that can be. Raises `DatabaseUnavailable` where the ordinary way would lead nowhere either."""
        compiled = self._compiled.get(read)
        if compiled is None:
            compiled = self._compiled[read] = _ReadOfMany(read, self._dialect)
        try:
            rows = await self._fetch(compiled.text, [question.wanted for question in questions])
        except (TimeoutError, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError) as error:
            # It was waited for; the ordinary way would wait as long again, and so would those who came meanwhile.
            self._drop()
            message = "the database did not answer in time"
            unavailable = DatabaseUnavailable(message)
            self._settle_waiting(unavailable)
            raise unavailable from error
        except DatabaseUnavailable as error:
            if not isinstance(error.__cause__, asyncpg.TooManyConnectionsError):
                raise
            # It is there, and the ordinary way may have a connection.
            return
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            self._drop()
            return
        answers: list[list[Row]] = [[] for _ in questions]
        for *values, place in rows:
            answers[place - 1].append(compiled.row(values))
        for question, answer in zip(questions, answers, strict=True):
            if not question.answer.done():
                question.answer.set_result(answer)

    async def _fetch(self, text: str, wanted: list[str | bytes]) -> list[Any]:
        connection = await self._take()
        try:
            rows: list[Any] = await connection.fetch(text, wanted)
        except BaseException:
            # Cancelled as well: nobody knows what the server would say next. Without a goodbye, it may be silent.
            connection.terminate()
            raise
        self._idle.append(connection)
        return rows

    async def _take(self) -> asyncpg.Connection:
        """Give a connection. Raises `DatabaseUnavailable` with cause and cure."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return await self._connect()

    def _drop(self) -> None:
        """Hang up: what failed on one connection most likely fails on the others."""
        while self._idle:
            self._idle.pop().terminate()


def _settle(questions: list[_Question], failure: Exception | None) -> None:
    """Answer those that have no answer yet; some of those who asked may be gone."""
    for question in questions:
        if question.answer.done():
            continue
        if failure is None:
            question.answer.set_result(None)
        else:
            question.answer.set_exception(failure)
