"""What `compile` was given, beside the outputs of the model that it is for: losses and metrics by name or place."""
