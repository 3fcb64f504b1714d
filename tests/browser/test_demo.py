"""The whole way, as a newcomer goes it: `make run`, a browser, a login, the application, a logout."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import open_browser
from tests.support.demo import Demo, start_demo

pytestmark = pytest.mark.long


async def _log_in(page: Page, demo: Demo) -> None:
    await page.get_by_label("Email").fill(demo.administrator)
    await page.get_by_label("Password", exact=True).fill(demo.password)
    await page.get_by_role("button", name="Log in").click()


async def test_newcomer_logs_in_sees_the_application_and_is_refused_after_logout(tmp_path: Path) -> None:
    async with start_demo(tmp_path) as demo, open_browser() as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))

        await page.goto(f"{demo.application}/members?tab=2")
        await expect(page).to_have_url(re.compile(re.escape(f"{demo.portal}/login?rd=")))
        await expect(page.get_by_text(demo.application.removeprefix("http://"))).to_be_visible()

        await _log_in(page, demo)
        await expect(page).to_have_url(f"{demo.application}/members?tab=2")
        await expect(page.locator("body")).to_contain_text("Administrator")
        await expect(page.locator("body")).to_contain_text("Organization Admin")

        await page.goto(demo.portal)
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_text("You are logged out.")).to_be_visible()
        await page.goto(f"{demo.application}/members")
        await expect(page).to_have_url(re.compile(re.escape(f"{demo.portal}/login?rd=")))
        assert complaints == [], "the browser complains, for example about the content security policy"


async def test_everything_works_without_javascript(tmp_path: Path) -> None:
    async with start_demo(tmp_path) as demo, open_browser(javascript=False) as page:
        await page.goto(f"{demo.application}/")
        await page.get_by_label("Password", exact=True).fill("not it")
        await page.get_by_label("Email").fill(demo.administrator)
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_text("Email or password is incorrect")).to_be_visible()
        await expect(page.get_by_label("Email")).to_have_value(demo.administrator)
        await _log_in(page, demo)
        await expect(page).to_have_url(f"{demo.application}/")


async def test_second_start_keeps_data_password_and_session(tmp_path: Path) -> None:
    async with start_demo(tmp_path) as first:
        pass
    async with start_demo(tmp_path) as second:
        assert (second.administrator, second.password) == (first.administrator, first.password)
