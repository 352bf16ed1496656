"""The command line: gathers the commands, and turns errors into one sentence and an exit code."""

import errno
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gapwise.commands import (
    advice,
    babysit,
    ceiling,
    cluster,
    curve,
    data,
    detection,
    ensemble,
    errors,
    field,
    gate,
    gradcheck,
    labels,
    metric,
    mismatch,
    moving,
    networks,
    people,
    retention,
    runs,
    search,
    select,
    servers,
    slices,
    style,
    suspects,
    team,
    training,
)
from gapwise.errors import GapwiseError, MemoryShortError, StorageError, shown
from gapwise.terminal import out

app = typer.Typer(
    name="gapwise",
    help="Train, track and diagnose: what to do next, how sure that is, what it can gain at most.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
MODULES = (
    *(data, networks, training, search, babysit, advice, curve, gradcheck, ensemble),
    *(
        runs,
        errors,
        labels,
        slices,
        mismatch,
        suspects,
        select,
        metric,
        field,
        ceiling,
        detection,
        people,
        style,
        gate,
        servers,
        moving,
        retention,
        team,
        cluster,
    ),
)
for module in MODULES:
    for command in module.COMMANDS:
        app.command(command.__name__.replace("_", "-"))(command)


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    if debug:
        os.environ["GAPWISE_DEBUG"] = "1"


def main() -> None:
    """Run the command line; an error that a user caused is one sentence on stderr."""
    # Threads that spin while they wait starve each other on a busy machine: 1–2 steps a second
    # against 6–7 where four other programs wanted the same two cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        Path.cwd()
    except FileNotFoundError:
        # Libraries below ask for it and end the process without a word that helps.
        out.say("gapwise: the folder that you are in is gone; cd to one that is there")
        sys.exit(StorageError.exit_code)
    sys.exit(_guarded())


def _guarded() -> int:
    try:
        code: Any = app(standalone_mode=False)
        sys.stdout.flush()
    except GapwiseError as error:
        return out.refuse(error, error.exit_code)
    except typer.TyperException as error:
        out.usage(error)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        # The reader has gone (`| head`): what is left in the buffer must not raise at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        told = _of_this_machine(error).with_traceback(error.__traceback__)
        return out.refuse(told, told.exit_code if isinstance(told, GapwiseError) else 1)
    return code if isinstance(code, int) else 0


_NO_MEMORY = ("failed to map segment", "cannot allocate memory", "can't start new thread")
"""What loaders and threads say when memory runs out."""


_MENDS = {
    errno.EMFILE: "; raise the limit that this program has (ulimit -n)",
    errno.ENAMETOOLONG: "; name a shorter one",
}


def _of_this_machine(error: Exception) -> Exception:
    """Return what this machine lacks, with the mend, where that is why a command ended."""
    lacks = any(words in str(error).lower() for words in _NO_MEMORY)
    if lacks or isinstance(error, MemoryError):
        why = f" ({shown(error)})" if str(error) else ""
        return MemoryShortError(
            f"memory does not suffice{why}; close other programs, or raise the limit that this one "
            "has (ulimit -v)"
        )
    if isinstance(error, OSError):
        return StorageError(f"{shown(error, 300)}{_MENDS.get(error.errno or 0, '')}")
    return error
