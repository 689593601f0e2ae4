"""How differences are told: the same change of many things is one line."""

from __future__ import annotations

from alm.domain.difference import Change, Difference, describe


def column(name: str, *, of: str = "'input1'", new: str = "Number") -> Change:
    return Change(area="input column", what="added", name=f"{name!r} of {of}", new=new)


def told(*changes: Change) -> list[str]:
    return describe(Difference(changes=changes))


def test_the_same_change_of_many_columns_is_one_line():
    assert told(*(column(name) for name in "abcdefg")) == [
        "input column added: 7 of 'input1' ('a', 'b', 'c', 'd', 'e', …): Number"
    ]


def test_few_columns_and_other_changes_have_lines_of_their_own():
    few = told(column("a"), column("b"), column("c"))
    mixed = told(*(column(name, new=name) for name in "abcd"))
    services = told(*(column("a", of=repr(name)) for name in "abcd"))

    assert [len(few), len(mixed), len(services)] == [3, 4, 4]
    assert few[0] == "input column added: 'a' of 'input1': Number"


def test_things_that_belong_to_nothing_are_not_counted_together():
    parts = [Change(area="edge", what="added", name=name) for name in "abcd"]
    assert told(*parts) == [f"edge added: {name}" for name in "abcd"]
