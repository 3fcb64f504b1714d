"""The headers of an answer, to be given again by another program."""

from __future__ import annotations

# These every server writes by itself.
_ITS_OWN = {"content-length", "content-type", "date", "server", "connection"}


def headers_of(answer: bytes) -> list[tuple[str, str]]:
    lines = answer.decode().partition("\r\n\r\n")[0].split("\r\n")[1:]
    pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return [(name, value) for name, value in pairs if name.lower() not in _ITS_OWN]
