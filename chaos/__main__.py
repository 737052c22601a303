"""`python -m chaos [--row N ...] [--orders N] [--seed N]`: 0 if everything held."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from chaos.command_line import chosen_rows, refuse_unknown_rows
from chaos.world import open_world
from deploy.embedded import ServerUnavailable
from deploy.local import Busy
from deploy.processes import ROOT


def main() -> int:
    """Run the rows, print a line for each, write what they found."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--row", type=int, action="append", help="only this one; repeatable")
    parser.add_argument("--orders", type=int, default=100, help="orders a row, 10 or more")
    parser.add_argument("--seed", type=int, default=42, help="default 42")
    parser.add_argument(
        "--dir", type=Path, default=ROOT / "var" / "chaos", help="default: var/chaos"
    )
    parser.add_argument("--record", action="store_true", help="write docs/faults.md anew")
    arguments = parser.parse_args()
    if arguments.orders < 10:
        parser.error("--orders: at least 10, or the rows would say nothing")
    refuse_unknown_rows(parser, arguments.row)
    arguments.dir = arguments.dir.resolve()
    arguments.row = chosen_rows(arguments.row, directory=arguments.dir)
    console = Console(highlight=False, soft_wrap=True)
    try:
        with open_world(arguments.dir, seed=arguments.seed) as world:
            from chaos.run import run_rows  # needs Django to be set up

            return run_rows(world, console, arguments)
    except KeyboardInterrupt:
        return 130
    except (Busy, ServerUnavailable, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
