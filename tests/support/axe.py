"""Looking at a page: axe-core reads it as people do who cannot see it, a screenshot shows it to those who can."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.support.node import CLIENTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.async_api import ConsoleMessage, Page, ViewportSize

_AXE = CLIENTS / "node_modules" / "axe-core" / "axe.min.js"

_LIGHTS: Sequence[Literal["light", "dark"]] = ("light", "dark")

_PHONE: ViewportSize = {"width": 320, "height": 640}

_FINDINGS = """async (rules) => {
    const { violations } = await axe.run({ resultTypes: ['violations'], ...(rules && { runOnly: rules }) });
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary }) =>
        `${id}: ${help}\\n  ${html}\\n  ${failureSummary}`));
}"""

_COLOURS = """async (png) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
    canvas.drawImage(image, 0, 0);
    const { data } = canvas.getImageData(0, 0, image.width, image.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""


@dataclass(slots=True)
class Onlooker:
    """Looks at each page that somebody comes to, and keeps what the browser complained about on the way."""

    page: Page
    folder: Path
    # axe-core is a script: it cannot read a page on which none runs.
    javascript: bool = True
    complaints: list[str] = field(default_factory=list)
    _seen: list[str] = field(default_factory=list)
    _measuring: Page | None = None

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self._hear(message))  # noqa: PLW0108 - Playwright marks bound methods
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def look(self, name: str, *, to_the_end: bool = True) -> None:
        """Fail on what axe-core finds, on complaints so far, and on a page on which there is nothing to see."""
        self._seen.append(name)
        # The same sheet lights a page with and without scripts.
        for light in _LIGHTS if self.javascript else _LIGHTS[:1]:
            # Colours on their way from one light to the other are nobody's choice.
            await self.page.emulate_media(color_scheme=light, reduced_motion="reduce")
            path = self.folder / f"{len(self._seen):02}-{name}-{light}.png"
            image = await self.page.screenshot(path=path, full_page=to_the_end, animations="disabled")
            assert await self._colours(image) > 20, f"{name}, {light}: nothing to see"
            # Another light changes colours and nothing else.
            rules = None if light == _LIGHTS[0] else ["color-contrast"]
            assert not self.javascript or await axe_findings(self.page, rules) == [], f"{name}, {light}"
        assert await self._width_on_a_phone() <= _PHONE["width"], f"{name} is wider than a phone"
        assert self.complaints == [], name

    def _hear(self, message: ConsoleMessage) -> None:
        # The status of a form that is shown again, with what was wrong in it.
        if not (message.text.startswith("Failed to load resource") and message.location["url"] == self.page.url):
            self.complaints.append(message.text)

    async def _width_on_a_phone(self) -> int:
        """Give how wide the page is where there is little room (WCAG 2.2, success criterion 1.4.10)."""
        room = self.page.viewport_size
        assert room is not None
        await self.page.set_viewport_size(_PHONE)
        width: int = await self.page.evaluate("document.documentElement.scrollWidth")
        await self.page.set_viewport_size(room)
        return width

    async def _colours(self, image: bytes) -> int:
        if self._measuring is None:
            browser = self.page.context.browser
            assert browser is not None
            # A page of its own: the one that is looked at admits no images but the gateway's, and perhaps no scripts.
            self._measuring = await browser.new_page()
        count: int = await self._measuring.evaluate(_COLOURS, b64encode(image).decode())
        return count


async def axe_findings(page: Page, rules: Sequence[str] | None = None) -> list[str]:
    """Give what axe-core has against a page, by all rules or by these.

    Evaluated, not added as a script: our policy would refuse that.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_AXE.read_text())
    findings: list[str] = await page.evaluate(_FINDINGS, rules)
    return findings
