"""`tf.train`: checkpoints in TensorFlow's format."""

from hornbeam.core.faces import missing_names
from hornbeam.train.checkpoint import Checkpoint
from hornbeam.train.manager import CheckpointManager
from hornbeam.train.options import CheckpointOptions
from hornbeam.train.reader import (
    checkpoint_exists,
    latest_checkpoint,
    list_variables,
    load_checkpoint,
    load_variable,
)
from hornbeam.train.state_file import get_checkpoint_state

__all__ = [
    "Checkpoint",
    "CheckpointManager",
    "CheckpointOptions",
    "checkpoint_exists",
    "get_checkpoint_state",
    "latest_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
]

__getattr__ = missing_names(__name__)
