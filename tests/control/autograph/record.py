"""Write `tensorflow.json`: what TensorFlow returns for each function of `tensor_cases.py`.

python -m tests.control.autograph.record     # in an environment with TensorFlow, from the root of the repository
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.control.autograph.tensor_cases import CASES, outcome

FILE = Path(__file__).with_name("tensorflow.json")

if __name__ == "__main__":
    import tensorflow

    lines: list[str] = []
    for name, (fn, calls) in CASES.items():
        compiled = tensorflow.function(fn)
        answers = [outcome(tensorflow, compiled, args) for args in calls]
        lines.append(f"  {json.dumps(name)}: {json.dumps(answers)}")
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
