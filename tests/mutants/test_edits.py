"""The edits of `make mutants` fit the code; whether tests notice them is tried by that command alone."""

from tests.mutants.edit import complaints
from tests.mutants.edits import EDITS


def test_every_edit_fits_and_names_its_tests():
    assert complaints(EDITS) == []


def test_there_are_enough_and_no_two_alike():
    assert len(EDITS) >= 80
    assert len({(each.file, each.old, each.new) for each in EDITS}) == len(EDITS)
