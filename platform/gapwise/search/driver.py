"""The one driver of a search: it draws, sends jobs to workers, decides, and writes all of it down.

Everything that counts is an event, durable before anything follows from it. A driver that is
killed is followed by another that replays the events: what was asked and has no result is run
again, which gives the same result, since jobs are deterministic and go on from their checkpoints.
"""

from collections.abc import Callable, Sequence
from typing import Any

from gapwise.errors import CheckError, StoppedError, StorageError, shown
from gapwise.search import region as regions
from gapwise.search.calls import beside, call_of, ends_of
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event, Region, RoundState, State, Trial
from gapwise.search.plan import Jobs, RoundPlan, SearchPlan, Shown
from gapwise.search.rungs import decide
from gapwise.search.space import Space
from gapwise.search.suggest import suggest
from gapwise.workers.base import MOST_ATTEMPTS, Done, Failure, News, Workers

BLIND = ("sobol", "random")
"""How a round draws where what was learned does not matter, so that many trials can be drawn at
once; else a call is shared by trials that go on alone."""

FAILING_FROM = 10
"""Trials from which on a search stops when more than half of them failed (FAULTS S7)."""


class Driver:
    """Runs one search to its end, or until it is asked to stop."""

    def __init__(
        self,
        plan: SearchPlan,
        study: str,
        log: EventLog,
        workers: Workers,
        jobs: Jobs,
        hear: Callable[[State, Event | News], None] = lambda *_: None,
    ) -> None:
        """Replay what the study holds.

        Args:
            plan: all that decides the search.
            study: its name.
            log: where its events stand; ``opened`` is among them already.
            workers: where jobs run.
            jobs: makes them.
            hear: told of each event, after it is durable, and of what calls say while they run.
        """
        self.plan, self.study = plan, study
        self._log, self._workers, self._jobs, self._hear = log, workers, jobs, hear
        self.state = State()
        for event in log.read(study):
            self.state.apply(event)
        self._waiting = list(self.state.running)
        self._out: dict[str, list[Trial]] = {}

    def run(self, should_stop: Callable[[], bool] = lambda: False) -> State:
        """Go on until every round is done.

        Raises:
            StoppedError: ``should_stop`` said so; every call has ended at a checkpoint.
            CheckError: more than half of the trials failed; names the last reason.
            StorageError: a worker met a full disk, or a store that is away.
        """
        while not self._is_over():
            if should_stop():
                self._stop()
            self._fill()
            for news in self._workers.wait(0.5):
                self._take(news)
        return self.state

    def _is_over(self) -> bool:
        if self._out or self._waiting:
            return False
        if not self.state.rounds:
            return False
        return not self._open_asks() and len(self.state.rounds) == len(self.plan.rounds)

    def _open_asks(self) -> int:
        """How many trials the round that runs has yet to ask."""
        if not self.state.rounds:
            return 0
        now = self.state.rounds[-1]
        return now.trials - (len(self.state.trials) - now.first)

    def _fill(self) -> None:
        while len(self._out) < self._workers.slots:
            trial = self._next()
            if trial is None:
                return
            trials = [trial, *self._beside(trial)]
            rung = trial.next_rung
            key = f"{trial.number}.{rung}.{trial.attempts}"
            function, argument = call_of(self._jobs, trials, self.plan.rungs[rung])
            self._out[key] = trials
            self._workers.submit(key, function, argument)

    def _beside(self, first: Trial) -> list[Trial]:
        """Return the trials that share the call of ``first``, out of twice as many as it holds."""
        sharing, now = self._jobs.sharing, self.state.rounds[-1]
        if sharing is not None and now.sampler in BLIND:
            while self._open_asks() and len(self._waiting) < 2 * sharing.most - 1:
                self._waiting.append(self._ask())
        found = beside(self._jobs, first, self._waiting, self._workers.slots - len(self._out))
        self._waiting = [trial for trial in self._waiting if trial not in found]
        return found

    def _next(self) -> Trial | None:
        """Return the trial whose job comes next: one that goes on, else a new one."""
        if self._waiting:
            # Who is furthest first, then in the order of asking.
            trial = min(self._waiting, key=lambda trial: (-trial.next_rung, trial.number))
            self._waiting.remove(trial)
            return trial
        if not self._open_asks():
            # A round begins when every trial of the one before has ended.
            if self._out or len(self.state.rounds) == len(self.plan.rounds):
                return None
            self._begin_round()
        return self._ask()

    def _begin_round(self) -> None:
        number = len(self.state.rounds)
        wanted = self.plan.rounds[number]
        found = self._region(number, wanted)
        facts = {
            "trials": wanted.trials,
            "sampler": wanted.sampler,
            "tiers": list(wanted.tiers),
            "region": found.as_json(),
        }
        self._write(Event(kind="round", facts=facts))

    def _region(self, number: int, wanted: RoundPlan) -> Region:
        space, trials = self.plan.space, [t for t in self.state.trials if t.rungs]
        found = regions.whole(space)
        if number and self.plan.narrow and trials:
            before = self._widest(number)
            found = regions.narrowed(space, before, trials, self.plan.examples, self.plan.limits)
        best = self.state.best
        values = dict(self.plan.given[0]) if self.plan.given else {}
        values |= {} if best is None else best.parameters
        return regions.held(space, found, wanted.tiers, values)

    def _widest(self, number: int) -> Region:
        """Return where each knob was drawn when it was last searched."""
        ranges = dict(regions.whole(self.plan.space).ranges)
        for one in self.state.rounds[:number]:
            ranges |= one.region.ranges
        return Region(ranges=ranges)

    def _ask(self) -> Trial:
        now: RoundState = self.state.rounds[-1]
        number = len(self.state.trials)
        space = self.plan.space
        if number < len(self.plan.given):
            parameters = dict(self.plan.given[number])
            point = space.point(parameters)
        else:
            point = suggest(space, now, self.state.trials, number, self.plan.seed)
            parameters = {**now.region.held, **space.values({**_held(space, now), **point})}
        # A knob whose condition does not hold has no place.
        point = {key: at for key, at in point.items() if key in parameters}
        facts = {"parameters": dict(sorted(parameters.items())), "point": point}
        self._write(Event(kind="asked", trial=number, facts=facts))
        return self.state.trials[number]

    def _take(self, news: Done | News) -> None:
        trials = self._out.get(news.key)
        if trials is None:
            return  # the late word of an attempt that was given up
        if isinstance(news, News):
            self._hear(self.state, news)
            return
        del self._out[news.key]
        if news.lost:
            for trial in trials:
                self._lose(trial, news.lost)
        elif news.failure is None:
            self._record(trials, news.value)
        elif news.failure.of_place:
            self._give_up(news.failure)
        elif not news.failure.stopped:
            self._fail(trials, news.failure)

    def _record(self, trials: Sequence[Trial], value: Any) -> None:
        """Write down what became of the trials of a call, all of it or nothing."""
        ends = ends_of(self._jobs, trials, value)
        others = list(self.state.values_at(trials[0].next_rung))
        events = []
        for trial, end in zip(trials, ends, strict=True):
            if isinstance(end, Failure):
                events.append(_failed(trial, end.message, infeasible=False))
            else:
                events.append(self._result(trial, end, others))
                others.append(events[-1].facts["value"])
        self._write(*events)
        self._waiting += [trial for trial in trials if trial.state == "running"]
        for event in events:
            if event.kind == "failed":
                self._check_failing(event.facts["reason"])

    def _result(self, trial: Trial, shown_: Shown, others: Sequence[float]) -> Event:
        rung, value = trial.next_rung, min(shown_.curve)
        last = shown_.is_over or rung == len(self.plan.rungs) - 1
        decision = decide(value, others, eta=self.plan.eta, last=last)
        if decision == "stop" and trial.number < len(self.plan.given):
            decision = "go-on"  # what the others have to beat is trained to the end
        facts = {
            "rung": rung,
            "epochs": shown_.epochs,
            "value": value,
            "curve": list(shown_.curve),
            "decision": decision,
            "job": dict(shown_.facts),
        }
        return Event(kind="result", trial=trial.number, facts=facts)

    def _lose(self, trial: Trial, why: str) -> None:
        self._write(Event(kind="lost", trial=trial.number, facts={"why": why}))
        if trial.attempts >= MOST_ATTEMPTS:
            reason = f"its job took its worker with it {trial.attempts} times: {why}"
            self._write(_failed(trial, reason, infeasible=False))
            self._check_failing(reason)
        else:
            self._waiting.append(trial)

    def _give_up(self, failure: Failure) -> None:
        """Stop without blaming the trial, which stays to be run again."""
        self._workers.close()
        raise StorageError(
            f"the search {self.study} stopped, since a job could not be kept: {failure.message}; "
            "called again, it goes on"
        )

    def _fail(self, trials: Sequence[Trial], failure: Failure) -> None:
        if len(trials) > 1:
            # Whose fault it is shows when each has a call of its own.
            for trial in trials:
                self._lose(trial, f"the call that it shared failed: {failure.message}")
            return
        trial = trials[0]
        event = _failed(trial, failure.message, infeasible=failure.out_of_memory)
        self._write(event)
        if not failure.out_of_memory:
            self._check_failing(failure.message)

    def _check_failing(self, reason: str) -> None:
        ended = [t for t in self.state.trials if t.state != "running"]
        failed = [t for t in ended if t.state == "failed"]
        if len(ended) >= FAILING_FROM and 2 * len(failed) > len(ended):
            self._workers.close()
            raise CheckError(
                f"{len(failed)} of {len(ended)} trials of {self.study} failed, the last one: "
                f"{shown(reason, 300)}; mend that, then call the search again"
            )

    def _stop(self) -> None:
        self._workers.stop()
        while self._out:
            news = self._workers.wait(1.0)
            for one in news:
                self._take(one)
        raise StoppedError(
            f"the search {self.study} stopped as asked after {len(self.state.trials)} trials; "
            "called again, it goes on"
        )

    def _write(self, *events: Event) -> None:
        """Make events durable, together, then let them count."""
        stamped = self._log.append(self.study, self.state.count, events)
        for one in stamped:
            self.state.apply(one)
            self._hear(self.state, one)


def _held(space: Space, now: RoundState) -> dict[str, float]:
    """Return the places of what a round holds, so that conditions on it can be seen."""
    return dict(space.point(now.region.held))


def _failed(trial: Trial, reason: str, *, infeasible: bool) -> Event:
    facts = {"reason": reason, "infeasible": infeasible, "rung": trial.next_rung}
    return Event(kind="failed", trial=trial.number, facts=facts)


def best_first(trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials that were trained to the end, the lowest error first."""
    done = [trial for trial in trials if trial.state == "done"]
    return sorted(done, key=lambda trial: (trial.value, trial.number))
