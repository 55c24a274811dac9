"""Checkpoints in TensorFlow's format."""
