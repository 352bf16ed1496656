"""Join a Ray cluster, and open Optuna's dashboard."""

from typing import Annotated

import typer


def worker(
    address: Annotated[str, typer.Argument(help="The cluster's head, as HOST:6379.")],
) -> None:
    """Join this machine to a Ray cluster, until it is stopped."""
    from gapwise.workflows.servers import worker as join

    join(address)


def optuna(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8080) -> None:
    """Open Optuna's own dashboard on the same searches."""
    from gapwise.workflows.servers import optuna as serve

    serve(port)


COMMANDS = (worker, optuna)
