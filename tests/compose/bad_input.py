"""What is wrong before the shop starts: said in words, and nothing lost by it."""

import socket
from collections.abc import Callable

from tests.compose.engine import Failed
from tests.compose.project import Project, last_line
from tests.compose.quick_start import get

Say = Callable[[str], None]


def refuse(project: Project, say: Say) -> None:
    """Each of them, with the containers down."""
    for attempt in (_no_env, _port_taken, _wrong_password, _little_memory):
        say(f"{attempt.__name__.strip('_').replace('_', ' ')}: {attempt(project)}")


def _no_env(project: Project) -> str:
    kept = (project.directory / ".env").rename(project.directory / ".env.kept")
    try:
        said = [project.compose("up", fails=True), project.make("up", fails=True)]
    finally:
        kept.rename(project.directory / ".env")
    if any(one.count("SECRET_KEY is missing") != 1 for one in said):
        raise Failed("\n".join(said))
    return last_line(said[1], holds="make env")


def _port_taken(project: Project) -> str:
    with socket.create_server(("127.0.0.1", 6379)):
        said = project.make("up", fails=True)
    project.compose("down")
    return last_line(said, holds="127.0.0.1:6379")


def _wrong_password(project: Project) -> str:
    right = project.setting("DB_USER_PASSWORD")
    project.set("DB_USER_PASSWORD", "changed-in-env-alone")
    try:
        said = project.make("up", fails=True)
        if {"backend", "relay", "worker-order"} & set(project.running()):
            raise Failed("something was started that cannot work")
        restarts = project.states("migrate")[0]["RestartCount"]
        if restarts:
            raise Failed(f"migrate was started again, {restarts} times")
    finally:
        project.set("DB_USER_PASSWORD", right)
    project.compose("down")
    return last_line(said, holds="db-primary refuses user ecommerce_user")


def _little_memory(project: Project) -> str:
    """As on a machine where Elasticsearch is killed for the memory that it takes."""
    small = project.directory.with_name("small.yml")
    small.write_text("services: {elasticsearch: {mem_limit: 96m}}\n")
    files = project.environment.get("COMPOSE_FILE", "docker-compose.yml")
    said = project.make("up", COMPOSE_FILE=f"{files}:{small}")
    get("/api/catalog/search/", params={"q": "mug"}, holds="Larch Stoneware Mug")
    if project.states("elasticsearch")[0]["State"].get("Health", {}).get("Status") == "healthy":
        raise Failed("Elasticsearch is well with 96 MB")
    if "  search: " not in said:
        raise Failed(said)
    project.compose("down")
    return last_line(said, holds="elasticsearch was killed, as happens when memory runs out")
