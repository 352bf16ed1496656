"""Dev in two parts: nobody is in both, and who is where never changes."""

from pathlib import Path

import pytest

from gapwise.data.dev_halves import dev_halves
from gapwise.errors import DataError
from gapwise.settings import Settings
from gapwise.workflows.prepare import ready


def test_each_part_has_the_other_left_out_and_the_rest_stays(home: Path) -> None:
    whole = ready("digits", Settings.read()).prepared
    halves = dev_halves(whole, 0.4)
    chose, confirm = (set(one.ids[one.indices("dev")]) for one in
                      (halves.choosing, halves.confirming))  # fmt: skip
    assert not chose & confirm
    assert chose | confirm == set(whole.ids[whole.indices("dev")])
    assert 0.3 < len(confirm) / 400 < 0.5
    for split in ("train", "train_dev", "test"):
        assert (halves.choosing.indices(split) == whole.indices(split)).all()
        assert (halves.confirming.indices(split) == whole.indices(split)).all()
    assert halves.choosing.digest != halves.confirming.digest != whole.digest
    again = dev_halves(ready("digits", Settings.read(), ("splits.train_dev=100",)).prepared, 0.4)
    assert set(again.confirming.ids[again.confirming.indices("dev")]) == confirm


def test_a_small_dev_is_refused(home: Path) -> None:
    whole = ready("digits", Settings.read(), ("splits.dev=20",)).prepared
    with pytest.raises(DataError, match="dev of digits has 20 examples, too few"):
        dev_halves(whole, 0.9)
