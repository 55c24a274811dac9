"""Paths of variables: the scopes that are open where they are made, in the thread that makes them."""

import threading

from hornbeam.core.names import current_path, name_scope
from hornbeam.core.variable import Variable


def test_scopes_nest_and_end():
    with name_scope("a"):
        with name_scope("b"):
            assert Variable(0.0, name="v").path == "a/b/v"
        assert Variable(0.0, name="v").path == "a/v"
    assert Variable(0.0, name="v").path == "v"


def test_a_scope_belongs_to_its_thread():
    seen = []
    with name_scope("here"):
        thread = threading.Thread(target=lambda: seen.append(current_path()))
        thread.start()
        thread.join()
    assert seen == [""]
