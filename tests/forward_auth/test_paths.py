"""What a path may mean; the readings that this version does not judge yet are refused."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gateway.config.settings import AccessControl
from gateway.errors import MalformedRequest
from gateway.forward_auth.original_request import Endpoint, parse_original_request
from gateway.forward_auth.paths import read_path
from gateway.forward_auth.policy import Outcome, Policy, compile_policy


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/reports",
        "/a/b.c/d..e/f-g_h~i",
        "/a./b",
        "/a../b",
        "/trailing/",
        "/:@!$&'()*+,=",
        "/" + "a" * (64 * 1024 - 1),
    ],
)
def test_plain_path_has_one_reading(path: str) -> None:
    assert read_path(path) == (path,)


@pytest.mark.parametrize(
    "path",
    [
        # Not a path.
        "",
        "admin",
        "*",
        "http://app.example.com/admin",
        "?x",
        # Other names for the same place, for one parser or another.
        "//admin",
        "/public//admin",
        "/public///",
        "/.",
        "/..",
        "/./admin",
        "/../admin",
        "/public/../admin",
        "/public/.",
        "/.git/config",
        "/...",
        "/public/.../admin",
        "/public;/admin",
        "/admin;jsessionid=1",
        ";",
        "/;",
        "\\admin",
        "/public\\admin",
        "/public/..\\admin",
        # Escapes of what separates, climbs, escapes or ends.
        "/public%2fadmin",
        "/public%2Fadmin",
        "/public%5cadmin",
        "/public%5Cadmin",
        "/public/%2e%2e/admin",
        "/public/.%2E/admin",
        "/public/%2e/admin",
        "/a%2eb",
        "/%2561dmin",
        "/%25",
        "/public%3badmin",
        "/public%3Badmin",
        "/a%00b",
        "/a%0ab",
        "/a%0Db",
        "/a%09b",
        "/a%1fb",
        "/a%1Fb",
        "/a%7fb",
        # Unreadable as sent.
        "/%",
        "/%6",
        "/%zz",
        "/%6g",
        "/a%",
        "/%%36%31",
        "/%u0061dmin",
        "/a#b",
        "/#",
        "/a b",
        "/a\tb",
        "/a\nb",
        "/admin\n",
        "/a\x00b",
        "/a\x7fb",
        "/caf\u00e9",
        "/caf\udcc3\udca9",
        # Bytes that are not UTF-8: alone, cut short, overlong (of a slash and a dot), a surrogate, beyond Unicode.
        "/%ff",
        "/%c3",
        "/%c3%28",
        "/%c0%af",
        "/%c0%ae%c0%ae",
        "/%e0%80%af",
        "/%f0%80%80%af",
        "/%ed%a0%80",
        "/%f4%90%80%80",
        # Segments of nothing but dots and blanks.
        "/%20",
        "/public/%20/admin",
        "/public/%20%20",
        "/public/%20./admin",
        "/public/%20../admin",
        # The same once a decoded `?` or `#` has cut the path.
        "/public/%20%3F",
        "/public/%20%23x",
        "/public/%20..%3Fx/y",
        # Too long.
        "/" + "a" * 64 * 1024,
    ],
)
def test_path_with_another_reading_is_refused(path: str) -> None:
    """C2."""
    with pytest.raises(MalformedRequest):
        read_path(path)


def test_path_with_escapes_is_refused_above_eight_kibibytes() -> None:
    escaped = "/%41"
    assert read_path(escaped + "a" * (8 * 1024 - len(escaped)))
    with pytest.raises(MalformedRequest):
        read_path(escaped + "a" * (8 * 1024 - len(escaped) + 1))


@pytest.mark.parametrize(
    ("path", "readings"),
    [
        ("/%61dmin", {"/%61dmin", "/admin"}),
        ("/%41dmin", {"/%41dmin", "/Admin"}),
        ("/caf%C3%A9", {"/caf%C3%A9", "/caf\u00e9"}),
        ("/a%20b", {"/a%20b", "/a b"}),
        ("/wiki/C%23", {"/wiki/C%23", "/wiki/C#", "/wiki/C"}),
        ("/foo/secret%23/bar", {"/foo/secret%23/bar", "/foo/secret#/bar", "/foo/secret"}),
        ("/admin%3fx=1", {"/admin%3fx=1", "/admin?x=1", "/admin"}),
        # Who cuts at one of the two marks need not cut at the other.
        ("/x%23y.bak%3Fz", {"/x%23y.bak%3Fz", "/x#y.bak?z", "/x#y.bak", "/x"}),
        ("/x%3Fy.bak%23z", {"/x%3Fy.bak%23z", "/x?y.bak#z", "/x?y.bak", "/x"}),
    ],
)
def test_escaped_path_has_every_reading(path: str, readings: set[str]) -> None:
    """C1, C2."""
    assert set(read_path(path)) == readings


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
PIECES = st.sampled_from(
    [
        *("admin", "members", "exact", "keys", ".bak", "x"),
        *("/", "/", "//", ".", "..", ";", "\\", "?", "#", "%", " ", "\t"),
        *("\u00e9", "\u2025", "\uff0f"),
    ]
)
Spelling = list[tuple[str, bool]]


@given(pieces=st.lists(st.tuples(PIECES, st.booleans()), max_size=6))
@settings(derandomize=True, deadline=None, max_examples=400, database=None)
@example(pieces=[("x", False), ("#", True), ("y", False), (".bak", False), ("?", True), ("z", False)])
def test_no_accepted_spelling_opens_what_any_reading_of_it_closes(pieces: Spelling) -> None:
    """C2, over every reading that the contract names, found here in another way than by the code under test."""
    path = "/" + "".join(_escape(piece) if escaped else piece for piece, escaped in pieces)
    assume("?" not in path)  # There the query would begin.
    try:
        outcome = _decide(CLOSED, path)
    except MalformedRequest:
        return
    for reading in _every_reading(path):
        assert outcome >= _outcome_of_plain(reading), f"{path} is {outcome.name}, but reads {reading} as well"


def _escape(piece: str) -> str:
    return "".join(f"%{byte:02X}" for byte in piece.encode())


def _decide(policy: Policy, path: str) -> Outcome:
    headers = {"x-original-url": [f"https://app.test{path}"], "x-original-method": ["GET"]}
    return policy.decide(None, parse_original_request(Endpoint.AUTH_REQUEST, headers)).outcome


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
    return "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")


_STEPS = (
    _decode,
    lambda path: path.replace("\\", "/"),
    lambda path: re.sub(r";[^/]*", "", path),
    lambda path: path.partition("?")[0],
    lambda path: path.partition("#")[0],
    _resolve,
)
