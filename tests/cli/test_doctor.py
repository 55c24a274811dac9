"""The report of `python -m hornbeam doctor`."""

import os
import subprocess
import sys

from hornbeam.cli import doctor
from hornbeam.kernels import native


def test_all_sections_are_there(tmp_path, monkeypatch, capsys):
    (tmp_path / "mnist.npz").write_bytes(bytes(2_000_000))
    monkeypatch.setenv("HORNBEAM_DATASETS", str(tmp_path))
    assert doctor.main([]) == 0
    text = capsys.readouterr().out
    for title in ("Versions", "Native CPU kernels", "Devices", "Caches", "Data sets"):
        assert f"{title}\n" in text
    assert "mnist.npz (2.0 MB)" in text
    assert "jax " in text
    assert "compiled programs: not kept" in text  # tests switch the cache off
    assert ("dense_forward" in text) == native.available()


def test_it_says_why_kernels_are_off(tmp_path):
    environment = {**os.environ, "HORNBEAM_NATIVE": "0", "HORNBEAM_CACHE": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-m", "hornbeam", "doctor"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "not used: switched off by HORNBEAM_NATIVE=0" in result.stdout
    assert f"compiled programs: {tmp_path}" in result.stdout
