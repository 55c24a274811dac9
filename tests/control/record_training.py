"""Write `training.json`: TensorFlow's losses for each of `training_programs.py`.

python -m tests.control.record_training     # in an environment with TensorFlow, from the root of the repository
"""

from __future__ import annotations

from pathlib import Path

from tests.control.training_programs import PROGRAMS, losses
from tests.recorded import write

FILE = Path(__file__).with_name("training.json")

if __name__ == "__main__":
    import tensorflow

    tensorflow.config.run_functions_eagerly(False)
    write(FILE, {name: losses(tensorflow, name, compiled=False) for name in PROGRAMS})
