"""One target for people, whatever it is."""

from typing import Any

import numpy as np

from gapwise.forms.base import form_of
from gapwise.labels import UNKNOWN, Labels


def as_text(labels: Labels, target: Any) -> str:
    """Return one target for people: a class's name, a number with its unit, or ``name: class, …``.

    Args:
        labels: what the target is.
        target: a position, a number, (k,) positions, of which unknown ones are shown as "?", or
            what is drawn, as numbers or as the JSON of a predictions table.
    """
    if labels.is_drawn:
        form = form_of(labels)
        known = isinstance(target, str)
        return form.words(labels, target if known else form.text(labels, target[np.newaxis])[0])
    if labels.kind == "number":
        return f"{float(target):,.6g} {labels.unit}".rstrip()
    if labels.kind == "class":
        return labels.only[int(target)]
    if labels.kind == "value":
        return str(target)
    told = (
        f"{name}: {classes[int(code)] if code != UNKNOWN else '?'}"
        for name, classes, code in zip(labels.names, labels.classes, target, strict=True)
    )
    return ", ".join(told)
