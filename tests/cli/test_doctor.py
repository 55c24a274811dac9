"""The report of `python -m hornbeam doctor`."""

import os
import subprocess
import sys
import types

import pytest

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
    features = ", ".join(native.info().get("cpu", []))
    assert (f"  processor: {features}\n" in text) == native.available()


@pytest.mark.parametrize(
    ("features", "used", "processor", "bfloat16"),
    [
        ([], "not used: this processor has no AVX2.", "no vector extensions that are used", False),
        (["avx2"], "used", "avx2", True),
        (["avx2", "avx512"], "used", "avx2, avx512", False),
    ],
)
def test_what_the_processor_can_do(features, used, processor, bfloat16, monkeypatch, capsys):
    info = {"cpu": features, "onednn": "2.7", "compiler": "12.2"}
    module = types.SimpleNamespace(build_info=lambda: info, targets=dict)
    monkeypatch.setitem(sys.modules, "hornbeam.kernels._native", module)
    monkeypatch.setattr(native, "_load", native._load.__wrapped__)  # what was loaded stays cached
    monkeypatch.setenv("HORNBEAM_NATIVE", "1")
    assert doctor.main([]) == 0
    text = capsys.readouterr().out
    assert f"Native CPU kernels\n  {used}" in text
    assert f"\n  processor: {processor}\n" in text
    assert "oneDNN 2.7, built with GCC 12.2" in text
    assert ("bfloat16: the reference kernels" in text) == bfloat16


def test_it_says_what_required_kernels_are_missing(monkeypatch, capsys):
    """They stop everything else: the one command that tells why must still run."""
    monkeypatch.setitem(sys.modules, "hornbeam.kernels._native", None)
    monkeypatch.setattr(native, "_load", native._load.__wrapped__)
    monkeypatch.setenv("HORNBEAM_NATIVE", "required")
    assert doctor.main([]) == 0
    text = capsys.readouterr().out
    assert "not used: they were not built" in text and "Nothing runs." in text


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
