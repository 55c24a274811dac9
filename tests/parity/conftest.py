"""Both sides start each test with the same automatic names."""

import keras as peer
import pytest

from hornbeam import keras


@pytest.fixture(autouse=True)
def _fresh_names():
    keras.utils.clear_session()
    peer.utils.clear_session(free_memory=False)
