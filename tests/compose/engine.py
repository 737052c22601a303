"""A docker engine: the machine's, or one of our own where there is none."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.embedded.search_engines.artifacts import ELASTICSEARCH, tree

_HERE = Path(__file__).parent


class Failed(Exception):
    """A command ended otherwise than it should; its text is what it said."""


def run(
    *words: str | Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    fails: bool = False,
) -> str:
    """What the command printed, error output included. Failed if it ends unlike `fails`."""
    ended = subprocess.run(  # noqa: S603 ours
        words,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if bool(ended.returncode) != fails:
        raise Failed(f"{' '.join(map(str, words))}: {ended.returncode}\n{ended.stdout[-4000:]}")
    return ended.stdout


class Engine:
    """`environment` is what docker and Compose need to find it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.is_ours = shutil.which("docker") is None or not _answers()
        self.environment: dict[str, str] = {}
        if self.is_ours:
            self.environment = {
                "DOCKER_HOST": f"unix://{place}/docker.sock",
                "DOCKER_BUILDKIT": "1",
                "PATH": f"{place}{os.pathsep}{os.environ['PATH']}",
            }

    def start(self) -> None:
        """Return when it answers."""
        if self.is_ours:
            run("bash", _HERE / "engine.sh", "start", self.place)

    def stop(self) -> None:
        """End it, if it is ours; its images stay."""
        if self.is_ours:
            run("bash", _HERE / "engine.sh", "stop", self.place)

    def docker(self, *words: str) -> str:
        """What `docker` printed."""
        program = "/usr/bin/docker" if self.is_ours else "docker"
        return run(program, *words, environment=self.environment)

    def provide(self, images: Iterable[str]) -> list[str]:
        """Have each image, from here, its registry or as a stand-in; a line about each."""
        images = list(images)
        lacking = [image for image in images if not self._has(image)]
        if lacking:
            run("bash", _HERE / "engine.sh", "base", self.place)
            made = {"CACHE": str(self.place)}
            if any("/elasticsearch:" in image for image in lacking):
                made["ES_HOME"] = str(tree() / ELASTICSEARCH)
            builder = _HERE / "stand_ins" / "build.sh"
            run("bash", builder, *lacking, environment=self.environment | made)
        return [f"{image}: {self._origin(image)}" for image in images]

    def _origin(self, image: str) -> str:
        (described,) = json.loads(self.docker("image", "inspect", image))
        stand_in = (described["Config"]["Labels"] or {}).get("stand-in")
        return f"a stand-in, from {stand_in}" if stand_in else "as it was published"

    def _has(self, image: str) -> bool:
        for words in (("image", "inspect", image), ("pull", "--quiet", image)):
            try:
                self.docker(*words)
            except Failed:
                continue
            return True
        return False


def _answers() -> bool:
    try:
        run("docker", "version")
        run("docker", "compose", "version")
    except Failed:
        return False
    return True
