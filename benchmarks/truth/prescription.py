"""Does the advice point at the knob that helps? Every applicable knob of real cases is turned.

    python -m benchmarks.truth.prescription [--cases 32] [--seed 0] [--gains FILE]

Each case is a small network on digits, USPS, MNIST or Fashion-MNIST that is too small, trained too
briefly, trained on too little, over-regularized, or judged on another kind of picture. It is
diagnosed as a user would diagnose it (one seed, 600 examples a split, 1,000 human answers), and
every knob of the catalogue that applies is then trained under three seeds; what only people can do
is done here with examples that were held back (twice the data; as many target examples as a tenth
of train). The truth is the error on all the examples left over. Knobs within one standard error of
another tie; where none gains more than one standard error, naming none is right. Cases of odd
numbers are kept aside: the order of knobs was set on the even ones. ``--gains`` keeps the gains.
Needs GAPWISE_DATA.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.truth._plants import PICTURES
from benchmarks.truth._prescribed import KINDS, Bench, Turn
from gapwise.statistics.intervals import wilson

Gains = dict[str, tuple[float, float]]

SEEDS = 3
MORE_DATA = "collect-more-training-data"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One case: what was advised, and what every knob gained (mean and standard error)."""

    number: int
    kind: str
    dataset: str
    verdict: str
    advised: list[str]
    gains: Gains

    @property
    def helping(self) -> list[str]:
        """The knobs that gained more than a standard error, the best first."""
        best = sorted(self.gains, key=lambda knob: -self.gains[knob][0])
        return [knob for knob in best if self.gains[knob][0] > self.gains[knob][1]]

    def among_best(self, knob: str | None, places: int = 2) -> bool:
        """Whether fewer than ``places`` knobs are better than this one by a standard error."""
        if not self.helping:
            return knob is None
        if knob is None or knob not in self.gains:
            return False
        gain, error = self.gains[knob]
        if gain <= error:
            return False
        # Knobs that change the same are one, and gain the same.
        better = {g for g, e in self.gains.values() if g - gain > max(e, error)}
        return len(better) < places


def outcomes(options: argparse.Namespace, data: Path) -> Iterator[Outcome]:
    """Diagnose every case, turn every knob, and give what came of it."""
    kinds, known = list(KINDS), _known(options.gains)
    for number in range(options.cases):
        kind, dataset = kinds[number % len(kinds)], PICTURES[number // len(kinds) % len(PICTURES)]
        generator = np.random.default_rng([options.seed, number])
        bench = Bench.of(KINDS[kind], dataset, data, generator)
        diagnosis, turns = bench.diagnosed(), bench.turns()
        gains = known.get(number) or _gains(bench, turns)
        if options.gains is not None and number not in known:
            with options.gains.open("a", encoding="utf-8") as file:
                file.write(json.dumps([number, gains]) + "\n")
        yield Outcome(
            number=number,
            kind=kind,
            dataset=dataset,
            verdict=diagnosis.verdict,
            advised=[knob.id for knob in diagnosis.knobs if knob.id in turns],
            gains=gains,
        )


def _known(path: Path | None) -> dict[int, Gains]:
    if path is None or not path.is_file():
        return {}
    return dict(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def _gains(bench: Bench, turns: Mapping[str, Turn]) -> Gains:
    """Return what every knob gains under three seeds; equal turns are trained once."""
    base = [bench.error(Turn(), seed) for seed in range(SEEDS)]
    done: dict[str, list[float]] = {}
    gains = {}
    for knob, turn in turns.items():
        key = repr(turn)
        if key not in done:
            done[key] = [bench.error(turn, seed) for seed in range(SEEDS)]
        found = np.array(base) - done[key]
        gains[knob] = (float(found.mean()), _standard_error(found, base))
    return gains


def _standard_error(gains: Any, base: Sequence[float]) -> float:
    """Of a mean over seeds, and never below that of the base's own spread by half."""
    own = float(np.std(gains, ddof=1) / np.sqrt(len(gains)))
    return max(own, float(np.std(base, ddof=1) / np.sqrt(len(base)) / 2), 5e-4)


def table(found: Sequence[Outcome]) -> None:
    """Print a row a group of cases: the advice beside chance and beside always more data."""
    print("| cases | n | advised among the 2 best, % | is the best, % | random, % | more data, % |")
    print("| --- | --- | --- | --- | --- | --- |")
    groups: Mapping[str, list[Outcome]] = {
        "set on (even)": [one for one in found if one.number % 2 == 0],
        "aside (odd)": [one for one in found if one.number % 2],
        **{kind: [one for one in found if one.kind == kind] for kind in KINDS},
        "**all**": list(found),
    }
    for name, some in groups.items():
        if not some:
            continue
        hits = [one.among_best(_first(one)) for one in some]
        best = [one.among_best(_first(one), places=1) for one in some]
        chance = [np.mean([one.among_best(knob) for knob in one.gains]) for one in some]
        more = [one.among_best(MORE_DATA) for one in some]
        ends = wilson(sum(hits), len(hits))
        print(
            f"| {name} | {len(some)} | {100 * np.mean(hits):.1f} "
            f"({100 * ends.low:.1f}–{100 * ends.high:.1f}) | {100 * np.mean(best):.1f} | "
            f"{100 * np.mean(chance):.1f} | {100 * np.mean(more):.1f} |"
        )


def _first(one: Outcome) -> str | None:
    return one.advised[0] if one.advised else None


def main() -> None:
    """Run the cases, or read their gains, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gains", type=Path, default=None)
    options = parser.parse_args()
    start, found = time.perf_counter(), []
    for one in outcomes(options, Path(os.environ["GAPWISE_DATA"])):
        found.append(one)
        ranked = ", ".join(f"{knob} {100 * one.gains[knob][0]:.1f}" for knob in one.helping[:4])
        mark = "+" if one.among_best(_first(one)) else "-"
        print(
            f"{mark} {one.number} {one.kind}, {one.dataset}: {one.verdict}, says {_first(one)}; "
            f"best: {ranked or 'none helps'}",
            flush=True,
        )
    print(f"{len(found)} cases, seed {options.seed}, {time.perf_counter() - start:.0f} s")
    table(found)


if __name__ == "__main__":
    main()
