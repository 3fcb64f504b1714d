"""Reading a letter, wherever it was delivered."""

from __future__ import annotations

import re
from email.message import EmailMessage


def text_of(letter: EmailMessage) -> str:
    """Give the plain text, decoded."""
    return _part(letter, "plain")


def html_of(letter: EmailMessage) -> str:
    return _part(letter, "html")


def link_in(letter: EmailMessage) -> str:
    """Give the first link of the plain text."""
    found = re.search(r"https?://\S+", text_of(letter))
    assert found, text_of(letter)
    return found.group()


def _part(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    assert part is not None, letter.as_string()
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")
