"""The names right under `tf.`: making, reshaping, picking and joining tensors."""
