"""Speed of the search for weak slices: rows × columns, after imports, in fresh processes.

python -m benchmarks.slices [--rows 1000000] [--columns 12] [--repeats 5]
"""

import argparse
import json
import subprocess
import sys
from statistics import median

LIMIT = 5.0
TIMED = """
import json, resource, sys, time
import numpy as np
from gapwise.diagnostics.slice_columns import coded
from gapwise.diagnostics.slice_search import Examples
from gapwise.diagnostics.slices import by_value, weak
rows, columns = int(sys.argv[1]), int(sys.argv[2])
random = np.random.default_rng(0)
values = {f"c{i}": random.integers(0, 5 + i, rows).astype(str) for i in range(columns - 2)}
values |= {f"x{i}": random.normal(size=rows) for i in range(2)}
error = (random.random(rows) < np.where((values["c1"] == "3") & (values["c4"] == "2"), 0.3, 0.1))
ids = np.char.add("e", np.arange(rows).astype(str))
start = time.perf_counter()
cut = {name: coded(column) for name, column in values.items()}
examples = Examples(
    error=error.astype(float), weight=np.ones(rows), group=None, example_id=ids, columns=cut
)
by_value(examples)
found = weak(examples)
seconds = time.perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([seconds, memory, [one.name for one in found if one.confirmed]]))
"""


def main() -> None:
    """Print the table; exit 1 when the limit is not held."""
    parser = argparse.ArgumentParser(description="Speed of the search for weak slices")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    command = [sys.executable, "-c", TIMED, str(asked.rows), str(asked.columns)]
    outputs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(asked.repeats)
    ]
    seconds = [one[0] for one in outputs]
    print("| rows | columns | median s | least | most | peak MiB | limit s | confirmed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    print(
        f"| {asked.rows:,} | {asked.columns} | {median(seconds):.2f} | {min(seconds):.2f} | "
        f"{max(seconds):.2f} | {max(one[1] for one in outputs):.0f} | {LIMIT} | "
        f"{'; '.join(outputs[0][2])} |"
    )
    raise SystemExit(0 if median(seconds) < LIMIT else 1)


if __name__ == "__main__":
    main()
