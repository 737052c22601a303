"""What the documentation names is there, and what it must name it names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
SETTINGS = ROOT / "shop" / "settings"

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)")
# env_secret and env_url also take NAME_FILE; the documentation says so once, by a dagger.
_READERS = {"env_str", "env_choice", "env_bool", "env_int", "env_list"} | {
    "env_secret",
    "env_url",
}


def named(page: Path) -> list[str]:
    """The page's `code`, without the blocks of it."""
    return re.findall(r"`([^`\n]+)`", _FENCE.sub("", page.read_text()))


def code_paths(page: Path) -> list[str]:
    return [name for name in named(page) if re.fullmatch(r"[\w/]+\.(py|toml)(::[\w.]+)?", name)]


def defined_in(body: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """The names that a module or class defines, with the body of each function and class."""
    names: dict[str, list[ast.stmt]] = {}
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names[node.name] = node.body
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id: [] for target in targets if isinstance(target, ast.Name)}
    return names


def variables_read() -> set[str]:
    """What the settings, the Procfile and docker-compose.yml take from the environment."""
    files = [ROOT / "Procfile", ROOT / "docker-compose.yml"]
    read = {name for file in files for name in re.findall(r"\$\{([A-Z_]+)", file.read_text())}
    for path in SETTINGS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and is_reader(node.func):
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    read.add(str(name.value))
    return read


def is_reader(function: ast.expr) -> bool:
    """Whether it is env_str and the like, or os.environ.get."""
    if isinstance(function, ast.Attribute):
        return ast.unparse(function) == "os.environ.get"
    return isinstance(function, ast.Name) and function.id in _READERS


def commands() -> Iterator[str]:
    for package in ("apps", "shop", "tasks"):
        for path in (ROOT / package).glob("**/management/commands/*.py"):
            if path.stem != "__init__":
                yield path.stem


def anchors(page: Path) -> set[str]:
    """The names that a page's headings can be linked by."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_tour_names_enough_to_be_checked() -> None:
    assert len(code_paths(DOCS / "order-pipeline.md")) > 50


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_function_that_a_page_names_is_there(page: Path) -> None:
    missing = []
    for code_path in code_paths(page):
        file, _, dotted = code_path.partition("::")
        found = (ROOT / file).exists()
        if "/" not in file:  # a bare name, like `checkout.py`, may be in any app
            found = found or any(ROOT.glob(f"*/*/{file}"))
        if found and dotted:
            found = is_defined(dotted, ROOT / file)
        if not found:
            missing.append(code_path)
    assert not missing


def is_defined(dotted: str, path: Path) -> bool:
    body = ast.parse(path.read_text()).body
    for name in dotted.split("."):
        names = defined_in(body)
        if name not in names:
            return False
        body = names[name]
    return True


def test_every_variable_that_is_read_is_documented_and_every_documented_one_is_read() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)`", (DOCS / "settings.md").read_text(), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == variables_read()


def test_every_command_of_ours_is_in_the_readme() -> None:
    ours = set(commands())
    assert "relay_outbox" in ours
    readme = (ROOT / "README.md").read_text()
    assert [name for name in sorted(ours) if f"`manage.py {name}" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    blocks = "\n".join(_FENCE.findall(page.read_text()))
    used = re.findall(r"^make ([a-z-]+)", "\n".join([*named(page), blocks]), re.MULTILINE)
    assert set(used) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target, anchor in _LINK.findall(_FENCE.sub("", page.read_text())):
        path = page.parent / target if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(f"{target}#{anchor}")
    assert not broken


def test_the_index_of_decisions_names_each_by_its_title() -> None:
    index = (DOCS / "adr" / "README.md").read_text()
    listed = re.findall(r"^\d+\. \[(.+)\]\((.+\.md)\)$", index, re.MULTILINE)
    pages = sorted((DOCS / "adr").glob("[0-9]*.md"))
    assert pages
    titles = [
        (page.read_text().splitlines()[0].removeprefix("# "), page.name) for page in pages
    ]
    assert listed == titles
