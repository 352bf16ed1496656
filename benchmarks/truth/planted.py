"""Does the diagnosis name the cause that was planted? Real trainings, cause by cause.

    python -m benchmarks.truth.planted [--cases 24] [--healthy 150] [--seed 0]

Each case trains a small network on digits, USPS, MNIST, Fashion-MNIST or Adult with one cause
planted, and judges it on 800 examples a split; the truth is counted on all the others held out.
*Right* names the planted cause first, *wrong* another one, *undecided* none. A case is detectable
where the planted effect exceeds what 800 examples can show: a gap that exceeds δ and every other
true gap by four standard errors; wrong labels that the network contradicts, 3 % of a split; a leak
of 1 %; a metric whose paired difference is four standard errors. Causes and networks marked
*aside* were not looked at while anything was set. Needs GAPWISE_DATA.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.truth import _plants as plants
from benchmarks.truth._causes import CAUSES, EXPECTED, healthy
from benchmarks.truth._plants import PICTURES, Generator, Planted
from benchmarks.truth._selections import metric_case, overfit_case
from gapwise.diagnostics import evidence, ladder
from gapwise.records import DATA_FAULT, Diagnosis, HumanLevel
from gapwise.statistics.intervals import wilson

HUMAN_N = 1000
FAULTS = {"leaks": "leak", "label-noise": "label noise"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case: the effect that was planted, whether it can be seen, and what was said."""

    cause: str
    dataset: str
    effect: float
    detectable: bool
    said: str

    @property
    def outcome(self) -> str:
        """Right, wrong or undecided; of a healthy one all but a wrong cause is right."""
        if self.cause == "healthy":
            return "right" if self.said in ("none", "undecided") else "wrong"
        if self.said in ("none", "undecided"):
            return "undecided"
        return "right" if self.said == EXPECTED[self.cause.removesuffix(" *")] else "wrong"


GAPS = ("human", "train", "train_dev", "dev", "test")


def judged(cause: str, case: Planted, generator: Generator, *, test: bool = False) -> Case:
    """Diagnose a trained case on as many examples as a team has, and hold it to the truth."""
    told = int(generator.binomial(HUMAN_N, case.human))
    people = HumanLevel(error=told / HUMAN_N, n=HUMAN_N, distribution="train", source="planted")
    held = evidence.from_memory({"run": [*case.drawn(generator).values()]}, human=(people,))
    found = ladder.diagnose(held, test=test, delta=case.delta)
    effect, detectable = _effect(cause, case, test=test)
    return Case(
        cause=cause,
        dataset=case.setting.dataset,
        effect=effect,
        detectable=detectable,
        said=said(found),
    )


def said(diagnosis: Diagnosis) -> str:
    """Return the cause that a diagnosis names first."""
    first = diagnosis.findings[0]
    if first.severity < DATA_FAULT:
        return diagnosis.verdict
    kind = FAULTS[first.diagnostic]
    split = "train" if first.evidence["split"] in ("train", "train_dev") else "dev"
    return kind if kind == "leak" else f"{kind} in {split}"


def _effect(cause: str, case: Planted, *, test: bool) -> tuple[float, bool]:
    """Return the planted effect as a fraction of 1, and whether it can be seen at this n."""
    if cause == "leak":
        return case.setting.copied, case.setting.copied >= 0.01
    if cause.startswith("label noise"):
        split = "train" if "train" in cause else "dev"
        pool, wrong = case.pools[split], case.wrong_labels[split]
        seen = float((wrong & (pool.error > 0)).mean())
        return seen, seen >= 0.03
    gaps = _gaps(case, test=test)
    name = EXPECTED.get(cause.removesuffix(" *"))
    if name is None:
        return max(size for size, _ in gaps.values()), True
    size, deviation = gaps[name]
    ahead = [
        (size - other) / np.hypot(deviation, also)
        for key, (other, also) in gaps.items()
        if key != name
    ]
    return size, size > case.delta + 4 * deviation and min(ahead) > 4


def _gaps(case: Planted, *, test: bool) -> dict[str, tuple[float, float]]:
    """Return every true gap with its standard error at the n that the diagnosis has."""
    rungs = {"human": case.human, **case.rungs()}
    names = ("avoidable_bias", "variance", "data_mismatch", "dev_overfit")[: 4 if test else 3]
    sizes = {"human": HUMAN_N}
    for split, pool in case.pools.items():
        sizes[split] = min(len(pool), plants.JUDGED.get(split, len(pool)))

    def variance(rung: str) -> float:
        return rungs[rung] * (1 - rungs[rung]) / sizes[rung]

    found = {}
    for name, lower, upper in zip(names, GAPS, GAPS[1:], strict=False):
        below = 0.0 if lower == "train" else variance(lower)
        found[name] = (rungs[upper] - rungs[lower], float(np.sqrt(below + variance(upper))))
    return found


def cases(options: argparse.Namespace, data: Path) -> Iterator[Case]:
    """Train and judge every case."""
    for cause, (setting, datasets) in CAUSES.items():
        for number in range(options.cases):
            generator = np.random.default_rng([options.seed, number, *cause.encode()])
            dataset = datasets[number % len(datasets)]
            yield judged(
                cause, plants.plant(setting(generator, dataset), data, generator), generator
            )
    for number in range(options.cases):
        generator = np.random.default_rng([options.seed, number, 1])
        yield _overfitted(number, data, generator)
        generator = np.random.default_rng([options.seed, number, 2])
        answer, effect, seen = metric_case(PICTURES[1 + number % 3], data, generator)
        yield Case(
            cause="wrong metric",
            dataset=PICTURES[1 + number % 3],
            effect=effect,
            detectable=seen,
            said=answer,
        )
    made = 0
    for number in range(10 * options.healthy):
        generator = np.random.default_rng([options.seed, number, 3])
        dataset = ("mnist", "fashion-mnist", "adult")[number % 3]
        case = plants.plant(healthy(generator, dataset), data, generator)
        if max(size for size, _ in _gaps(case, test=False).values()) < case.delta:
            made += 1
            yield judged("healthy", case, generator)
        if made == options.healthy:
            return


def _overfitted(number: int, data: Path, generator: Generator) -> Case:
    dataset = PICTURES[1 + number % 3]
    case = overfit_case(dataset, data, generator)
    return judged("dev overfitted", case, generator, test=True)


def table(found: list[Case]) -> None:
    """Print a row a cause."""
    print("| cause | cases | detectable | right, % | wrong, % | undecided, % | below it: right |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for cause in dict.fromkeys(case.cause for case in found):
        row([case for case in found if case.cause == cause], cause)
    planted = [case for case in found if case.cause != "healthy"]
    row([case for case in planted if "*" not in case.cause], "**all that were tuned on**")
    row([case for case in planted if "*" in case.cause], "**all aside**")
    row(planted, "**all planted**")


def row(found: list[Case], name: str) -> None:
    """Print one row."""
    seen = [case for case in found if case.detectable]
    counts = Counter(case.outcome for case in seen)
    cells = [_share(counts[outcome], len(seen)) for outcome in ("right", "wrong", "undecided")]
    below = Counter(case.outcome for case in found if not case.detectable)
    rest = f"{below['right']} of {below.total()}, {below['wrong']} wrong" if below.total() else "–"
    print(f"| {name} | {len(found)} | {len(seen)} | {' | '.join(cells)} | {rest} |")


def _share(count: int, n: int) -> str:
    if not n:
        return "–"
    ends = wilson(count, n)
    return f"{100 * count / n:.1f} ({100 * ends.low:.1f}–{100 * ends.high:.1f})"


def main() -> None:
    """Train all cases and print the table, then what was said wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=24, help="cases a cause")
    parser.add_argument("--healthy", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.perf_counter()
    found = []
    for case in cases(options, Path(os.environ["GAPWISE_DATA"])):
        found.append(case)
        if case.detectable and case.outcome == "wrong":
            print(f"{case.cause}, {case.dataset}, {case.effect:.3f}: said {case.said}", flush=True)
    print(f"{len(found)} cases, seed {options.seed}, {time.perf_counter() - start:.0f} s")
    table(found)


if __name__ == "__main__":
    main()
