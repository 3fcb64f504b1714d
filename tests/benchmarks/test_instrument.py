from __future__ import annotations

import asyncio
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable

import pytest

from benchmarks.bench import Unusable
from benchmarks.checks import Checks, with_sessions
from benchmarks.open_loop import Latencies, ask_when_due, due_times
from benchmarks.processes import cpu_seconds
from benchmarks.row import Row, Target, at_least, below

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_RATE, _TOTAL = 1000, 40
# A thread works for longer than starting Python takes, and ends; then its process waits.
_BURN = """
import sys, threading, time
def burn():
    while time.thread_time() < 0.5: pass
thread = threading.Thread(target=burn)
thread.start()
thread.join()
print(time.process_time(), flush=True)
sys.stdin.read()
"""


async def test_open_loop_asks_what_is_due_although_nothing_has_been_answered() -> None:
    asked = 0
    everything_asked = asyncio.Event()

    async def answer_after_the_last(_request: bytes) -> bytes:
        nonlocal asked
        asked += 1
        if asked == _TOTAL:
            everything_asked.set()
        await everything_asked.wait()
        return _OK

    measured = await _ask(answer_after_the_last)

    due = due_times(_TOTAL, rate=_RATE, round_number=1)
    assert len(measured.answers) == _TOTAL
    # The first one waited for the last one to be asked.
    assert measured.answers[-1] >= due[-1] - due[0]


async def test_refused_check_makes_a_round_useless() -> None:
    async def refuse(_request: bytes) -> bytes:
        return _OK.replace(b"200 OK", b"401 Unauthorized")

    with pytest.raises(Unusable, match="401 Unauthorized"):
        await _ask(refuse)


def test_each_combination_is_asked_before_one_comes_again() -> None:
    checks = Checks(tuple(f"place {number}\r\n" for number in range(12)), "", [str(number) for number in range(10)])

    asked = [checks.request(number) for number in range(240)]

    assert len(set(asked[:120])) == 120
    assert asked[120:] == asked[:120]


def test_checks_go_round_credentials_and_hosts_from_one_to_the_next() -> None:
    checks = with_sessions([f"token{number}" for number in range(1000)], cookie_name="session")
    hosts = [checks.request(number).split(b"\r\n")[1] for number in range(3)]
    credentials = [checks.request(number).split(b"session=")[1] for number in range(3)]

    assert len(set(hosts)) == 3
    assert len(set(credentials)) == 3


def test_time_of_children_counts_and_that_of_threads_that_ended() -> None:
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_BURN!r}])"
    # The pipe's end lets it go.
    with subprocess.Popen([sys.executable, "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        burnt = float(process.stdout.readline())
        assert cpu_seconds(process.pid) >= burnt
        process.communicate()


@pytest.mark.parametrize(
    ("target", "value", "reached"),
    [
        (at_least(2.4), 2.4, True),
        (at_least(2.4), 2.39, False),
        (below(1, "ms"), 0.99, True),
        (below(1, "ms"), 1, False),
    ],
)
def test_row_knows_whether_it_is_good_enough(target: Target, value: float, *, reached: bool) -> None:
    assert Row("P0", "something", value, target=target).reached is reached


async def _ask(answer: Callable[[bytes], Awaitable[bytes]]) -> Latencies:
    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        while request := await _head(reader):
            writer.write(await answer(request))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        checks = Checks(("GET / HTTP/1.1\r\n",), "Cookie: ", ["one", "two"])
        return await asyncio.to_thread(ask_when_due, port, checks, rate=_RATE, seconds=_TOTAL / _RATE, round_number=1)


async def _head(reader: StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as ended:
        return ended.partial
