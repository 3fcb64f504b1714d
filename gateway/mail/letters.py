"""What a letter says: its templates, filled in, as a message that any mail program reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, select_autoescape

from gateway.grammar.email import NamedAddress
from gateway.grammar.hosts import is_ip_host
from gateway.mail.foreign_words import describe_device, one_line, presentable_name
from gateway.resources import resource_folder

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.config.settings import Settings
    from gateway.mail.outbox import PostedLetter


class Unwritable(Exception):
    """The letter cannot be written: it lacks a value, or a link leads elsewhere."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes. Links lead to `public_url` and nowhere else."""

    site_name: str
    public_url: str
    sender: NamedAddress

    @classmethod
    def of(cls, settings: Settings) -> Letterhead:
        # No mailbox is named after an IP address.
        domain = "localhost" if is_ip_host(settings.public_host) else settings.public_host
        sender = settings.mail.sender or NamedAddress(f"gateway@{domain}", settings.site_name)
        return cls(settings.site_name, settings.public_url, sender)

    @property
    def domain(self) -> str:
        return self.sender.address.partition("@")[2]


class Letters:
    """Letters under one letterhead."""

    def __init__(self, letterhead: Letterhead, *, templates: Path | None = None) -> None:
        self._letterhead = letterhead
        self._environment = _compiled(templates or resource_folder("templates") / "mail")
        self._shared = {"site_name": letterhead.site_name, "public_url": letterhead.public_url}

    def write(self, letter: PostedLetter) -> EmailMessage:
        """Make the same message whenever it is asked for the same letter. Raises `Unwritable`."""
        context = self._context(letter.context)
        try:
            subject, _, text = self._render(f"{letter.kind}.txt", context).partition("\n")
            html = self._render(f"{letter.kind}.html", {**context, "subject": subject})
            return self._message(letter, subject=subject, text=text, html=html)
        except (TemplateError, ValueError, HeaderParseError) as error:
            # Of the error its kind only: its text may hold what is in the letter.
            raise Unwritable(type(error).__name__) from error

    def _message(self, letter: PostedLetter, *, subject: str, text: str, html: str) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        sender = self._letterhead.sender
        message["From"] = Address(display_name=sender.name, addr_spec=sender.address)
        message["To"] = _address(letter.to)
        message["Subject"] = subject
        message["Date"] = format_datetime(letter.posted_at)
        # Of the letter and not of the attempt: whoever gets it twice can tell (RFC 5322 section 3.6.4).
        message["Message-ID"] = f"<{letter.id}@{self._letterhead.domain}>"
        # RFC 3834 section 5: no absence notes, please.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text.lstrip("\n"), cte=_encoding(text))
        message.add_alternative(html, subtype="html", cte=_encoding(html))
        return message

    def _context(self, given: Mapping[str, str]) -> dict[str, str]:
        context = {key: one_line(value) for key, value in given.items()}
        for key, link in context.items():
            # D4: whatever a request said about its host, no letter leads there.
            if key.endswith("link") and link and not link.startswith(f"{self._letterhead.public_url}/"):
                message = f"{key} does not begin with the public URL"
                raise Unwritable(message)
        name = presentable_name(given.get("name", ""))
        context["greeting"] = f"Hello {name}," if name else "Hello,"
        if "user_agent" in given:
            context["device"] = describe_device(given["user_agent"])
        return context

    def _render(self, name: str, context: Mapping[str, str]) -> str:
        return self._environment.get_template(name).render({**self._shared, **context})


@cache
def _compiled(templates: Path) -> Environment:
    """Compile every template, once in a process: a broken one stops the start and not a password reset."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for name in environment.list_templates(extensions=["html", "txt"]):
        environment.get_template(name)
    return environment


def _address(email: str) -> Address:
    local, _, domain = email.rpartition("@")
    return Address(username=local, domain=domain)


def _encoding(text: str) -> str:
    """Leave plain text as it is: a letter in a file can be read, and its link copied, without a mail program."""
    return "7bit" if text.isascii() else "quoted-printable"
