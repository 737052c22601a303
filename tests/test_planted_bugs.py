"""The bugs that can be planted: a change of the code must not leave them behind."""

from tests.planted_bugs import ROOT, all_bugs


def test_each_changes_a_place_that_is_there_once() -> None:
    stale = [
        bug.name for bug in all_bugs() if (ROOT / bug.file).read_text().count(bug.old) != 1
    ]
    assert not stale


def test_no_two_have_one_name() -> None:
    names = [bug.name for bug in all_bugs()]
    assert len(set(names)) == len(names)
