"""What is wrong before the shop starts: said in words, and nothing lost by it."""

import socket
from collections.abc import Callable

from tests.compose.engine import Failed
from tests.compose.project import Project
from tests.compose.quick_start import get

Say = Callable[[str], None]


def refuse(project: Project, say: Say) -> None:
    """Each of them, with the containers down."""
    for attempt in (_no_env, _port_taken, _wrong_password, _little_memory):
        say(f"{attempt.__name__.strip('_').replace('_', ' ')}: {attempt(project)}")


def _line_with(words: str, text: str) -> str:
    line = next((one for one in text.splitlines() if words in one), None)
    if line is None:
        raise Failed(f"nobody says {words!r}:\n{text[-2000:]}")
    return line.strip()


def _no_env(project: Project) -> str:
    kept = (project.directory / ".env").rename(project.directory / ".env.kept")
    try:
        said = project.compose("up", fails=True).strip().splitlines()
    finally:
        kept.rename(project.directory / ".env")
    if len(said) != 1:
        raise Failed("\n".join(said))
    return _line_with("make env", said[0])


def _port_taken(project: Project) -> str:
    with socket.create_server(("127.0.0.1", 6379)):
        said = project.compose("up", "--detach", fails=True)
    project.compose("down")
    return _line_with("6379", said)


def _wrong_password(project: Project) -> str:
    right = project.setting("DB_USER_PASSWORD")
    project.set("DB_USER_PASSWORD", "changed-in-env-alone")
    try:
        project.compose("up", "--detach", "--wait", fails=True)
        line = _line_with("refuses", project.compose("logs", "--no-log-prefix", "migrate"))
        if {"backend", "relay", "worker-order"} & set(project.running()):
            raise Failed("something was started that cannot work")
        restarts = project.states("migrate")[0]["RestartCount"]
        if restarts:
            raise Failed(f"migrate was started again, {restarts} times")
    finally:
        project.set("DB_USER_PASSWORD", right)
    project.compose("down")
    return line


def _little_memory(project: Project) -> str:
    """As on a machine where Elasticsearch is killed for the memory that it takes."""
    small = project.directory.with_name("small.yml")
    small.write_text("services: {elasticsearch: {mem_limit: 96m}}\n")
    files = project.environment.get("COMPOSE_FILE", "docker-compose.yml")
    said = project.make("up", COMPOSE_FILE=f"{files}:{small}")
    get("/api/catalog/search/", params={"q": "mug"}, holds="Larch Stoneware Mug")
    if project.states("elasticsearch")[0]["State"].get("Health", {}).get("Status") == "healthy":
        raise Failed("Elasticsearch is well with 96 MB")
    project.compose("down")
    return _line_with("  search: ", said)
