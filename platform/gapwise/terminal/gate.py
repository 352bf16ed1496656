"""What the gate says, a sentence a rule; where a report went."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, say

COLOURS = {"holds": "green", "undecided": "yellow", "fails": "red"}


def show_check(document: Mapping[str, Any]) -> None:
    """Print each rule's outcome and sentence, then whether the run passes."""
    from rich.text import Text

    out = console()
    _rules(document)
    passed = document["passed"]
    said = Text("passes" if passed else "does not pass", "green" if passed else "red")
    out.print(Text(f"{document['name']} ") + said + Text("."), soft_wrap=True)


def show_report(document: Mapping[str, Any]) -> None:
    """Print where a report went and what it says first."""
    size = max(1, round(document["bytes"] / 1000))
    say(f"{document['title']}. Wrote {document['file']} ({size:,} kB, all in one file).")
    if document["markdown"]:
        say(f"Wrote {document['markdown']}.")


def show_promotion(document: Mapping[str, Any]) -> None:
    """Print what was decided on which grounds."""
    from rich.text import Text

    _rules(document)
    name = f"{document['model']}@{document['alias']}"
    if not document["changed"]:
        says = f"{name} names this run already (version {document['version']})."
    else:
        before = f", before it was {document['replaced']}" if document["replaced"] else ""
        says = f"{name} is run {document['run_id']} now, version {document['version']}{before}."
    console().print(Text(says), soft_wrap=True)


def _rules(document: Mapping[str, Any]) -> None:
    from rich.text import Text

    out = console()
    for rule in document["rules"]:
        mark = Text(f"{rule['outcome']:<10}", COLOURS[rule["outcome"]])
        out.print(mark + Text(rule["says"]), soft_wrap=True)
