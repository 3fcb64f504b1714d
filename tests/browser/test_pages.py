"""The pages that letters and rules lead to: used, read by axe-core and looked at, by day and by night."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from playwright.async_api import Page, expect

from tests.support.authenticator import Authenticator
from tests.support.axe import Onlooker
from tests.support.browser import open_browser
from tests.support.commands import run_command
from tests.support.demo import free_port
from tests.support.gateway import Gateway, environment, start_gateway
from tests.support.letters import link_in
from tests.support.outbox import read_letter

pytestmark = pytest.mark.long

ADA = "ada@example.com"
PASSWORD = "Winding-staircase-9"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime.now(UTC)) as traveller:
        yield traveller


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at the portal's pages, and whoever looks over their shoulder."""

    gateway: Gateway
    page: Page
    onlooker: Onlooker

    async def open(self, path: str, *, called: str) -> None:
        await self.page.goto(f"{self.gateway.settings.public_url}{path}")
        await self.onlooker.look(called)

    async def follow_the_letter(self, *, called: str, number: int = 1) -> None:
        """Open the link that was mailed last."""
        letter = await read_letter(self.gateway.settings.data_dir, to=ADA, number=number)
        await self.page.goto(link_in(letter))
        await self.onlooker.look(called)

    async def fill_in(self, button: str, *, shows: str, called: str, **fields: str) -> None:
        """Fill in a form by its labels and send it; the page that answers is called by its heading."""
        for label, text in fields.items():
            await self.page.get_by_label(label.replace("_", " "), exact=True).fill(text)
        await self.page.get_by_role("button", name=button, exact=True).click()
        await expect(self.page.get_by_role("heading", name=shows, exact=True)).to_be_visible()
        await self.onlooker.look(called)

    async def log_in(self, password: str = PASSWORD, *, shows: str, called: str) -> None:
        await self.page.goto(f"{self.gateway.settings.public_url}/login")
        await self.fill_in("Log in", Email=ADA, Password=password, shows=shows, called=called)

    async def log_out(self) -> None:
        await self.page.goto(self.gateway.settings.public_url)
        await self.page.get_by_role("button", name="Log out").click()
        await expect(self.page.get_by_text("You are logged out.")).to_be_visible()

    async def sees(self, text: str) -> None:
        await expect(self.page.get_by_text(text)).to_be_visible()


@pytest.fixture(params=[True, False], ids=["with-javascript", "without-javascript"])
async def visit(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Visit]:
    javascript: bool = request.param
    port = free_port()
    environ = environment(tmp_path, GATEWAY_LISTEN=f"127.0.0.1:{port}", ALLOW_REGISTRATION="true")
    environ["GATEWAY_PUBLIC_URL"] = f"http://localhost:{port}"
    async with start_gateway(environ) as gateway, open_browser(javascript=javascript) as page:
        yield Visit(gateway, page, Onlooker(page, tmp_path, javascript=javascript))


@pytest.fixture
async def ada(visit: Visit) -> None:
    command = ("user", "add", "--email", ADA, "--name", "Ada Lovelace", "--password-stdin")
    await run_command(visit.gateway, *command, stdin=PASSWORD)


async def test_newcomer_registers_and_confirms_the_address(visit: Visit) -> None:
    await visit.open("/login", called="login")
    await visit.page.get_by_role("link", name="Create an account").click()
    await visit.onlooker.look("register")
    form = {"Name": "Ada Lovelace", "Email": ADA}
    await visit.fill_in(
        "Create account", **form, Password="password123", shows="Create an account", called="register-refused"
    )
    await visit.fill_in("Create account", Password=PASSWORD, shows="Check your mail", called="registered")
    await visit.log_in(shows="Log in", called="login-unverified")

    await visit.follow_the_letter(called="verify")
    await visit.fill_in("Confirm", shows="Log in", called="verified")
    await visit.log_in(shows="Hello, Ada Lovelace", called="home")

    await visit.follow_the_letter(called="verify-used")
    await visit.fill_in("Send the link", Email=ADA, shows="Check your mail", called="verify-sent-again")


@pytest.mark.usefixtures("ada")
async def test_second_factor_is_enrolled_asked_for_and_taken_away(visit: Visit, clock: time_machine.Traveller) -> None:
    await visit.log_in(shows="Hello, Ada Lovelace", called="home")
    await visit.open("/second-factor", called="enrol")
    await visit.page.get_by_text("No camera? Type the key in").click()
    await visit.onlooker.look("enrol-by-hand")
    secret = await visit.page.locator(".by-hand code").inner_text()
    authenticator = Authenticator(secret.replace(" ", ""), clock)
    await visit.fill_in("Switch on", Code="000 000", shows="Protect your account", called="enrol-refused")
    await visit.fill_in("Switch on", Code=authenticator.code(), shows="Keep these codes", called="recovery-codes")
    recovery_code = await visit.page.locator(".codes code").first.inner_text()
    await visit.page.get_by_role("link", name="I have kept them").click()
    await visit.log_out()

    await visit.log_in(shows="One more step", called="second-factor")
    await visit.fill_in("Log in", Code="0000 0000", shows="One more step", called="second-factor-refused")
    await visit.fill_in("Log in", Code=recovery_code, shows="Hello, Ada Lovelace", called="home-by-recovery-code")
    await visit.log_out()
    await visit.log_in(shows="One more step", called="second-factor-again")
    await visit.fill_in("Log in", Code=authenticator.next_code(), shows="Hello, Ada Lovelace", called="home-by-code")

    await visit.open("/second-factor", called="second-factor-state")
    switch_off = visit.page.locator("form", has=visit.page.get_by_role("button", name="Switch off"))
    await switch_off.get_by_label("Code to switch it off").fill(authenticator.next_code())
    await visit.fill_in("Switch off", shows="Hello, Ada Lovelace", called="second-factor-off")


@pytest.mark.usefixtures("ada")
async def test_forgotten_password_is_replaced(visit: Visit) -> None:
    await visit.open("/login", called="login")
    await visit.page.get_by_role("link", name="Forgot your password?").click()
    await visit.onlooker.look("forgot-password")
    await visit.fill_in("Send the link", Email=ADA, shows="Check your mail", called="forgot-password-sent")

    await visit.follow_the_letter(called="reset-password")
    await visit.fill_in(
        "Set password", New_password="password123", shows="Choose a new password", called="reset-password-refused"
    )
    await visit.fill_in("Set password", New_password="Quiet-lighthouse-4", shows="Log in", called="reset-password-done")
    await visit.log_in("Quiet-lighthouse-4", shows="Hello, Ada Lovelace", called="home")
    await visit.follow_the_letter(called="reset-password-used")


async def test_handed_over_password_is_changed_first(visit: Visit) -> None:
    added = await run_command(visit.gateway, "user", "add", "--email", ADA, "--name", "Ada Lovelace", "--json")
    handed_over = added.json["password"]

    await visit.log_in(handed_over, shows="Choose your password", called="must-change")
    await visit.fill_in(
        "Change password",
        Current_password=handed_over,
        New_password="password123",
        shows="Choose your password",
        called="must-change-refused",
    )
    await visit.fill_in(
        "Change password",
        Current_password=handed_over,
        New_password=PASSWORD,
        shows="Hello, Ada Lovelace",
        called="home",
    )


async def test_pages_that_explain_something_are_readable(visit: Visit) -> None:
    await visit.open("/denied/0123456789abcdef?reason=no_rule", called="denied")
    await visit.open("/nothing-here", called="not-found")
    await visit.page.goto(f"{visit.gateway.settings.public_url}/docs")
    await visit.onlooker.look("docs", to_the_end=False)
