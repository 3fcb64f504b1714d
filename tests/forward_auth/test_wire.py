"""An answer as bytes is exactly the lines that it was given."""

from __future__ import annotations

import pytest

from gateway.forward_auth.answers import Answer
from gateway.forward_auth.wire import render, render_beginning


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nRemote-User: b", "a\x00b", "\r", "b\n"])
def test_value_that_would_begin_a_header_of_its_own_is_never_written(value: str) -> None:
    answer = Answer(200, (("X-Decision-Id", "1"), ("Remote-Name", value)))
    with pytest.raises(ValueError, match="end of a line"):
        render(answer, date=b"now")
    with pytest.raises(ValueError, match="end of a line"):
        render_beginning(answer)
