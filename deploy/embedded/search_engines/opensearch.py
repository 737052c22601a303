"""OpenSearch: complete, and quick to start. What search is developed against."""

from pathlib import Path

from deploy.embedded.home import give, write_private
from deploy.embedded.process import launch
from deploy.embedded.search_engines.artifacts import java_home, tree
from deploy.embedded.search_engines.engine import SETTINGS, Engine, lines

_RUNNER = "org.codelibs.opensearch.runner.OpenSearchRunner"
# It listens on the port above the one that it is told, ends without a word above 9299, and
# takes the next one if that is taken.
_PORTS = range(9201, 9300)


class OpenSearch(Engine):
    name = "opensearch"

    @property
    def pid_file(self) -> Path:
        return self.data / "pid"

    @property
    def mark(self) -> str:
        return f"-basePath {self.data} "

    def _begin(self) -> int:
        engines, jdk = tree(), java_home()
        data, account = self.home.directory_of(self.name)
        self.home.claim_ports([self.name], among=_PORTS)
        self.home.claim_ports([f"{self.name}_transport"])
        for directory in (data / "node_1", data / "node_1" / "config"):
            directory.mkdir(exist_ok=True)
            give(directory, account)
        transport = str(self.home.port(f"{self.name}_transport"))
        settings = lines({**SETTINGS, "transport.port": transport})
        write_private(data / "node_1" / "config" / "opensearch.yml", settings, account)
        port = str(self.home.port(self.name) - 1)
        options = ["-basePath", str(data), "-numOfNode", "1", "-baseHttpPort", port]
        options += ["-clusterName", f"plugproof-{self.home.key}"]
        java = [
            str(jdk / "bin" / "java"),
            *self.java_options,
            "--enable-native-access=ALL-UNNAMED",
        ]
        pid = launch(
            [*java, "-cp", f"{engines / 'opensearch'}/*", _RUNNER, *options],
            log=self.home.log(self.name),
            account=account,
        )
        write_private(self.pid_file, f"{pid}\n", account)
        return pid
