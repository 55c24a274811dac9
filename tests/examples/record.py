"""Write `tensorflow.json`: what the examples print under TensorFlow, for each of five seeds.

python -m tests.examples.record [NAME ...]     # in an environment with TensorFlow, from the root of the repository

With names, only those are run and the others stay as they are.
"""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys

import keras

from tests.examples.comparison import FILE, ROOT, names

SEEDS = range(1, 6)


def printed(name: str, seed: int) -> list[str]:
    """Return the lines that the example prints on its small setting."""
    keras.utils.clear_session()  # names of layers begin anew
    main = runpy.run_path(str(ROOT / "examples" / f"{name}.py"))["main"]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        main(["--small", "--seed", str(seed)])
    return out.getvalue().splitlines()


if __name__ == "__main__":
    results = json.loads(FILE.read_text()) if FILE.exists() else {}
    for each in sys.argv[1:] or names():
        results[each] = [printed(each, seed) for seed in SEEDS]
        FILE.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")
