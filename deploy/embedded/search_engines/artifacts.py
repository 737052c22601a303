"""What the engines run from: Maven's artifacts, unpacked once for all checkouts, and a Java."""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from deploy.embedded.home import own_directory
from deploy.embedded.packages import install
from deploy.embedded.process import ServerUnavailable, run

ELASTICSEARCH = "elasticsearch-9.3.2"
_SOURCES = Path(__file__).parent
_MAVEN = Path("/usr/bin/mvn")
_GOALS = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_OLDEST_JAVA = 21
_JVM = Path("/usr/lib/jvm")


def tree() -> Path:
    """Return where the engines lie; making it takes half a minute and 300 MB.

    Delete it at will when nothing runs from it. Raises ServerUnavailable.
    """
    made = _cache() / f"search-engines-{_version()}"
    if made.exists():
        return made
    parent = own_directory(_cache(), mode=0o755)
    with (parent / "search-engines.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _make(made)
    return made


def java_home() -> Path:
    """Return the home of a Java of 21 or newer; raises ServerUnavailable if there is none."""
    for home in _java_homes():
        release = home / "release"
        if release.exists() and (home / "bin" / "javac").exists():
            found = re.search(r'JAVA_VERSION="(\d+)', release.read_text())
            if found and int(found[1]) >= _OLDEST_JAVA:
                return home
    raise ServerUnavailable(
        f"search engine: no JDK of {_OLDEST_JAVA} or newer in {_JVM}; set SEARCH_JAVA_HOME"
    )


def _java_homes() -> Iterator[Path]:
    for name in ("SEARCH_JAVA_HOME", "JAVA_HOME"):
        if given := os.environ.get(name):
            yield Path(given)
    if _JVM.exists():
        yield from sorted(_JVM.iterdir())


def _cache() -> Path:
    if os.geteuid() == 0:
        return Path("/var/cache/plugproof")
    return Path.home() / ".cache" / "plugproof"


def _version() -> str:
    """Differs whenever what the tree is made from does."""
    names = ("pom.xml", "TestAnalysisPlugin.java", "plugin-descriptor.properties")
    contents = b"".join((_SOURCES / name).read_bytes() for name in names)
    return hashlib.sha256(contents).hexdigest()[:12]


def _make(made: Path) -> None:
    jdk = java_home()
    if shutil.which("mvn") is None:
        install("maven", program=_MAVEN, what="search engine")
    half = made.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    # In one call the two goals would share an output directory.
    _maven(
        "copy-dependencies", "-DincludeTypes=jar", f"-DoutputDirectory={half / 'opensearch'}"
    )
    # Left alone, it notes beside the pom what it has unpacked, and never does it again.
    markers = f"-DmarkersDirectory={half / 'markers'}"
    _maven("unpack-dependencies", "-DincludeTypes=zip", f"-DoutputDirectory={half}", markers)
    _add_plugin(half / ELASTICSEARCH, jdk)
    for path in (half, *half.rglob("*")):
        is_program = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if is_program else 0o644)
    half.rename(made)


def _maven(goal: str, *options: str) -> None:
    settings = {name: os.environ[name] for name in ("HOME", "MAVEN_OPTS") if name in os.environ}
    pom = str(_SOURCES / "pom.xml")
    maven = shutil.which("mvn") or str(_MAVEN)
    run([maven, "-q", "-B", "-f", pom, f"{_GOALS}:{goal}", *options], env=settings)


def _add_plugin(home: Path, jdk: Path) -> None:
    classes, plugin = home.parent / "classes", home / "plugins" / "plugproof-test-analysis"
    classes.mkdir()
    plugin.mkdir(parents=True)
    source = str(_SOURCES / "TestAnalysisPlugin.java")
    libraries = str(home / "lib" / "*")
    compiler = [str(jdk / "bin" / "javac"), "--release", str(_OLDEST_JAVA)]
    run([*compiler, "-cp", libraries, "-d", str(classes), source])
    jar = [str(jdk / "bin" / "jar"), "--create", "--file", str(plugin / "plugin.jar")]
    run([*jar, "-C", str(classes), "."])
    shutil.copy(_SOURCES / "plugin-descriptor.properties", plugin)
    shutil.rmtree(classes)
