"""Files and folders appear whole or not at all, whatever fails, and errors say what to do."""

import errno
import os
import stat
from pathlib import Path

import pytest

from hornbeam.core import atomic, atomic_folder
from hornbeam.core.atomic import atomic_write
from hornbeam.core.atomic_folder import atomic_folder as folder_written
from tests.faults import errors_of_threads, faults, files_limited

OLD, NEW = b"old" * 1000, b"new" * 2000


def write(path, data=NEW):
    with atomic_write(path) as file:
        for start in range(0, len(data), 1500):
            file.write(data[start : start + 1500])


def write_folder(path, data=NEW):
    with folder_written(path, owned={"a", "inner"}) as hidden:
        os.mkdir(os.path.join(hidden, "inner"))
        for name in ("a", "inner/b"):
            Path(hidden, name).write_bytes(data)


def contents(folder):
    return {name: Path(folder, name).read_bytes() for name in ("a", "inner/b")}


@pytest.fixture(params=["unnamed", "named"])
def way(request, monkeypatch):
    """Both ways of writing: with files without a name, and where the system has none."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE")
    return request.param


@pytest.fixture(params=["exchange", "two renames"])
def renaming(request, monkeypatch):
    if request.param == "two renames":
        monkeypatch.setattr(atomic_folder, "_exchanged", lambda *_: False)


@pytest.mark.parametrize("old", [None, OLD])
def test_whatever_call_fails_the_file_is_the_old_or_the_new_one(tmp_path, way, old):
    path, calls = tmp_path / "a", []
    for fault in faults(errno.EIO, buffer=1000):
        path.unlink(missing_ok=True)
        if old is not None:
            path.write_bytes(old)
        with fault:
            try:
                write(path)
            except OSError as error:
                assert error.errno == errno.EIO
        found = path.read_bytes() if path.exists() else None
        # Only the last call, which brings the new name to the disk, fails when it is there already.
        done = fault.calls[-1:] == ["fsync"] and "replace" in fault.calls
        assert found == (NEW if done else old)
        assert set(os.listdir(tmp_path)) <= {"a"}
        calls = fault.calls
    assert calls.count("write") == 4 and calls.count("fsync") == 2 and calls.count("replace") == 1
    assert ("link" in calls) == (way == "unnamed")
    assert found == NEW


def test_whatever_call_fails_the_folder_is_the_old_or_the_new_one(tmp_path, renaming):
    path = tmp_path / "m"
    for fault in faults(errno.EIO, buffer=1000):
        write_folder(path, OLD)
        with fault:
            try:
                write_folder(path)
            except OSError as error:
                assert error.errno == errno.EIO
        assert contents(path) in (dict.fromkeys(contents(path), each) for each in (OLD, NEW))
        assert os.listdir(tmp_path) == ["m"]
    assert fault.calls.count("fsync") == 5  # two files, two folders, the folder around
    assert contents(path) == dict.fromkeys(contents(path), NEW)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_at_every_call(tmp_path, number):
    path = tmp_path / "a"
    for fault in faults(number, buffer=1000):
        with fault:
            try:
                write(path)
            except OSError as error:
                told = str(error)
        assert set(os.listdir(tmp_path)) <= {"a"}
    assert os.strerror(number) in told


def test_a_limit_of_the_system_is_told_and_the_old_file_stays(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(OLD)
    with (
        files_limited(len(OLD)),
        pytest.raises(OSError, match="nothing was changed; a limit of the system forbids"),
    ):
        write(path)
    assert path.read_bytes() == OLD and os.listdir(tmp_path) == ["a"]


def test_an_error_or_ctrl_c_in_the_block_leaves_the_old_ones(tmp_path, way):
    path, folder = tmp_path / "a", tmp_path / "m"
    write(path, OLD)
    write_folder(folder, OLD)
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as file:
        file.write(NEW)
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), folder_written(folder, {"a", "inner"}) as hidden:
        Path(hidden, "a").write_bytes(NEW)
        raise KeyboardInterrupt
    assert path.read_bytes() == OLD and contents(folder)["a"] == OLD
    assert sorted(os.listdir(tmp_path)) == ["a", "m"]


def test_a_file_without_a_name_is_left_to_the_system(tmp_path):
    with atomic_write(tmp_path / "a") as file:
        file.write(NEW)
        file.flush()
        assert os.listdir(tmp_path) == []
        assert Path(file.name).read_bytes() == NEW  # what checks it gets a path


def test_of_two_writers_the_later_one_wins_whole(tmp_path, way):
    path = tmp_path / "a"
    with atomic_write(path) as first:
        first.write(OLD)
        write(path, NEW)
        assert path.read_bytes() == NEW
    assert path.read_bytes() == OLD and os.listdir(tmp_path) == ["a"]


def test_two_threads_write_files_and_folders_again_and_again(tmp_path, renaming):
    def write_both(data):
        write(tmp_path / "a", data)
        write_folder(tmp_path / f"m{data[:3].decode()}", data)

    assert errors_of_threads(write_both, (OLD, NEW)) == []
    assert (tmp_path / "a").read_bytes() in (OLD, NEW)
    assert sorted(os.listdir(tmp_path)) == ["a", "mnew", "mold"]


def test_two_threads_write_one_folder(tmp_path):
    assert errors_of_threads(lambda data: write_folder(tmp_path / "m", data), (OLD, NEW)) == []
    assert len(set(contents(tmp_path / "m").values())) == 1
    assert os.listdir(tmp_path) == ["m"]


def test_a_new_file_gets_what_the_umask_allows_and_an_old_one_keeps_its_permissions(tmp_path, way):
    before = os.umask(0o027)
    try:
        write(tmp_path / "a")
        write_folder(tmp_path / "m")
    finally:
        os.umask(before)
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "m")}
    assert modes == {"a": 0o640, "m": 0o750}
    (tmp_path / "a").chmod(0o604)
    (tmp_path / "m").chmod(0o705)
    write(tmp_path / "a")
    write_folder(tmp_path / "m")
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "m")}
    assert modes == {"a": 0o604, "m": 0o705}


def test_links_are_followed_as_open_does(tmp_path):
    (tmp_path / "real").mkdir()
    write(tmp_path / "real" / "a", OLD)
    (tmp_path / "link").symlink_to(Path("real") / "a")
    (tmp_path / "dangling").symlink_to(Path("real") / "b")
    (tmp_path / "folder").symlink_to("real")
    write(tmp_path / "link")
    write(tmp_path / "dangling")
    write(tmp_path / "folder" / "c")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "dangling").is_symlink()
    assert sorted(os.listdir(tmp_path / "real")) == ["a", "b", "c"]
    assert (tmp_path / "real" / "a").read_bytes() == NEW
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        write(tmp_path / "loop")


def test_paths_of_every_kind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("plain")
    write(b"bytes")
    write(tmp_path / ("ế" * 80))
    assert len(os.listdir(tmp_path)) == 3


def test_what_stands_in_the_way_is_told_before_anything_is_written(tmp_path):
    (tmp_path / "folder").mkdir()
    write(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    for path, error, text in (
        ("folder", IsADirectoryError, "A folder has this name"),
        ("pipe", FileExistsError, "A device or pipe has this name"),
        ("none/a", FileNotFoundError, "make the folder .*none first"),
        ("file/a", NotADirectoryError, "a part of .*file is a file"),
        ("x" * 300, OSError, "choose a shorter name"),
    ):
        with pytest.raises(error, match=text), atomic_write(tmp_path / path):
            pytest.fail("the block was entered")
    for path, error, text in (
        ("file", FileExistsError, "A file has this name"),
        ("none/m", FileNotFoundError, "make the folder .*none first"),
        ("file/m", NotADirectoryError, "a part of .*file is a file"),
    ):
        with pytest.raises(error, match=text), folder_written(tmp_path / path, ()):
            pytest.fail("the block was entered")


def test_a_folder_with_anything_else_in_it_is_not_replaced(tmp_path):
    write_folder(tmp_path / "m", OLD)
    write(tmp_path / "m" / "thesis.tex")
    with pytest.raises(FileExistsError, match=r"thesis.tex in it would be lost"):
        write_folder(tmp_path / "m")
    assert contents(tmp_path / "m") == {"a": OLD, "inner/b": OLD}


def test_folders_and_files_without_permission(nobody):
    write(nobody / "a", OLD)
    (nobody / "a").chmod(0o444)
    with pytest.raises(PermissionError, match="protected from writing"), atomic_write(nobody / "a"):
        pytest.fail("the block was entered")
    nobody.chmod(0o555)
    for path, act in (("b", write), ("m", write_folder)):
        with pytest.raises(PermissionError, match=r"writing in the folder .* is not allowed"):
            act(nobody / path)
    assert os.listdir(nobody) == ["a"]


def test_a_disk_that_can_only_be_read(tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(atomic.os, "open", refused)
    with pytest.raises(OSError, match="on a disk that can only be read"):
        write(tmp_path / "a")


def test_the_error_of_another_file_stays_its_own(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / "a"):
        (tmp_path / "other").read_bytes()
    assert str(tmp_path / "other") in str(caught.value) and "make the folder" not in str(
        caught.value
    )


def test_what_a_killed_writer_left_is_removed_but_not_what_is_being_written(tmp_path):
    left = tmp_path / f".m.{'0' * 32}.part"
    left.mkdir()
    (left / "a").write_bytes(NEW)
    with folder_written(tmp_path / "m", {"a", "inner"}) as first:
        assert os.listdir(tmp_path) == [os.path.basename(first)]
        write_folder(tmp_path / "m")
        assert os.path.isdir(first)
        Path(first, "a").write_bytes(OLD)
    assert os.listdir(tmp_path) == ["m"] and os.listdir(tmp_path / "m") == ["a"]


@pytest.mark.parametrize("unnamed", [True, False])
def test_the_hidden_file_of_a_killed_writer_is_removed_but_not_one_that_is_being_written(
    tmp_path, monkeypatch, unnamed
):
    """As after a kill between linking and renaming; `unnamed=False` is a system without unnamed files."""
    target, left = tmp_path / "m", tmp_path / f".m.{'0' * 32}.part"
    left.write_bytes(NEW)
    if not unnamed:
        monkeypatch.setattr(atomic, "_without_name", lambda folder: None)
    with atomic.atomic_write(target) as first:
        first.write(OLD)
        assert not left.exists()
        monkeypatch.setattr(atomic, "_without_name", lambda folder: None)
        named = os.listdir(tmp_path)
        with atomic.atomic_write(target) as second:
            second.write(NEW)
            assert set(named) <= set(os.listdir(tmp_path))
    assert os.listdir(tmp_path) == ["m"] and target.read_bytes() == OLD


def test_a_writer_whose_hidden_file_another_one_removed_begins_anew(tmp_path, monkeypatch):
    """Between its making and its lock, it looks left behind."""
    target, real, locked = tmp_path / "a", atomic.lock, []

    def lock(handle):
        if not locked:
            atomic.remove_left_behind(str(target))
        locked.append(handle)
        real(handle)

    monkeypatch.setattr(atomic, "_without_name", lambda folder: None)
    monkeypatch.setattr(atomic, "lock", lock)
    with atomic.atomic_write(target) as file:
        file.write(b"new")
    assert target.read_bytes() == b"new" and os.listdir(tmp_path) == ["a"]
    assert len(locked) == 2


@pytest.mark.usefixtures("way")
def test_a_file_that_is_about_to_get_its_name_does_not_look_left_behind(tmp_path, monkeypatch):
    target, real = tmp_path / "a", os.replace

    def replace(hidden, name):
        atomic.remove_left_behind(str(target))
        real(hidden, name)

    monkeypatch.setattr(os, "replace", replace)
    with atomic.atomic_write(target) as file:
        file.write(b"new")
    assert target.read_bytes() == b"new"
