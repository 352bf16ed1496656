"""From evidence to the diagnosis: ladder, gaps, verdict, findings (DESIGN §3; notes 4.7, 4.14)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gapwise.diagnostics.evidence import FEW_SEEDS, Evidence
from gapwise.diagnostics.findings.base import DIAGNOSTICS
from gapwise.diagnostics.gaps import Draws, Link, Verdict, gap_draws, judge, links
from gapwise.diagnostics.matched import matched
from gapwise.diagnostics.needs import needs
from gapwise.diagnostics.rungs import Step, human_step, levels_told, proxy, rungs
from gapwise.records import Diagnosis, Finding, Gap

_QUANTILES = (0.025, 0.975)


def diagnose(
    evidence: Evidence, *, test: bool = False, delta: float = 0.01, seed: int = 0
) -> Diagnosis:
    """Return the ladder, its gaps, the verdict and the findings.

    Args:
        evidence: stored predictions, human levels and what is known of the run.
        test: show the test rung and the gap ``dev_overfit``; the caller counts the look.
        delta: a gap is high when it exceeds this with probability ≥ 0.95.
        seed: seed of the posterior draws; the same evidence gives the same numbers.

    Raises:
        DataError: there is no split to diagnose, or the runs do not share their examples.
    """
    generator = np.random.default_rng(seed)
    steps = rungs(evidence, test, generator)
    chain = links(steps.keys(), evidence.same_distribution)
    posteriors = {name: step.posterior for name, step in steps.items()}
    draws = {name: p.draw(1.0, generator) for name, p in posteriors.items()}
    sampled = gap_draws(chain, draws, posteriors)
    verdict = judge(chain, sampled, delta)
    undecided = verdict.name == "undecided"
    extra = _extra(evidence, verdict, steps, draws, delta, generator)
    diagnosis = Diagnosis(
        run_id=evidence.run_ids[0],
        label_revision=evidence.label_revision,
        ladder=tuple(step.rung for step in steps.values()),
        gaps=_gaps(chain, steps, sampled, verdict),
        verdict=verdict.name,
        decided=not undecided,
        needs=needs(chain, steps, verdict, delta, seed) if undecided else None,
        findings=(),
        extra=extra | {"table": matched(evidence, test=test).rows()},
    )
    return replace(diagnosis, findings=_findings(evidence, diagnosis))


def _gaps(
    chain: tuple[Link, ...], steps: Mapping[str, Step], sampled: Draws, verdict: Verdict
) -> tuple[Gap, ...]:
    found = []
    for number, link in enumerate(chain):
        upper = steps[link.upper].rung
        lower = steps[link.lower].rung if link.lower else None
        gap = upper.error - (lower.error if lower else 0.0)
        low, high = np.quantile(sampled[:, number], _QUANTILES)
        unknown = upper.low is None or (
            lower is not None and lower.low is None and lower.rung not in ("human", "train")
        )
        found.append(
            Gap(
                name=link.name,
                gap=gap,
                low=None if unknown else min(float(low), gap),
                high=None if unknown else max(float(high), gap),
                is_high=bool(verdict.high[number] >= 0.95),
                probability_largest=float(verdict.largest[number]),
                probability_high=float(verdict.high[number]),
            )
        )
    return tuple(found)


def _extra(
    evidence: Evidence,
    verdict: Verdict,
    steps: Mapping[str, Step],
    draws: Mapping[str, Draws],
    delta: float,
    generator: np.random.Generator,
) -> dict[str, Any]:
    extra: dict[str, Any] = {
        "delta": delta,
        "probability_none": verdict.none,
        "speaks_of": "the pipeline" if evidence.seeds > 1 else "this run",
        "seeds": evidence.seeds,
        "few_seeds": 1 < evidence.seeds < FEW_SEEDS,
        "run_ids": list(evidence.run_ids),
        "test_looks": evidence.looks,
    }
    extra["human_levels"] = levels_told(evidence)
    extra["raw_bias"] = _raw_bias(steps)
    inherent = _inherent(evidence, steps, draws, generator)
    if inherent:
        extra["inherent_mismatch"] = inherent
    return extra


def _raw_bias(steps: Mapping[str, Step]) -> dict[str, Any] | None:
    """Train error from 0: all bias there is, were it all avoidable; None without a train rung."""
    if "train" not in steps:
        return None
    rung = steps["train"].rung
    return {"gap": rung.error, "low": rung.low, "high": rung.high}


def _inherent(
    evidence: Evidence,
    steps: Mapping[str, Step],
    draws: Mapping[str, Draws],
    generator: np.random.Generator,
) -> dict[str, Any] | None:
    """How much harder the target is for people: the part of the mismatch that is no fault."""
    level = proxy(evidence, "target")
    if level is None or "human" not in steps or evidence.same_distribution:
        return None
    target = human_step(level)
    sampled = target.posterior.draw(1.0, generator) - draws["human"]
    low, high = np.quantile(sampled, _QUANTILES)
    gap = target.rung.error - steps["human"].rung.error
    known = target.rung.low is not None and steps["human"].rung.low is not None
    return {
        "gap": gap,
        "low": min(float(low), gap) if known else None,
        "high": max(float(high), gap) if known else None,
        "human_train": steps["human"].rung.error,
        "human_target": target.rung.error,
        "n_target": target.rung.n,
    }


def _findings(evidence: Evidence, diagnosis: Diagnosis) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for _, diagnostic in DIAGNOSTICS:
        found += diagnostic(evidence, diagnosis)
    return tuple(sorted(found, key=lambda finding: -finding.severity))
