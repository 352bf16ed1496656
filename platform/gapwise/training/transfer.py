"""How a training starts from weights that were learned elsewhere (notes 4.16, 5.16)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gapwise.errors import PipelineError
from gapwise.training.augmentation.augment import changes_asked


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What becomes of the weights that a training starts from.

    Attributes:
        head: ``replace`` draws the last layer anew, ``keep`` takes it over.
        train_last: layers with weights that train, counted from the last; None trains all.
        unfreeze_at: epoch (from 1) from which all layers train; None leaves them frozen.
        unfreeze_lr: factor on the learning rate from that epoch on.
        precompute: whether the outputs of the frozen layers are computed once.
    """

    head: Literal["replace", "keep"]
    train_last: int | None
    unfreeze_at: int | None
    unfreeze_lr: float
    precompute: bool

    def thaws(self, epoch: int) -> bool:
        """Return whether all layers train in ``epoch`` that were frozen before."""
        return self.unfreeze_at is not None and epoch >= self.unfreeze_at


def read_transfer(pipeline: Mapping[str, Any]) -> Transfer | None:
    """Read the section ``transfer`` of a resolved pipeline; None where there is none.

    Raises:
        PipelineError: it does not go together with the section ``training``.
    """
    section = pipeline.get("transfer")
    if section is None:
        return None
    training = pipeline["training"]
    transfer = Transfer(**{key: section[key] for key in section if key != "start"})
    _check_epochs(transfer, training["epochs"])
    _check_augmentation(transfer, training["augmentation"])
    return transfer


def _check_epochs(transfer: Transfer, epochs: int) -> None:
    if transfer.unfreeze_at is not None and transfer.unfreeze_at > epochs:
        raise PipelineError(
            f"transfer.unfreeze_at is {transfer.unfreeze_at}, but training.epochs is {epochs}, so "
            "nothing would ever unfreeze; lower the one, raise the other, or leave it empty"
        )


def _check_augmentation(transfer: Transfer, augmentation: Mapping[str, Any]) -> None:
    changing = changes_asked(augmentation)
    if transfer.precompute and changing:
        raise PipelineError(
            f"transfer.precompute computes what the frozen layers see once, but "
            f"training.augmentation ({', '.join(changing)}) shows them other images each epoch; "
            "set transfer.precompute=false, or turn augmentation off"
        )
