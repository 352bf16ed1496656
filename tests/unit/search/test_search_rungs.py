"""Rungs: who goes on (Li et al. 2020)."""

from gapwise.search.rungs import decide, rung_epochs


def test_rungs_are_powers_of_eta_up_to_the_end() -> None:
    assert rung_epochs(27, 1, 3) == (1, 3, 9, 27)
    assert rung_epochs(25, 1, 3) == (1, 3, 9, 25)
    assert rung_epochs(28, 1, 3) == (1, 3, 9, 28)  # 27 would save nothing
    assert rung_epochs(1, 1, 3) == (1,)
    assert rung_epochs(8, 2, 2) == (2, 4, 8)


def test_one_of_eta_goes_on() -> None:
    others = [0.5, 0.4, 0.3, 0.2, 0.1]
    # six at the rung: the two best go on
    assert decide(0.15, others, eta=3, last=False) == "go-on"
    assert decide(0.25, others, eta=3, last=False) == "stop"
    assert decide(0.9, others, eta=3, last=True) == "done"


def test_at_first_the_best_so_far_goes_on() -> None:
    assert decide(0.5, [], eta=3, last=False) == "go-on"
    assert decide(0.5, [0.4], eta=3, last=False) == "stop"
    assert decide(0.3, [0.4], eta=3, last=False) == "go-on"
