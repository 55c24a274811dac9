"""Print the package's requirements and those of the extras named, one a line, without building the package."""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
wanted, seen = list(sys.argv[1:]), set()
print("\n".join(project["dependencies"]))
while wanted:
    extra = wanted.pop()
    for line in project["optional-dependencies"][extra] if extra not in seen else ():
        if line.startswith(f"{project['name']}["):
            wanted += line.partition("[")[2].rstrip("]").split(",")
        else:
            print(line)
    seen.add(extra)
