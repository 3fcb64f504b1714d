"""A person at a real browser, behind each proxy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.support.browser import open_browser
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.support.protected_site import APPLICATION_SAYS, HOST, PORTAL

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Page

    from tests.support.protected_site import ProtectedSite, Visitor


def browser_before(site: ProtectedSite) -> AbstractAsyncContextManager[Page]:
    """Open a browser that finds the site's hosts here, and takes them for as secure as they would be by https.

    It complains about some headers of other plain http pages.
    """
    origins = ",".join(f"http://{host}:{site.port}" for host in (HOST, PORTAL))
    return open_browser(
        arguments=[
            "--host-resolver-rules=MAP *.example.com 127.0.0.1",
            f"--unsafely-treat-insecure-origin-as-secure={origins}",
        ]
    )


async def test_stranger_logs_in_and_is_back_at_the_whole_address(site: ProtectedSite) -> None:
    address = f"http://{HOST}:{site.port}/reports?page=2&sort=name"
    async with browser_before(site) as page:
        await page.goto(address)
        await expect(page).to_have_url(re.compile(re.escape(f"http://{PORTAL}:{site.port}/login?rd=")))
        await page.get_by_label("Email").fill(ADMIN_EMAIL)
        await page.get_by_label("Password", exact=True).fill(ADMIN_PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await expect(page).to_have_url(address)
        await expect(page.locator("body")).to_contain_text(APPLICATION_SAYS)


async def test_refused_visitor_sees_a_whole_page_and_can_log_out(site: ProtectedSite, visitor: Visitor) -> None:
    """W1: the page is on the application's host, its styles and links are the portal's, and its policy allows them."""
    complaints: list[str] = []
    failed: list[str] = []
    async with browser_before(site) as page:
        page.on("console", lambda message: complaints.append(message.text))
        page.on("requestfailed", lambda request: failed.append(request.url))
        name, _, value = visitor.cookie.partition("=")
        await page.context.add_cookies([{"name": name, "value": value, "domain": ".example.com", "path": "/"}])
        answer = await page.goto(f"http://{HOST}:{site.port}/closed", wait_until="networkidle")
        assert answer is not None
        assert answer.status == 403
        await expect(page.get_by_role("heading", name="No access")).to_be_visible()
        await expect(page.locator("main")).to_contain_text("admin@example.com")
        await expect(page.locator("main")).to_contain_text(HOST)
        emblem = await page.locator(".brand svg").bounding_box()
        assert emblem is not None
        assert emblem["width"] < 100, "without its styles it fills the page"
        assert failed == []
        # What Chromium itself says of every page with this status.
        assert [text for text in complaints if "403 (Forbidden)" not in text] == []

        await page.get_by_role("link", name="Log out").click()
        await expect(page).to_have_url(re.compile(re.escape(f"http://{PORTAL}:{site.port}/")))
        await expect(page.get_by_role("button", name="Log out")).to_be_visible()
