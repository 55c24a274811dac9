"""Files with what another library answered: JSON, a line for each answer, so that a change of one shows as that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write(path: Path, answers: Mapping[str, Any]) -> None:
    """Write answers by name."""
    lines = [f"  {json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
