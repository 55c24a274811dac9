"""Intersection over union: how far predicted regions overlap with the true ones, as in segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam import ops
from hornbeam.core.user_code import warn
from hornbeam.keras.engine.criteria import as_tensors, masks_of
from hornbeam.keras.metrics.base import Metric, registry
from hornbeam.ops.metrics.overlap import class_pairs, mean_overlap


@registry.add
class IoU(Metric):
    """mean over `target_class_ids` of true positives / (true positives + false positives + false negatives)

    y_true and y_pred hold numbers of classes, (b, ...), or, where `sparse_y_true` or `sparse_y_pred` is False, scores of
    the classes on `axis`. Pixels whose true class is `ignore_class` do not count. Classes that neither is nor was
    predicted don't either. Weights are whole numbers unless `dtype` is a floating type.

    >>> from hornbeam import keras
    >>> float(keras.metrics.IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1]))
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        """Raises ValueError for a target that is no class."""
        super().__init__(name=name, dtype=dtype or "int32")
        wrong = [each for each in target_class_ids if not 0 <= each < num_classes]
        if wrong:
            raise ValueError(
                f"`target_class_ids` are from 0 to {num_classes - 1} (num_classes={num_classes}); received {wrong}."
            )
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable(
            (num_classes, num_classes), "zeros", self.dtype, name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in truth and predictions; weights are for samples, (b,), or for each pixel."""
        masks = masks_of(y_pred)
        truth, found, weights = as_tensors(y_true), as_tensors(y_pred), as_tensors(sample_weight)
        if weights is not None and "int" in self.dtype and "float" in str(weights.dtype):
            warn(
                f"{type(self).__name__} counts in {self.dtype}, so the fractions of its weights are lost: pass "
                'dtype="float32" to keep them.',
            )
        truth = truth if self.sparse_y_true else ops.argmax(truth, axis=self.axis)
        found = found if self.sparse_y_pred else ops.argmax(found, axis=self.axis)
        self.total_cm.assign_add(
            class_pairs(
                truth, found, self.num_classes, weights, masks, self.ignore_class, self.dtype
            )
        )

    def result(self) -> Any:
        """Return the mean overlap, 0 before the first batch."""
        return mean_overlap(self.total_cm, self.target_class_ids)


@registry.add
class BinaryIoU(IoU):
    """The overlap of classes 0 and 1, where y_pred from `threshold` on means 1

    >>> from hornbeam import keras
    >>> float(keras.metrics.BinaryIoU(target_class_ids=[0, 1], threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]))
    0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in truth, 0 or 1, and scores of the same shape."""
        is_one = as_tensors(y_pred) >= self.threshold
        super().update_state(y_true, is_one, sample_weight)


@registry.add
class MeanIoU(IoU):
    """The mean overlap of all classes

    >>> from hornbeam import keras
    >>> float(keras.metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1]))
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        everything = range(num_classes)
        super().__init__(
            num_classes, everything, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )


@registry.add
class OneHotIoU(IoU):
    """The overlap of some classes, of one-hot truth and of scores, (b, ..., classes)

    >>> from hornbeam import keras
    >>> y, p = [[0, 1], [1, 0], [0, 1]], [[0.2, 0.8], [0.4, 0.6], [0.1, 0.9]]
    >>> float(keras.metrics.OneHotIoU(num_classes=2, target_class_ids=[1])(y, p))
    0.6667
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )


@registry.add
class OneHotMeanIoU(MeanIoU):
    """The mean overlap of all classes, of one-hot truth and of scores, (b, ..., classes)

    >>> from hornbeam import keras
    >>> y, p = [[0, 1], [1, 0], [0, 1]], [[0.2, 0.8], [0.4, 0.6], [0.1, 0.9]]
    >>> float(keras.metrics.OneHotMeanIoU(num_classes=2)(y, p))
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
