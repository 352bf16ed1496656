"""What runs and groups are called on the pages."""

import pandas as pd


def of_runs(rows: pd.DataFrame) -> dict[str, str]:
    """Return run id → what people read: name, seed and the start of the id."""
    seeds = rows["seed"].astype("string").fillna("")
    columns = zip(rows["run_id"].astype(str), rows["name"].astype(str), seeds, strict=True)
    return {
        run_id: f"{name.removesuffix('-' + run_id[:6])}{f' · seed {seed}' if seed else ''} · "
        f"{run_id[:6]}"
        for run_id, name, seed in columns
    }


def of_group(member: str, count: int) -> str:
    """Return what people read for ``count`` seeds, from the name of one of them."""
    return f"{member.rsplit(' · ', 2)[0]} · {count} seeds"
