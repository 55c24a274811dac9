"""How good predictions are: counts, shares and areas that metrics add up over batches."""
