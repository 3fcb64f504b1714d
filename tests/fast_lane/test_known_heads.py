"""A head that came before is not parsed again: whatever its values hold now, both lanes answer it alike."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from gateway.fast_lane.connection import Connection
from gateway.fast_lane.heads import MAX_HEAD
from gateway.fast_lane.known_heads import MAX_HEADS, MAX_MARKS, Branch, KnownHead, KnownHeads
from gateway.forward_auth.head_layout import lay_out
from gateway.forward_auth.original_request import Endpoint
from tests.fast_lane.checks import FAMILIES, plain
from tests.fast_lane.client import Client
from tests.fast_lane.conftest import Lanes
from tests.fast_lane.heads import check, head, page, stranger
from tests.fast_lane.test_connections import connected, known
from tests.support.gateway import Gateway, environment, start_gateway
from tests.support.lanes import Lane, lane_of_gateways
from tests.support.raw_conversation import converse
from tests.support.team import WORKSPACES, administrator

if TYPE_CHECKING:
    from gateway.forward_auth.warm_check import WarmCheck

VARYING = (
    b"X-Original-URL", b"X-Forwarded-Uri", b"Cookie", b"Authorization", b"X-API-Key", b"X-Forwarded-For", b"Referer",
)  # fmt: skip
BESIDE = (b"X-Forwarded-For: 203.0.113.9", b"Accept: */*", b"Referer: https://app.example.com/")
PEOPLE = ("nobody", "session", "key", "token", "key and session", "token of the application and session")
# Put before a value, behind it, and in the middle of it.
ODD = (
    b"\x00", b"\x01", b"\t", b"\n", b"\r", b"\x1f", b"\x7f", b"\x80", b" ", b"?", b"; ", b"=",
    b"\n\r\n", b"\r\nX-Forwarded-For: 203.0.113.9", b"\r\nX-Original-Method: GET", b"\r\nContent-Length: 3",
    b"\r\nConnection: close", b"\r\n folded", b"\r\nCookie: a=b", b"\r\n\r\n" + page(b"/healthz")[:-2],
    b"x" * MAX_HEAD,
)  # fmt: skip


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was parsed."""
    heads: list[bytes] = []
    read = Connection._read  # noqa: SLF001 - whether it was needed is not to be seen from outside

    def note(this: Connection, data: bytes) -> None:
        heads.append(data)
        read(this, data)

    monkeypatch.setattr(Connection, "_read", note)
    return heads


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("target", FAMILIES, ids=lambda target: target.decode().rpartition("/")[2])
def test_whatever_a_known_head_says_next_is_answered_alike(
    lanes: Lanes, client: Client, read: list[bytes], *, target: bytes, who: str
) -> None:
    folder = b"public" if who == "nobody" else b"reports"
    url = b"https://app.example.com/%b/x?page=2" % folder
    sound = plain(target, url, *lanes.people.lines[who], *BESIDE, who=who)
    for place, odd in product(range(len(sound.lines)), ODD):
        name, _, value = sound.lines[place].partition(b": ")
        if name not in VARYING:
            continue
        middle = len(value) // 2
        for said in (odd + value, value + odd, value[:middle] + odd + value[middle:]):
            # What came twice is remembered.
            learnt = client.ask(Lane.FAST, sound)
            client.ask(Lane.FAST, sound)
            read.clear()
            assert client.ask(Lane.FAST, sound) == learnt
            assert read == []
            lines = (*sound.lines[:place], name + b": " + said, *sound.lines[place + 1 :])
            data = head(sound.line + b" HTTP/1.1", *lines)
            fast, slow = (converse(lanes.port(lane), [data], between=lanes.let_read).comparable for lane in Lane)
            assert fast == slow, (who, name, said)


def test_known_head_may_come_from_elsewhere_next(lanes: Lanes, client: Client, read: list[bytes]) -> None:
    """Rules about networks are asked with the address of each request."""
    answers = []
    for address in (b"203.0.113.1", b"203.0.113.2", b"198.51.100.7", b"192.0.2.1", b"203.0.113.3"):
        lines = (b"X-Forwarded-For: " + address, lanes.people.cookie)
        asked = plain(b"/api/authz/forward-auth", b"https://office.example.com/", *lines, who="session")
        read.clear()
        fast, slow = (client.ask(lane, asked) for lane in Lane)
        assert fast == slow
        answers.append((fast[1][0], not read))
    outside, inside = answers[2], answers[-1]
    assert outside == (403, True)
    assert inside == (200, True)


@pytest.mark.parametrize("sent", [check(), check(b"Accept: */*"), check(b"Connection: close")])
async def test_known_head_is_not_parsed_again(gateway: Gateway, read: list[bytes], sent: bytes) -> None:
    cookie = (await known(gateway)).partition(b"Cookie: ")[2].partition(b"\r\n")[0]
    for number in range(4):
        # What came twice is remembered.
        if number == 2:
            read.clear()
        data = sent.replace(b"@cookie@", b"number=%d; " % number + cookie).replace(b"/reports?", b"/%d?" % number)
        async with connected(gateway) as client:
            await client.send(data)
            assert await client.statuses(1) == [200]
    assert read == []


@pytest.mark.parametrize("lane", list(Lane))
async def test_workspace_is_the_one_that_each_request_names(tmp_path: Path, lane: Lane) -> None:
    """The header for it may be one that otherwise no check reads."""
    with lane_of_gateways(lane):
        async with start_gateway(environment(tmp_path, GATEWAY_WORKSPACE_HEADER="X-Correlation-Id")) as gateway:
            admin = await administrator(gateway)
            first, second = [(await admin.get("POST", WORKSPACES, {"display_name": name}))["id"] for name in "AB"]
            said = []
            for named in (first, first, first, second, "nobody's"):
                answer = await gateway.check(Cookie=admin.session.cookie, X_Correlation_Id=named)
                said.append((answer.status, answer.headers.get("Remote-Workspace")))
    assert said == [(200, "A")] * 3 + [(200, "B"), (403, None)]


async def test_untrusted_peer_is_refused_what_a_trusted_one_was_allowed(tmp_path: Path) -> None:
    """A2: what is known of a head says nothing about who sends it."""
    async with start_gateway(environment(tmp_path, GATEWAY_TRUSTED_PROXIES="127.0.0.1")) as gateway:
        quick = await known(gateway)
        for source, status in (("127.0.0.1", 200), ("127.0.0.1", 200), ("127.0.0.2", 403)):
            async with connected(gateway, source=source) as client:
                await client.send(quick)
                assert await client.statuses(1) == [status]


async def test_what_is_refused_is_not_remembered_and_makes_nothing_forgotten(
    gateway: Gateway, read: list[bytes]
) -> None:
    """A7: whoever has no credential can neither fill the memory nor say how the heads of others are cut."""
    quick = await known(gateway)
    async with connected(gateway) as client:
        for sent, status in ((quick, 200), (quick, 200), (stranger(), 401), (stranger(), 401), (quick, 200)):
            if status == 401:
                read.clear()
            await client.send(sent)
            assert await client.statuses(1) == [status]
    assert read == [stranger()]


def test_heads_are_remembered_up_to_a_bound() -> None:
    """A7: the memory cannot be filled from outside, by how many there are or by how long they are."""
    heads = KnownHeads()
    sent = [_from(b"%d" % number) for number in range(MAX_HEADS + 100)]
    for data in sent:
        _learn(heads, data)
    known = [data for data in sent if heads.recall(data) is not None]
    assert len(known) <= MAX_HEADS
    assert known[-1] == sent[-1]
    _learn(heads, _from(b"x" * 5000))
    assert heads.recall(_from(b"x" * 5000)) is None


def test_head_that_is_parsed_again_and_again_makes_nothing_forgotten() -> None:
    """A7."""
    heads = KnownHeads()
    _learn(heads, check())
    _learn(heads, _from(b"browser"), times=MAX_HEADS + 2)
    assert heads.recall(check()) is not None


def test_what_never_comes_again_is_not_remembered() -> None:
    heads = KnownHeads()
    for number in range(MAX_HEADS + 100):
        _learn(heads, _from(b"%d" % number), times=1)
        assert len(heads._seen_once) <= MAX_HEADS  # noqa: SLF001 - the bound is not to be seen from outside
    assert heads.recall(_from(b"1")) is None


def test_nobody_is_remembered() -> None:
    """What is kept has neither where somebody went nor the credential."""
    heads = KnownHeads()
    _learn(heads, _from(b"browser"))
    kept = repr(heads._tree)  # noqa: SLF001 - what is kept is not to be seen from outside
    assert "browser" in kept
    assert "@cookie@" not in kept
    assert "reports" not in kept


def test_kinds_of_heads_are_remembered_beside_each_other() -> None:
    """Browsers differ in which lines they send and in their order: each takes nothing from the others."""
    heads = KnownHeads()
    odd = (b"Referer: /", b"Range: 0-1", b"CF-Ray: 1", b"traceparent: 1", b"If-None-Match: 1")
    kinds = [check(*more) for number in range(len(odd) + 1) for more in permutations(odd, number)]
    for data in kinds:
        _learn(heads, data)
    assert None not in [heads.recall(data) for data in kinds]


def test_marks_that_are_tried_one_after_the_other_are_bounded() -> None:
    """A7: nobody can make the checks of others slow by spelling a name in hundreds of ways."""
    heads = KnownHeads()
    spellings = [bytes(letters) for letters in product(*zip(b"referer", b"REFERER", strict=True))]
    assert len(spellings) > MAX_MARKS
    for spelling in spellings:
        data = check(spelling + b": /")
        _learn(heads, data)
        # The bound is not to be seen from outside.
        assert max(len(branch.marks) for branch in _branches(heads._tree)) <= MAX_MARKS  # noqa: SLF001
    kinds = [check(), check(b"Referer: /"), check(b"Range: 0-1")]
    for data in kinds:
        _learn(heads, data)
    assert None not in [heads.recall(data) for data in kinds]


def test_same_pieces_between_other_names_are_another_head() -> None:
    heads = KnownHeads()
    token = check().replace(b"Cookie", b"Authorization")
    for data, other in ((check(), token), (token, check())):
        _learn(heads, data)
        assert heads.recall(data) is not None
        recalled = heads.recall(other)
        assert recalled is None or recalled[0].frame.layout.explicit is (other is token)


def test_long_values_are_for_the_parser() -> None:
    heads = KnownHeads()
    _learn(heads, check())
    assert heads.recall(check()) is not None
    # A7: what is long is not searched for one mark after the other.
    assert heads.recall(check().replace(b"reports", b"x" * 8192)) is None


def _branches(branch: Branch) -> Iterator[Branch]:
    yield branch
    for _, pieces in branch.marks:
        for following in pieces.values():
            yield from _branches(following)


def _from(agent: bytes) -> bytes:
    return check(b"User-Agent: " + agent)


def _learn(heads: KnownHeads, data: bytes, *, times: int = 2) -> None:
    """Do what a connection does with a head that it has parsed and let pass."""
    headers = dict([line.split(b": ", 1) for line in data.split(b"\r\n")[1:-2]])
    layout = lay_out(tuple(headers), Endpoint.AUTH_REQUEST, workspace_header="")
    assert layout is not None
    known = KnownHead(Endpoint.AUTH_REQUEST, cast("WarmCheck", None), layout.frame(headers), None)
    for _ in range(times):
        heads.remember(data, known)
