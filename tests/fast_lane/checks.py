"""Checks as hypothesis makes them: most are reasonable, many have something odd about them, some too much."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

_HOSTS = (
    b"app.example.com", b"APP.example.com:8443", b"app.example.com.", b"ada.home.example.com",
    b"admin.home.example.com",
    b"staff.team.example.com", b"none.team.example.com", b"ada.lab.example.com", b"files.example.com",
    b"ro.example.com", b"office.example.com", b"staff.example.com", b"staff-api.example.com", b"api.example.com",
    b"vault.example.com", b"query.example.com", b"elsewhere.test", b"[2001:db8::1]:80", b"203.0.113.1",
)  # fmt: skip
_PATHS = (
    b"/", b"/public/logo.svg", b"/public", b"/admin/users", b"/%61dmin", b"/public/../admin", b"/public/..%2fadmin",
    b"/g/staff/x", b"/g/other/x", b"/v1/models", b"/v2/models", b"/cors/x", b"/api/convos", b"/a;b=c/d", b"//admin",
    b"/caf%C3%A9", b"/caf\xc3\xa9", b"/%", b"/%00", b"/a#b", b"/" + b"x" * 600, b"/" + b"%61" * 40,
    b"/x ", b"/public/x\t",
)  # fmt: skip
_QUERIES = (
    b"",
    b"",
    b"",
    b"?",
    b"?page=2&sort=name",
    b"?q=xyz",
    b"?q=no&q=xyz",
    b"?q=%78",
    b"?q=\xff",
    b"?a b",
    b"?q=x\x7f",
)
_METHODS = (b"GET", b"GET", b"GET", b"HEAD", b"POST", b"DELETE", b"OPTIONS", b"PROPFIND")
_ODD_VALUES = (
    b"", b" ", b"get", b"GET, GET", b"http", b"wss", b"ftp", b"HTTPS", b"a,b", b"/x", b"http://a@b/",
    b"https://app.example.com/",
    b"http://app.example.com/public/x", b"\xff\xfe", b"http://[::1/", b"app.example.com:99999", b"null",
    b"javascript:alert(1)",
)  # fmt: skip
_ADDRESSES = (
    b"203.0.113.9", b"198.51.100.7", b"198.51.100.7, 203.0.113.9", b"203.0.113.9, 127.0.0.1", b"2001:db8::7",
    b"[2001:db8::7]:99", b"203.0.113.9:1234", b"::ffff:203.0.113.9", b"::", b"0.0.0.0", b"unknown", b"", b",",
    b"fe80::1%eth0",
    b"203.0.113.9,", b" 203.0.113.9\t", b"\xff", b"127.0.0.1",
)  # fmt: skip
CONTEXT = (
    (b"Accept: text/html,application/xhtml+xml",), (b"Accept: application/json",),
    (b"Accept: */*", b"Accept: text/html"),
    (b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: document"), (b"Sec-Fetch-Mode: cors", b"Sec-Fetch-Dest: empty"),
    (b"Sec-Purpose: prefetch", b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: document"),
    (b"Origin: https://app.example.com", b"Access-Control-Request-Method: POST"),
    (b"X-Requested-With: XMLHttpRequest",),
    (b"Upgrade: websocket",), (b"Sec-WebSocket-Key: AAAA",), (b"Expect: 100-continue",), (b"Content-Length: 0",),
    (b"If-None-Match: *", b"Range: bytes=0-1"), (b"Accept-Encoding: gzip, br",), (b"Content-Encoding: br",),
    (b"Remote-User: admin", b"Remote-Groups: staff"), (b"X-Auth-Strip: cookie",), (b"X-Decision-Id: 1",),
    (b"Connection: close",),
    (b"Connection: keep-alive",), (b"Connection: cookie",), (b"Forwarded: for=203.0.113.9",),
    (b"X-Real-IP: 203.0.113.9",),
    (b"X-Original-URL: http://app.example.com/public/x",), (b"X-Forwarded-Uri: /public/x",),
    (b"X-Forwarded-Method: GET",),
    (b"X_Original_URL: /",), (b"X-Forwarded_Host: a",), (b"x.forwarded.for: 203.0.113.9",), (b"X_API_Key: lc_ak_x",),
    (b"User-Agent: ",), (b"A: \xff",), (b"Host: two",), (b"X-Tenant-Id: ",), (b"X-Tenant-Id: a", b"X-Tenant-Id: b"),
    (b"x-tenant-id: 11111111-1111-4111-8111-111111111111",), (b"X_Tenant_Id: a",), (b"Cookie: a=b",), (b"Cookie:",),
    (b"Authorization: Digest x",), (b"Proxy-Authorization: Basic x",), (b"X-API-Key:",), (b"TE: trailers",),
)  # fmt: skip
_OWN_METHODS = (b"GET",) * 12 + (b"HEAD", b"POST", b"PUT", b"OPTIONS", b"PROPFIND", b"TRACE")
_TARGETS = (b"%s",) * 30 + (
    b"%s?a=b", b"%s?", b"%s?X-Original-Method=GET", b"%s/", b"%s;a", b"/%s", b"http://gateway%s", b"%s#a", b"%s%%20",
)  # fmt: skip
FAMILIES = {
    b"/api/authz/auth-request": (b"X-Original-URL", b"X-Original-Method"),
    b"/api/authz/forward-auth": (b"X-Forwarded-Method", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"X-Forwarded-Uri"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A check, and by whom."""

    who: str
    line: bytes
    lines: tuple[bytes, ...]

    @property
    def to_head(self) -> bool:
        return self.line.startswith(b"HEAD ")

    @property
    def data(self) -> bytes:
        return b"\r\n".join((self.line + b" HTTP/1.1", *self.lines, b"", b""))


def plain(target: bytes, url: bytes, *more: bytes, who: str, method: bytes = b"GET") -> Asked:
    """Give a check with nothing odd about it but what is added."""
    proto, _, rest = url.partition(b"://")
    host, slash, path = rest.partition(b"/")
    family = _family(target, method=method, proto=proto, host=host, uri=slash + path)
    return Asked(who, b"GET " + target, (b"Host: gateway", *family, *more))


@st.composite
def checks(draw: st.DrawFn, people: dict[str, tuple[bytes, ...]], workspaces: tuple[str, ...]) -> Asked:
    """Make a check by somebody: proxies' own lines, a credential, what surrounds it, in any order and spelling."""
    target = draw(st.sampled_from(sorted(FAMILIES)))
    family = _family(
        target,
        method=draw(st.sampled_from(_METHODS)),
        proto=draw(st.sampled_from((b"http", b"https", b"https", b"wss"))),
        host=draw(st.one_of(st.just(_HOSTS[0]), st.sampled_from(_HOSTS))),
        uri=draw(st.one_of(st.just(_PATHS[0]), st.sampled_from(_PATHS))) + draw(st.sampled_from(_QUERIES)),
    )
    # Half of them are known, and may go to most places.
    who = draw(st.one_of(st.sampled_from(("session", "token", "key")), st.sampled_from(sorted(people))))
    named = [(b"X-Tenant-Id: " + workspace.encode(),) for workspace in workspaces]
    context = draw(st.lists(st.one_of(st.sampled_from((*CONTEXT, *named)), _from_an_address()), max_size=3))
    lines = [b"Host: gateway", *family, *people[who], *(line for more in context for line in more)]
    for _ in range(draw(st.sampled_from((0, 0, 0, 0, 1, 2)))):
        _make_odd(draw, lines)
    if draw(st.booleans()):
        lines = draw(st.permutations(lines))
    own = draw(st.sampled_from(_TARGETS)).replace(b"%%", b"%").replace(b"%s", target)
    return Asked(who, draw(st.sampled_from(_OWN_METHODS)) + b" " + own, tuple(lines))


def _family(target: bytes, *, method: bytes, proto: bytes, host: bytes, uri: bytes) -> list[bytes]:
    parts = (proto + b"://" + host + uri, method) if target.endswith(b"request") else (method, proto, host, uri)
    return [b": ".join(pair) for pair in zip(FAMILIES[target], parts, strict=True)]


@st.composite
def _from_an_address(draw: st.DrawFn) -> tuple[bytes, ...]:
    addresses = draw(st.lists(st.sampled_from(_ADDRESSES), min_size=1, max_size=2))
    return tuple(b"X-Forwarded-For: " + address for address in addresses)


def _make_odd(draw: st.DrawFn, lines: list[bytes]) -> None:
    """Change one line, or how often it is there."""
    place = draw(st.integers(0, len(lines) - 1))
    name, _, value = lines[place].partition(b":")
    match draw(st.integers(0, 7)):
        case 0:
            lines[place] = name + b": " + draw(st.sampled_from(_ODD_VALUES))
        case 1:
            del lines[place]
        case 2:
            lines.append(lines[place])
        case 3:
            lines.append(draw(st.sampled_from((name.lower(), name.upper()))) + b":" + value)
        case 4:
            lines.append(name.replace(b"-", draw(st.sampled_from((b"_", b"."))), 1) + b":" + value)
        case 5:
            lines[place] = draw(st.sampled_from((name.lower(), name.upper(), name.swapcase()))) + b":" + value
        case 6:
            lines[place] = name + b":" + draw(st.sampled_from((b"", b"\t", b"   "))) + value.strip() + b" \t "
        case _:
            lines[place] = name + b": " + value.strip() + draw(st.sampled_from((b",", b"\xff", b"; a", b" x", b"\x01")))
