"""The same studies in Optuna's own storage, so that its dashboard opens them: one study a round.

Written behind the driver from the events, trial by trial in their order; what is there already is
left as it is, and all of it can be written anew.
"""

import json
from typing import TYPE_CHECKING, Any

from gapwise.errors import ServiceError, StorageError, shown
from gapwise.search.events import State, Trial
from gapwise.search.space import Knob, Space

if TYPE_CHECKING:
    import optuna


class OptunaMirror:
    """One search's rounds at one address."""

    def __init__(self, url: str, study: str, space: Space) -> None:
        self._url, self._study, self._space = url, study, space
        self._studies: dict[int, optuna.Study] = {}

    def catch_up(self, state: State) -> None:
        """Add every trial that has ended, in order, up to the first that still runs.

        Raises:
            StorageError: Optuna's storage refuses; the search itself is not touched by that.
        """
        import sqlalchemy as sa
        from optuna.exceptions import StorageInternalError

        try:
            for one in state.rounds:
                self._round(one.number, state.of_round(one.number))
        except (StorageInternalError, sa.exc.SQLAlchemyError, OSError) as error:
            kind = StorageError if self._url.startswith("sqlite") else ServiceError
            raise kind(
                f"Optuna's copy of {self._study} cannot be written: {shown(error, 200)}; the "
                "search itself goes on, and the copy follows when that is mended"
            ) from error

    def _round(self, number: int, trials: list[Trial]) -> None:
        study = self._studies.get(number) or self._open(number)
        for trial in trials[len(study.get_trials(deepcopy=False)) :]:
            if trial.state == "running":
                return
            study.add_trial(_frozen(self._space, trial))

    def _open(self, number: int) -> "optuna.Study":
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            study_name=f"{self._study} round {number + 1}",
            storage=self._url,
            direction="minimize",
            load_if_exists=True,
        )
        self._studies[number] = study
        return study


def _frozen(space: Space, trial: Trial) -> "optuna.trial.FrozenTrial":
    import optuna

    states = {
        "done": optuna.trial.TrialState.COMPLETE,
        "stopped": optuna.trial.TrialState.PRUNED,
        "failed": optuna.trial.TrialState.FAIL,
        "infeasible": optuna.trial.TrialState.FAIL,
    }
    params, distributions = {}, {}
    # A value that has no place on its knob's scale, as 0 on a log scale, is left out.
    for key in space.point(trial.parameters):
        name, told, distribution = _told(space[key], trial.parameters[key])
        params[name], distributions[name] = told, distribution
    return optuna.create_trial(
        state=states[trial.state],
        value=trial.value if trial.state == "done" else None,
        params=params,
        distributions=distributions,
        intermediate_values={rung.epochs: rung.value for rung in trial.rungs},
        user_attrs={"gapwise.trial": trial.number, "reason": trial.reason},
    )


def _told(knob: Knob, value: Any) -> tuple[str, Any, Any]:
    """Return the name, the value and the distribution that Optuna knows a parameter by."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if knob.scale is None:
        texts = tuple(dict.fromkeys([*map(_text, knob.choices), _text(value)]))
        return knob.key, _text(value), CategoricalDistribution(texts)
    low, high = min(knob.low, value), max(knob.high, value)
    if knob.scale == "one-minus-log":
        distance = 1 - value
        ends = min(1 - high, distance), max(1 - low, distance)
        return f"1 - {knob.key}", distance, FloatDistribution(*ends, log=True)
    if knob.cells is not None:
        log = knob.scale == "power-of-two"
        return knob.key, int(value), IntDistribution(int(low), int(high), log=log)
    return knob.key, float(value), FloatDistribution(low, high, log=knob.scale == "log")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
