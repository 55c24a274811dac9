"""Write `tensorflow.json`: what TensorFlow returns for each function of `tensor_cases.py`.

python -m tests.control.autograph.record     # in an environment with TensorFlow, from the root of the repository
"""

from __future__ import annotations

from pathlib import Path

from tests.control.autograph.tensor_cases import CASES, outcome
from tests.recorded import write

FILE = Path(__file__).with_name("tensorflow.json")

if __name__ == "__main__":
    import tensorflow

    answers = {}
    for name, (fn, calls) in CASES.items():
        compiled = tensorflow.function(fn)
        answers[name] = [outcome(tensorflow, compiled, args) for args in calls]
    write(FILE, answers)
