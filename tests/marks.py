"""Marks that tests in several folders share."""

from __future__ import annotations

import pytest

from hornbeam.kernels import native

native_only = pytest.mark.skipif(not native.available(), reason="native kernels are what is tested")
