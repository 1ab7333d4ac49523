"""The command line. Commands parse, call one verb, and show what it gave; heavy imports stay inside them."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; the entry point of ``thisismy``."""
    from thisismy.cli.app import run

    sys.exit(run(sys.argv[1:]))
