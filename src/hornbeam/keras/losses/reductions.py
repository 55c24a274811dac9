"""The names of reductions, as constants."""

from __future__ import annotations


class Reduction:
    """The names that losses take for `reduction`, as constants, which scripts of TensorFlow use.

    >>> import hornbeam as tf
    >>> tf.keras.losses.MeanSquaredError(reduction=tf.keras.losses.Reduction.NONE)([[1.0]], [[3.0]]).numpy()
    array([4.], dtype=float32)
    """

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """Return every name."""
        return cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE

    @classmethod
    def validate(cls, key: str) -> None:
        """Raise ValueError for what is none of the names."""
        if key not in cls.all():
            raise ValueError(f'Invalid Reduction Key: {key}. Expected keys are "{cls.all()}"')
