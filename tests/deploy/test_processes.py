"""The process runner, with small programs in place of the shop's own."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import processes as module
from deploy.embedded.process import is_running, wait_until
from deploy.processes import Processes

# In short sleeps: Python sleeps through a signal that comes just before a sleep begins.
SLEEP = "for _ in range(600): time.sleep(0.1)"
POLITE = f"""
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("bye")))
print("up", flush=True)
{SLEEP}
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""
TALKER = """
import sys, time
print("listening on", sys.argv[1], flush=True)
time.sleep(60)
"""
PARENT = """
import subprocess, time
print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""
FILES = {"talker": TALKER, "polite": POLITE, "deaf": DEAF, "parent": PARENT}
PROCFILE = """
talker: python talker.py ${PORT:-8000}
polite: python polite.py
deaf: python deaf.py
parent: python parent.py
brief: true
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Procfile").write_text(PROCFILE)
    for name, text in FILES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def shop(place: Path) -> Iterator[Processes]:
    with Processes(environment={"PORT": "8123"}, directory=place) as processes:
        yield processes


def says(shop: Processes, name: str, text: str) -> bool:
    return wait_until(lambda: text in shop.log(name).read_text(), seconds=5)


class TestStart:
    def test_writes_the_output_to_the_processes_own_log(self, shop: Processes) -> None:
        shop.start(["talker"])
        assert says(shop, "talker", "listening on 8123")

    def test_shows_the_process_nothing_of_our_environment_but_what_it_is_given(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PORT", "9999")
        with Processes(environment={}, directory=place) as processes:
            processes.start(["talker"])
            assert says(processes, "talker", "listening on 8000")

    def test_finds_the_programs_beside_this_interpreter(self, shop: Processes) -> None:
        shop.start(["polite"])
        assert says(shop, "polite", "up")
        argv = Path(f"/proc/{shop.pid('polite')}/exe").resolve()
        assert argv == Path(sys.executable).resolve()

    def test_tells_who_is_alive_while_another_thread_starts_and_ends_one(
        self, shop: Processes
    ) -> None:
        names = [f"parent.{number}" for number in range(5)]
        shop.start(names)

        def start_and_end() -> None:
            for _ in range(50):
                shop.start(["brief"])
                shop.kill("brief")

        thread = threading.Thread(target=start_and_end)
        thread.start()
        while thread.is_alive():
            assert set(names) <= set(shop.alive())
        thread.join()

    def test_refuses_a_name_that_the_procfile_does_not_have(self, shop: Processes) -> None:
        with pytest.raises(KeyError):
            shop.start(["nothing"])
        assert shop.alive() == []

    def test_ends_what_an_earlier_owner_left_behind(self, shop: Processes, place: Path) -> None:
        shop.start(["polite"])
        left = shop.pid("polite")
        assert says(shop, "polite", "up")
        with Processes(environment={}, directory=place) as second:
            second.start(["polite"])
            assert not is_running(left)
            assert second.alive() == ["polite"]

    def test_can_be_preceded_by_ending_all_that_is_left_behind(
        self, shop: Processes, place: Path
    ) -> None:
        shop.start(["polite", "parent"])
        left = [shop.pid(name) for name in shop.alive()]
        assert says(shop, "polite", "up")
        assert says(shop, "parent", "\n")
        Processes(environment={}, directory=place).end_leftovers()
        assert not any(is_running(pid) for pid in left)

    def test_leaves_a_stranger_alone_who_has_the_old_process_id(
        self, shop: Processes, place: Path
    ) -> None:
        stranger = subprocess.Popen(["sleep", "60"])  # noqa: S603, S607 ours
        (place / "log").mkdir()
        (place / "log" / "polite.pid").write_text(f"{stranger.pid}\n")
        shop.start(["polite"])
        assert stranger.poll() is None
        stranger.kill()
        stranger.wait()


class TestStop:
    def test_lets_a_process_end_in_order(self, shop: Processes) -> None:
        shop.start(["polite"])
        assert says(shop, "polite", "up")
        shop.stop()
        assert shop.log("polite").read_text().endswith("bye\n")
        assert shop.alive() == []

    def test_kills_a_process_that_does_not_listen(
        self, shop: Processes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "_PATIENCE", 0.3)
        shop.start(["deaf"])
        pid = shop.pid("deaf")
        assert says(shop, "deaf", "up")
        shop.stop()
        assert not is_running(pid)

    def test_leaves_no_children_behind(self, shop: Processes) -> None:
        shop.start(["parent"])
        assert says(shop, "parent", "\n")
        child = int(shop.log("parent").read_text())
        shop.stop()
        assert wait_until(lambda: not is_running(child), seconds=3)

    def test_may_be_repeated(self, shop: Processes) -> None:
        shop.start(["polite"])
        shop.stop()
        shop.stop()
        assert shop.alive() == []

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_happens_when_the_parent_is_interrupted(
        self, place: Path, number: signal.Signals
    ) -> None:
        with subprocess.Popen(  # noqa: S603 ours
            [sys.executable, "-c", OWNER, str(place)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as owner:
            assert owner.stdout is not None
            pid = int(owner.stdout.readline())
            assert is_running(pid)
            owner.send_signal(number)
            owner.wait(timeout=10)
        assert not is_running(pid)


OWNER = f"""
import signal, sys, time
from pathlib import Path
from deploy import processes
processes.ROOT = Path(sys.argv[1])
signal.signal(signal.SIGTERM, signal.default_int_handler)
with processes.Processes(environment=dict(), directory=processes.ROOT) as shop:
    shop.start(["polite"])
    print(shop.pid("polite"), flush=True)
    {SLEEP}
"""


class TestKill:
    def test_gives_the_process_no_chance(self, shop: Processes) -> None:
        shop.start(["polite", "talker"])
        assert says(shop, "polite", "up")
        pid = shop.pid("polite")
        shop.kill("polite")
        assert not is_running(pid)
        assert "bye" not in shop.log("polite").read_text()
        assert shop.alive() == ["talker"]

    def test_takes_the_children_along(self, shop: Processes) -> None:
        shop.start(["parent"])
        assert says(shop, "parent", "\n")
        child = int(shop.log("parent").read_text())
        shop.kill("parent")
        assert wait_until(lambda: not is_running(child), seconds=3)

    def test_lets_the_process_start_again(self, shop: Processes) -> None:
        shop.start(["polite"])
        shop.kill("polite")
        shop.start(["polite"])
        assert shop.alive() == ["polite"]


def test_counts_a_process_that_ended_by_itself_as_not_alive(shop: Processes) -> None:
    shop.start(["brief", "talker"])
    assert wait_until(lambda: shop.alive() == ["talker"], seconds=5)


def test_every_command_of_the_real_procfile_is_installed() -> None:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"
    lines = (module.ROOT / "Procfile").read_text().splitlines()
    for line in lines:
        command = line.partition(": ")[2].split()[0]
        assert shutil.which(command, path=programs), line
