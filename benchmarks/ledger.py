"""How long a save takes when 32 people save five times a second each (goal: p99 under 25 ms).

    python -m benchmarks.ledger [URL]

Without a URL on SQLite in a temporary folder; with one on that PostgreSQL, whose database is empty.
One process serves all, as the dashboard does: each save is one event, durable when it returns.
"""

import sys
import tempfile
import threading
import time

import numpy as np

from gapwise.ledger import tags
from gapwise.ledger.ledger import Ledger

PEOPLE, A_SECOND, SECONDS = 32, 5, 20


def main() -> None:
    """Print the latencies."""
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/ledger.db"
        ledger = Ledger(url)
        ledger.append(dataset="d", kind="begin", value={}, author="bench")
        taken: list[list[float]] = [[] for _ in range(PEOPLE)]
        start = time.perf_counter() + 0.5
        people = [
            threading.Thread(target=_person, args=(ledger, number, start, taken[number]))
            for number in range(PEOPLE)
        ]
        for person in people:
            person.start()
        for person in people:
            person.join()
        values = 1000 * np.concatenate(taken)
        median, p95, p99 = np.quantile(values, [0.5, 0.95, 0.99])
        events = ledger.verify()
        print(f"{url.partition(':')[0]}: {PEOPLE} people × {A_SECOND} saves a second, {SECONDS} s")
        print(f"{len(values):,} saves, {events:,} events in the chain, all there")
        print(f"median {median:.1f} ms  p95 {p95:.1f}  p99 {p99:.1f}  max {values.max():.1f}")


def _person(ledger: Ledger, number: int, start: float, taken: list[float]) -> None:
    generator = np.random.default_rng(number)
    for turn in range(A_SECOND * SECONDS):
        due = start + (turn + generator.random()) / A_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        before = time.perf_counter()
        ledger.append_all([tags.tagged("d", f"x{turn}", "thin", author=f"p{number}")])
        taken.append(time.perf_counter() - before)


if __name__ == "__main__":
    main()
