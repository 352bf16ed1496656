"""`gapwise search`: rounds from coarse to fine, and the winner confirmed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gapwise.errors import DataError, StoppedError
from gapwise.records import plain
from gapwise.search.driver import Driver
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event, Region, State, Trial, replay
from gapwise.search.space import Space
from gapwise.settings import Settings
from gapwise.tracking.lock import RunLock
from gapwise.training.plan import available_cores
from gapwise.workers.base import Workers
from gapwise.workers.open import open_workers
from gapwise.workflows.confirm import Chosen, UnfitError, choose, confirm, optimism
from gapwise.workflows.hide_secrets import hide_secrets
from gapwise.workflows.notify import notifying
from gapwise.workflows.search_behind import Behind
from gapwise.workflows.search_progress import SearchProgress
from gapwise.workflows.search_record import run_id_of
from gapwise.workflows.search_study import Study, open_study
from gapwise.workflows.stop import StopRequest, stop_on_signals


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """What ``gapwise search`` was asked for.

    Attributes:
        name, overrides: the pipeline.
        workers: where jobs run: a count of local processes, a Ray cluster's address, or "" for one
            process a core (or a GPU) of this machine.
        again: test the best settings of the latest search anew.
    """

    name: str
    overrides: Sequence[str] = ()
    workers: str = ""
    again: bool = False


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What a search found: the study's name, its space, and all that its events amount to."""

    study: str
    state: State
    space: Space

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``search --json``."""
        state = self.state
        closed = dict(state.closed or {})
        rounds = []
        for one in state.rounds:
            trials = state.of_round(one.number)
            values = [t.value for t in trials if t.state == "done" and t.value is not None]
            rounds.append(
                {
                    "round": one.number + 1,
                    "space": _in_values(self.space, one.region),
                    "held": dict(one.region.held),
                    "why": list(one.region.why),
                    "sampler": one.sampler,
                    "trials": len(trials),
                    "best": min(values, default=None),
                    "states": {
                        name: sum(trial.state == name for trial in trials)
                        for name in ("done", "stopped", "failed", "infeasible")
                    },
                }
            )
        found: dict[str, Any] = plain(
            {
                "study": self.study,
                "pipeline": state.opened["name"],
                "rounds": rounds,
                "best": closed.get("best"),
                "confirmed": None if state.confirmed is None else dict(state.confirmed),
                "optimism": closed.get("optimism"),
                "broke_limits": closed.get("broke_limits", {}),
                "unfit": closed.get("unfit", {}),
                "epochs": sum(trial.epochs for trial in state.trials),
                "says": closed.get("says", ""),
            }
        )
        return found


def _in_values(space: Space, region: Region) -> dict[str, list[Any]]:
    """Return each knob's range as its two ends, or the choices that are left."""
    return {key: [space[key].at(at) for at in places] for key, places in region.ranges.items()}


def search(request: SearchRequest, settings: Settings | None = None) -> Searched:
    """Search a pipeline's hyperparameters; called again, go on where the last call stopped.

    Raises:
        PipelineError, DataError: the pipeline, its space or its data are wrong.
        BusyError: another driver runs this search.
        StoppedError: a signal asked to stop; called again, it goes on.
        CheckError: more than half of the trials failed.
    """
    settings = settings or Settings.read()
    study, state = open_study(
        request.name, request.overrides, settings, again=request.again, threads=1
    )
    hide_secrets(study.halves.choosing)
    if state.closed is None:
        with notifying(f"search {study.pipeline.name}", settings) as tell:
            state = _run(study, request, settings)
            tell(str((state.closed or {}).get("says", "")).partition(":")[0])
    return Searched(study=study.name, state=state, space=study.plan.space)


def _run(study: Study, request: SearchRequest, settings: Settings) -> State:
    """Go on with a study to its end, and give what its events then amount to."""
    where = request.workers or settings.workers
    log = EventLog(settings.studies_url)
    with (
        _alone(study),
        stop_on_signals() as stop,
        open_workers(where, study.numeric.device, available_cores(), stop) as workers,
        _behind(study, request) as behind,
    ):
        hear = SearchProgress(study).hear
        try:
            Driver(study.plan, study.name, log, workers, study.jobs, hear).run(stop)
            behind.finish()
            _finish(study, log, workers, stop)
        except StoppedError as error:
            error.exit_code = stop.exit_code
            raise
    return replay(log.read(study.name))


def _finish(study: Study, log: EventLog, workers: Workers, stop: StopRequest) -> None:
    """Choose the winner, confirm it and close the study; each is written down once."""
    state = replay(log.read(study.name))
    if state.best is None:
        raise DataError(
            f"no trial of {study.name} was trained to the end, so there is nothing to choose; its "
            "trials say why: gapwise runs, or the page Search"
        )
    found = choose(study, state, state.opened["search"]["limits"])
    while _is_unsettled(state, found):
        assert found is not None
        seeds, own = state.opened["seeds"], state.trials[0]
        try:
            facts = confirm(study, found.winner, own, seeds, workers, stop)
            event = Event(kind="confirmed", facts=plain(facts))
        except UnfitError as error:
            event = Event(kind="unfit", trial=error.trial, facts={"why": str(error)})
        log.append(study.name, state.count, [event])
        state = replay(log.read(study.name))
        found = choose(study, state, state.opened["search"]["limits"])
    if state.closed is None:
        closed = _closing(study, state, found)
        log.append(study.name, state.count, [Event(kind="closed", facts=plain(closed))])


def _is_unsettled(state: State, found: Chosen | None) -> bool:
    """Whether there are two settings to hold against each other, and nobody has yet."""
    if found is None or state.confirmed is not None:
        return False
    return found.winner.number != 0 and not _why_unfit(state.trials[0])


def _why_unfit(trial: Trial) -> str:
    """Return why a setting cannot be trained; "" where it can."""
    return trial.unfit or trial.reason


def _closing(study: Study, state: State, found: Chosen | None) -> dict[str, Any]:
    winner = None if found is None else found.winner
    best = None
    if winner is not None:
        best = {
            "trial": winner.number,
            "run_id": run_id_of(study.name, "trial", winner.number),
            "parameters": dict(winner.parameters),
            "error": winner.value,
            "is_pipeline": winner.number == 0,
        }
    return {
        "best": best,
        "optimism": optimism(study, state),
        "broke_limits": {} if found is None else dict(found.broke),
        "unfit": {trial.number: trial.unfit for trial in state.trials if trial.unfit},
        "says": _says(state, winner),
    }


def _says(state: State, winner: Trial | None) -> str:
    """Return the verdict in one sentence."""
    limits = " and ".join(state.opened["search"]["limits"])
    if winner is None and limits:
        return (
            f"No setting that was trained to the end keeps {limits}; loosen it, or widen the space."
        )
    if winner is None:
        return "No setting trains under every seed: lower the rates that the space allows."
    if winner.number == 0:
        return "Nothing that was tried beats the pipeline as it is; keep it."
    if why := _why_unfit(state.trials[0]):
        return (
            "The pipeline as it is cannot be trained, so the winner has nothing to be held "
            f"against: {why}"
        )
    facts = state.confirmed
    assert facts is not None
    gain = 100 * facts["difference"]
    if facts["low"] is None:
        return f"The winner gains {gain:+.1f} points on what chose nothing: too few to say more."
    span = f"({100 * facts['low']:.1f} to {100 * facts['high']:.1f})"
    told = f"{gain:+.1f} points {span} on {facts['n']} dev examples that chose nothing"
    if facts["low"] > 0:
        return f"The winner is better than the pipeline as it is: it gains {told}."
    if facts["high"] < 0:
        return f"The winner is worse than the pipeline as it is: {told}; keep the pipeline."
    return f"Chance alone could explain what the winner gains: {told}; keep the pipeline."


@contextmanager
def _alone(study: Study) -> Iterator[None]:
    """Hold the study's lock."""
    study.folder.mkdir(parents=True, exist_ok=True)
    lock = RunLock(study.folder / "lock")
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _behind(study: Study, request: SearchRequest) -> Iterator[Behind]:
    behind = Behind(study, request.name, request.overrides, request.again)
    try:
        yield behind
    finally:
        behind.leave()
