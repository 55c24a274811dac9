"""Running code written for TensorFlow or Keras: the import hook, and the launcher of scripts."""
