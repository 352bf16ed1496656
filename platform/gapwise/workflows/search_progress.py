"""How far a search is: one line a trial on stderr, and the region of each round."""

import sys
import time

from gapwise.search.events import Event, State
from gapwise.search.space import told
from gapwise.workers.base import News
from gapwise.workflows.search_study import Study

_ENDS = {
    "stop": "stopped",
    "done": "trained to the end",
}


class SearchProgress:
    """Says what happens, for people."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._began = time.monotonic()
        self._done_before: int | None = None

    def hear(self, state: State, event: Event | News) -> None:
        """Say it."""
        if isinstance(event, News):
            return
        if event.kind == "round":
            self._round(state)
        elif event.kind == "result" and event.facts["decision"] != "go-on":
            self._ended(state, event)
        elif event.kind == "failed":
            word = "does not fit into memory" if event.facts["infeasible"] else "failed"
            _line(f"trial {event.trial}: {word}: {event.facts['reason']}")
        elif event.kind == "lost":
            _line(f"trial {event.trial}: {event.facts['why']}; it is run again")

    def _round(self, state: State) -> None:
        one = state.rounds[-1]
        of = len(self._study.plan.rounds)
        _line(f"round {one.number + 1} of {of}: {one.trials} trials, drawn by {one.sampler}")
        for why in one.region.why:
            _line(f"  {why}")

    def _ended(self, state: State, event: Event) -> None:
        assert event.trial is not None
        trial = state.trials[event.trial]
        setting = ", ".join(f"{_short(k)} {told(value)}" for k, value in trial.parameters.items())
        best = state.best
        so_far = "" if best is None or best.value is None else f"; best {100 * best.value:.1f} %"
        _line(
            f"trial {trial.number}: {_ENDS[event.facts['decision']]} "
            f"after {_epochs(trial.epochs)}, "
            f"dev {100 * event.facts['value']:.1f} % ({setting}){so_far}{self._left(state)}"
        )

    def _left(self, state: State) -> str:
        done = sum(trial.state != "running" for trial in state.trials)
        if self._done_before is None:
            self._done_before = done - 1
        here = done - self._done_before
        total = sum(one.trials for one in self._study.plan.rounds)
        if here < 3:
            return ""
        seconds = (time.monotonic() - self._began) / here * (total - done)
        return f"; {seconds // 60:.0f}:{seconds % 60:02.0f} left"


def _epochs(count: int) -> str:
    return f"{count} epoch" + "s" * (count != 1)


def _short(key: str) -> str:
    return key.rpartition(".")[2]


def _line(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
