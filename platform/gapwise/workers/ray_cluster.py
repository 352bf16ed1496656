"""Calls as tasks of a Ray cluster, or of a Ray that is started on this machine.

Nothing is kept in Ray: a task that is lost with its worker or its node is told as lost, and tasks
of a driver that was killed go with it.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

from gapwise.errors import ServiceError, UsageError, shown
from gapwise.workers.base import Call, Done, News, failure_of
from gapwise.workers.ray_head import joined, leave
from gapwise.workers.ray_versions import check_versions, versions

TELL_EVERY: Final = 1.0
"""Seconds between words with the desk, at least."""

BEGINS_WITHIN: Final = 15.0
"""Seconds in which a call says where it runs, when a node has gone meanwhile."""


class RayCluster:
    """A place of work with as many slots as the cluster has processors, or GPUs, for its jobs."""

    def __init__(self, address: str, device: str) -> None:
        """Join a cluster, or start one of this machine's cores.

        Args:
            address: ``ray`` (the cluster that ``RAY_ADDRESS`` names, else one of this machine's
                own), ``ray://HOST:PORT``, either with ``?num_gpus=0.5`` for the share of a GPU
                that a job takes (one whole by default, where the plan has GPUs).
            device: what jobs run on, as a numeric plan names it.

        Raises:
            UsageError: Ray is not installed, or the address cannot be read.
            ServiceError: the cluster does not answer.
        """
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ModuleNotFoundError as error:
            raise UsageError("workers on Ray need it: pip install 'gapwise[ray]'") from error
        self._ray = ray
        parts = urlsplit(address)
        gpus = parse_qs(parts.query).get("num_gpus", ["1"])[0]
        on_gpu = device.startswith("cuda")
        self._gpus = _share(gpus, address) if on_gpu else 0.0
        self._head = joined(ray, urlunsplit(parts._replace(query="")))
        self._desk = self._new_desk()
        self._run: Any = ray.remote(max_retries=0, num_gpus=self._gpus)(_run)
        self._out: dict[Any, str] = {}
        self._places: dict[str, str] = {}
        self._alive: set[str] = set()
        self._doubted: dict[str, float] = {}
        self._withheld: list[Done] = []
        self._told = 0.0
        self._room = self._ask_room()

    @property
    def slots(self) -> int:
        """How many jobs the cluster had room for a moment ago: nodes may join and leave."""
        return self._room

    def _ask_room(self) -> int:
        has: Mapping[str, float] = self._ray.cluster_resources()  # type: ignore[no-untyped-call]
        room = has.get("GPU", 0.0) / self._gpus if self._gpus else has.get("CPU", 1.0)
        return max(1, int(room))

    def submit(self, key: str, function: Call, argument: Any) -> None:
        """Begin a call on the cluster.

        Raises:
            ServiceError: the cluster's head is gone.
        """
        with self._head.needed():
            task = self._run.remote(self._desk, key, function, argument, versions())
        self._out[task] = key

    def wait(self, seconds: float) -> list[Done | News]:
        """Return what happened, waiting for it at most so long.

        Raises:
            ServiceError: the cluster's head is gone.
        """
        news: list[Done | News] = []
        with self._head.needed():
            if self._out:
                ready, _ = self._ray.wait(list(self._out), num_returns=1, timeout=seconds)
                news += self._believed([self._done(task) for task in ready])
            elif self._withheld:
                time.sleep(seconds)
                news += self._believed([])
            if time.monotonic() - self._told > TELL_EVERY and self._head.answers():
                self._told = time.monotonic()
                self._room = self._head.ask(self._ask_room) or self._room
                news = [*self._heard(), *news, *self._cut_off()]
        return news

    def stop(self) -> None:
        """Ask all calls to stop; they hear it within a second.

        Raises:
            ServiceError: the cluster's head is gone.
        """
        with self._head.needed(), suppress(self._ray.exceptions.RayError):
            # Where the desk's node is gone, ``close`` ends what does not hear.
            self._ray.get(self._desk.stop.remote(), timeout=5.0)

    def close(self, seconds: float = 10.0) -> None:
        """Stop all calls and leave the cluster; one that was started here ends."""
        with suppress(ServiceError):
            if self._out and not self._head.is_lost:
                self.stop()
                self._ray.wait(list(self._out), num_returns=len(self._out), timeout=seconds)
                for task in self._out:
                    self._ray.cancel(task, force=True)
        self._out = {}
        leave(self._ray, self._head, seconds)

    def _done(self, task: Any) -> Done:
        key = self._out.pop(task)
        errors = self._ray.exceptions
        try:
            return Done(key=key, **self._ray.get(task))
        except errors.RayError as error:
            return Done(key=key, lost=f"Ray lost its worker: {type(error).__name__}")

    def _believed(self, done: list[Done]) -> list[Done]:
        """Keep back what is lost while the head is away: it is no fault of the calls."""
        lost = [*self._withheld, *(one for one in done if one.lost)]
        self._withheld = lost if lost and not self._head.answers() else []
        return [*([] if self._withheld else lost), *(one for one in done if not one.lost)]

    def _new_desk(self) -> Any:
        """Put a desk on the driver's own node: a node that is cut off must not take it along."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = self._ray.get_runtime_context().get_node_id()
        place = NodeAffinitySchedulingStrategy(here, soft=True)
        desk: Any = self._ray.remote(num_cpus=0, scheduling_strategy=place)  # type: ignore[call-overload]
        return desk(_Desk).remote()

    def _heard(self) -> list[News]:
        try:
            words, places = self._ray.get(self._desk.take.remote(), timeout=5.0)
        except self._ray.exceptions.RayError:
            # The desk's node is gone: what was said there is lost, which costs nothing but news.
            self._desk = self._head.ask(self._new_desk) or self._desk
            return []
        self._places |= places
        return [News(key=key, facts=facts) for key, facts in words.items()]

    def _cut_off(self) -> list[Done]:
        """Give up what runs on a node that the cluster has given up.

        Ray itself waits for the worker's connection to break, which a network that was cut does not
        tell. A result that comes yet is nobody's: its task is no longer known.
        """
        nodes: list[dict[str, Any]] | None = self._head.ask(self._ray.nodes)
        if nodes is None:
            return []
        alive = {node["NodeID"] for node in nodes if node["Alive"]}
        now = time.monotonic()
        if self._alive - alive:
            # What has not said where it runs may have been about to begin there.
            self._doubted |= dict.fromkeys(set(self._out.values()) - self._places.keys(), now)
        self._alive = alive
        gone = [task for task, key in self._out.items() if self._is_gone(key, now)]
        keys = [self._out.pop(task) for task in gone]
        return [Done(key=key, lost="its node is cut off, or gone") for key in keys]

    def _is_gone(self, key: str, now: float) -> bool:
        if key in self._places:
            return self._places[key] not in self._alive
        return now - self._doubted.get(key, now) > BEGINS_WITHIN


class _Desk:
    """Where tasks hear whether to stop, and leave word."""

    def __init__(self) -> None:
        self._stopping = False
        self._words: dict[str, Mapping[str, Any]] = {}
        self._places: dict[str, str] = {}

    def stop(self) -> None:
        self._stopping = True

    def leave(self, key: str, facts: Mapping[str, Any]) -> bool:
        """Take a word; return whether to stop."""
        if facts:
            self._words[key] = facts
        return self._stopping

    def begin(self, key: str, node: str) -> None:
        """Take note of where a call runs."""
        self._places[key] = node

    def take(self) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
        """Return what was said since, and where calls that began since run."""
        words, self._words = self._words, {}
        places, self._places = self._places, {}
        return words, places


class _Inside:
    """What a call hears and says, inside its task."""

    def __init__(self, desk: Any, key: str) -> None:
        self._desk, self._key = desk, key
        self._told = 0.0
        self._stopping = False

    def should_stop(self) -> bool:
        self._ask({})
        return self._stopping

    def alive(self, news: Mapping[str, Any]) -> None:
        self._ask(news)

    def _ask(self, news: Mapping[str, Any]) -> None:
        import ray

        now = time.monotonic()
        if now - self._told < TELL_EVERY:
            return
        self._told = now
        try:
            self._stopping = ray.get(self._desk.leave.remote(self._key, dict(news)), timeout=5.0)
        except ray.exceptions.RayError:
            return  # the desk's node is gone; the job itself goes on


def _run(desk: Any, key: str, function: Call, argument: Any, wanted: dict[str, str]) -> Any:
    import ray

    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    desk.begin.remote(key, ray.get_runtime_context().get_node_id())
    try:
        check_versions(wanted)
        return {"value": function(argument, _Inside(desk, key))}
    except Exception as error:
        return {"failure": failure_of(error)}


def _share(text: str, address: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not share > 0:
        raise UsageError(
            f"workers are {shown(address)!r}: num_gpus is {shown(text)!r}, but must be above 0, "
            "as in ray://HOST:10001?num_gpus=0.5"
        )
    return share
