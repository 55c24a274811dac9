"""Write `tensorflow.json`: what TensorFlow's operators on matrices answer.

python -m tests.linalg.record     # in an environment with TensorFlow, from the root of the repository
"""

from __future__ import annotations

from pathlib import Path

from tests.linalg.operators import GRADIENTS, OPERATORS, answers, gradient, steps
from tests.recorded import write

FILE = Path(__file__).with_name("tensorflow.json")

if __name__ == "__main__":
    import tensorflow

    found = {name: answers(tensorflow, name) for name in OPERATORS}
    found["gradients"] = {name: gradient(tensorflow, name) for name in GRADIENTS}
    found["steps"] = steps(tensorflow)
    write(FILE, found)
