from __future__ import annotations

import pytest

from gateway.grammar.path_patterns import is_anchored, is_anchored_at_both_ends, require_path_glob, require_path_pattern


@pytest.mark.parametrize(
    "pattern", ["^/healthz$", "^/a|^/b", r"\A/a", "(?i)^/a", "(^/a|^/b)", "(?:^/a)(/.*)?", "^/[|]"]
)
def test_pattern_that_begins_where_the_path_begins(pattern: str) -> None:
    assert is_anchored(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["/public", "^/a|/b", "/a|^/b", ".*^/a", "(^/a)?/b", "(^/a|/b)", "", r"\^/a", "[^/a]", "[]^]|^/a", "(^/a)*"],
)
def test_pattern_that_may_begin_anywhere(pattern: str) -> None:
    assert not is_anchored(pattern)


@pytest.mark.parametrize("pattern", ["^/healthz$", "^/a[/?]", r"^/a[\?]", "^/a(/.*)?$", r"^/\d+\.html$", "(?P<User>x)"])
def test_pattern_that_can_match_a_path(pattern: str) -> None:
    assert require_path_pattern(pattern) == pattern


@pytest.mark.parametrize("pattern", ["(?=x)", "(", "[a", r"\1", "a**", r"^/a\?b=c", r"^/a(\?.*)?$"])
def test_pattern_that_cannot(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        require_path_pattern(pattern)


@pytest.mark.parametrize("glob", ["/", "/api/**", "/a/*/b", "/caf%C3%A9"])
def test_glob_over_a_whole_path(glob: str) -> None:
    assert require_path_glob(glob) == glob


@pytest.mark.parametrize("glob", ["", "api/**", "**", "/a?b", "/a#b", "/a b", "/a\n", "https://a/b"])
def test_other_glob_is_refused(glob: str) -> None:
    with pytest.raises(ValueError, match="path"):
        require_path_glob(glob)


@pytest.mark.parametrize(
    "pattern", ["^a$", r"\Aa\z", "^(a|b)$", "^(a$|b$)", "(^a$)", "^a$|^b$", "(?i)^a$", "^x(a)(b$)"]
)
def test_pattern_that_covers_the_whole_text(pattern: str) -> None:
    assert is_anchored_at_both_ends(pattern)


@pytest.mark.parametrize(
    "pattern", ["", "a", "^a", "a$", "^a$|b$", "^a|^b$", r"^a\$", "^a[$]", "^(a$)?", "^(a$|b)", "^a$."]
)
def test_pattern_that_leaves_an_end_open(pattern: str) -> None:
    assert not is_anchored_at_both_ends(pattern)
