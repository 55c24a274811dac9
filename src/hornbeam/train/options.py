"""`tf.train.CheckpointOptions`."""

from __future__ import annotations


class CheckpointOptions:
    """TensorFlow's options of reading and writing checkpoints: accepted, and without effect.

    Checkpoints are written by the process that calls, at once, into one data file.

    >>> import hornbeam as tf
    >>> tf.train.CheckpointOptions(enable_async=True).enable_async
    True
    """

    def __init__(
        self,
        experimental_io_device: str | None = None,
        experimental_enable_async_checkpoint: bool = False,
        experimental_write_callbacks: object = None,
        enable_async: bool = False,
        experimental_skip_slot_variables: bool = False,
        experimental_sharding_callback: object = None,
    ) -> None:
        """Raises NotImplementedError for callbacks, which would not be called."""
        if experimental_write_callbacks or experimental_sharding_callback is not None:
            raise NotImplementedError(
                "Checkpoints are written without callbacks here: leave out experimental_write_callbacks and "
                "experimental_sharding_callback."
            )
        self.experimental_io_device = experimental_io_device
        self.enable_async = enable_async or experimental_enable_async_checkpoint
        self.experimental_enable_async_checkpoint = self.enable_async
        self.experimental_write_callbacks = experimental_write_callbacks
        self.experimental_skip_slot_variables = experimental_skip_slot_variables
        self.experimental_sharding_callback = experimental_sharding_callback
