"""Write `tensorflow.json`: what TensorFlow returns for each of `scripts.py`.

python -m tests.control.record     # in an environment with TensorFlow, from the root of the repository
"""

from __future__ import annotations

from pathlib import Path

import tests.control.flow_scripts  # noqa: F401, their scripts are added
from tests.control.scripts import SCRIPTS
from tests.recorded import write

FILE = Path(__file__).with_name("tensorflow.json")

if __name__ == "__main__":
    import tensorflow

    write(FILE, {name: fn(tensorflow) for name, fn in SCRIPTS.items()})
