"""A study: its name, what it was opened with, and the data and jobs of its trials."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from gapwise import pipeline_file
from gapwise.data.dev_halves import DevHalves, dev_halves
from gapwise.data.prepared import Prepared
from gapwise.errors import UsageError
from gapwise.pipeline import Pipeline
from gapwise.pipeline_search import Search
from gapwise.records import Job, NumericPlan, plain
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event, State, replay
from gapwise.search.plan import RoundPlan, SearchPlan
from gapwise.settings import Settings
from gapwise.training.identity import PACKAGE, code_digest
from gapwise.training.plan import choose_plan, choose_together
from gapwise.workflows.prepare import ready
from gapwise.workflows.search_jobs import TrialJobs
from gapwise.workflows.search_plan import plan_of, search_of
from gapwise.workflows.start_weights import StartWeights
from gapwise.workflows.train import started

BEST_AGAIN = 5
"""Settings that ``search --again`` tests anew, beside the pipeline as it is."""

_SILENT = ("name", "description", "human", "diagnosis", "search")


@dataclass(frozen=True, kw_only=True)
class Study:
    """One search of one pipeline on one state of its data.

    Attributes:
        name: the pipeline's name and a digest of all that decides the search.
        pipeline: as read, without its section ``search``.
        halves: dev in two: what chooses and what confirms.
        plan: all that decides the search.
        numeric: the numeric plan of every job.
        start: the weights that trials start from, if not from drawn ones.
    """

    name: str
    pipeline: Pipeline
    halves: DevHalves
    plan: SearchPlan
    numeric: NumericPlan
    start: StartWeights | None
    settings: Settings

    @property
    def folder(self) -> Path:
        """Where the study's checkpoints and lock are."""
        return self.settings.searches / self.name

    @property
    def jobs(self) -> TrialJobs:
        """What makes the trials' jobs."""
        start = self.start
        base = Job(
            pipeline=pipeline_file.resolve(self.pipeline),
            data=str(self.halves.choosing.folder),
            folder="",
            plan=self.numeric,
            seed=self.pipeline.seed,
            epochs=self.pipeline.training.epochs,
            start="" if start is None else str(start.keep(self.folder)),
            start_digest="" if start is None else start.digest,
        )
        return TrialJobs(base=base, folder=self.folder, settings=self.settings)


def open_study(
    name: str,
    overrides: Sequence[str],
    settings: Settings,
    *,
    again: bool = False,
    threads: int | None = None,
) -> tuple[Study, State]:
    """Return the study of a pipeline and what it holds; a new one is written down as opened.

    Args:
        name, overrides: the pipeline.
        settings: where studies are.
        again: test the best settings of the pipeline's latest search anew, as a study of its own.
        threads: CPU threads of each job, where the pipeline does not say.

    Raises:
        PipelineError, DataError: the pipeline, its space or its data are wrong.
        UsageError: the study is half done and the code that decides numbers has changed since, or
            there is nothing to test again.
    """
    first = ready(name, settings, overrides)
    section = search_of(first.pipeline)
    pipeline, weights = started(first, settings)
    pipeline = pipeline.model_copy(update={"search": None})
    halves = dev_halves(first.prepared, section.confirm.share)
    plan = plan_of(name, overrides, first.pipeline, len(halves.choosing.indices("dev")))
    log = EventLog(settings.studies_url)
    if again:
        plan = _again(plan, pipeline.name, log)
    facts = plain(
        {
            "pipeline": _deciding(pipeline),
            "search": _searched(plan, section),
            "data": halves.choosing.digest,
            "start": "" if weights is None else weights.digest,
        }
    )
    digest = sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    study_name = f"{pipeline.name}-{digest[:8]}"
    events = log.read(study_name)
    if not events:
        own = {"name": pipeline.name, "seeds": section.confirm.seeds, "again": again}
        numeric = _numeric(pipeline, halves.choosing, threads, section.together)
        opened = facts | own | _opened(halves, numeric)
        events = log.append(study_name, 0, [Event(kind="opened", facts=plain(opened))])
    state = replay(events)
    _check_code(study_name, state)
    study = Study(
        name=study_name,
        pipeline=pipeline,
        halves=halves,
        plan=plan,
        numeric=NumericPlan(**state.opened["numeric"]),
        start=weights,
        settings=settings,
    )
    return study, state


def _searched(plan: SearchPlan, section: Search) -> dict[str, Any]:
    """Return what of a pipeline's section ``search`` decides the search."""
    facts = plan_facts(plan)
    facts |= {"confirm": section.confirm.model_dump(), "limits": list(section.limits)}
    return facts if section.together is None else facts | {"together": section.together}


def _opened(halves: DevHalves, numeric: NumericPlan) -> dict[str, Any]:
    """Return what a study is opened with beside what decides it."""
    return {
        "examples": len(halves.choosing.indices("dev")),
        "confirming": len(halves.confirming.indices("dev")),
        "numeric": asdict(numeric),
        "code": code_digest(PACKAGE),
        "root": str(Path.cwd()),
    }


def _numeric(
    pipeline: Pipeline, prepared: Prepared, threads: int | None, together: int | None
) -> NumericPlan:
    """Return the numeric plan of every job, and how many trials one may hold."""
    resolved = pipeline_file.resolve(pipeline)
    resolved["training"]["threads"] = resolved["training"]["threads"] or threads
    return choose_together(resolved, prepared, choose_plan(resolved, prepared), together)


def latest_study(log: EventLog, pipeline: str) -> tuple[str, State] | None:
    """Return the search of a pipeline that moved last and has a trial trained to the end."""
    for listed in log.studies():
        if listed.study.rpartition("-")[0] == pipeline:
            state = replay(log.read(listed.study))
            # One that tested settings again is not tested again itself: asked twice, it goes on.
            if state.best is not None and not state.opened.get("again"):
                return listed.study, state
    return None


def _again(plan: SearchPlan, pipeline: str, log: EventLog) -> SearchPlan:
    """Return a plan that tests the best settings of the latest search, all to the end."""
    found = latest_study(log, pipeline)
    if found is None:
        raise UsageError(
            f"there is no search of {pipeline} whose best settings could be tested again; run "
            f"`gapwise search {pipeline}` first"
        )
    _, state = found
    own = dict(plan.given[0])
    best = sorted(state.finished, key=lambda trial: (trial.value, trial.number))
    settings: list[Mapping[str, Any]] = [own]
    for trial in best:
        known = {key: trial.parameters[key] for key in trial.parameters if key in plan.space.keys}
        if {**own, **known} not in settings and len(settings) <= BEST_AGAIN:
            settings.append({**own, **known})
    return replace(
        plan,
        given=tuple(settings),
        rounds=(RoundPlan(trials=len(settings), sampler="sobol"),),
        rungs=plan.rungs[-1:],
    )


def _deciding(pipeline: Pipeline) -> dict[str, Any]:
    values = pipeline_file.resolve(pipeline)
    return {key: value for key, value in values.items() if key not in _SILENT}


def plan_facts(plan: SearchPlan) -> dict[str, Any]:
    """Return a plan as plain values, as a study is opened with."""
    return {
        "space": [asdict(knob) for knob in plan.space.knobs],
        "rounds": [asdict(one) for one in plan.rounds],
        "rungs": list(plan.rungs),
        "eta": plan.eta,
        "seed": plan.seed,
        "narrow": plan.narrow,
        "given": [dict(one) for one in plan.given],
    }


def _check_code(name: str, state: State) -> None:
    """Refuse to go on with a search whose trials were trained by other code (FAULTS T8)."""
    if state.closed is None and state.trials and state.opened["code"] != code_digest(PACKAGE):
        raise UsageError(
            f"the search {name} was begun by other code of Gapwise, so its trials and new ones "
            "cannot be held against each other; test its best settings with --again, or change "
            "search.seed to begin anew"
        )
