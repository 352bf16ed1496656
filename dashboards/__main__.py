"""``python -m dashboards --port 8501``: serve without the command line of Gapwise."""

import argparse

from dashboards.server import LOOPBACK, PORT, serve
from gapwise.errors import GapwiseError


def main() -> None:
    """Serve on the port that the command line gives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--insecure", default="")
    options = parser.parse_args()
    try:
        serve(options.port, options.host, options.insecure)
    except GapwiseError as error:
        parser.exit(error.exit_code, f"{error}\n")


main()
