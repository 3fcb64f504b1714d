"""What a path may mean: every reading that the contract names, and what has none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gateway.config.settings import AccessControl
from gateway.errors import MalformedRequest
from gateway.forward_auth.original_request import Endpoint, parse_original_request
from gateway.forward_auth.paths import read_path
from gateway.forward_auth.policy import Outcome, Policy, compile_policy
from gateway.forward_auth.presented import ANONYMOUS

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "paths.json").read_text())


@pytest.mark.parametrize("path", [*VECTORS["plain"], "/" + "a" * (64 * 1024 - 1)], ids=ascii)
def test_plain_path_has_one_reading(path: str) -> None:
    assert read_path(path) == (path,)


@pytest.mark.parametrize(("path", "readings"), VECTORS["readings"].items(), ids=ascii)
def test_ambiguous_path_has_every_reading(path: str, readings: list[str]) -> None:
    """C1, C2."""
    assert sorted(read_path(path)) == sorted(readings)


@pytest.mark.parametrize("path", [path for paths in VECTORS["malformed"].values() for path in paths], ids=ascii)
def test_path_that_nobody_can_mean_is_refused(path: str) -> None:
    """C2."""
    with pytest.raises(MalformedRequest):
        read_path(path)


@pytest.mark.parametrize("beginning", ["/%41", "//", "/a;", "/\\", "/./"])
def test_ambiguous_path_is_refused_above_eight_kibibytes(beginning: str) -> None:
    assert read_path(beginning + "a" * (8 * 1024 - len(beginning)))
    with pytest.raises(MalformedRequest):
        read_path(beginning + "a" * (8 * 1024 - len(beginning) + 1))


def test_plain_path_is_refused_above_sixty_four_kibibytes() -> None:
    with pytest.raises(MalformedRequest):
        read_path("/" + "a" * 64 * 1024)


def test_path_with_more_than_sixty_four_readings_is_refused() -> None:
    """C2: escapes of escapes make one more reading each."""
    assert len(read_path("/%" + "25" * 62 + "41")) == 64
    with pytest.raises(MalformedRequest):
        read_path("/%" + "25" * 63 + "41")


def test_path_whose_readings_are_too_long_together_is_refused() -> None:
    """N3: a stranger's path of eight kibibytes would keep everybody else waiting for a tenth of a second."""
    beginning = "/%" + "25" * 13 + "41"
    assert len(read_path(beginning + "a" * 4000)) == 15
    with pytest.raises(MalformedRequest):
        read_path(beginning + "a" * 5000)


@pytest.mark.parametrize(
    ("path", "reading"),
    [("/%2F%2f%5C%41", "/%2F%2f%5CA"), ("/%25%2F%41", "/%%2FA"), ("/%252%2f41", "/%2%2f41")],
)
def test_escaped_slashes_stay_as_they_are_written(path: str, reading: str) -> None:
    """C2: whatever stands around them."""
    assert reading in read_path(path)


def test_reading_as_sent_comes_first() -> None:
    assert read_path("/%61dmin%3fx")[0] == "/%61dmin%3fx"


# What closes a place, in the forms that operators write: a prefix, an end, a whole path, a segment.
CLOSED = compile_policy(
    AccessControl.model_validate(
        {
            "default_policy": "one_factor",
            "rules": [
                {"domain": "app.test", "resources": ["^/admin", r"\.bak$"], "policy": "deny"},
                {"domain": "app.test", "path": ["/members/*/keys", "/exact"], "policy": "deny"},
                {"domain": "app.test", "path": ["/**"], "policy": "bypass"},
            ],
        }
    )
)
OPENED = compile_policy(
    AccessControl.model_validate(
        {
            "default_policy": "deny",
            "rules": [
                {"domain": "app.test", "path": ["/members/*/keys", "/exact"], "policy": "one_factor"},
                {"domain": "app.test", "resources": ["^/public/", r"^/x.*\.bak$"], "policy": "bypass"},
            ],
        }
    )
)
PIECES = st.sampled_from(
    [
        *("admin", "public", "members", "exact", "keys", ".bak", "x"),
        *("/", "/", "//", ".", "..", "../", ";", "\\", "?", "#", "%", "%2", "%25", "2f", " ", "\t"),
        *("\u00e9", "\u2025", "\uff0f"),
    ]
)
# A piece, and how often it is escaped.
Spelling = list[tuple[str, int]]
spellings = st.lists(st.tuples(PIECES, st.integers(0, 2)), max_size=7)
many = settings(derandomize=True, deadline=None, max_examples=600, database=None)


@given(pieces=spellings)
@many
@example(pieces=[("x", 0), ("#", 1), ("y", 0), (".bak", 0), ("?", 1), ("z", 0)])
@example(pieces=[("public", 0), ("/", 0), ("..", 1), ("/", 2), ("admin", 0)])
def test_no_accepted_spelling_opens_what_any_reading_of_it_closes(pieces: Spelling) -> None:
    """C2, over every reading that the contract names, found here in another way than by the code under test."""
    path = _spell(pieces)
    assume("?" not in path)  # There the query would begin.
    try:
        outcome = _decide(CLOSED, path)
    except MalformedRequest:
        return
    for reading in _every_reading(path):
        assert outcome >= _outcome_of_plain(reading), f"{path} is {outcome.name}, but reads {reading} as well"


@given(pieces=spellings)
@many
@example(pieces=[("public", 0), ("/", 0), ("..", 1), ("/", 2), ("admin", 0)])
def test_no_accepted_spelling_opens_more_than_each_of_its_plain_forms(pieces: Spelling) -> None:
    """C2: where the default closes and rules open, what is sent is never judged laxer than what it may mean."""
    path = _spell(pieces)
    assume("?" not in path)
    try:
        outcome = _decide(OPENED, path)
    except MalformedRequest:
        return
    for reading in _every_reading(path):
        if _is_plain(reading):
            assert outcome >= _decide(OPENED, reading), f"{path} is {outcome.name}, but reads {reading} as well"


@given(pieces=spellings)
@many
def test_every_reading_that_the_contract_names_is_given(pieces: Spelling) -> None:
    """C2, against the same closure written in another way; what is refused needs no readings."""
    path = _spell(pieces)
    assume("?" not in path)
    try:
        readings = read_path(path)
    except MalformedRequest:
        return
    assert set(readings) >= _every_reading(path)


def _spell(pieces: Spelling) -> str:
    return "/" + "".join(_escape(piece, times) for piece, times in pieces)


def _escape(piece: str, times: int) -> str:
    for _ in range(times):
        piece = "".join(f"%{byte:02X}" for byte in piece.encode())
    return piece


def _is_plain(path: str) -> bool:
    return re.search(r"[^\x21-\x7e]|[%;?#\\]|//|/\.", path) is None


def _decide(policy: Policy, path: str) -> Outcome:
    headers = {"x-original-url": [f"https://app.test{path}"], "x-original-method": ["GET"]}
    return policy.decide(ANONYMOUS, parse_original_request(Endpoint.AUTH_REQUEST, headers)).outcome


def _outcome_of_plain(reading: str) -> Outcome:
    """What the same rules say about a path that is meant as it is written."""
    if reading.startswith("/admin") or reading.endswith(".bak") or reading == "/exact":
        return Outcome.FORBID
    return Outcome.FORBID if re.fullmatch(r"/members/[^/]*/keys", reading) else Outcome.ALLOW


def _every_reading(path: str) -> set[str]:
    readings, fresh = set[str](), {path}
    while fresh:
        readings |= fresh
        fresh = {step(reading) for reading in fresh for step in _STEPS} - readings
    return readings


def _decode(path: str) -> str:
    return unquote_to_bytes(path).decode("utf-8", "replace")


def _resolve(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    folder = path.endswith(("/", "/.", "/.."))
    return "/" + "/".join(kept) + ("/" if kept and folder else "")


_STEPS = (
    _decode,
    lambda path: path.replace("\\", "/"),
    lambda path: re.sub(r";[^/]*", "", path),
    lambda path: path.partition("?")[0],
    lambda path: path.partition("#")[0],
    _resolve,
)


@pytest.mark.parametrize(
    "sent",
    [
        "/public/a%2fb/%2e%2e/%2e%2e/admin",
        "/public/a%2Fb/.%2e/%2E./admin",
        "/x%2fy/%2e%2e/admin",
        "/a%2f%25/..%5c../admin",
        "//x/admin",
        "/\\x/admin",
        "\\/x/admin".replace("\\/", "/\\", 1),
        "///x/admin",
    ],
)
def test_path_is_also_read_as_url_parsers_read_it(sent: str) -> None:
    """C2: they keep an escaped slash while they resolve escaped dots, and take `//x` for another host."""
    assert "/admin" in read_path(sent)
