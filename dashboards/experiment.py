"""Which experiment a page is about."""

from collections.abc import Sequence

from dashboards import carry, data


def choose(experiments: Sequence[str], forgets: Sequence[str] = ("run", "other")) -> str:
    """Let people choose an experiment; a link that names a run alone means the run's own.

    Args:
        experiments: their names; the first is the default.
        forgets: parameters that lose their meaning with another choice.
    """
    if carry.get("experiment") is None and (run_id := data.newest_of(carry.get("run"))):
        rows = data.runs()
        own = rows.loc[rows["run_id"] == run_id, "experiment"]
        carry.put(experiment=str(own.iloc[0]) if len(own) else None)
    return carry.choose(
        "experiment", experiments, lambda name: f"Experiment  {name}", forgets=forgets
    )
