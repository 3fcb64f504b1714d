"""What is sent byte by byte: the promise, its pieces, the answers, and whether the connection stays open."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fast_lane.heads import by, check, head, in_version, page, stranger, to, with_more

_SMUGGLED = page(b"/healthz")


@dataclass(frozen=True, slots=True)
class Message:
    """Pieces arrive one after the other; `heads`: the places of answers to HEAD, which have no body."""

    promise: str
    pieces: tuple[bytes, ...]
    statuses: tuple[int, ...]
    stays_open: bool
    heads: tuple[int, ...]


def kept(promise: str, *pieces: bytes, gets: tuple[int, ...] = (200,), heads: tuple[int, ...] = ()) -> Message:
    return Message(promise, pieces, gets, stays_open=True, heads=heads)


def ended(promise: str, *pieces: bytes, gets: tuple[int, ...] = (400,), heads: tuple[int, ...] = ()) -> Message:
    return Message(promise, pieces, gets, stays_open=False, heads=heads)


def chunked(body: bytes) -> bytes:
    return by(b"POST", b"Transfer-Encoding: chunked", body=body)


def _cut(data: bytes, *places: int) -> tuple[bytes, ...]:
    return tuple(data[start:end] for start, end in zip((0, *places), (*places, len(data)), strict=True))


_SEVERAL = (
    kept("two at once are two", check() + check(), gets=(200, 200)),
    kept("one and a half, and the rest", *_cut(check() + check(), len(check()) + 40), gets=(200, 200)),
    kept("half, and one and a half", *_cut(check() + check(), 40), gets=(200, 200)),
    kept("one and a letter, and the rest", *_cut(check() + page(b"/healthz"), len(check()) + 1), gets=(200, 200)),
    kept("a refusal and a letter, and the rest", *_cut(stranger() + check(), len(stranger()) + 1), gets=(401, 200)),
    kept("ten at once are ten", check() * 10, gets=(200,) * 10),
    kept("a hundred at once are a hundred", check() * 100, gets=(200,) * 100),
    kept("answers keep the order of the questions", (stranger() + check()) * 3, gets=(401, 200) * 3),
    kept("a body with each", by(b"POST", b"Content-Length: 3", body=b"a=1") * 3, gets=(200,) * 3),
    kept("a check after another path", page(b"/healthz"), check(), gets=(200, 200)),
    kept("a check after another path, at once", page(b"/healthz") + check(), gets=(200, 200)),
    kept("JSON after a check", check(), page(b"/api/config"), check(), gets=(200, 200, 200)),
    kept("JSON after a check, at once", check() + page(b"/api/config") + check() + check(), gets=(200,) * 4),
    kept("another path after a refusal, at once", stranger() + page(b"/healthz"), gets=(401, 200)),
    kept("nothing after a check", check(), page(b"/nothing"), gets=(200, 404)),
    ended("the last one", check(b"Connection: close"), gets=(200,)),
    ended("the last one is a refusal", with_more(stranger(), b"Connection: close"), gets=(401,)),
    ended("the last one after others", check() + check() + check(b"Connection: close"), gets=(200, 200, 200)),
    ended("nothing after the last one", check(b"Connection: close"), check(), gets=(200,)),
    ended("the last one with a query", to(b"/api/authz/auth-request?a", b"Connection: close"), gets=(200,)),
    ended("the last one by HEAD", by(b"HEAD", b"Connection: close"), gets=(200,), heads=(0,)),
    ended("the last one in capitals", check(b"CONNECTION: Close"), gets=(200,)),
    ended("the last one without a host", check(b"Connection: close", host=b"")),
    # What comes at once is read at once; the answer is to all of it.
    ended("nothing after the last one, at once", check(b"Connection: close") + check()),
    ended("nothing after the last of three, at once", check() + check(b"Connection: close") + check()),
    ended("nothing after what could not be read", check() + b"\x00\r\n\r\n" + check()),
)

_VERSIONS = (
    ended("HTTP/1.0 asks once", in_version(b"HTTP/1.0"), gets=(200,)),
    kept("HTTP/1.0 may ask to be kept", in_version(b"HTTP/1.0", b"Connection: keep-alive")),
    ended("HTTP/1.0 and close", in_version(b"HTTP/1.0", b"Connection: close"), gets=(200,)),
    ended("HTTP/1.0 is refused alike", stranger().replace(b"HTTP/1.1", b"HTTP/1.0"), gets=(401,)),
    ended(
        "HTTP/1.0 is refused by HEAD",
        b"HEAD" + stranger().replace(b"HTTP/1.1", b"HTTP/1.0")[3:],
        gets=(401,),
        heads=(0,),
    ),
    ended("HTTP/1.0 and a query", check(first=b"GET /api/authz/auth-request?a HTTP/1.0"), gets=(200,)),
    ended("HTTP/1.0 that says a header twice", in_version(b"HTTP/1.0", b"A: b", b"A: c"), gets=(200,)),
    ended("HTTP/1.0 in two pieces", *_cut(in_version(b"HTTP/1.0"), 40), gets=(200,)),
    ended("HTTP/1.0 with a body", in_version(b"HTTP/1.0", b"Content-Length: 3") + b"a=1", gets=(200,)),
    ended("HTTP/1.0 cannot be pipelined", in_version(b"HTTP/1.0") + check()),
    kept(
        "HTTP/1.0 needs no host",
        check(b"Connection: keep-alive", host=b"", first=b"GET /api/authz/auth-request HTTP/1.0"),
    ),
    ended("HTTP/0.9 has no headers to be allowed by", b"GET /api/authz/auth-request\r\n\r\n", gets=(403,)),
    ended("HTTP/2 is refused", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ended("HTTP/2.0 in letters asks once", in_version(b"HTTP/2.0"), gets=(200,)),
    ended("HTTP/1.2 is refused", in_version(b"HTTP/1.2")),
    ended("HTTP/1 is refused", in_version(b"HTTP/1")),
    ended("HTTP/01.1 is refused", in_version(b"HTTP/01.1")),
    ended("http/1.1 is refused", in_version(b"http/1.1")),
    ended("another protocol is refused", in_version(b"HTTQ/1.1")),
    ended("TLS is refused", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60)),
)

_BODIES = (
    kept("a body is no request", by(b"POST", b"Content-Length: %d" % len(_SMUGGLED), body=_SMUGGLED)),
    kept("nor in a later piece", by(b"POST", b"Content-Length: %d" % len(_SMUGGLED)), _SMUGGLED),
    kept(
        "nor cut in the middle",
        *_cut(
            by(b"POST", b"Content-Length: %d" % len(_SMUGGLED), body=_SMUGGLED),
            len(by(b"POST", b"Content-Length: %d" % len(_SMUGGLED))) + 9,
        ),
    ),
    kept("nor when GET brings it", check(b"Content-Length: %d" % len(_SMUGGLED), body=_SMUGGLED)),
    kept(
        "nor behind a refusal", with_more(stranger(), b"Content-Length: %d" % len(_SMUGGLED)) + _SMUGGLED, gets=(401,)
    ),
    kept("an empty body", check(b"Content-Length: 0")),
    # Nothing comes after chunks: their trailer would be taken for the beginning of the next head.
    ended("chunks are a body", chunked(b"3\r\na=1\r\n0\r\n\r\n"), gets=(200,)),
    ended("chunks in later pieces", chunked(b""), b"3\r\na=", b"1\r\n0\r\n", b"\r\n", gets=(200,)),
    ended("chunks are no request", chunked(b"%x\r\n%s\r\n0\r\n\r\n" % (len(_SMUGGLED), _SMUGGLED)), gets=(200,)),
    ended("no chunk at all", check(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), gets=(200,)),
    ended("a trailer", chunked(b"0\r\nX-Original-Method: DELETE\r\n\r\n"), gets=(200,)),
    ended("a trailer, and a stranger at once", chunked(b"0\r\nCookie: @cookie@\r\n\r\n") + stranger(), gets=(200,)),
    ended(
        "a cookie in a trailer is none",
        with_more(stranger(), b"Transfer-Encoding: chunked") + b"0\r\nCookie: @cookie@\r\n\r\n",
        gets=(401,),
    ),
    ended("extensions of chunks", chunked(b"1;a=b\r\nx\r\n0\r\n\r\n"), gets=(200,)),
    ended("chunks and a length", by(b"POST", b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n")),
    ended("a length and chunks", by(b"POST", b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")),
    ended("chunks twice", by(b"POST", b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n")),
    ended("chunks and then more", by(b"POST", b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n")),
    ended("chunks in disguise", by(b"POST", b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n")),
    ended("chunks in a blank disguise", by(b"POST", b"Transfer-Encoding : chunked", body=b"0\r\n\r\n")),
    ended("a bad chunk", by(b"POST", b"Transfer-Encoding: chunked", body=b"zz\r\n\r\n")),
    ended("a negative length", by(b"POST", b"Content-Length: -1")),
    ended("a signed length", by(b"POST", b"Content-Length: +3", body=b"a=1")),
    ended("a hexadecimal length", by(b"POST", b"Content-Length: 0x3", body=b"a=1")),
    ended("two lengths", by(b"POST", b"Content-Length: 3", b"Content-Length: 3", body=b"a=1")),
    ended("two different lengths", by(b"POST", b"Content-Length: 3", b"Content-Length: 0", body=b"a=1")),
    ended("lengths in one line", by(b"POST", b"Content-Length: 3, 3", body=b"a=1")),
    ended("a length beyond all bounds", by(b"POST", b"Content-Length: " + b"9" * 40)),
    ended("a length that is empty", by(b"POST", b"Content-Length:")),
    ended("a length with blanks inside", by(b"POST", b"Content-Length: 1 2", body=b"a=1")),
    kept("a go-ahead is nothing to a check", check(b"Expect: 100-continue")),
    kept("nor an expectation of another kind", check(b"Expect: the-unexpected")),
    kept("encoded bodies are not decoded", by(b"POST", b"Content-Encoding: gzip", b"Content-Length: 3", body=b"a=1")),
)

_UPGRADES = (
    kept("Upgrade alone is a header", check(b"Upgrade: websocket")),
    kept("Upgrade with Connection", check(b"Connection: upgrade", b"Upgrade: websocket")),
    kept(
        "Upgrade with all of a handshake",
        check(
            b"Connection: keep-alive, Upgrade",
            b"Upgrade: websocket",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ),
    ),
    kept("h2c", check(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__")),
    kept("Connection that names no upgrade", check(b"Connection: upgrade")),
    kept("Connection of another word", check(b"Connection: x-original-url")),
    ended("Connection that says both", check(b"Connection: keep-alive, close"), gets=(200,)),
)

_TARGETS = (
    kept("a query of the check's own", to(b"/api/authz/auth-request?a=b&c")),
    kept("an empty query", to(b"/api/authz/auth-request?")),
    kept("an encoded letter", to(b"/api/authz/auth%2drequest")),
    kept("a slash at the end", to(b"/api/authz/auth-request/"), gets=(404,)),
    kept("two slashes", to(b"//api/authz/auth-request"), gets=(404,)),
    kept("dots", to(b"/api/authz/x/../auth-request"), gets=(404,)),
    kept("capitals", to(b"/api/authz/AUTH-REQUEST"), gets=(404,)),
    kept("a parameter", to(b"/api/authz/auth-request;a"), gets=(404,)),
    kept("a fragment", to(b"/api/authz/auth-request#a")),
    kept("an absolute form", to(b"http://gateway/api/authz/auth-request")),
    kept("an absolute form of another host", to(b"http://elsewhere.example/api/authz/auth-request?a")),
    kept("an asterisk", by(b"OPTIONS").replace(b"/api/authz/auth-request", b"*"), gets=(404,)),
    kept("CONNECT is no check", by(b"CONNECT"), gets=(404,)),
    kept(
        "CONNECT to an authority",
        by(b"CONNECT").replace(b"/api/authz/auth-request", b"app.example.com:443"),
        gets=(404,),
    ),
    ended("no slash", to(b"api/authz/auth-request")),
    ended("no target", check(first=b"GET  HTTP/1.1")),
    ended("a blank in the target", to(b"/api/authz/auth-request /x")),
    ended("a tab in the target", to(b"/api/authz/auth-request\t")),
    ended("NUL in the target", to(b"/api/authz/auth-request\x00")),
    ended("odd bytes in the target", to(b"/api/authz/auth-request\xff")),
    kept("a long query", to(b"/api/authz/auth-request?" + b"x" * 40_000)),
    ended("a query that is too long", to(b"/api/authz/auth-request?" + b"x" * 70_000)),
)

_METHODS = (
    *(
        kept(f"{method.decode()} is a check", by(method))
        for method in (b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"PROPFIND", b"QUERY")
    ),
    kept("HEAD is a check without a body", by(b"HEAD"), heads=(0,)),
    kept("HEAD of a refusal has no body", b"HEAD" + stranger()[3:], gets=(401,), heads=(0,)),
    kept("HEAD and GET at once", by(b"HEAD") + check(), gets=(200, 200), heads=(0,)),
    ended("a method in small letters", by(b"get")),
    ended("a method of half small letters", by(b"Get")),
    ended("a method that nobody knows", by(b"GOT")),
    ended("a method with a sign", by(b"G@T")),
    ended("no method", check(first=b" /api/authz/auth-request HTTP/1.1")),
    kept("two blanks after the method", check(first=b"GET  /api/authz/auth-request HTTP/1.1")),
    kept("two blanks before the version", check(first=b"GET /api/authz/auth-request  HTTP/1.1")),
)

_LINES = (
    kept("an empty line before the first", b"\r\n" + check()),
    kept("empty lines before the first", b"\r\n\r\n\r\n" + check()),
    kept("an empty line between two", check() + b"\r\n" + check(), gets=(200, 200)),
    kept("bare LF before the first", b"\n" + check()),
    ended("bare LF everywhere", check().replace(b"\r\n", b"\n")),
    ended("bare LF once", check(b"A: b").replace(b"A: b\r\n", b"A: b\n")),
    ended("bare LF at the end", check()[:-2] + b"\n"),
    ended("bare CR everywhere", check().replace(b"\r\n", b"\r") + b"\r\n\r\n"),
    ended("bare CR in a value", check(b"A: b\rX-Original-Method: DELETE")),
    ended("two CR", check(b"A: b\r")),
    ended("a folded line", check(b"A: b", b" c")),
    ended("a folded line by a tab", check(b"A: b", b"\tc")),
    ended("a folded first line", check().replace(b"Host:", b" Host:", 1)),
    ended("a blank before the colon", check(b"A : b")),
    ended("a tab before the colon", check(b"A\t: b")),
    ended("a blank before the colon of ours", check().replace(b"Cookie:", b"Cookie :")),
    ended("no colon", check(b"nothing")),
    ended("an empty name", check(b": b")),
    ended("NUL in a value", check(b"A: b\x00c")),
    ended("a control in a value", check(b"A: b\x01c")),
    ended("DEL in a value", check(b"A: b\x7fc")),
    ended("NUL in a name", check(b"A\x00B: c")),
    ended("a control in a name", check(b"A\x01B: c")),
    ended("a blank in a name", check(b"A B: c")),
    ended("odd bytes in a name", check(b"A\xffB: c")),
    ended("a slash in a name", check(b"A/B: c")),
    kept("a name of signs", check(b"!#$%&'*+-.^_`|~9: c")),
    kept("an empty value", check(b"A:")),
    kept("a value of blanks", check(b"A:  \t ")),
    kept("no blank after the colon", check().replace(b": ", b":")),
    kept("blanks around values", check().replace(b": GET", b": \t GET \t")),
    kept("odd bytes in a value", check(b"A: \xff\xfe\x80")),
    kept("tabs in a value", check(b"A: b\tc")),
    kept("names in small letters", check().replace(b"X-Original-URL", b"x-original-url").replace(b"Cookie", b"cookie")),
    kept(
        "names in capitals", check().replace(b"X-Original-Method", b"X-ORIGINAL-METHOD").replace(b"Cookie", b"COOKIE")
    ),
    kept("many lines", check(*(b"A-%d: b" % number for number in range(90)))),
    ended("too many lines", check(*(b"A-%d: b" % number for number in range(200)))),
    kept("a long line", check(b"A: " + b"b" * 60_000)),
    ended("a line that is too long", check(b"A: " + b"b" * 70_000)),
    ended("a name that is too long", check(b"A" * 70_000 + b": b")),
    kept("a head of many long lines", check(*(b"A-%d: %s" % (number, b"b" * 60_000) for number in range(40)))),
    ended("no host", check(host=b"")),
    ended("two hosts", check(b"Host: other")),
    kept("an empty host", check(host=b"Host:")),
    kept("a host with a blank", check(host=b"Host: a b")),
    kept("a strange host", check(host=b"Host: evil.example:99")),
)

_FAMILY = (
    kept("no original request", page(b"/api/authz/auth-request"), gets=(403,)),
    kept("the method twice", check(b"X-Original-Method: GET"), gets=(403,)),
    kept("the address twice", check(b"x-original-url: http://app.example.com/public/x"), gets=(403,)),
    kept("a twin with an underscore", check(b"X_Original_URL: http://app.example.com/public/x"), gets=(403,)),
    kept("a twin with a dot", check(b"X-Original.Method: GET"), gets=(403,)),
    kept("a twin of another mark", check(b"X.Forwarded_For: 1.2.3.4"), gets=(403,)),
    kept("the cookie twice", check(b"Cookie: @cookie@"), gets=(401,)),
    kept("another family", check(b"X-Forwarded-Uri: /..", b"X-Forwarded-Uri: /%")),
    kept("identity of its own making", check(b"Remote-User: root", b"X-Auth-Strip: none")),
    kept(
        "conditions",
        check(b"If-None-Match: *", b"If-Modified-Since: Mon, 01 Jan 2099 00:00:00 GMT", b"Range: bytes=0-1"),
    ),
)

_GARBAGE = (
    ended("garbage", b"hello there\r\n\r\n"),
    ended("bytes of all kinds", bytes(range(256)) + b"\r\n\r\n"),
    ended("garbage after a check", check(), b"hello there\r\n\r\n", gets=(200, 400)),
    ended("garbage after another path", page(b"/healthz"), b"hello there\r\n\r\n", gets=(200, 400)),
    ended("an answer", head(b"HTTP/1.1 200 OK", b"Content-Length: 0")),
)

MESSAGES = (*_SEVERAL, *_VERSIONS, *_BODIES, *_UPGRADES, *_TARGETS, *_METHODS, *_LINES, *_FAMILY, *_GARBAGE)
