"""The commands of docs/distributed.md are torchrun's and ours, and several machines train."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from torch.distributed.run import get_args_parser

from gapwise.cli import app
from gapwise.training.distributed import WAIT

PAGE = (Path(__file__).parents[3] / "docs" / "distributed.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```sh\ntorchrun (.*?)\n```", PAGE)
QUICK = ["network=multilayer-perceptron", "training.epochs=1", "training.device=cpu"]


@pytest.mark.parametrize("command", COMMANDS)
def test_torchrun_and_gapwise_know_every_word(command: str) -> None:
    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    options = get_args_parser().parse_args(command.split())
    assert options.module
    assert options.training_script == "gapwise"
    assert options.training_script_args[0] in known
    assert options.max_restarts == 0


def test_the_page_names_the_patience_in_force() -> None:
    assert len(COMMANDS) == 3
    assert f"given up after {WAIT.seconds // 60} minutes" in PAGE


@pytest.mark.faults
def test_several_machines_train_one_network(home: Path) -> None:
    """Two torchruns on this machine, each with a process of its own, as two machines have."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (command,) = [command for command in COMMANDS if "--nnodes" in command]
    words = command.replace("FIRST:29400", f"localhost:{port}").split()
    words = [sys.executable, "-m", "torch.distributed.run", *words, *QUICK, "training.threads=1"]
    environment = os.environ | {"GAPWISE_HOME": str(home), "GAPWISE_MIRROR": "off"}
    machines = [
        subprocess.Popen(
            words, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = [machine.communicate(timeout=280) for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said
    assert len(list((home / "runs").iterdir())) == 1
    assert sum("epoch 1/1" in errors for _, errors in said) == 1
    assert sum("Run " in answer for answer, _ in said) == 1
