"""Y8: no spelling of a code reference in a pipeline imports or runs anything."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

TARGETS = [
    "os:system", "os.system", "subprocess:Popen", "subprocess.Popen", "builtins.eval",
    "builtins:exec", "sys.modules", "sys:modules['os'].system", "posix.system", "pty:spawn",
    "importlib.import_module", "pickle.loads", "torch.load", "gapwise.networks.small_cnn:os",
    "gapwise.registry:importlib.import_module", "antigravity", "this", "__main__:x",
    "gapwise.networks.small_cnn", "gapwise.data.datasets.digits:digits",
]  # fmt: skip
WRAPS = [
    "{}", "!{}", "@{}", "{}()", "py:{}", "python:{}", "../{}", "./{}.py", "/{}", "{} ", " {}",
    "${{{}}}", "{{{{{}}}}}", "{}#x", "small-cnn:{}", "small-cnn.{}", "small_cnn/../{}", "{}\x00",
]  # fmt: skip

PROBE = """
import json, sys
from gapwise import pipeline_file
from gapwise.errors import PipelineError
from gapwise.networks.base import NETWORKS
from gapwise.pipeline_parts import Part

path, corpus = sys.argv[1], json.loads(sys.stdin.read())
def read(override):
    pipeline = pipeline_file.load(path, [override])
    pipeline_file.check_options(NETWORKS, pipeline.network, "network", ("input_shape", "outputs"))
read("network=small-cnn")  # all that a good pipeline imports is imported now
seen = []
watched = {"import", "exec", "compile", "os.system", "subprocess.Popen", "os.posix_spawn"}
sys.addaudithook(lambda event, args: seen.append((event, str(args[:1]))) if event in watched else 0)
refused = 0
for override in corpus:
    try:
        read(override)
    except PipelineError:
        refused += 1
print(json.dumps({"refused": refused, "seen": seen}))
"""


@pytest.fixture
def corpus() -> list[str]:
    words = [wrap.format(target) for target, wrap in itertools.product(TARGETS, WRAPS)]
    overrides = [f"network={json.dumps(word)}" for word in words]
    for value in map(json.dumps, TARGETS):
        overrides.append(f"network={{name: small-cnn, _target_: {value}}}")
        overrides.append(f"network={{name: small-cnn, hidden: {value}}}")
        overrides.append(f"network={{class: {value}}}")
    return overrides


def test_y8_code_references_are_refused_before_any_import(
    corpus: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("data:\n  dataset: digits\nnetwork: small-cnn\n")
    assert len(corpus) >= 200
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(path)],
        input=json.dumps(corpus),
        capture_output=True,
        text=True,
        check=True,
        timeout=280,
    )
    told = json.loads(done.stdout)
    assert told == {"refused": len(corpus), "seen": []}
