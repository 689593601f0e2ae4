"""Tables are read as they were written, and content that is no table is refused by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alm.domain import tables
from alm.domain.errors import Refused
from alm.domain.tables import Table

CELLS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
NAMES = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=6)


@st.composite
def some_tables(draw: st.DrawFn) -> Table:
    columns = tuple(draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)))
    row = st.tuples(*(CELLS for _ in columns))
    return Table(columns, tuple(draw(st.lists(row, max_size=5))))


@given(some_tables(), st.sampled_from(["rows.csv", "rows.tsv"]))
def test_what_was_written_is_read_again(table: Table, name: str) -> None:
    assert table == tables.read(tables.write(table, name=name), name=name)


@pytest.mark.parametrize("cell", ["a\rb", "a\nb", "a\r\nb", '"', ",", "\t", " a ", "\ufeff"])
def test_a_cell_keeps_its_text(cell: str) -> None:
    table = Table(("a", "b"), ((cell, None), (None, cell)))

    assert tables.read(tables.write(table)) == table


def test_written_lines_end_as_rfc_4180_wants_it() -> None:
    assert tables.write(Table(("a", "b"), (("1", None),))) == b"a,b\r\n1,\r\n"


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b"a,b\n1,2\n", "day.csv", Table(("a", "b"), (("1", "2"),))),
        (b"a\tb\n1\t2\n", "day.TSV", Table(("a", "b"), (("1", "2"),))),
        (b"a\tb\n1\t2\n", "", Table(("a", "b"), (("1", "2"),))),
        (b'"x,y"\tb\n1\t2\n', "", Table(("x,y", "b"), (("1", "2"),))),
        (b'a,"b\tc"\n1,2\n', "", Table(("a", "b\tc"), (("1", "2"),))),
        (b"a\tb\n1\t2\n", "day.csv", Table(("a\tb",), (("1\t2",),))),
        (b"\xef\xbb\xbfa,b\r\n1,\r\n", "", Table(("a", "b"), (("1", None),))),
        (b'a,b\n"x, ""y""\nz",2', "", Table(("a", "b"), (('x, "y"\nz', "2"),))),
        (b'a,b\n,""\n\n', "", Table(("a", "b"), ((None, None),))),
        ("größe,b\n1,2\n".encode(), "", Table(("größe", "b"), (("1", "2"),))),
        (b" a , b\n 1 ,2\n", "", Table(("a", "b"), ((" 1 ", "2"),))),
        (b"a,b", "", Table(("a", "b"), ())),
    ],
)
def test_csv_and_tsv_are_read(content: bytes, name: str, expected: Table) -> None:
    assert expected == tables.read(content, name=name)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "'day.csv' is empty"),
        (b"\n\n", "'day.csv' is empty"),
        (b"a,,c\n", "column 2 of 'day.csv' has no name"),
        (b"a,b,a\n", "names the column 'a' more than once"),
        (b"a,b\n1,2\n3\n", "line 3 of 'day.csv' has 1 cells, its first line 2"),
        (b"a,b\n1,2,3\n", "line 2 of 'day.csv' has 3 cells, its first line 2"),
        (b'a,b\n"1,2\n', "cannot be read at line 2"),
        ("a,b\n".encode("utf-16"), "not UTF-8 text (byte 0)"),
    ],
)
def test_content_that_is_no_table_is_refused_with_its_place(content: bytes, said: str) -> None:
    with pytest.raises(Refused) as refused:
        tables.read(content, name="day.csv")

    assert said in str(refused.value)


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(Refused, match=r"no column 'c' \(there is 'a', 'b'\)"):
        Table(("a", "b"), ()).column("c")


def test_appended_tables_follow_the_columns_of_the_first() -> None:
    first = Table(("a", "b"), (("1", "2"),))
    second = Table(("b", "a"), (("4", "3"), (None, "5")))

    together = tables.append([first, second])

    assert Table(("a", "b"), (("1", "2"), ("3", "4"), ("5", None))) == together


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("a",), "'day2.csv' lacks 'b', unlike the first"),
        (("a", "b", "c"), "'day2.csv' has 'c', unlike the first"),
        (("a", "B"), "'day2.csv' lacks 'b' and has 'B', unlike the first"),
    ],
)
def test_appending_other_columns_is_refused_by_name(columns: tuple[str, ...], said: str) -> None:
    with pytest.raises(Refused) as refused:
        tables.append([Table(("a", "b"), ()), Table(columns, ())], names=["day1.csv", "day2.csv"])

    assert said in str(refused.value)


def test_appending_nothing_is_refused() -> None:
    with pytest.raises(Refused, match="at least one"):
        tables.append([])


def test_a_label_is_taken_off_and_put_back_beside_the_answers() -> None:
    rows = Table(("x", "y"), (("1", "no"), ("2", "yes")))
    answers = Table(("y", "Scored Labels"), ((None, "no"), (None, "no")))

    unlabelled = tables.without(rows, "y")
    labelled = tables.with_column(answers, rows, "y")

    assert tables.dictionaries(unlabelled) == [{"x": "1"}, {"x": "2"}]
    assert Table(("Scored Labels", "y"), (("no", "no"), ("no", "yes"))) == labelled


def test_labels_are_not_put_beside_another_number_of_answers() -> None:
    with pytest.raises(Refused, match="1 rows cannot take the 2 values of 'y'"):
        tables.with_column(Table(("a",), (("1",),)), Table(("y",), (("1",), ("2",))), "y")


def test_rows_of_a_declaration_become_a_table() -> None:
    rows = [{"a": 1, "b": 0.1}, {"a": True, "c": "x"}, {"a": None, "b": float("nan"), "c": ""}]

    expected = (("1", "0.1", None), ("true", None, "x"), (None, None, None))
    assert Table(("a", "b", "c"), expected) == tables.of_rows(rows)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_as_text(value: float) -> None:
    assert value == tables.number(tables.cell(value))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.50", "0.5"),
        (" 1 ", "1.0"),
        ("-0", "0.0"),
        ("1e3", "1000.0"),
        ("1_000", "1_000"),
        ("True", "true"),
        ("Yes", "Yes"),
        ("inf", "inf"),
        ("", None),
        ("  ", None),
        ("NaN", None),
        (None, None),
    ],
)
def test_cells_are_compared_by_what_they_mean(text: str | None, expected: str | None) -> None:
    assert expected == tables.normalised(text)
