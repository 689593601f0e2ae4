"""A verdict on files as others read it: JSON, and what build services show beside the lines.

github: workflow commands. azure: logging commands of Azure Pipelines. junit: a test report, which
Azure Pipelines, GitLab and Jenkins show without an extension, as they do not SARIF.
Source: "Workflow commands for GitHub Actions", "Logging commands" of Azure Pipelines, and what
`PublishTestResults@2` takes as JUnit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from alm.domain.mistakes import Mistake, field
from alm.domain.nearest import printable


@dataclass(frozen=True)
class Verdict:
    """What was found in files. checked: the files in which something could be wrong."""

    checked: tuple[str, ...]
    mistakes: tuple[Mistake, ...] = ()
    doubts: tuple[Mistake, ...] = ()

    @property
    def levels(self) -> tuple[tuple[str, Mistake], ...]:
        """Each mistake as an error, then each doubt as a warning."""
        errors = [("error", one) for one in self.mistakes]
        return (*errors, *(("warning", one) for one in self.doubts))


def document(mistake: Mistake) -> dict[str, Any]:
    """A mistake for machines; `column` is 0 where it is not known."""
    return {
        "file": mistake.file,
        "line": mistake.line,
        "column": mistake.column,
        "field": field(mistake.place),
        "what": mistake.what,
        "remedy": mistake.remedy,
    }


def github(verdict: Verdict) -> str:
    """A workflow command for each."""
    return _lines(verdict, _github)


def azure(verdict: Verdict) -> str:
    """A logging command for each."""
    return _lines(verdict, _azure)


def junit(verdict: Verdict) -> str:
    """A test report: each file is a test; doubts are its output."""
    by_file = {
        file: [one for one in verdict.mistakes if one.file == file] for file in _files(verdict)
    }
    failed = sum(bool(found) for found in by_file.values())
    counts = {"tests": str(len(by_file)), "failures": str(failed), "errors": "0"}
    suite = ElementTree.Element("testsuite", {"name": "alm validate", **counts})
    for file, found in by_file.items():
        case = ElementTree.SubElement(suite, "testcase", classname="alm.validate", name=_text(file))
        if found:
            text = "\n".join(_text(one) for one in found)
            count = "1 mistake" if len(found) == 1 else f"{len(found)} mistakes"
            ElementTree.SubElement(case, "failure", message=count).text = text
        doubtful = [_text(one) for one in verdict.doubts if one.file == file]
        if doubtful:
            ElementTree.SubElement(case, "system-out").text = "\n".join(doubtful)
    ElementTree.indent(suite)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, "unicode") + "\n"
    )


FORMATS: Mapping[str, Callable[[Verdict], str]] = {"github": github, "azure": azure, "junit": junit}


def _files(verdict: Verdict) -> Sequence[str]:
    return sorted({*verdict.checked, *(one.file for _, one in verdict.levels)})


def _lines(verdict: Verdict, line: Callable[[str, Mistake], str]) -> str:
    return "".join(line(level, one) + "\n" for level, one in verdict.levels)


def _github(level: str, mistake: Mistake) -> str:
    facts = {"file": mistake.file, "line": str(mistake.line)}
    facts |= {"col": str(mistake.column)} if mistake.column else {}
    given = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in facts.items())
    return f"::{level} {given}::{_escaped(f'{mistake.told}; {mistake.remedy}')}"


def _azure(level: str, mistake: Mistake) -> str:
    facts = {"sourcepath": mistake.file, "linenumber": str(mistake.line)}
    facts |= {"columnnumber": str(mistake.column)} if mistake.column else {}
    given = "".join(f"{name}={_escaped(value, ';]', '%AZP25')};" for name, value in facts.items())
    told = _escaped(f"{mistake.told}; {mistake.remedy}", "", "%AZP25")
    return f"##vso[task.logissue type={level};{given}]{told}"


def _escaped(text: str, more: str = "", percent: str = "%25") -> str:
    """A text that cannot end a command or begin another."""
    plain = printable(text).replace("%", percent)
    for character in more:
        plain = plain.replace(character, f"%{ord(character):02X}")
    return plain


def _text(value: object) -> str:
    return printable(str(value))
