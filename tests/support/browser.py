"""A real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from playwright.async_api import Page, async_playwright

# Without these Chromium looks up hosts of its maker at each start; tests run without a network.
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def open_browser(*, javascript: bool = True, arguments: Sequence[str] = ()) -> AsyncIterator[Page]:
    """Open one page of a fresh browser."""
    executable = shutil.which("chromium")
    assert executable, "Chromium is missing: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=[*_QUIET, *arguments])
        try:
            context = await browser.new_context(java_script_enabled=javascript)
            yield await context.new_page()
        finally:
            await browser.close()
