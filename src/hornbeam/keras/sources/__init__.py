"""Where batches come from: arrays, generators, data sets, each a `Source`; none of them knows a model."""
