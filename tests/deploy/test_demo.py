"""`make demo` for real: servers, processes and a purchase in a directory of its own."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import jwt
import pytest
import requests

from deploy.demo.passwords import NAMES, demo_passwords
from deploy.embedded import Servers
from deploy.embedded.process import is_running, recorded_pid, with_mark

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """Where users other than root may go, too: the servers' own."""
    made = Path(tempfile.mkdtemp(prefix="plugproof-demo-"))
    made.chmod(0o755)
    yield made
    Servers(made).down()
    shutil.rmtree(made)


def start(directory: Path, *options: str) -> subprocess.Popen[str]:
    # The suite's own servers must not be what the demo talks to.
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.Popen(  # noqa: S603 ours
        [sys.executable, "-m", "deploy.demo", "--dir", str(directory), *options],
        cwd=ROOT,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def doors(output: list[str]) -> dict[str, list[str]]:
    """The words of each line that names an address."""
    return {words[0]: words[1:] for line in output if len(words := line.split()) > 1}


def claims(token: str, key: str) -> dict[str, str]:
    return jwt.decode(token, key, algorithms=["HS256"], audience="plugproof-api")


@pytest.mark.pipeline
class TestDemo:
    def test_buys_something_and_ends_with_0(self, directory: Path) -> None:
        with start(directory, "--exit") as demo:
            output, _ = demo.communicate(timeout=120)
        assert demo.returncode == 0, output
        steps = ("order placed", "stock held", "on the replica", "confirmed", "mail written")
        places = [output.find(step) for step in steps]
        assert -1 not in places
        assert places == sorted(places)
        assert "1000 on hand, 0 reserved → 1000 on hand, 1 reserved" in output
        assert "999 on hand, 0 reserved" in output
        assert "the same order, nothing bought twice" in output
        assert len(list((directory / "mail").iterdir())) == 1
        assert with_mark(str(directory)) == []

    def test_stays_open_until_it_is_interrupted(self, directory: Path) -> None:
        with start(directory) as demo, ExitStack() as in_the_end:
            in_the_end.callback(demo.terminate)  # or a failure would wait for it forever
            assert demo.stdout is not None
            output: list[str] = []
            while "Ctrl-C" not in (line := demo.stdout.readline()):
                assert line, output
                output.append(line)
            named = doors(output)
            pages = [requests.get(named[door][0], timeout=10) for door in ("Shop", "API")]
            assert [page.status_code for page in pages] == [200, 200]
            self.assert_lets_in(named, demo_passwords(directory))
            assert self.flower_asks_for(named["Flower"])
            with start(directory, "--exit") as second:
                complaint, _ = second.communicate(timeout=30)
            assert second.returncode == 1
            assert "another demo" in complaint
            pids = [recorded_pid(file) for file in (directory / "log").glob("*.pid")]
            assert len(pids) == 7
            demo.send_signal(signal.SIGINT)
            assert demo.wait(timeout=30) == 0
        assert not any(is_running(pid) for pid in pids if pid)
        assert with_mark(str(directory)) == []
        with pytest.raises(requests.ConnectionError):
            requests.get(named["Shop"][0], timeout=10)

    def assert_lets_in(self, named: dict[str, list[str]], passwords: dict[str, str]) -> None:
        """By the passwords made, and by tokens that nobody else can sign."""
        assert named["Admin"][-1] == passwords["DEMO_ADMIN_PASSWORD"]
        answer = requests.post(
            f"{named['Shop'][0]}api/accounts/token/",
            json={"email": "ada@example.com", "password": passwords["DEMO_SHOPPER_PASSWORD"]},
            timeout=10,
        )
        token = answer.json()["access"]
        assert claims(token, passwords["SECRET_KEY"])["iss"] == "plugproof"
        with pytest.raises(jwt.InvalidSignatureError):
            claims(token, PUBLIC_KEY)

    def flower_asks_for(self, door: list[str]) -> bool:
        """Whether Flower opens with the password named, and with no other."""
        address, password = door[0], door[-1]
        answers = {}
        for tried in ("wrong", password):
            session = requests.Session()
            session.mount("http://", requests.adapters.HTTPAdapter(max_retries=PATIENT))
            answers[tried] = session.get(address, auth=("admin", tried), timeout=10).status_code
        return answers == {"wrong": 401, password: 200}


# The one of shop.settings.dev, which everybody can read.
PUBLIC_KEY = "development-only-never-in-production"
# Flower is started last and needs a moment.
PATIENT = requests.adapters.Retry(connect=8, backoff_factor=0.1)


def test_makes_passwords_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    made = demo_passwords(tmp_path)
    assert list(made) == list(NAMES)
    assert len(made["SECRET_KEY"]) >= 40
    assert len(set(made.values())) == len(NAMES)
    assert all(len(password) >= 16 for password in made.values())
    assert demo_passwords(tmp_path) == made
    assert stat.S_IMODE((tmp_path / "demo-passwords").stat().st_mode) == 0o600


def test_adds_a_secret_that_an_older_demo_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "demo-passwords").write_text("DEMO_ADMIN_PASSWORD=as-before\n")
    made = demo_passwords(tmp_path)
    assert made["DEMO_ADMIN_PASSWORD"] == "as-before"
    assert list(made) == list(NAMES)
    assert demo_passwords(tmp_path) == made


def test_says_in_one_line_when_it_may_not_use_its_directory(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("somebody else's")
    with start(tmp_path / "var" / "demo", "--exit") as demo:
        complaint, _ = demo.communicate(timeout=30)
    assert demo.returncode == 1
    assert complaint.splitlines() == [
        f"NotADirectoryError: [Errno 20] Not a directory: '{tmp_path}/var/demo'"
    ]
