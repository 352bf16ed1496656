"""What torch says when a step cannot be done, told as one sentence with the mend."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gapwise.errors import GapwiseError, MemoryShortError, PipelineError
from gapwise.training.recipe import Recipe

_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")
_LONE_EXAMPLE = "Expected more than 1 value per channel"


@contextmanager
def told(recipe: Recipe, device: str, examples: int) -> Iterator[None]:
    """Tell the faults of the steps inside by what the pipeline can do about them.

    Args:
        examples: how many train in an epoch.

    Raises:
        MemoryShortError: the device's memory does not suffice.
        PipelineError: batch norm got a single example.
    """
    try:
        yield
    except GapwiseError:
        raise
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
        raise MemoryShortError(_no_memory(recipe, device, examples)) from error
    except ValueError as error:
        if _LONE_EXAMPLE not in str(error):
            raise
        raise PipelineError(
            f"batch norm cannot take its averages over a single example (training.batch_size="
            f"{recipe.batch_size}, training.accumulate={recipe.accumulate}); train on at least 2 "
            "at once, or take a network without batch norm"
        ) from error


def _is_out_of_memory(error: Exception) -> bool:
    """Return whether memory ran out: the CPU's allocator and MPS have no error of their own."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in _NO_MEMORY)


def _no_memory(recipe: Recipe, device: str, examples: int) -> str:
    size = examples if recipe.batch_size == "all" else min(recipe.batch_size, examples)
    at_once = -(-size // recipe.accumulate)
    lacks = f"{device} has not enough memory for {at_once} examples at once"
    if at_once <= 1:
        return f"{lacks}; try a smaller network or smaller images"
    return (
        f"{lacks}; try training.batch_size={size // 2}, or training.accumulate="
        f"{2 * recipe.accumulate} for the same batches in smaller parts"
    )
