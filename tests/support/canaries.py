"""Secrets that are recognised wherever they turn up, and the search for them in everything that a gateway leaves."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, redirect_stderr
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote_plus

import structlog
from aiohttp import ClientResponse

from gateway.config.settings import LogSettings
from gateway.log_output import configure_logs
from tests.support.letters import html_of, text_of

_PATIENCE_SECONDS = 5
# Six digits stand by chance in moments and in random hexadecimals: a code counts where it stands by itself.
_SHORTEST_TELLING = 8
# What a form gives back: the token of its own link, and what is no secret.
_OWN_FIELDS = re.compile(r'<input [^>]*name="(?:token|form_token|userId|email|name|username)"[^>]*>')


def make_canary(kind: str) -> str:
    """Make a secret for somebody to type; a password of it passes every rule."""
    return f"Canary-{kind}-{secrets.token_hex(12)}"


@cache
def spellings(secret: str) -> frozenset[bytes]:
    """Give what a secret looks like as it is, in a URL, in base64 wherever in it it begins, and in hexadecimal."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), quote(secret, safe="").encode()}
    for shift in range(3):
        # Only whole groups of three bytes that are the secret's alone look the same whatever stands around it.
        inner = raw[-shift % 3 :]
        whole = inner[: len(inner) // 3 * 3]
        if len(whole) >= _SHORTEST_TELLING:
            found |= {base64.b64encode(whole), base64.urlsafe_b64encode(whole)}
    return frozenset(found)


@dataclass(slots=True)
class Canaries:
    """Every secret that was typed, configured or handed out, by what it is."""

    known: dict[str, str] = field(default_factory=dict)
    # Those that a letter is meant to hold.
    mailed: set[str] = field(default_factory=set)

    def add(self, name: str, secret: str, *, mailed: bool = False) -> str:
        """Watch a secret from now on; gives it back."""
        assert len(secret) >= 6, name
        self.known[f"{len(self.known)} {name}"] = secret
        if mailed:
            self.mailed.add(secret)
        return secret

    def new(self, kind: str) -> str:
        return self.add(kind, make_canary(kind))

    def in_bytes(self, content: bytes) -> set[str]:
        """Give the names of those in a file; short codes are looked for in text only."""
        return {
            name
            for name, secret in self.known.items()
            if len(secret) >= _SHORTEST_TELLING and any(spelling in content for spelling in spellings(secret))
        }

    def in_text(self, text: str) -> set[str]:
        """Give the names of those in a text."""
        codes = {
            name
            for name, secret in self.known.items()
            if len(secret) < _SHORTEST_TELLING and re.search(rf"(?<![0-9A-Za-z.]){secret}(?![0-9A-Za-z])", text)
        }
        return codes | self.in_bytes(text.encode("utf-8", "surrogateescape"))

    def in_letter(self, letter: EmailMessage) -> set[str]:
        """Give the names of those in a letter, but for the links that are meant for whoever reads it."""
        whole = "\n".join([str(letter), text_of(letter), html_of(letter), unquote_plus(text_of(letter))])
        return {name for name in self.in_text(whole) if self.known[name] not in self.mailed}

    def in_database(self, path: Path) -> set[str]:
        """Give table, column and name of those in any value of any table."""
        found = set()
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                rows = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - a name out of the database itself
                columns = [column[0] for column in rows.description]
                for column, values in zip(columns, zip(*rows, strict=True), strict=False):
                    text = "\n".join(str(value) for value in values if not isinstance(value, bytes))
                    raw = b"\n".join(value for value in values if isinstance(value, bytes))
                    found |= {f"{table}.{column}: {name}" for name in self.in_text(text) | self.in_bytes(raw)}
        return found

    def in_folder(self, folder: Path, *, but: Sequence[Path]) -> set[str]:
        """Give file and name of those in any file, its bytes as they lie there: what was deleted is found as well."""
        return {
            f"{path.relative_to(folder)}: {name}"
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not any(path.is_relative_to(one) for one in but)
            for name in self.in_bytes(path.read_bytes())
        }


@dataclass(slots=True)
class Answers:
    """What was answered to whom; searched at the end, when every secret is known."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    async def take(self, what: str, response: ClientResponse) -> str:
        """Keep a refusal, whole, and of any other answer nothing: it may hand out what it is there for."""
        text = await response.text()
        self.statuses[response.status] = self.statuses.get(response.status, 0) + 1
        if response.status >= 400:
            headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
            self.texts.append((f"{response.status} {what}", f"{headers}\n{_OWN_FIELDS.sub('', text)}"))
        return text

    def holding(self, canaries: Canaries) -> set[str]:
        return {f"{what}: {name}" for what, text in self.texts for name in canaries.in_text(text)}


class CapturedLog(io.StringIO):
    """The log as it is written in production, at its most talkative."""

    async def text(self) -> str:
        """Give all that was logged until now: the writer is a thread of its own."""
        mark = secrets.token_hex(8)
        structlog.get_logger("tests").info("mark", mark=mark)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while mark not in self.getvalue():  # noqa: ASYNC110 - a thread writes it
                await asyncio.sleep(0.01)
        return self.getvalue()


def captured_log(log_format: Literal["json", "console"]) -> Iterator[CapturedLog]:
    """Log there, as the settings say, until the end; for fixtures."""
    stream = CapturedLog()
    with redirect_stderr(stream):
        configure_logs(LogSettings(level="debug", format=log_format))
    yield stream
    structlog.reset_defaults()
