"""`make replay` for real: servers, processes and invented orders in a directory of its own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.orders.tests.replay_samples import some_sales
from deploy.embedded import Servers
from deploy.embedded.process import wait_until, with_mark
from tests.files import write_file

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """As in a fresh clone: neither var/replay nor var is there yet."""
    made = Path(tempfile.mkdtemp(prefix="plugproof-replay-"))
    made.chmod(0o755)  # the servers' own users may go there, too
    yield made / "var" / "replay"
    Servers(made / "var" / "replay").down()
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_file(tmp_path_factory.mktemp("orders") / "orders.jsonl", some_sales(3))


def start(directory: Path, orders: Path, *options: str) -> subprocess.Popen[str]:
    # The suite's own servers must not be what the replay talks to.
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.Popen(  # noqa: S603 ours
        [
            *(sys.executable, "-m", "deploy.replay"),
            *("--dir", str(directory), str(orders), *options),
        ],
        cwd=ROOT,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def replay(directory: Path, orders: Path, *options: str) -> tuple[int, str]:
    """The exit status and all output."""
    with start(directory, orders, *options) as process:
        output, _ = process.communicate(timeout=120)
    return process.returncode, output


def table(output: str) -> dict[str, str]:
    """The rows of the report: a name, at least two blanks, a value."""
    rows = [line.strip().partition("  ") for line in output.splitlines()]
    return {name: value.strip() for name, _, value in rows}


@pytest.mark.pipeline
class TestReplay:
    def test_confirms_every_order_and_stops_what_it_started(
        self, directory: Path, orders: Path
    ) -> None:
        status, output = replay(directory, orders)
        assert status == 0, output
        assert table(output)["placed by this run"] == "3"
        assert table(output)["confirmed"] == "3"
        assert table(output)["e-mails sent"] == "3"
        assert "stay up" not in output
        assert with_mark(str(directory)) == []

    def test_hands_other_options_on_and_leaves_running_servers_up(
        self, directory: Path, orders: Path
    ) -> None:
        Servers(directory).up()
        status, output = replay(directory, orders, "--limit", "2", "--dry-run")
        assert status == 0, output
        assert table(output)["sales to place"] == "2"
        assert "confirmed" not in table(output)
        assert "The servers stay up: primary, standby, redis ran before." in output
        up = [one.name for one in Servers(directory).status() if one.state == "up"]
        assert up == ["primary", "standby", "redis"]

    def test_ends_in_order_when_interrupted_while_the_servers_start(
        self, directory: Path, orders: Path
    ) -> None:
        Servers(directory).down()
        with start(directory, orders) as process:
            assert wait_until(lambda: bool(with_mark(f"-D {directory}")), seconds=30)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        assert (process.returncode, output) == (130, "Interrupted.\n")
        assert with_mark(str(directory)) == []


def test_names_a_file_that_is_not_there_before_any_server_starts(tmp_path: Path) -> None:
    status, output = replay(tmp_path / "var", tmp_path / "orders.jsonl")
    assert status == 1
    assert output.splitlines() == [
        f"[Errno 2] No such file or directory: '{tmp_path}/orders.jsonl'"
    ]
    assert list(tmp_path.iterdir()) == []


def test_says_in_one_line_when_it_may_not_use_its_directory(
    tmp_path: Path, orders: Path
) -> None:
    (tmp_path / "var").write_text("somebody else's")
    status, output = replay(tmp_path / "var" / "replay", orders)
    assert status == 1
    assert output.splitlines() == [f"[Errno 20] Not a directory: '{tmp_path}/var/replay'"]
