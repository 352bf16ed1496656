"""A check as JUnit XML, which every continuous integration reads: one test case a rule."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from gapwise.errors import StorageError
from gapwise.workflows.check import Check

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""


def as_xml(check: Check) -> bytes:
    """Return the document: a suite of the run, a case a rule; what fails says why.

    An undecided rule that passes says so in its case's output.
    """
    failures = sum(not passed for _, passed in check.rules)
    counts = {"tests": str(len(check.rules)), "failures": str(failures), "errors": "0"}
    root = ET.Element("testsuites", counts)
    suite = ET.SubElement(
        root, "testsuite", {"name": _text(f"gapwise check {check.name}"), **counts, "skipped": "0"}
    )
    for rule, passed in check.rules:
        name = {"classname": _text(f"gapwise.{check.experiment}"), "name": _text(rule.name)}
        case = ET.SubElement(suite, "testcase", {**name, "time": "0"})
        if not passed:
            why = {"message": _text(rule.says), "type": rule.outcome}
            ET.SubElement(case, "failure", why).text = _text(rule.says)
        ET.SubElement(case, "system-out").text = _text(f"{rule.outcome}: {rule.says}")
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def write(check: Check, path: Path) -> None:
    """Write the document to a file, whose folder is made.

    Raises:
        StorageError: the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_xml(check))
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; name another file with --junit"
        ) from error


def _text(text: str) -> str:
    return _FORBIDDEN.sub("�", text)
