from __future__ import annotations

import pytest

from gateway.grammar.initial_password import broken_initial_password_rules


@pytest.mark.parametrize("password", ["Correct-horse1", "äÖ!aaaaaaaaa", "Aa~Aa~Aa~Aa~"])
def test_password_that_keeps_the_rules(password: str) -> None:
    assert broken_initial_password_rules(password) == []


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("Short-1aaaa", ["12 characters"]),
        ("ONLY-CAPITALS-1", ["lower-case"]),
        ("only-small-letters", ["upper-case"]),
        ("NoSymbolsAtAll1", ["symbol"]),
        ("Blanks are not", ["symbol"]),
        ("", ["12 characters", "lower-case", "upper-case", "symbol"]),
    ],
)
def test_each_broken_rule_has_its_sentence(password: str, words: list[str]) -> None:
    broken = broken_initial_password_rules(password)
    assert len(broken) == len(words)
    assert all(word in sentence for word, sentence in zip(words, broken, strict=True))
