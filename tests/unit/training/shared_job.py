"""What each process of a shared training runs in tests: the jobs of a file, led or followed."""

import pickle
import sys
from pathlib import Path

from gapwise.training import distributed
from gapwise.training.job import run_job

# The test wrote the file itself a moment ago.
jobs = pickle.loads(Path(sys.argv[1]).read_bytes())
with distributed.group() as world:
    if world.rank == 0:
        for job in jobs:
            run_job(job)
    else:
        distributed.follow(lambda sent, force: run_job(sent, force=force))
