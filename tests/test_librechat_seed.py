"""LibreChat's page about its authentication API, walked from top to bottom, each request as it is printed there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from aiohttp import ClientResponse, ClientSession, CookieJar

from tests.support.authenticator import Authenticator
from tests.support.commands import run_command
from tests.support.gateway import Gateway, environment, start_gateway
from tests.support.letters import link_in
from tests.support.smtp import Mailbox, start_mailbox

JOHN = "john@example.com"
NEWCOMER = "newcomer@example.com"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Begin when the page's examples do: an API key may expire at the end of 2024, as printed."""
    with time_machine.travel("2024-01-01T00:00:00Z") as traveller:
        yield traveller


@dataclass(slots=True)
class Reader:
    """Types off what is printed, with values of their own in the places of the examples'."""

    gateway: Gateway
    client: ClientSession
    own: dict[str, str]

    async def send(self, printed: str) -> ClientResponse:
        examples = "|".join(re.escape(example) for example in sorted(self.own, key=len, reverse=True))
        typed = re.sub(examples, lambda example: self.own[example.group()], printed.strip())
        head, _, body = typed.partition("\n\n")
        request_line, *lines = head.split("\n")
        method, target = request_line.split()
        headers = dict(line.split(": ", 1) for line in lines)
        return await self.client.request(
            method, f"{self.gateway.url}{target}", headers=headers, data=body or None, allow_redirects=False
        )


@pytest.fixture
async def mailbox(clock: time_machine.Traveller) -> AsyncIterator[Mailbox]:  # noqa: ARG001 - what is mailed has its date
    async with start_mailbox() as running:
        yield running


@pytest.fixture
async def reader(tmp_path: Path, mailbox: Mailbox) -> AsyncIterator[Reader]:
    """Give somebody who has the account of the first example, and a client that keeps cookies."""
    environ = environment(tmp_path, ALLOW_REGISTRATION="true", LOGIN_MAX="7", **mailbox.environment)
    async with start_gateway(environ) as gateway, ClientSession(cookie_jar=CookieJar(unsafe=True)) as client:
        await run_command(
            gateway, "user", "add", "--email", JOHN, "--name", "John Doe", "--password-stdin", stdin="your-password"
        )
        yield Reader(gateway, client, {"[email protected]": JOHN})


async def test_page_is_true_from_top_to_bottom(reader: Reader, mailbox: Mailbox, clock: time_machine.Traveller) -> None:
    await log_in(reader)
    await use_the_token(reader)
    await refresh(reader)
    await log_out(reader)
    await register(reader, mailbox)
    await reset_the_password(reader, mailbox)
    await set_up_the_second_factor(reader, clock)
    await log_in_with_the_second_factor(reader, clock)
    await make_and_use_an_api_key(reader)
    await find_no_oauth_yet(reader)
    await meet_the_errors(reader, clock)


LOGIN = """\
POST /api/auth/login
Content-Type: application/json

{
  "email": "[email protected]",
  "password": "your-password"
}
"""


async def log_in(reader: Reader) -> None:
    answer = await reader.send(LOGIN)
    assert answer.status == 200
    given = await answer.json()
    reader.own["<token>"] = given["token"]
    assert isinstance(given["user"].pop("id"), str)
    expected = {"email": JOHN, "name": "John Doe", "role": "user"}
    assert {name: given["user"][name] for name in expected} == expected


async def use_the_token(reader: Reader) -> None:
    """`GET /api/convos` is the application's: the proxy asks whether it may pass."""
    url = f"{reader.gateway.settings.public_url}/api/convos"
    assert (await reader.gateway.check(url, Authorization=f"Bearer {reader.own['<token>']}")).status == 200
    assert (await reader.gateway.check(url)).status == 401


async def refresh(reader: Reader) -> None:
    for printed in ("POST /api/auth/refresh", "POST /api/auth/refresh?retry=true"):
        answer = await reader.send(printed)
        assert answer.status == 200
        given = await answer.json()
        assert given["user"]["email"] == JOHN
        reader.own["<token>"] = given["token"]


async def log_out(reader: Reader) -> None:
    answer = await reader.send("""\
POST /api/auth/logout
Authorization: Bearer <token>
""")
    assert answer.status == 200
    await use_a_dead_token(reader)


async def use_a_dead_token(reader: Reader) -> None:
    url = f"{reader.gateway.settings.public_url}/api/convos"
    assert (await reader.gateway.check(url, Authorization=f"Bearer {reader.own['<token>']}")).status == 401


async def register(reader: Reader, mailbox: Mailbox) -> None:
    reader.own["[email protected]"] = NEWCOMER
    answer = await reader.send("""\
POST /api/auth/register
Content-Type: application/json

{
  "email": "[email protected]",
  "password": "secure-password",
  "name": "John Doe",
  "username": "johndoe"
}
""")
    assert answer.status == 200, await answer.text()
    parameters = parameters_of(link_in(await mailbox.next_letter(to=NEWCOMER)))
    url = f"{reader.gateway.url}/api/user/verify"
    assert (await reader.client.post(url, json=parameters)).status == 200

    answer = await reader.gateway.log_in(NEWCOMER, "secure-password")
    assert answer.status == 200
    assert (await answer.json())["user"]["username"] == "johndoe"
    reader.own["[email protected]"] = JOHN


async def reset_the_password(reader: Reader, mailbox: Mailbox) -> None:
    answer = await reader.send("""\
POST /api/auth/requestPasswordReset
Content-Type: application/json

{
  "email": "[email protected]"
}
""")
    assert answer.status == 200
    parameters = parameters_of(link_in(await mailbox.next_letter(to=JOHN)))
    reader.own |= {"user123": parameters["userId"], "reset-token-from-email": parameters["token"]}
    answer = await reader.send("""\
POST /api/auth/resetPassword
Content-Type: application/json

{
  "userId": "user123",
  "token": "reset-token-from-email",
  "password": "new-secure-password"
}
""")
    assert answer.status == 200, await answer.text()
    reader.own["your-password"] = "new-secure-password"
    await log_in(reader)


ENABLE = """\
GET /api/auth/2fa/enable
Authorization: Bearer <token>
"""
VERIFY = """\
POST /api/auth/2fa/verify
Authorization: Bearer <token>
Content-Type: application/json

{
  "token": "123456"
}
"""


async def set_up_the_second_factor(reader: Reader, clock: time_machine.Traveller) -> None:
    authenticator = await enrol(reader, clock)

    reader.own["123456"] = authenticator.next_code()
    assert (await reader.send(VERIFY.replace("verify", "disable"))).status == 200
    assert not (await whoami(reader))["twoFactorEnabled"]

    # The rest of the page is about a second factor that is on.
    reader.own["secret"] = (await enrol(reader, clock)).secret
    # The token from before stands for one factor: new codes without a code want one that stands for two.
    await refresh(reader)
    answer = await reader.send("""\
POST /api/auth/2fa/backup/regenerate
Authorization: Bearer <token>
""")
    assert answer.status == 200
    reader.own["backup code"] = (await answer.json())["backupCodes"][0]


async def enrol(reader: Reader, clock: time_machine.Traveller) -> Authenticator:
    given = await (await reader.send(ENABLE)).json()
    assert given["qrCode"].startswith("data:image/png;base64,")
    assert re.fullmatch("[A-Z2-7]{16,}", given["secret"])
    assert all(re.fullmatch("[0-9]{8}", code) for code in given["backupCodes"])

    authenticator = Authenticator(given["secret"], clock)
    reader.own["123456"] = authenticator.code()
    for step in ("verify", "confirm"):
        assert (await reader.send(VERIFY.replace("verify", step))).status == 200
    assert (await whoami(reader))["twoFactorEnabled"]
    return authenticator


async def whoami(reader: Reader) -> dict[str, object]:
    answer = await reader.send("GET /api/user\nAuthorization: Bearer <token>")
    assert answer.status == 200
    user: dict[str, object] = await answer.json()
    return user


async def log_in_with_the_second_factor(reader: Reader, clock: time_machine.Traveller) -> None:
    authenticator = Authenticator(reader.own.pop("secret"), clock)
    for code in (reader.own.pop("backup code"), authenticator.next_code()):
        reader.own |= {"temp-token-from-login": (await (await reader.send(LOGIN)).json())["tempToken"], "123456": code}
        answer = await reader.send("""\
POST /api/auth/2fa/verify-temp
Content-Type: application/json

{
  "tempToken": "temp-token-from-login",
  "token": "123456"
}
""")
        assert answer.status == 200, await answer.text()
        reader.own["<token>"] = (await answer.json())["token"]
        assert (await whoami(reader))["email"] == JOHN


async def make_and_use_an_api_key(reader: Reader) -> None:
    answer = await reader.send("""\
POST /api/api-keys
Authorization: Bearer <token>
Content-Type: application/json

{
  "name": "My Integration",
  "expiresAt": "2024-12-31T23:59:59Z"
}
""")
    assert answer.status == 201
    made = await answer.json()
    assert re.fullmatch(r"2024-01-01T00:\d\d:\d\d(\.\d+)?Z", made["createdAt"])
    assert (made["name"], made["expiresAt"]) == ("My Integration", "2024-12-31T23:59:59Z")
    reader.own |= {":id": made["id"], "lc_ak_1234567890abcdef": made["key"]}

    [listed] = await (await reader.send("GET /api/api-keys\nAuthorization: Bearer <token>")).json()
    shown = await (await reader.send("GET /api/api-keys/:id\nAuthorization: Bearer <token>")).json()
    assert listed == shown
    assert {"id", "name", "createdAt", "expiresAt", "lastUsedAt"} <= listed.keys()
    assert "key" not in listed

    url = "http://app.example.com:8080/api/agents/v1/chat/completions"
    assert made["key"].startswith("lc_ak_")
    passed = await reader.gateway.check(url, Authorization=f"Bearer {made['key']}")
    assert (passed.status, passed.headers["Remote-Email"]) == (200, JOHN)
    assert (await reader.send("DELETE /api/api-keys/:id\nAuthorization: Bearer <token>")).status == 204
    assert (await reader.gateway.check(url, Authorization=f"Bearer {made['key']}")).status == 401


async def find_no_oauth_yet(reader: Reader) -> None:
    """Providers that are not configured are not there, and the client is told so in its own language."""
    for path in ("google", "facebook", "graph-token?scopes=Files.Read"):
        answer = await reader.send(f"GET /api/auth/{path}\nAuthorization: Bearer <token>")
        assert answer.status == 404
        assert (await answer.json())["error"] == "Not found"


async def meet_the_errors(reader: Reader, clock: time_machine.Traveller) -> None:
    clock.shift(16 * 60)
    expired = await reader.send("GET /api/user\nAuthorization: Bearer <token>")
    assert (expired.status, await expired.json()) == (
        401,
        {"error": "Token expired", "message": "Your session has expired. Please log in again."},
    )

    reader.own["your-password"] = "not-your-password"
    wrong = await reader.send(LOGIN)
    assert (wrong.status, await wrong.json()) == (
        401,
        {"error": "Invalid credentials", "message": "Email or password is incorrect"},
    )

    limited = [await reader.send(LOGIN) for _ in range(7)][-1]
    assert (limited.status, await limited.json()) == (
        429,
        {"error": "Too many requests", "message": "Too many login attempts. Please try again later."},
    )


def parameters_of(link: str) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(link).query).items()}
