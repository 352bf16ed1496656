"""How dev differs from the training distribution."""

from gapwise.commands.options import AsJson, RunRef
from gapwise.terminal import out
from gapwise.terminal.mismatch import show_mismatch


def mismatch(run: RunRef, as_json: AsJson = False) -> None:
    """Show by what dev differs from train-dev: a domain classifier, columns, and diversity."""
    from gapwise.workflows.mismatch import mismatch_run

    out.give(mismatch_run(run), as_json, show_mismatch)


COMMANDS = (mismatch,)
