"""Control flow of plain Python over tensors: the source of the user's functions, rewritten."""
