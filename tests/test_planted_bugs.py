"""The bugs that can be planted: a change of the code must not leave them behind."""

import re

from chaos.planted import all_plants, changes
from tests.planted_bugs import ROOT, Bug, all_bugs

# What fixtures put into a test's name.
_SERVERS = frozenset({"opensearch", "elasticsearch", "redis", "rabbitmq"})


def words_of_no_test(bug: Bug) -> set[str]:
    """What it selects tests by, and stands in none of their files."""
    files = [part for part in bug.tests if part.endswith(".py")]
    text = "\n".join((ROOT / file).read_text() for file in files).lower()
    selected = " ".join(bug.tests).partition(" -k ")[2].lower()
    words = set(re.findall(r"[\w.-]+", selected)) - {"and", "or", "not"} - _SERVERS
    return {word for word in words if word not in text}


def test_each_changes_a_place_that_is_there_once() -> None:
    stale = [
        bug.name for bug in all_bugs() if (ROOT / bug.file).read_text().count(bug.old) != 1
    ]
    assert not stale


def test_each_of_the_trials_changes_places_that_are_there_once() -> None:
    stale = [
        f"row {plant['row']}: {change['file']}"
        for plant in all_plants()
        for change in changes(plant)
        if (ROOT / change["file"]).read_text().count(change["old"]) != 1
    ]
    assert not stale


def test_each_names_tests_that_are_there() -> None:
    lost = {bug.name: words for bug in all_bugs() if (words := words_of_no_test(bug))}
    assert not lost


def test_no_two_have_one_name() -> None:
    names = [bug.name for bug in all_bugs()]
    assert len(set(names)) == len(names)
