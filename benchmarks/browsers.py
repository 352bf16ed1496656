"""Many people at once: how long a page and a save take, and what a browser costs in memory.

    python -m benchmarks.browsers [--team] [--browsers 20] [--taggers 32] [--runs 2000]

Each browser is a session of the real server over its websocket, as Streamlit's frontend speaks it.
It opens *What next*, *Runs*, *Errors* and *Select* in turn and reads each for four seconds, drawn
around it; the time is from the request to the last word of the page's script. A tagger sends one
tag a second as the desk does. The store holds ``--runs`` runs of MLflow's and one that was trained
on the digits. ``--team`` keeps the ledger on PostgreSQL and the runs on an MLflow server that has
its own database there; the dashboard's machine then has none of them.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import aiohttp
import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks import servers
from benchmarks.runs_page import fill

if TYPE_CHECKING:
    Socket = aiohttp.ClientWebSocketResponse[Any]

PAGES = ("", "runs", "errors", "select")
READS = 4.0
BETWEEN_TAGS = 1.0


@dataclass
class Taken:
    """Seconds of every page by its name, and of every save."""

    pages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    saves: list[float] = field(default_factory=list)


async def browse(address: str, number: int, until: float, taken: Taken) -> None:
    """Open pages in turn until the time is over."""
    draw = random.Random(number)
    await asyncio.sleep(draw.uniform(0, READS))
    async with opened(address) as (_, socket):
        turn = number
        while time.monotonic() < until:
            page = PAGES[turn % len(PAGES)]
            taken.pages[page or "what-next"].append(await seconds_of(socket, page))
            turn += 1
            await asyncio.sleep(draw.uniform(0.5 * READS, 1.5 * READS))


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[tuple[aiohttp.ClientSession, "Socket"]]:
    """Open a session of the dashboard as a browser does."""
    async with (
        aiohttp.ClientSession(headers={"Origin": address}) as session,
        session.ws_connect(
            f"{address}/_stcore/stream", protocols=["streamlit"], max_msg_size=0
        ) as socket,
    ):
        yield session, socket


async def seconds_of(socket: "Socket", page: str) -> float:
    """Ask for a page and return how long its script took to say its last word."""
    begun = time.perf_counter()
    message = BackMsg()
    message.rerun_script.query_string = ""
    message.rerun_script.page_name = page
    await socket.send_bytes(message.SerializeToString())
    async for part in socket:
        answer = ForwardMsg()
        answer.ParseFromString(part.data)
        if answer.WhichOneof("type") == "script_finished":
            return time.perf_counter() - begun
    raise ConnectionError("the server closed the websocket")


async def wrong(session: aiohttp.ClientSession, address: str, run: str) -> list[str]:
    """Return the first wrong dev examples of a run."""
    query = {"run": run, "split": "dev", "view": "wrong", "limit": "60"}
    async with session.get(f"{address}/desk/list", params=query) as answer:
        if answer.status != 200:
            raise SystemExit(f"the desk gives no list: {await answer.text()}")
        return [item["id"] for item in (await answer.json())["items"]]


async def tag(session: aiohttp.ClientSession, address: str, run: str, example: str) -> float:
    """Tag an example as the desk does; return how long it took until it was durable."""
    name = random.choice(["blurry", "thin", "cut off"])
    event = {"key": uuid.uuid4().hex, "do": "tag", "id": example, "tag": name}
    body = {"run": run, "split": "dev", "events": [event]}
    begun = time.perf_counter()
    async with session.post(f"{address}/desk/events", json=body) as answer:
        if len((await answer.json()).get("saved", ())) != 1:
            raise SystemExit(f"a tag was not saved: {await answer.text()}")
    return time.perf_counter() - begun


def labelled(address: str, run: str, taggers: int, seconds: float) -> list[float]:
    """Let so many people tag for so long; return the seconds of every save.

    They are a process of their own: reading pages for the browsers would hold their clocks up.
    """

    async def all_of_them() -> list[float]:
        until, saves = time.monotonic() + seconds, list[float]()
        await asyncio.gather(*(label(address, run, i, until, saves) for i in range(taggers)))
        return saves

    return asyncio.run(all_of_them())


async def label(address: str, run: str, number: int, until: float, saves: list[float]) -> None:
    """Tag until the time is over."""
    draw = random.Random(number)
    async with aiohttp.ClientSession(headers={"Origin": address}) as session:
        examples = await wrong(session, address, run)
        while time.monotonic() < until:
            await asyncio.sleep(draw.uniform(0.5 * BETWEEN_TAGS, 1.5 * BETWEEN_TAGS))
            saves.append(await tag(session, address, run, draw.choice(examples)))


async def measured(address: str, run: str, options: argparse.Namespace) -> Taken:
    """Let people come; a first one alone warms what every server keeps."""
    await browse(address, 0, time.monotonic() + 6 * READS, Taken())
    taken, until = Taken(), time.monotonic() + options.seconds
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        todo = (address, run, options.taggers, options.seconds)
        saves = asyncio.get_running_loop().run_in_executor(apart, labelled, *todo)
        await asyncio.gather(*(browse(address, i, until, taken) for i in range(options.browsers)))
        taken.saves = await saves
    return taken


@contextmanager
def stores(team: bool) -> Iterator[tuple[dict[str, str], str]]:
    """Give what the environment says of the stores, and the database of the tracking server.

    Both are empty where files of a home are all; else a team's servers run.
    """
    if not team:
        yield {}, ""
        return
    with tempfile.TemporaryDirectory() as artifacts, servers.postgresql() as make:
        mlflow, ledger = make("mlflow"), make("ledger")
        with servers.tracking_server(mlflow, artifacts) as uri:
            yield {"MLFLOW_TRACKING_URI": uri, "GAPWISE_LEDGER_URL": ledger}, mlflow


def trained(environment: dict[str, str]) -> str:
    """Train the run that pages are about; return its id."""
    words = [sys.executable, "-m", "gapwise", "train", "digits", "training.epochs=5", "--json"]
    done = subprocess.run(words, env=environment, check=True, capture_output=True)
    return str(json.loads(done.stdout)["run_ids"][0])


def events_of(environment: dict[str, str]) -> int:
    """Return how many events the ledger's chain holds."""
    words = [sys.executable, "-c", LEDGER]
    done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
    return int(done.stdout)


LEDGER = """from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
print(Ledger(Settings.read().ledger_url).verify())"""


def main() -> None:
    """Print the times by page, of saves, and the memory of a browser."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browsers", type=int, default=20)
    parser.add_argument("--taggers", type=int, default=32)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--team", action="store_true")
    options = parser.parse_args()
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    with tempfile.TemporaryDirectory() as folder, stores(options.team) as (known, database):
        os.environ |= {"GAPWISE_HOME": f"{folder}/trains", **known}
        run = trained(dict(os.environ))
        fill(options.runs, database)
        home = "serves" if options.team else "trains"
        environment = os.environ | {"GAPWISE_HOME": f"{folder}/{home}"}
        with servers.dashboard(environment) as (address, process):
            before = process.memory_info().rss
            taken = asyncio.run(measured(address, run, options))
            grown = (process.memory_info().rss - before) / 2**20
        told(options, taken)
        print(
            f"{len(taken.saves):,} saves were answered, {events_of(environment):,} are in the chain"
        )
        print(f"the server grew by {grown:.0f} MiB, {grown / options.browsers:.1f} a browser")


def told(options: argparse.Namespace, taken: Taken) -> None:
    """Print the table."""
    people = f"{options.browsers} browsers, {options.taggers} taggers, {options.runs:,} runs"
    print(f"{people}, {options.seconds:.0f} s{', on servers' if options.team else ''}")
    print("| what | times | median s | p95 s | p99 s | max s |")
    print("| --- | --- | --- | --- | --- | --- |")
    every = [one for values in taken.pages.values() for one in values]
    for name, values in [*sorted(taken.pages.items()), ("all pages", every), ("save", taken.saves)]:
        if values:
            median, p95, p99 = np.quantile(values, [0.5, 0.95, 0.99])
            row = f"{median:.3f} | {p95:.3f} | {p99:.3f} | {max(values):.3f}"
            print(f"| {name} | {len(values)} | {row} |")


if __name__ == "__main__":
    main()
