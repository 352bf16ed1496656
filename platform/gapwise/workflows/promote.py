"""`gapwise promote`: let an alias of the model registry name a run, if it is surely good enough."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gapwise.diagnostics.gate import Rule
from gapwise.errors import CheckError, DataError, UsageError, shown
from gapwise.ledger import promotions
from gapwise.ledger.ledger import Ledger
from gapwise.records import plain
from gapwise.settings import Settings
from gapwise.tracking.client import answering, connect
from gapwise.tracking.registry import Registry, Version, checked_alias, checked_model
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows.author import author
from gapwise.workflows.check import CheckRequest, check_run

WEIGHTS = ".safetensors"


@dataclass(frozen=True, kw_only=True)
class PromoteRequest:
    """What ``gapwise promote`` was asked for.

    Attributes:
        run: the run.
        alias: the alias that shall name it, ``champion`` say.
        model: the registered model; by default the run's experiment.
        reason: why, needed where the numbers alone do not speak for the run.
        split, margin, limits: how it is judged against the alias's holder, as by ``check``.
        experiment: where names of runs are looked up.
    """

    run: str
    alias: str
    model: str | None = None
    reason: str = ""
    split: str = "dev"
    margin: float = 0.0
    limits: Sequence[str] = ()
    experiment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """What came of it.

    Attributes:
        run_id, model, alias, version: the alias of the model names this version, of this run.
        replaced: the run that the alias named before, None where it named none.
        changed: whether the alias moved; False where it named the run already.
        rules: what the decision is based on.
        reason: why, in the words of who decided.
    """

    run_id: str
    model: str
    alias: str
    version: str
    replaced: str | None
    changed: bool
    rules: tuple[Rule, ...]
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``promote --json``."""
        rules = [vars(rule) for rule in self.rules]
        found: dict[str, Any] = plain({**vars(self), "rules": rules})
        return found


def promote(request: PromoteRequest, settings: Settings | None = None) -> Promotion:
    """Promote a run, and note the decision in the ledger.

    The run is written to MLflow first, then a version is made, then the alias is moved, then the
    ledger is told. Whatever stops on the way can be run again: nothing is there twice.

    Raises:
        UsageError: a name cannot be one, or the run has no weights.
        CheckError: the run is not surely better than the alias's holder, or not surely within its
            limits, and no reason is given.
        ServiceError: the registry does not answer; the alias is where it was.
    """
    settings = settings or Settings.read()
    alias = checked_alias(request.alias)
    store = RunStore(settings)
    run = store.open(request.run, request.experiment)
    model = checked_model(request.model or run.experiment)
    ledger = Ledger(settings.ledger_url)
    ledger.revision()  # a ledger that is away is found before anything is done
    if run.status != "FINISHED":
        raise UsageError(f"run {run.run_id} is {run.status}; promote a run that has finished")
    registry = Registry(connect(settings), settings.tracking_uri)
    holder = registry.holder(model, alias)
    changed = holder is None or holder.run_id != run.run_id
    rules: tuple[Rule, ...] = ()
    version = holder
    if changed or version is None:
        rules = _judged(request, run, holder, settings)
        _refuse_unreasoned(rules, request)
        version = _registered(registry, store, run, model, settings)
        registry.set_alias(version, alias)
    found = Promotion(
        run_id=run.run_id,
        model=model,
        alias=alias,
        version=version.number,
        replaced=holder.run_id if holder and changed else None,
        changed=changed,
        rules=rules,
        reason=request.reason.strip(),
    )
    _note(ledger, found, run.dataset)
    return found


def _judged(
    request: PromoteRequest, run: StoredRun, holder: Version | None, settings: Settings
) -> tuple[Rule, ...]:
    """Return what the run is worth beside the alias's holder, and its limits."""
    wanted = CheckRequest(
        run=run.run_id,
        against=holder.run_id if holder else run.run_id,
        split=request.split,
        margin=request.margin,
        limits=request.limits,
    )
    if holder is None:
        first = Rule(
            name="not worse",
            outcome="holds",
            says=f"Nothing holds the alias {request.alias} yet: nothing to compare with.",
        )
        return (first, *_limits(wanted, settings))
    try:
        RunStore(settings).open(holder.run_id)
    except UsageError:
        gone = f"Run {holder.run_id}, which holds the alias {request.alias}, is not there any more."
        return (_untold(gone), *_limits(replace(wanted, against=run.run_id), settings))
    try:
        return tuple(rule for rule, _ in check_run(wanted, settings).rules)
    except DataError as error:
        alone = replace(wanted, against=run.run_id)
        return (_untold(f"It cannot be compared: {error}."), *_limits(alone, settings))


def _limits(alone: CheckRequest, settings: Settings) -> list[Rule]:
    return [rule for rule, _ in check_run(alone, settings).rules[1:]]


def _untold(says: str) -> Rule:
    return Rule(name="not worse", outcome="undecided", says=says)


def _refuse_unreasoned(rules: Sequence[Rule], request: PromoteRequest) -> None:
    doubtful = [rule for rule in rules if rule.outcome != "holds"]
    if doubtful and not request.reason.strip():
        worst = next((rule for rule in doubtful if rule.outcome == "fails"), doubtful[0])
        raise CheckError(
            f"{shown(request.run)} is not promoted to {request.alias}: "
            f"{worst.says.rstrip('.')}; to promote it all the same, say why with --reason TEXT"
        )


def _registered(
    registry: Registry, store: RunStore, run: StoredRun, model: str, settings: Settings
) -> Version:
    """Write the run to MLflow, as far as it is not there yet, and return its version."""
    if run.folder is not None:
        store.drain(run.run_id)
        run = store.open(run.run_id)
    path = _weights(run, settings)
    return registry.register(model, run_id=run.run_id, mlflow_id=run.mlflow_id, path=path)


def _weights(run: StoredRun, settings: Settings) -> str:
    """Return the artifact of the run's best weights."""
    with answering(settings.tracking_uri):
        listed = connect(settings).list_artifacts(run.mlflow_id, "checkpoints")
    found = [file.path for file in listed if file.path.endswith(WEIGHTS)]
    if not found:
        raise UsageError(
            f"run {run.run_id} ({shown(run.name)}, {run.kind or 'made elsewhere'}) has no weights "
            "that a version could name; promote a run that `gapwise train` made"
        )
    return max(found)


def _note(ledger: Ledger, found: Promotion, dataset: str) -> None:
    """Tell the ledger of a promotion; of one that was made before only if it was not told then."""
    before = promotions.history(ledger, found.model, found.alias)
    if not found.changed and before and before[-1].value["run_id"] == found.run_id:
        return
    decision = {
        "version": found.version,
        "replaced": found.replaced,
        "rules": [
            {"name": rule.name, "outcome": rule.outcome, "says": rule.says} for rule in found.rules
        ],
    }
    promotions.promote(
        ledger,
        dataset=dataset,
        model=found.model,
        alias=found.alias,
        run_id=found.run_id,
        decision=decision,
        author=author(),
        reason=found.reason,
    )
