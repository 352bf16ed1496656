"""A search on a Ray of two nodes: workers, a node and the driver are killed (FAULTS W1, W2)."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from gapwise.errors import ServiceError
from gapwise.search.event_log import EventLog
from gapwise.search.events import replay

PROGRAM = Path(__file__).with_name("search_program.py")
RAY = Path(sys.executable).with_name("ray")
FOLDER = Path(f"/tmp/gw-ray-{os.getpid()}")
"""Short: Ray's sockets need it."""

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    # A node that says nothing is given up after seconds, not half a minute.
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
    # As a team's cluster runs: a driver is not refused by chance (ray#63202), and whoever has no
    # token may not join, nor submit.
    "GRPC_ENABLE_FORK_SUPPORT": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "0123456789abcdef" * 4,
    "AWAY_FOR": "6",  # seconds after which our program gives up its head
}


CLIENTS = 10001
"""Where the head listens for drivers of other machines."""


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    """An address for a head; whatever of Ray was started is gone after the tests."""
    if not RAY.is_file():
        reason = "Ray is not installed; pip install 'gapwise[ray]'"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        yield f"127.0.0.1:{port}"
    finally:
        stop_ray()
        shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.fixture
def cluster(place: str) -> str:
    """Two nodes as processes of this machine, started where a test took them; gives the address."""
    heads = [node for node in running("raylet") if "--head" in node.cmdline()]
    if not heads:
        host, port = place.split(":")
        options = ["--head", f"--port={port}", f"--node-ip-address={host}"]
        options += ["--include-dashboard=false", f"--ray-client-server-port={CLIENTS}"]
        start([*options, f"--temp-dir={FOLDER}"])
    if running("raylet") == heads or not heads:
        # An address of its own, or a driver would look for the dead node's socket.
        start([f"--address={place}", "--node-ip-address=127.0.0.2"])
    return place


def start(options: list[str]) -> None:
    command = [RAY, "start", *options, "--num-cpus=1", "--disable-usage-stats"]
    done = subprocess.run(
        command, env=os.environ | QUIET, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def stop_ray() -> None:
    subprocess.run([RAY, "stop", "--force"], check=False, capture_output=True, timeout=60)


def begin(url: str, workers: str, trials: int, address: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), url, workers, str(trials)],
        env=os.environ | QUIET | {"RAY_ADDRESS": address},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(driver: "subprocess.Popen[bytes]") -> None:
    out, err = driver.communicate(timeout=200)
    assert driver.returncode == 0, err.decode()[-3000:]
    assert out.splitlines()[-1] == b"over"


def told(url: str) -> list[tuple[object, ...]]:
    state = replay(EventLog(url).read("quick"))
    return [(t.number, dict(t.parameters), t.state, t.value) for t in state.trials]


def running(word: str) -> list[psutil.Process]:
    """Return the processes that are named so, or whose command line begins so."""
    found = []
    for process in psutil.process_iter(["name", "cmdline", "status"]):
        if process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        line = " ".join(process.info["cmdline"] or [])
        if process.info["name"] == word or line.startswith(word):
            found.append(process)
    return found


def second_node() -> psutil.Process:
    (found,) = [p for p in running("raylet") if "--head" not in p.cmdline()]
    return found


def wait_for_job() -> psutil.Process:
    """Return a worker that runs a job; Ray's own agents, which take their node along, are none."""
    deadline = time.monotonic() + 30
    while not (found := running("ray::_run")):
        assert time.monotonic() < deadline
    return found[0]


def test_w1_with_one_job_in_flight_two_nodes_find_what_one_process_finds(
    cluster: str, tmp_path: Path
) -> None:
    here, there, away = (f"sqlite:///{tmp_path / name}.db" for name in ("here", "there", "away"))
    finish(begin(here, "0", 24, cluster))
    finish(begin(there, "ray-one", 24, cluster))
    assert told(there) == told(here)
    # By its client port, as a driver that is no node of the cluster.
    finish(begin(away, "ray-one", 24, f"ray://127.0.0.1:{CLIENTS}"))
    assert told(away) == told(here)


def test_w1_w2_killed_workers_a_killed_node_and_a_killed_driver_lose_nothing(
    cluster: str, tmp_path: Path
) -> None:
    url, trials = f"sqlite:///{tmp_path / 'searches.db'}", 120
    driver = begin(url, "ray", trials, cluster)
    assert driver.stdout is not None
    driver.stdout.readline()
    time.sleep(1.0)
    job = wait_for_job()
    job.send_signal(signal.SIGKILL)
    time.sleep(0.5)
    second_node().send_signal(signal.SIGKILL)
    time.sleep(1.0)
    driver.kill()
    driver.communicate()
    finish(begin(url, "ray", trials, cluster))
    events = EventLog(url).read("quick")
    state = replay(events)
    assert len(state.trials) == trials
    assert not state.running
    results = Counter((e.trial, e.facts["rung"]) for e in events if e.kind == "result")
    assert max(results.values()) == 1
    assert {trial.state for trial in state.trials} == {"done", "stopped"}


@pytest.mark.parametrize("way", ["dies", "hangs"])
def test_w2_a_lost_head_ends_the_driver_and_the_search_goes_on_elsewhere(
    cluster: str, tmp_path: Path, way: str
) -> None:
    url, trials = f"sqlite:///{tmp_path / 'searches.db'}", 40
    with begin(url, "ray", trials, cluster) as driver:
        assert driver.stdout is not None
        driver.stdout.readline()
        wait_for_job()
        if way == "dies":
            stop_ray()
        else:
            (head,) = running("gcs_server")
            head.suspend()  # it accepts connections, and answers nothing
        try:
            _, err = driver.communicate(timeout=55)  # before Ray itself ends it
        finally:
            driver.kill()
            stop_ray()
    assert driver.returncode == (1 if way == "dies" else ServiceError.exit_code)
    assert b"ServiceError: the head of the Ray cluster, " in err
    assert not running("ray::_run")
    known = replay(EventLog(url).read("quick")).trials
    assert 0 < len(known) < trials
    finish(begin(url, "2", trials, cluster))  # on this machine's processes, as well as anywhere
    state = replay(EventLog(url).read("quick"))
    assert len(state.trials) == trials
    assert not state.running
    # That the head was away is no fault of the settings.
    assert {trial.state for trial in state.trials} == {"done", "stopped"}


def signalled(how: str) -> list[psutil.Process]:
    """Suspend or resume the second node with all that it runs; return its processes."""
    node = second_node()
    found = [node, *node.children(recursive=True)]
    for process in found:
        getattr(process, how)()
    return found


def is_at_work(node: list[psutil.Process]) -> bool:
    return any("ray::_run" in " ".join(process.cmdline()) for process in node)


@pytest.mark.faults
def test_w6_a_node_that_is_cut_off_and_comes_back_gives_no_second_result(
    cluster: str, tmp_path: Path
) -> None:
    """Its processes are stopped, which is a cut network to the others, and wake as ghosts."""
    url, trials = f"sqlite:///{tmp_path / 'searches.db'}", 100
    driver = begin(url, "ray", trials, cluster)
    assert driver.stdout is not None
    driver.stdout.readline()
    time.sleep(1.0)
    deadline = time.monotonic() + 30
    while not is_at_work(cut_off := signalled("suspend")):
        assert time.monotonic() < deadline
        signalled("resume")
    time.sleep(35.0)
    for process in cut_off:
        with suppress(psutil.NoSuchProcess):
            process.resume()
    finish(driver)
    events = EventLog(url).read("quick")
    state = replay(events)
    assert len(state.trials) == trials
    assert any(event.kind == "lost" for event in events)
    results = Counter((e.trial, e.facts["rung"]) for e in events if e.kind == "result")
    assert max(results.values()) == 1
    assert {trial.state for trial in state.trials} == {"done", "stopped"}
