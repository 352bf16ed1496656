"""Two people, one example: the second is told and chooses; both entries stay (fault row G3)."""

from gapwise.errors import CheckError, shown
from gapwise.ledger.event import Event


class ConflictError(CheckError):
    """Somebody else changed the example since the author looked.

    To keep both, append again with ``seen=error.event.seq``: the later entry then counts.
    """

    def __init__(self, event: Event) -> None:
        """Tell of ``event``, the newest entry that the author has not seen."""
        self.event = event
        super().__init__(
            f"{event.kind} of {shown(event.example_id)!r} in {shown(event.dataset)!r} was changed "
            f"by {shown(event.author)} at {event.utc} to {shown(dict(event.value))}; "
            "keep that, or save yours over it knowingly"
        )
