"""The command line, where whoever fails takes two seconds before it says so: a busy machine."""

import sys
import time

from gapwise.cli import main
from gapwise.training import distributed

_fails_first = distributed.fails_first


def fails_first() -> bool:
    time.sleep(2)
    return _fails_first()


if __name__ == "__main__":
    distributed.fails_first = fails_first
    del sys.argv[1]
    main()
