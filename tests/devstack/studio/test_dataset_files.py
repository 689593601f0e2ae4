"""Dataset files: every data type as a table, and what a report says of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from devstack.studio.learning.failures import BadTable
from devstack.studio.workspace.dataset_files import is_table, read_dataset
from devstack.studio.workspace.table_reports import report_on

CENSUS = [["39", "state gov"], ["50", None]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize(
    ("data_type", "text", "columns"),
    [
        ("GenericCSV", "age,job\n39,state gov\n50,?\n", ("age", "job")),
        ("GenericCSVNoHeader", "39,state gov\r\n50,\r\n", ("Col1", "Col2")),
        ("GenericTSV", "age\tjob\n39\tstate gov\n50\tNA\n", ("age", "job")),
        ("GenericTSVNoHeader", "\ufeff39\tstate gov\n50\t\n", ("Col1", "Col2")),
        ("Dataset", 'age,job\n39,"state gov"\n\n50,\n', ("age", "job")),
        (
            "ARFF",
            "% about people\n@RELATION census\n@attribute age numeric\n"
            "@attribute 'job' {'state gov', other}\n\n@DATA\n39,'state gov'\n% more\n50, ?\n",
            ("age", "job"),
        ),
    ],
)
def test_each_data_type_is_read_as_a_table(file, data_type, text, columns):
    file.write_text(text, encoding="utf-8", newline="")

    table = read_dataset(file, data_type)

    assert (columns, CENSUS) == (table.columns, table.rows)


def test_sparse_and_quoted_rows_of_arff_are_read(file):
    file.write_text(
        "@relation r\n@attribute 'the age' real\n@attribute \"a,b\" {no, yes}\n"
        '@attribute note string\n@data\n{1 yes, 2 \'it\\\'s, so\'}\n{}\n1.5,"no","x"\n'
    )

    table = read_dataset(file, "ARFF")

    assert ("the age", "a,b", "note") == table.columns
    expected = [["0", "yes", "it's, so"], ["0", "no", ""], ["1.5", "no", "x"]]
    assert expected == table.rows


@pytest.mark.parametrize(
    ("data_type", "content", "complaint"),
    [
        ("GenericCSV", b"", "empty"),
        ("GenericCSV", b"a,a\n1,2\n", "column 'a' is there more than once"),
        ("GenericCSV", b"a,\n1,2\n", "column 2 has no name"),
        ("GenericCSV", b"a,b\n1\n", "line 2 has 1 cells, the dataset has 2"),
        ("GenericTSV", b"a\tb\n\xff\t1\n", "not UTF-8"),
        ("ARFF", b"@relation r\n@attribute a numeric\n", "no @data"),
        ("ARFF", b"hello\n@data\n", "'hello' is no line of the head"),
        ("ARFF", b"@attribute a numeric\n@data\n1,2\n", "row 1 has 2 cells"),
        ("ARFF", b"@attribute a numeric\n@data\n{7 1}\n", "no position and value"),
        ("Zip", b"PK", "not a table"),
    ],
)
def test_a_file_that_is_no_table_is_refused(file, data_type, content, complaint):
    file.write_bytes(content)

    with pytest.raises(BadTable, match=complaint):
        read_dataset(file, data_type)


def test_a_hostile_line_of_arff_is_refused_at_once(file):
    file.write_text("@attribute a real\n@data\n1," + " " * 20_000 + "x'\n")
    began = time.monotonic()

    with pytest.raises(BadTable, match="row 1 cannot be read"):
        read_dataset(file, "ARFF")

    assert time.monotonic() - began < 5


def test_zip_rdata_and_text_are_no_tables():
    assert [False] * 3 == [is_table(kind) for kind in ("Zip", "RData", "PlainText")]


def test_a_report_tells_types_and_figures(file):
    file.write_text(
        "whole,long,real,flag,text,none\n1,3000000000,0.5,true,x,\n-3,1,1e3,False,2,\n,2,2,,y,\n"
    )

    report = report_on(file, "GenericCSV")

    types = {column.name: column.type for column in report.columns}
    assert types == {
        "whole": "Int32", "long": "Int64", "real": "Double",
        "flag": "Boolean", "text": "String", "none": "String",
    }  # fmt: skip
    whole = report.columns[0]
    assert (3, 2, 1, -3.0, 1.0, -1.0) == (
        report.rows, whole.count, whole.missing, whole.minimum, whole.maximum, whole.mean,
    )  # fmt: skip


def test_a_report_on_a_broken_file_says_why(file):
    file.write_text("a,b\n1,2\n1\n")

    assert "line 3 has 1 cells, the dataset has 2" == report_on(file, "GenericCSV").failure
