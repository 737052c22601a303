"""`python -m bench.search_quality FOLDER [--engine NAME]`: how good and how fast search is.

FOLDER holds products.jsonl.gz, as `manage.py import_products` takes it, and one file
judgements*.csv with query, product_id and grade. Beside PostgreSQL the engine of SEARCH_URL is
judged, or the one named, which is started for that. Exit status 1 when a gate is not met.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.search_quality.files import Files
from deploy.embedded import Servers, ServerUnavailable
from deploy.local import Busy, local_servers, migrate, set_up_django, shop_environment
from deploy.processes import ROOT
from shop.json_lines import Unreadable

DIRECTORY = ROOT / "var" / "search-quality"


def main() -> int:
    """Do what the command line says and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.search_quality", description=__doc__)
    parser.add_argument("data", type=Path, metavar="FOLDER")
    parser.add_argument("--engine", choices=["opensearch", "elasticsearch"])
    arguments = parser.parse_args()
    try:
        return _run(Files(arguments.data), engine=arguments.engine)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return 130
    except (ServerUnavailable, Busy, Unreadable, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2


def _run(files: Files, *, engine: str | None) -> int:
    with local_servers(DIRECTORY) as servers, _running(servers, engine) as address:
        environment = shop_environment(servers) | {"DATABASE_STATEMENT_TIMEOUT": "0"}
        set_up_django(environment | address)
        migrate()
        # Models cannot be imported before.
        from bench.search_quality.report import fill, judge_all

        fill(files.products)
        return 0 if judge_all(files) else 1


@contextmanager
def _running(servers: Servers, name: str | None) -> Iterator[dict[str, str]]:
    """The engine as fast as it can be, and the setting that names it; none is none."""
    if name is None:
        yield {}
        return
    engine = {"opensearch": servers.opensearch, "elasticsearch": servers.elasticsearch}[name]
    engine.is_short_lived = False
    servers.stop(name)  # one that an earlier run has left may be a slow one
    servers.start(name)
    try:
        yield {"SEARCH_URL": engine.url()}
    finally:
        servers.stop(name)


if __name__ == "__main__":
    sys.exit(main())
