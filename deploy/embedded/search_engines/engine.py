"""What both engines have in common: they answer HTTP, and are ready when their cluster is."""

import http.client
import json
from pathlib import Path
from typing import Any

from deploy.embedded.process import PROC, ServerUnavailable, wait_until
from deploy.embedded.server import Server

_HEAP = ("-Xms256m", "-Xmx256m")  # enough for 20,000 products
# In both: a write to an index that is not there must fail and not guess a mapping.
SETTINGS = {
    "network.host": "127.0.0.1",
    "action.auto_create_index": "false",
    "cluster.routing.allocation.disk.threshold_enabled": "false",
}


class Engine(Server):
    """A search engine without a password, on the loopback interface alone."""

    # Java's second compiler makes it faster by a third, after a minute; tests are over before.
    is_short_lived = True

    @property
    def java_options(self) -> list[str]:
        return [*_HEAP, *(["-XX:TieredStopAtLevel=1"] if self.is_short_lived else [])]

    @property
    def data(self) -> Path:
        return self.home.path / self.name

    def url(self) -> str:
        """Return the address for the application."""
        return f"http://{self.address}"

    def version(self) -> str:
        """Return the version once the cluster can serve us."""
        try:
            health = self._get("/_cluster/health?wait_for_status=yellow&timeout=1s")
            about = self._get("/")
        except (OSError, http.client.HTTPException, ValueError):
            return ""
        is_ready = not health.get("timed_out", True)
        return str(about.get("version", {}).get("number", "")) if is_ready else ""

    def stop(self) -> None:
        """Return when the server has ended in order."""
        pid = self.pid()
        super().stop()
        self._wait_for_threads(pid)

    def kill(self) -> None:
        """End the server without a chance to tidy up; return when nothing of it is left."""
        pid = self.pid()
        super().kill()
        self._wait_for_threads(pid)

    def _wait_for_threads(self, pid: int | None) -> None:
        """A Java that ends looks like a zombie while its other threads still write."""
        process = PROC / str(pid)
        if not wait_until(lambda: not process.exists(), seconds=self.stop_seconds):
            raise ServerUnavailable(f"{self.name} does not stop", log=self.home.log(self.name))

    def _get(self, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.home.port(self.name), timeout=3
        )
        try:
            connection.request("GET", path)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return answer


def lines(settings: dict[str, str]) -> str:
    """The settings as the engines' YAML."""
    return "".join(f"{name}: {value}\n" for name, value in settings.items())
