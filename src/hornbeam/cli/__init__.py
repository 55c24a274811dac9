"""Commands for the terminal, one file each: `python -m hornbeam demo`."""
