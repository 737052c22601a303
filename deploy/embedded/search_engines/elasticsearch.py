"""Elasticsearch: the engine of production, to see everything on the real one, too."""

import shutil
from pathlib import Path

from deploy.embedded.home import give, write_private
from deploy.embedded.process import Account, launch
from deploy.embedded.search_engines.artifacts import ELASTICSEARCH, java_home, tree
from deploy.embedded.search_engines.engine import SETTINGS, Engine, lines


class Elasticsearch(Engine):
    name = "elasticsearch"

    @property
    def pid_file(self) -> Path:
        return self.data / "pid"

    @property
    def mark(self) -> str:
        return f"-Djava.io.tmpdir={self.data / 'tmp'} "

    def _begin(self) -> int:
        distribution, jdk = tree() / ELASTICSEARCH, java_home()
        data, account = self.home.directory_of(self.name)
        self.home.claim_ports([self.name, f"{self.name}_transport"])
        self._configure(distribution, data, account)
        self.pid_file.unlink(missing_ok=True)
        return launch(
            [distribution / "bin" / "elasticsearch", "-p", self.pid_file],
            log=self.home.log(self.name),
            account=account,
            env={
                "HOME": str(data),
                "ES_PATH_CONF": str(data / "config"),
                "ES_TMPDIR": str(data / "tmp"),
                "ES_JAVA_HOME": str(jdk),
                "ES_JAVA_OPTS": " ".join([*self.java_options, "-XX:-AlwaysPreTouch"]),
            },
        )

    def _configure(self, distribution: Path, data: Path, account: Account | None) -> None:
        settings = {
            **SETTINGS,
            "cluster.name": f"plugproof-{self.home.key}",
            "discovery.type": "single-node",
            "http.port": str(self.home.port(self.name)),
            "transport.port": str(self.home.port(f"{self.name}_transport")),
            "xpack.security.enabled": "false",
            "path.data": str(data / "data"),
            "path.logs": str(data / "log"),
        }
        config = data / "config"
        if not config.exists():
            shutil.copytree(distribution / "config", config)
        for directory in ("tmp", "data", "log"):
            (data / directory).mkdir(exist_ok=True)
            give(data / directory, account)
        for path in (config, *config.rglob("*")):
            give(path, account)
        write_private(config / "elasticsearch.yml", lines(settings), account)
