"""Which facts an entry of the log ends: found by any of their names, and forgotten with them."""

from __future__ import annotations

from gateway.facts.subject_index import SubjectIndex


def test_key_is_found_by_each_of_its_names_until_it_is_discarded() -> None:
    index = SubjectIndex()
    index.add(b"1", ("ada", "s1"))
    index.add(b"2", ("ada", "s2"))
    index.add(b"2", ("ada", "s2"))
    index.add(b"3", ("ada", "s2"))
    assert set(index.of("ada")) == {b"1", b"2", b"3"}
    assert index.of("s1") == (b"1",)
    assert index.of("nobody") == ()
    index.discard(b"2", ("ada", "s2"))
    assert set(index.of("ada")) == {b"1", b"3"}
    assert index.of("s2") == (b"3",)
    index.discard(b"2", ("ada", "s2"))
    index.discard(b"3", ("ada", "s2"))
    index.discard(b"1", ("ada", "s1"))
    assert len(index) == 0


def test_cleared_index_remembers_nothing() -> None:
    index = SubjectIndex()
    index.add(b"1", ("ada",))
    index.clear()
    assert (len(index), index.of("ada")) == (0, ())
