"""`tf.strings`: strings, which live on the host."""

from hornbeam.core.faces import missing_names
from hornbeam.tensors.texts import (
    as_string,
    bytes_split,
    format,
    join,
    length,
    lower,
    reduce_join,
    regex_full_match,
    regex_replace,
    split,
    strip,
    substr,
    to_number,
    unicode_decode,
    unicode_encode,
    unicode_split,
    unicode_transcode,
    upper,
)

__all__ = [
    "as_string",
    "bytes_split",
    "format",
    "join",
    "length",
    "lower",
    "reduce_join",
    "regex_full_match",
    "regex_replace",
    "split",
    "strip",
    "substr",
    "to_number",
    "unicode_decode",
    "unicode_encode",
    "unicode_split",
    "unicode_transcode",
    "upper",
]

__getattr__ = missing_names(__name__)
