"""Label Studio's JSON: tasks with a network's predictions out, annotations back in.

The labelling configuration that fits is one ``<Image name="image" value="$image"/>`` and one
``<Choices name="label" toName="image">``; https://labelstud.io/guide/task_format
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError, shown
from gapwise.ledger.labels import LABEL
from gapwise.records import Predictions
from gapwise.workflows.example_pictures import png

_FROM: Final = "label"
_TO: Final = "image"

Picture = Callable[[str], NDArray[np.uint8] | None]


def tasks(
    table: Predictions, rows: Sequence[int], picture: Picture, *, run_id: str, dataset: str
) -> list[dict[str, Any]]:
    """Return one task an example, its picture inside and the network's answer as a prediction."""
    return [
        {
            "id": number,
            "data": {
                "image": _data_uri(picture(str(table.example_id[row]))),
                "example_id": str(table.example_id[row]),
                "dataset": dataset,
                "split": table.split,
                "given": table.classes[int(table.target[row])],
            },
            "predictions": [_prediction(table, row, run_id)],
        }
        for number, row in enumerate(rows, start=1)
    ]


def rows_of(document: Any) -> Iterator[dict[str, str]]:
    """Give the annotations of tasks as rows of ``label_table``; those cancelled are left out.

    Raises:
        DataError: it is no list of tasks as ``tasks`` makes them; names the task.
    """
    if not isinstance(document, list):
        raise DataError("this is no list of Label Studio tasks; export them as JSON")
    for task in document:
        try:
            facts = task["data"]
            name = str(facts["example_id"])
            annotations = [one for one in task.get("annotations", ()) if _counts(one)]
            for one in annotations[-1:]:
                yield _row(name, facts, _choice(one), one)
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            known = task.get("id") if isinstance(task, Mapping) else task
            raise DataError(
                f"task {shown(known)} cannot be read: it lacks {shown(error)}; export tasks that "
                "`gapwise labels export` made, with their data"
            ) from error


def _counts(annotation: Mapping[str, Any]) -> bool:
    return not annotation.get("was_cancelled") and bool(annotation.get("result"))


def _choice(annotation: Mapping[str, Any]) -> str:
    chosen = [one for one in annotation["result"] if one.get("from_name") == _FROM]
    return str(chosen[0]["value"]["choices"][0])


def _row(
    name: str, facts: Mapping[str, Any], label: str, annotation: Mapping[str, Any]
) -> dict[str, str]:
    by = annotation.get("completed_by", "")
    who = by.get("email", "") if isinstance(by, Mapping) else by
    return {
        "kind": LABEL,
        "example_id": name,
        "label": label,
        "given": str(facts.get("given", "")),
        "split": str(facts.get("split", "")),
        "author": f"label-studio {who}" if who != "" else "",
    }


def _prediction(table: Predictions, row: int, run_id: str) -> dict[str, Any]:
    code = int(table.predicted[row])
    found: dict[str, Any] = {
        "model_version": run_id,
        "result": [
            {
                "from_name": _FROM,
                "to_name": _TO,
                "type": "choices",
                "value": {"choices": [table.classes[code]]},
            }
        ],
    }
    return found if table.scores is None else found | {"score": float(table.scores[row, code])}


def _data_uri(picture: NDArray[np.uint8] | None) -> str:
    return "" if picture is None else f"data:image/png;base64,{b64encode(png(picture)).decode()}"
