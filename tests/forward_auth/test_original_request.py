"""The original request, from either family of headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from gateway.errors import MalformedRequest
from gateway.forward_auth.original_request import Endpoint, OriginalRequest, parse_original_request
from gateway.forward_auth.request_headers import collect_headers

FAMILIES = {
    Endpoint.AUTH_REQUEST: {"x-original-url": "https://app.example.com/a?b=c", "x-original-method": "GET"},
    Endpoint.FORWARD_AUTH: {
        "x-forwarded-method": "GET",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "app.example.com",
        "x-forwarded-uri": "/a?b=c",
    },
}
EVERY_HEADER = [(endpoint, name) for endpoint, family in FAMILIES.items() for name in family]


def parse(endpoint: Endpoint, headers: Mapping[str, str | Sequence[str]]) -> OriginalRequest:
    lists = {name: [value] if isinstance(value, str) else value for name, value in headers.items()}
    return parse_original_request(endpoint, lists)


def forwarded(**changes: str) -> OriginalRequest:
    named = {f"x-forwarded-{name}": value for name, value in changes.items()}
    return parse(Endpoint.FORWARD_AUTH, FAMILIES[Endpoint.FORWARD_AUTH] | named)


def from_url(url: str) -> OriginalRequest:
    return parse(Endpoint.AUTH_REQUEST, {"x-original-url": url, "x-original-method": "GET"})


@pytest.mark.parametrize("endpoint", Endpoint)
def test_both_families_say_the_same(endpoint: Endpoint) -> None:
    original = parse(endpoint, FAMILIES[endpoint])
    assert original == OriginalRequest(
        method="GET",
        scheme="https",
        host="app.example.com",
        authority="app.example.com",
        path="/a",
        query="?b=c",
        readings=("/a",),
    )
    assert original.url == "https://app.example.com/a?b=c"
    assert original.origin == "https://app.example.com"


@pytest.mark.parametrize(("endpoint", "name"), EVERY_HEADER)
def test_missing_header_is_refused(endpoint: Endpoint, name: str) -> None:
    """A4."""
    rest = {key: value for key, value in FAMILIES[endpoint].items() if key != name}
    with pytest.raises(MalformedRequest):
        parse(endpoint, rest)


@pytest.mark.parametrize(("endpoint", "name"), EVERY_HEADER)
def test_empty_header_is_refused(endpoint: Endpoint, name: str) -> None:
    """A4."""
    with pytest.raises(MalformedRequest):
        parse(endpoint, FAMILIES[endpoint] | {name: ""})


@pytest.mark.parametrize(("endpoint", "name"), EVERY_HEADER)
def test_repeated_header_is_refused_even_if_both_say_the_same(endpoint: Endpoint, name: str) -> None:
    """A4."""
    family = FAMILIES[endpoint]
    with pytest.raises(MalformedRequest):
        parse(endpoint, family | {name: [family[name], family[name]]})
    with pytest.raises(MalformedRequest):
        parse(endpoint, family | {name: ["", family[name]]})


@pytest.mark.parametrize(
    ("endpoint", "name"), [*EVERY_HEADER, *((endpoint, "x-forwarded-for") for endpoint in Endpoint)]
)
@pytest.mark.parametrize("mark", "_.")
def test_twin_spelling_is_refused_whatever_it_says(endpoint: Endpoint, name: str, mark: str) -> None:
    """A3: nginx, WSGI and CGI take the two for one."""
    family = FAMILIES[endpoint]
    value = family.get(name, "192.0.2.1")
    for twin in (name.replace("-", mark), name.replace("-", mark, 1), mark.join(name.rsplit("-", 1))):
        with pytest.raises(MalformedRequest):
            parse_original_request(
                endpoint,
                collect_headers([(key.encode(), text.encode()) for key, text in (family | {twin: value}).items()]),
            )
        with pytest.raises(MalformedRequest):
            parse(endpoint, family | {twin: ""})


@pytest.mark.parametrize("endpoint", Endpoint)
def test_headers_of_another_family_change_nothing(endpoint: Endpoint) -> None:
    """A3, C6."""
    others: dict[str, str | Sequence[str]] = {
        name: ["https://evil.example/", "https://evil.example/"]
        for other, family in FAMILIES.items()
        if other is not endpoint
        for name in family
    }
    others |= {"x-http-method-override": "DELETE", "x-rewrite-url": "/admin", "forwarded": "host=evil", "host": "evil"}
    assert parse(endpoint, FAMILIES[endpoint] | others) == parse(endpoint, FAMILIES[endpoint])


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("APP.Example.COM", "app.example.com"),
        ("app.example.com.", "app.example.com"),
        ("app.example.com:8443", "app.example.com"),
        ("APP.example.com.:443", "app.example.com"),
        ("localhost", "localhost"),
        ("my_app", "my_app"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("192.0.2.7:80", "192.0.2.7"),
        ("[2001:DB8::1]", "[2001:db8::1]"),
        ("[2001:db8:0:0::1]:8443", "[2001:db8::1]"),
    ],
)
def test_host_is_brought_into_one_form_and_the_authority_kept(authority: str, host: str) -> None:
    """C3."""
    for original in (forwarded(host=authority), from_url(f"https://{authority}/a")):
        assert original.host == host
        assert original.authority == authority
        assert original.origin == f"https://{authority}"


@pytest.mark.parametrize(
    "authority",
    [
        "app.example.com, evil.example",
        "app.example.com,evil.example",
        "user@app.example.com",
        "user:secret@app.example.com",
        "app.example.com/evil",
        "app.example.com\\evil",
        "app.example.com#evil",
        "app.example.com evil",
        "app.example.com\t",
        "app.example.com:",
        "app.example.com:0",
        "app.example.com:65536",
        "app.example.com:443:443",
        "app.example.com:4x3",
        "app.example.com:\u0664\u0664",
        "app..example.com",
        ".example.com",
        "app.example.com..",
        ".",
        "-app.example.com",
        "*.example.com",
        "%61pp.example.com",
        "app\u3002example.com",
        "\u0430pp.example.com",
        "xn--a-ecp.ru-\u00df",
        "2001:db8::1",
        "[2001:db8::1",
        "[::1%25eth0]",
        "[fe80::1%eth0]",
        "[app.example.com]",
        "[]",
        "0x7f.1",
        "127.1",
        "2130706433",
        "127.0.0.01",
        "a" * 64 + ".example.com",
        "a." * 127 + "com",
    ],
)
def test_host_that_two_parsers_could_read_differently_is_refused(authority: str) -> None:
    """C3, A4."""
    with pytest.raises(MalformedRequest):
        forwarded(host=authority)
    with pytest.raises(MalformedRequest):
        from_url(f"https://{authority}/a") if "/" not in authority and "#" not in authority else forwarded(
            host=authority
        )


@pytest.mark.parametrize(
    ("sent", "scheme"),
    [("http", "http"), ("https", "https"), ("HTTPS", "https"), ("ws", "http"), ("wss", "https"), ("WSS", "https")],
)
def test_websocket_schemes_count_as_the_pages_own(sent: str, scheme: str) -> None:
    for original in (forwarded(proto=sent), from_url(f"{sent}://app.example.com/a")):
        assert original.scheme == scheme


@pytest.mark.parametrize("scheme", ["ftp", "javascript", "https,http", "https, https", "httpss", "http:", " "])
def test_other_schemes_are_refused(scheme: str) -> None:
    """A4."""
    with pytest.raises(MalformedRequest):
        forwarded(proto=scheme)
    with pytest.raises(MalformedRequest):
        from_url(f"{scheme}://app.example.com/a")


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PROPFIND", "X", "TRACE"])
def test_method_is_taken_word_for_word(method: str) -> None:
    """C6."""
    assert forwarded(method=method).method == method


@pytest.mark.parametrize("method", ["get", "Get", "G-T", "GET ", "GET, POST", "G\u00cbT", "GET\n", "GET1", "*"])
def test_method_of_anything_but_capitals_is_refused(method: str) -> None:
    """A4."""
    with pytest.raises(MalformedRequest):
        forwarded(method=method)
    with pytest.raises(MalformedRequest):
        parse(Endpoint.AUTH_REQUEST, FAMILIES[Endpoint.AUTH_REQUEST] | {"x-original-method": method})


@pytest.mark.parametrize(
    "url",
    [
        "/a",
        "//app.example.com/a",
        "https:/app.example.com/a",
        "https:app.example.com/a",
        "https:///a",
        "https://?a",
        "://app.example.com/a",
        "app.example.com/a",
        "https://app.example.com\\a",
        "https://app.example.com?a",
        "https://app.example.com#a",
        " https://app.example.com/a",
        "https://app.example.com/a\n",
        "https://app.example.com/a\nb",
        "https://app.example.com/a b",
        "https://app.example.com/a#b",
        "https://app.example.com/%",
        # Nobody says which page: the path is missing, and `/` would be a default.
        "https://app.example.com",
    ],
)
def test_url_that_is_not_whole_is_refused(url: str) -> None:
    """A4."""
    with pytest.raises(MalformedRequest):
        from_url(url)


@pytest.mark.parametrize("uri", ["a", "?a", "*", "https://app.example.com/a", "/a\x00b", "/a#b"])
def test_uri_that_is_not_a_path_is_refused(uri: str) -> None:
    """A4."""
    with pytest.raises(MalformedRequest):
        forwarded(uri=uri)


@pytest.mark.parametrize(
    ("uri", "path", "query"),
    [
        ("/a", "/a", ""),
        ("/a?", "/a", "?"),
        ("/a?b=/../c&d=//e;f\\g%2e%", "/a", "?b=/../c&d=//e;f\\g%2e%"),
        ("/a?b?c", "/a", "?b?c"),
        ("/a?caf\udcc3\udca9", "/a", "?caf\udcc3\udca9"),
    ],
)
def test_query_never_takes_part_in_a_path_rule(uri: str, path: str, query: str) -> None:
    """C1."""
    original = forwarded(uri=uri)
    assert (original.path, original.query, original.readings) == (path, query, (path,))
    assert original.url == f"https://app.example.com{uri}"


@pytest.mark.parametrize("query", ["a\nb", "a\x00b", "a b", "a\tb", "a\x7fb", "a\rb"])
def test_control_characters_in_the_query_are_refused(query: str) -> None:
    with pytest.raises(MalformedRequest):
        forwarded(uri=f"/a?{query}")


@pytest.mark.parametrize("name", FAMILIES[Endpoint.FORWARD_AUTH])
def test_bytes_that_are_not_utf8_are_refused(name: str) -> None:
    lines = [
        (key.encode(), b"\xff" if key == name else value.encode())
        for key, value in FAMILIES[Endpoint.FORWARD_AUTH].items()
    ]
    with pytest.raises(MalformedRequest):
        parse_original_request(Endpoint.FORWARD_AUTH, collect_headers(lines))


def test_escaped_path_keeps_its_spelling_and_has_every_reading() -> None:
    original = forwarded(uri="/%61dmin?x=%61")
    assert original.path == "/%61dmin"
    assert set(original.readings) == {"/%61dmin", "/admin"}
    assert original.url == "https://app.example.com/%61dmin?x=%61"


def test_header_names_are_compared_without_case_and_values_trimmed() -> None:
    headers = collect_headers([(b"X-Forwarded-URI", b" /a\t"), (b"x-FORWARDED-uri", b"/b")])
    assert headers == {"x-forwarded-uri": ["/a", "/b"]}
