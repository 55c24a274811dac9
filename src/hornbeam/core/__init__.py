"""The core: tensors, variables, ops, state scopes, symbolic tensors, random seeds."""

# Fill the table of operators, so that tensors can compute as soon as any part of the core is imported.
from hornbeam.core import arithmetic as arithmetic
