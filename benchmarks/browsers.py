"""Many browsers at once: how long a page takes to be made, and what a browser costs in memory.

    python -m benchmarks.browsers [--browsers 20] [--runs 2000] [--seconds 60]

Each browser is a session of the real server over its websocket, as Streamlit's frontend speaks it.
It opens *What next*, *Runs*, *Errors* and *Select* in turn and reads each for four seconds, drawn
around it; the time is from the request to the last word of the page's script. The store holds
``--runs`` runs of MLflow's and one that was trained on the digits.
"""

import argparse
import asyncio
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

import aiohttp
import numpy as np
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.runs_page import fill

ROOT = Path(__file__).parents[1]
PAGES = ("", "runs", "errors", "select")
READS = 4.0


async def browse(address: str, number: int, until: float, taken: dict[str, list[float]]) -> None:
    """Open pages in turn until the time is over."""
    draw = random.Random(number)
    await asyncio.sleep(draw.uniform(0, READS))
    headers = {"Origin": address, "Host": address.removeprefix("http://")}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"{address}/_stcore/stream", protocols=["streamlit"], headers=headers, max_msg_size=0
        ) as opened,
    ):
        turn = number
        while time.monotonic() < until:
            page = PAGES[turn % len(PAGES)]
            begun = time.perf_counter()
            await opened.send_bytes(asked(page))
            await finished(opened)
            taken[page or "what-next"].append(time.perf_counter() - begun)
            turn += 1
            await asyncio.sleep(draw.uniform(0.5 * READS, 1.5 * READS))


def asked(page: str) -> bytes:
    """Return the message by which a browser asks for a page."""
    message = BackMsg()
    message.rerun_script.query_string = ""
    message.rerun_script.page_name = page
    return bytes(message.SerializeToString())


async def finished(opened: aiohttp.ClientWebSocketResponse) -> None:
    """Read until the page's script has said its last word."""
    async for part in opened:
        message = ForwardMsg()
        message.ParseFromString(part.data)
        if message.WhichOneof("type") == "script_finished":
            return
    raise ConnectionError("the server closed the websocket")


def serve(home: str, port: int) -> "subprocess.Popen[bytes]":
    """Start the dashboard and wait until it answers."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    server = subprocess.Popen(
        [sys.executable, "-m", "dashboards", "--port", str(port)],
        env=os.environ | {"PYTHONPATH": paths, "GAPWISE_HOME": home},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return server
        except OSError:
            time.sleep(0.1)
    server.kill()
    raise SystemExit("the dashboard did not start")


async def measured(address: str, browsers: int, seconds: float) -> dict[str, list[float]]:
    """Let browsers come; a first one alone warms what every server keeps."""
    await browse(address, 0, time.monotonic() + 4 * READS, defaultdict(list))
    taken: dict[str, list[float]] = defaultdict(list)
    until = time.monotonic() + seconds
    await asyncio.gather(*(browse(address, i, until, taken) for i in range(browsers)))
    return taken


def main() -> None:
    """Print the times by page, and the memory of a browser."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browsers", type=int, default=20)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        os.environ |= {"GAPWISE_HOME": home}
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        words = ["train", "digits", "training.epochs=5"]
        subprocess.run([sys.executable, "-m", "gapwise", *words], check=True, capture_output=True)
        fill(options.runs)
        server = serve(home, port)
        try:
            process = psutil.Process(server.pid)
            before = process.memory_info().rss
            address = f"http://127.0.0.1:{port}"
            taken = asyncio.run(measured(address, options.browsers, options.seconds))
            grown = process.memory_info().rss - before
        finally:
            server.terminate()
            server.wait(20)
    print(f"{options.browsers} browsers, {options.runs:,} runs, {options.seconds:.0f} s")
    print("| page | pages made | median s | p95 s | max s |")
    print("| --- | --- | --- | --- | --- |")
    every = [one for values in taken.values() for one in values]
    for name, values in [*sorted(taken.items()), ("all", every)]:
        median, p95 = np.quantile(values, [0.5, 0.95])
        print(f"| {name} | {len(values)} | {median:.2f} | {p95:.2f} | {max(values):.2f} |")
    mib = grown / 2**20
    print(f"the server grew by {mib:.0f} MiB, {mib / options.browsers:.1f} a browser")


if __name__ == "__main__":
    main()
