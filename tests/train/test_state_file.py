"""The file that lists the checkpoints of a folder, as TensorFlow writes it, and damaged ones."""

import pytest

from hornbeam.train.state_file import get_checkpoint_state, state_path, state_text

# As TensorFlow 2.21 writes it for these names and times.
TEXT = r"""model_checkpoint_path: "k\303\251 \"2\"-2"
all_model_checkpoint_paths: "ckpt-1"
all_model_checkpoint_paths: "k\303\251 \"2\"-2"
all_model_checkpoint_timestamps: 1795996773.409092
all_model_checkpoint_timestamps: 1795996774.0
last_preserved_timestamp: 1795996770.25
"""


def write(folder, text):
    (folder / "checkpoint").write_text(text)
    return get_checkpoint_state(folder)


def test_written_as_tensorflow_writes(tmp_path):
    paths = [str(tmp_path / "ckpt-1"), str(tmp_path / 'ké "2"-2')]
    times = [1795996773.409092, 1795996774.0]
    assert state_text(tmp_path, paths[1], paths, times, 1795996770.25) == TEXT


def test_read(tmp_path):
    state = write(tmp_path, TEXT)
    paths = [str(tmp_path / "ckpt-1"), str(tmp_path / 'ké "2"-2')]
    assert state.model_checkpoint_path == paths[1]
    assert state.all_model_checkpoint_paths == paths
    assert state.all_model_checkpoint_timestamps == [1795996773.409092, 1795996774.0]
    assert state.last_preserved_timestamp == 1795996770.25


def test_other_spellings_of_the_text_form(tmp_path):
    text = (
        "# by hand\n\nmodel_checkpoint_path:'/a/b\\x41\\n\\''all_model_checkpoint_paths : \"c\"\n"
    )
    state = write(tmp_path, text)
    assert state.model_checkpoint_path == "/a/bA\n'"
    assert state.all_model_checkpoint_paths == [str(tmp_path / "c")]


def test_paths_elsewhere_stay_whole(tmp_path):
    text = state_text(tmp_path / "a", "/elsewhere/b", [str(tmp_path / "a/c")])
    assert text == 'model_checkpoint_path: "/elsewhere/b"\nall_model_checkpoint_paths: "c"\n'


def test_no_file(tmp_path):
    assert get_checkpoint_state(tmp_path) is None
    assert get_checkpoint_state(tmp_path / "none") is None
    (tmp_path / "other").write_text(TEXT)
    assert get_checkpoint_state(tmp_path, "other").last_preserved_timestamp == 1795996770.25
    assert state_path(tmp_path) == str(tmp_path / "checkpoint")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "model_checkpoint_path: 3",
            "'model_checkpoint_path' is unknown or has a value of another",
        ),
        ("a: 3", "'a' is unknown"),
        ('model_checkpoint_path: "a', "line 1 is not a field"),
        ('model_checkpoint_path: "a"\n\n}', "line 3 is not a field"),
        ("last_preserved_timestamp: x", "could not convert"),
        ('model_checkpoint_path: "' + "\\" * 99999, "line 1 is not a field"),
        ("#" * (8 << 20) + "\n", "more than 8388608 bytes"),
    ],
)
def test_damaged(tmp_path, text, error):
    with pytest.warns(UserWarning, match=f"checkpoint is not a list of checkpoints.*{error}"):
        assert write(tmp_path, text) is None


def test_damaged_bytes(tmp_path):
    (tmp_path / "checkpoint").write_bytes(b"\xff\x00")
    with pytest.warns(UserWarning, match="checkpoint is not a list of checkpoints"):
        assert get_checkpoint_state(tmp_path) is None
