"""How far predictions are from the truth: a number for each sample, and its reduction to one."""
