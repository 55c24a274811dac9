"""The core: tensors, variables, ops, state scopes, symbolic tensors, random seeds."""

# Fills the table of operators: whoever imports any part of the core can compute with tensors.
from hornbeam.core import arithmetic as arithmetic
