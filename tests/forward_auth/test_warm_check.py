"""The check from memory: what it remembers has bounds, and is never a decision."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.app import CHECKS, create_app
from gateway.config.loading import load_settings
from gateway.config.secrets import load_secrets
from gateway.facts.facts import Facts
from gateway.forward_auth.head_layout import HeadLayout
from gateway.forward_auth.original_request import Endpoint
from gateway.forward_auth.policy import Policy
from gateway.forward_auth.warm_check import MAX_LAYOUTS, MAX_PLACES, WarmCheck, WarmSettings
from gateway.forward_auth.warm_credentials import MAX_FOREIGN, NotAtOnce, WarmCredentials
from gateway.models import CredentialKind
from gateway.storage.database import Database
from tests.support.gateway import environment
from tests.support.rules import policy, rule
from tests.support.visitors import ADA

RULES = """
access_control:
  default_policy: deny
  rules:
    - {domain: office.example.com, networks: [203.0.113.0/24], policy: one_factor}
    - {domain: "*.example.com", policy: bypass}
"""
HEAD = {b"Host": b"gateway", b"X-Original-URL": b"https://app.example.com/a", b"X-Original-Method": b"GET"}


@pytest.fixture
async def warm(tmp_path: Path) -> AsyncIterator[WarmCheck]:
    """Give the check from memory, behind nginx, of an application that was never started: nobody is known to it."""
    config = tmp_path / "gateway.yaml"
    config.write_text(RULES)
    settings = load_settings(config, (), environment(tmp_path)).settings
    async with Database.opened(settings.database) as database:
        yield create_app(settings, load_secrets(settings), database)[CHECKS].warm[Endpoint.AUTH_REQUEST]


def answer(warm: WarmCheck, headers: dict[bytes, bytes]) -> bytes | None:
    """Give the head of its answer; `None`: it leaves that to the full check."""
    frame = warm.frame(headers)
    if frame is None:
        return None
    with suppress(NotAtOnce):
        return warm.head(frame, frame.layout.values(headers))
    return None


def test_stranger_passes_where_everybody_may(warm: WarmCheck) -> None:
    head = answer(warm, HEAD)
    assert head is not None
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nRemote-User: \r\n" in head
    assert head.endswith(b"\r\n")


@pytest.mark.parametrize(
    "head",
    [
        {**HEAD, b"X-Original-URL": b"https://elsewhere.example.org/"},
        {**HEAD, b"X-Original-URL": b"https://app.example.com/%zz"},
        {**HEAD, b"X-Original-URL": b"https://app.example.com/a?b\x01"},
        {**HEAD, b"X-Original-URL": b"https://office.example.com/"},
        {**HEAD, b"X-Original-URL": b"https://app.example.com/a ?b"},
        {**HEAD, b"X-Original-URL": b"https://app.example.com/a\t?"},
        {**HEAD, b"Cookie": b"gateway_session"},
        {**HEAD, b"Cookie": b"a=b; gateway_session"},
        {**HEAD, b"X-Original-Method": b"OPTIONS"},
        {**HEAD, b"X_Original_URL": b"https://app.example.com/b"},
        {**HEAD, b"x-original-url": b"https://app.example.com/b"},
        {b"Host": b"gateway", b"X-Original-URL": b"https://app.example.com/a"},
        {name: value for name, value in HEAD.items() if name != b"Host"},
        {**HEAD, b"Cookie": b"gateway_session=guess"},
        {**HEAD, b"Authorization": b"Basic YTpi"},
        {**HEAD, b"X-API-Key": b"lc_ak_guess"},
    ],
)
def test_everything_else_is_left_to_the_full_check(warm: WarmCheck, head: dict[bytes, bytes]) -> None:
    """It never refuses, and answers nothing that it cannot answer at once; also when it is asked again."""
    assert answer(warm, head) is None
    assert answer(warm, head) is None


def test_places_are_remembered_up_to_a_bound(warm: WarmCheck) -> None:
    """A7: the memory cannot be filled from outside."""
    for number in range(MAX_PLACES + 100):
        assert answer(warm, {**HEAD, b"X-Original-URL": b"https://app.example.com/%d?%d" % (number, number)})
    assert 0 < len(warm._places) <= MAX_PLACES  # noqa: SLF001 - the bound is not to be seen from outside
    before = len(warm._places)  # noqa: SLF001
    # Nor is it read here, for the full check may have to read it as well: it may have many readings.
    assert answer(warm, {**HEAD, b"X-Original-URL": b"https://app.example.com/" + b"a" * 5000}) is None
    assert answer(warm, {**HEAD, b"X-Original-URL": b"https://app.example.com/1?other"})
    assert len(warm._places) <= before + 1  # noqa: SLF001


def test_layouts_are_remembered_up_to_a_bound(warm: WarmCheck) -> None:
    for number in range(MAX_LAYOUTS + 100):
        assert answer(warm, {**HEAD, b"X-Own-%d" % number: b""})
    assert 0 < len(warm._layouts) <= MAX_LAYOUTS  # noqa: SLF001
    many = {**HEAD, **{b"X-Own-%d" % number: b"" for number in range(80)}}
    assert answer(warm, many) is None
    assert tuple(many) not in warm._layouts  # noqa: SLF001


def test_foreign_tokens_are_remembered_up_to_a_bound(warm: WarmCheck) -> None:
    credentials = warm._credentials  # noqa: SLF001
    for number in range(MAX_FOREIGN + 100):
        # Twice: the second time it is known.
        for _ in range(2):
            assert answer(warm, {**HEAD, b"Authorization": b"Bearer of.an.application%d" % number})
    assert 0 < len(credentials._foreign) <= MAX_FOREIGN  # noqa: SLF001


def test_what_is_long_is_not_remembered(warm: WarmCheck) -> None:
    """A7: whoever chooses what is remembered must not choose how long it is, be it in readings."""
    for number in range(3):
        path = b"/%F0%9F%98%80%25253B/./%25252e%255c%252F//" + b"a" * 400 + b"%d" % number
        # Read in many ways it is for the full check to answer a stranger.
        assert answer(warm, {**HEAD, b"X-Original-URL": b"https://app.example.com" + path}) is None
        assert answer(warm, {**HEAD, b"X-Original-Method": b"GET" + b" " * 5000 + b"\t" * number})
        assert answer(warm, {**HEAD, b"X" * 5000 + b"%d" % number: b""})
        line = b"2001:db8::1," + b" " * 5000 + b"2001:db8::%d" % number
        assert str(warm._address(line)) == f"2001:db8::{number}".replace("::0", "::")  # noqa: SLF001
    memory = (warm._layouts, warm._places)  # noqa: SLF001
    assert len(repr(memory)) < 10_000


class Known(WarmCredentials):
    """Somebody with a session, who comes with a key or a token of their own as well."""

    def __init__(self, session: Facts | None, explicit: Facts) -> None:
        self._session_facts = session
        self._explicit_facts = explicit

    def by_cookie(self, line: bytes) -> Facts | None:
        del line
        return self._session_facts

    def by_header(self, layout: HeadLayout, values: Sequence[bytes]) -> Facts | None:
        del layout, values
        return self._explicit_facts


def knowing(warm: WarmCheck, known: Known, rules: Policy, *, open_to_strangers: bool = True) -> WarmCheck:
    return WarmCheck(
        Endpoint.AUTH_REQUEST,
        WarmSettings("", open_to_strangers=open_to_strangers),
        trusted_proxies=warm._trusted_proxies,  # noqa: SLF001
        credentials=known,
        policy=rules,
        answers=warm._answers,  # noqa: SLF001
    )


def test_session_whose_password_has_to_be_changed_is_nobody_beside_a_key(warm: WarmCheck) -> None:
    """A rule about sessions covers nobody in particular then, as in the full check."""
    key = Facts(replace(ADA, credential=CredentialKind.API_KEY, api_key_id="k", session_id=None))
    rules = policy(
        rule("deny", "app.example.com", credentials=["session"], subject=["group:nobody"]),
        rule("one_factor", "app.example.com"),
    )
    head = {**HEAD, b"Cookie": b"", b"X-API-Key": b""}
    assert answer(knowing(warm, Known(Facts(ADA), key), rules), head)
    unproven = Facts(replace(ADA, must_change_password=True))
    assert answer(knowing(warm, Known(unproven, key), rules), head) is None


def test_rule_about_sessions_is_about_the_default_user_as_well(warm: WarmCheck) -> None:
    key = Facts(replace(ADA, credential=CredentialKind.API_KEY, api_key_id="k", session_id=None))
    rules = policy(rule("deny", "app.example.com", credentials=["session"]), rule("one_factor", "app.example.com"))
    head = {**HEAD, b"X-API-Key": b""}
    assert answer(knowing(warm, Known(None, key), rules), head)
    assert answer(knowing(warm, Known(None, key), rules, open_to_strangers=False), head) is None
