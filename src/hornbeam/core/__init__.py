"""The core: tensors, variables, ops, state scopes, symbolic tensors, random seeds."""

# Fills the table of operators: whoever imports any part of the core can compute with tensors.
from hornbeam.core import arithmetic as arithmetic
from hornbeam.core.memory import keep_freed_memory

keep_freed_memory()  # before JAX starts its threads
