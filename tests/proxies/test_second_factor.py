"""What a visitor without a second factor gets where one is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.protected_site import BROWSER, HOST, PORTAL, PROGRAM

if TYPE_CHECKING:
    from tests.support.protected_site import ProtectedSite, Visitor


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_person_is_sent_to_enrol_and_comes_back(site: ProtectedSite, visitor: Visitor, method: str) -> None:
    answer = site.ask(f"{method} /vault?page=2&sort=name", BROWSER, f"Cookie: {visitor.cookie}")
    assert answer.status in {302, 303}
    page = urlsplit(answer.header("Location") or "")
    assert (page.netloc, page.path) == (f"{PORTAL}:{site.port}", "/second-factor")
    assert parse_qs(page.query)["rd"] == [f"http://{HOST}:{site.port}/vault?page=2&sort=name"]
    assert answer.header("Cache-Control") == "no-store"
    shown = site.ask(f"GET {page.path}?{page.query}", BROWSER, f"Cookie: {visitor.cookie}", host=PORTAL)
    assert shown.status == 200


def test_program_is_told_so(site: ProtectedSite, visitor: Visitor) -> None:
    for credential in (f"Cookie: {visitor.cookie}", visitor.bearer):
        answer = site.ask("GET /vault", PROGRAM, credential)
        assert answer.status == 403
        assert answer.json["code"] == answer.header("X-Auth-Reason") == "second_factor_required"
        assert answer.header("Location") is None
