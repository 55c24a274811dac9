"""The core: tensors, variables, ops, state scopes, symbolic tensors, random seeds."""

from hornbeam.core import wide

wide.serve()

# Fill the table of operators, so that tensors can compute as soon as any part of the core is imported.
from hornbeam.core import arithmetic as arithmetic  # noqa: E402

__version__ = (
    "0.1.0"  # the same is in pyproject.toml; a source tree has no other place to read it from
)
