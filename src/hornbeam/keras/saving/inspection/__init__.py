"""What a file of a model holds, without making the model: for `hornbeam show`, and for `hornbeam check`."""

from hornbeam.keras.saving.inspection.contents import Array, Contents
from hornbeam.keras.saving.inspection.formats import UnknownFormatError, inspected

__all__ = ["Array", "Contents", "UnknownFormatError", "inspected"]
