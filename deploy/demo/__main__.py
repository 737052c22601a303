"""`python -m deploy.demo [--exit] [--dir var]`: 0 if the order was confirmed and mailed."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from deploy.demo.doors import stay_open
from deploy.demo.guest import Refused
from deploy.demo.opening import Stuck, open_shop
from deploy.demo.purchase import buy
from deploy.embedded import ServerUnavailable
from deploy.local import Busy
from deploy.processes import ROOT


def main() -> int:
    """Run the demo until Ctrl-C or, with --exit, until the order is confirmed and mailed."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="end after the purchase")
    parser.add_argument("--dir", type=Path, default=ROOT / "var", help="default: var")
    arguments = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    bought = False
    try:
        with open_shop(console, arguments.dir) as shop:
            buy(console, shop)
            bought = True
            if not arguments.exit:
                stay_open(console, shop)
    except KeyboardInterrupt:
        return 0 if bought else 130
    except (Busy, OSError) as problem:
        return _fail(console, problem, None)
    except Refused as problem:
        return _fail(console, problem, arguments.dir / "log" / "web.log")
    except (ServerUnavailable, Stuck) as problem:
        return _fail(console, problem, problem.log)
    return 0


def _fail(console: Console, problem: Exception, log: Path | None) -> int:
    console.print(f"{type(problem).__name__}: {problem}", markup=False, style="bold red")
    if log is not None and log.exists():
        console.print(f"The end of {log}:", markup=False)
        for line in log.read_text(errors="replace").splitlines()[-15:]:
            console.print(line, markup=False, style="dim")
    return 1


if __name__ == "__main__":
    sys.exit(main())
