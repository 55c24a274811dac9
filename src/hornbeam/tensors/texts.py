"""`tf.strings`: what is computed from strings, on the host."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam.core.dtypes import as_dtype
from hornbeam.core.error_types import invalid
from hornbeam.core.host import elements, mapped, strings
from hornbeam.core.tensor import Tensor, convert_to_tensor

_UNITS = ("BYTE", "UTF8_CHAR")


def _unit(unit: str) -> bool:
    """Return whether letters are counted, rather than bytes."""
    if unit not in _UNITS:
        raise ValueError(f"`unit` is one of {_UNITS}; received {unit!r}.")
    return unit == "UTF8_CHAR"


def _numbers(fn: Callable[[bytes], Any], input: Any, dtype: str) -> Tensor:
    array = elements(input)
    found = [fn(each) for each in array.ravel()]
    return convert_to_tensor(
        np.array(found, as_dtype(dtype).as_numpy_dtype).reshape(array.shape), dtype
    )


def _letters(fn: Callable[[str], str]) -> Callable[[bytes], bytes]:
    def apply(text: bytes) -> bytes:
        return fn(text.decode(errors="surrogateescape")).encode(errors="surrogateescape")

    return apply


def join(inputs: Sequence[Any], separator: str = "", name: str | None = None) -> Any:
    """The strings of several tensors, element by element, with a separator between them.

    >>> import hornbeam as tf
    >>> tf.strings.join([["a", "b"], ["x", "y"]], separator="-").numpy()
    array([b'a-x', b'b-y'], dtype=object)
    """
    between = separator.encode()
    return mapped(lambda *parts: between.join(parts), *inputs)


def length(input: Any, unit: str = "BYTE", name: str | None = None) -> Any:
    """The number of bytes of each string, or of letters with `unit="UTF8_CHAR"`.

    >>> import hornbeam as tf
    >>> tf.strings.length(["é", "ab"], unit="UTF8_CHAR").numpy()
    array([1, 2], dtype=int32)
    """
    letters = _unit(unit)
    return _numbers(
        lambda text: len(text.decode(errors="replace") if letters else text), input, "int32"
    )


def lower(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Small letters in place of capitals; of all alphabets with `encoding="utf-8"`, else of ASCII.

    >>> import hornbeam as tf
    >>> tf.strings.lower("ABC").numpy()
    b'abc'
    """
    return mapped(_letters(str.lower) if _is_utf8(encoding) else bytes.lower, input)


def upper(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Capitals in place of small letters; of all alphabets with `encoding="utf-8"`, else of ASCII."""
    return mapped(_letters(str.upper) if _is_utf8(encoding) else bytes.upper, input)


def _is_utf8(encoding: str) -> bool:
    if encoding not in ("", "utf-8"):
        raise ValueError(f"`encoding` is '' or 'utf-8'; received {encoding!r}.")
    return encoding == "utf-8"


def strip(input: Any, name: str | None = None) -> Any:
    """The strings without space at their ends."""
    return mapped(bytes.strip, input)


def split(input: Any, sep: str | None = None, maxsplit: int = -1, name: str | None = None) -> Any:
    """The parts of a string between separators, or between spaces without `sep`.

    Raises NotImplementedError for more than one string: the numbers of parts may differ.

    >>> import hornbeam as tf
    >>> tf.strings.split("a b c").numpy()
    array([b'a', b'b', b'c'], dtype=object)
    """
    return _parts(input, lambda text: text.split(sep.encode() if sep else None, maxsplit), "split")


def bytes_split(input: Any, name: str | None = None) -> Any:
    """The bytes of a string. Raises NotImplementedError for more than one string."""
    return _parts(input, lambda text: [text[i : i + 1] for i in range(len(text))], "bytes_split")


def _parts(input: Any, fn: Callable[[bytes], list[bytes]], name: str) -> Any:
    array = elements(input)
    if array.ndim:
        raise NotImplementedError(
            f"tf.strings.{name} of a tensor of shape {array.shape} needs ragged tensors, which don't exist yet. Split the "
            "strings one by one: [tf.strings.split(each) for each in strings]."
        )
    return strings(np.array(fn(array.item()), object))


def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE", name: str | None = None) -> Any:
    """The part of each string from `pos` on, of `len` bytes or letters; a negative `pos` counts from the end.

    Raises InvalidArgumentError for a `pos` beyond the string.
    """
    letters = _unit(unit)

    def cut(text: bytes, start: Any, count: Any) -> bytes:
        whole = text.decode() if letters else text
        size, first = whole.__len__(), int(start)
        if not -size <= first <= size:
            raise invalid(f"pos {first} out of range for string {text!r} [Op:Substr]")
        first += size if first < 0 else 0
        part = whole[first : first + max(0, int(count))]
        return part.encode() if isinstance(part, str) else part

    return mapped(cut, input, pos, len)


def _pattern(pattern: Any) -> re.Pattern[bytes]:
    text = elements(pattern).item()
    try:
        return re.compile(text)
    except re.error as error:
        raise invalid(f"Invalid pattern: {text.decode()}, error: {error}") from None


def regex_replace(
    input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None
) -> Any:
    r"""The strings with `rewrite` in place of what the pattern finds; `\1` stands for its first group.

    >>> import hornbeam as tf
    >>> tf.strings.regex_replace("hello", "l+", "L").numpy()
    b'heLo'
    """
    found, new = _pattern(pattern), elements(rewrite).item().replace(rb"\0", rb"\g<0>")
    return mapped(lambda text: found.sub(new, text, count=0 if replace_global else 1), input)


def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Any:
    """Whether the pattern fits each whole string."""
    found = _pattern(pattern)
    return _numbers(lambda text: found.fullmatch(text) is not None, input, "bool")


def to_number(input: Any, out_type: Any = "float32", name: str | None = None) -> Any:
    """The numbers that the strings say. Raises InvalidArgumentError for other strings.

    >>> import hornbeam as tf
    >>> tf.strings.to_number(["1", "2.5"]).numpy()
    array([1. , 2.5], dtype=float32)
    """
    read = float if as_dtype(out_type).is_floating else int

    def number(text: bytes) -> float:
        try:
            return read(text)
        except ValueError:
            raise invalid(
                f"StringToNumberOp could not correctly convert string: {text.decode(errors='replace')} "
                "[Op:StringToNumber]"
            ) from None

    return _numbers(number, input, as_dtype(out_type).name)


def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Any:
    """The numbers as strings.

    >>> import hornbeam as tf
    >>> tf.strings.as_string(3.14159, precision=2).numpy()
    b'3.14'
    """
    array = np.asarray(convert_to_tensor(input))
    kind = "e" if scientific else "g" if shortest else "f"
    wide = f"{fill}{width}" if width > 0 else ""
    exact = f".{precision}" if precision >= 0 else ""

    def written(value: Any) -> str:
        if isinstance(value, bool):
            return builtins.format(str(value).lower(), f">{wide}" if wide else "")
        return builtins.format(value, wide if isinstance(value, int) else f"{wide}{exact}{kind}")

    texts = [written(each).encode() for each in array.ravel().tolist()]
    return strings(np.array([*texts, None], object)[:-1].reshape(array.shape))


def reduce_join(
    inputs: Any,
    axis: Any = None,
    keepdims: bool = False,
    separator: str = "",
    name: str | None = None,
) -> Any:
    """The strings along the axes joined to one.

    >>> import hornbeam as tf
    >>> tf.strings.reduce_join([["a", "b"], ["c", "d"]], axis=1).numpy()
    array([b'ab', b'cd'], dtype=object)
    """
    array = elements(inputs)
    axes = range(array.ndim) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    axes = [each % array.ndim for each in axes]
    rest = [each for each in range(array.ndim) if each not in axes]
    flat = array.transpose([*rest, *axes]).reshape(*(array.shape[each] for each in rest), -1)
    rows = flat.reshape(-1, flat.shape[-1])
    joined = np.array([*(separator.encode().join(row) for row in rows), None], object)[:-1]
    shape = [1 if each in axes else size for each, size in enumerate(array.shape)]
    return strings(joined.reshape(shape if keepdims else flat.shape[:-1]))


def format(
    template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None
) -> Any:
    """A text with tensors in the places of a placeholder.

    >>> import hornbeam as tf
    >>> tf.strings.format("sizes {}", tf.constant([2, 3])).numpy()
    b'sizes [2 3]'
    """
    given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    count = template.count(placeholder)
    if count != len(given):
        raise ValueError(
            f"{count} placeholder(s) in template does not match {len(given)} tensor(s) provided as input"
        )
    parts = template.split(placeholder)
    edge = summarize if summarize >= 0 else 1 << 30
    written = [
        np.array2string(np.asarray(each), edgeitems=edge, threshold=2 * edge) for each in given
    ]
    text = "".join(part + shown for part, shown in zip(parts, [*written, ""], strict=True))
    return strings(text)


def unicode_encode(
    input: Any,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = 65533,
    name: str | None = None,
) -> Any:
    """The string of a list of code points."""
    text = "".join(map(chr, np.asarray(input).tolist()))
    return strings(
        text.encode(output_encoding.lower(), errors="strict" if errors == "strict" else errors)
    )


def unicode_decode(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = 65533,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """The code points of a string."""
    text = elements(input).item().decode(input_encoding.lower(), errors=errors)
    return convert_to_tensor(np.array([ord(each) for each in text], "int32"))


def unicode_split(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = 65533,
    name: str | None = None,
) -> Any:
    """The letters of a string. Raises NotImplementedError for more than one string."""
    encoding = input_encoding.lower()
    return _parts(
        input,
        lambda text: [each.encode(encoding) for each in text.decode(encoding, errors=errors)],
        "unicode_split",
    )


def unicode_transcode(
    input: Any,
    input_encoding: str,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = 65533,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """The strings in another encoding."""

    def changed(text: bytes) -> bytes:
        return text.decode(input_encoding.lower(), errors=errors).encode(
            output_encoding.lower(), errors="replace"
        )

    return mapped(changed, input)
