"""Ids in one spelling of Unicode (FAULTS D10)."""

from unicodedata import normalize

import numpy as np

from gapwise.ids import composed, one_spelling

NAMES = ["caf\u00e9", "\uac00", "\u212bngstr\u00f6m", "plain/0001"]


def test_d10_every_form_of_an_id_becomes_one() -> None:
    wanted = [normalize("NFC", name) for name in NAMES]
    for form in ("NFC", "NFD"):
        ids = np.array([normalize(form, name) for name in NAMES])
        assert one_spelling(ids).tolist() == wanted
        assert [composed(name) for name in ids.tolist()] == wanted


def test_ids_that_need_nothing_are_not_copied() -> None:
    for names in (["a", "b"], [normalize("NFC", name) for name in NAMES]):
        ids = np.array(names)
        assert one_spelling(ids) is ids
