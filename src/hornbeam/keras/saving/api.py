"""`save_model`, `load_model`, `save_weights`, `load_weights`: one function each for all formats.

The ending of a name chooses the format that is written; what a file holds chooses the one that reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, TypeAlias

from hornbeam.core.user_code import warn
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.lambda_layer import Lambda
from hornbeam.keras.registry.custom import check_objects
from hornbeam.keras.saving import (
    archive,
    legacy_h5,
    safetensors,
    saved_model,
    sharded,
    tf_checkpoint,
    weights_h5,
)
from hornbeam.keras.saving.kinds import (
    check_source,
    is_open_file,
    kind_of,
    not_loadable,
    path_of,
)
from hornbeam.train.status import LoadStatus

Target: TypeAlias = "str | os.PathLike[str] | BinaryIO"

_ENDINGS = (".weights.h5", sharded.ENDING, safetensors.ENDING, *legacy_h5.ENDINGS)


def save_model(
    model: Layer,
    filepath: Target,
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Write a whole model: layers, weights, how it was compiled, and the state of its optimizer.

    `filepath` ends with `.keras`, or names a folder with `zipped=False`. The file is there completely or not at all; an
    old one stays until then. `load_model` reads it, here and in Keras 3. With the ending `.h5` (or `.hdf5`) it is a file
    in the format of before Keras 3, without what layers save by themselves; there `include_optimizer=False` leaves out how
    the model was compiled.

    Raises ValueError for another ending and for what a file can't hold, FileExistsError where `overwrite` is False and
    the file exists.

    >>> import os, tempfile
    >>> from hornbeam import keras
    >>> path = os.path.join(tempfile.mkdtemp(), "model.keras")
    >>> keras.saving.save_model(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), path)
    >>> keras.saving.load_model(path).count_params()
    8
    """
    include_optimizer = bool(kwargs.pop("include_optimizer", True))
    _check_options(kwargs)
    if not (isinstance(model, Layer) and hasattr(model, "compile_from_config")):
        raise ValueError(f"save_model takes a model; received {model!r}.")
    if not model.built:
        warn(
            f"The model {model.name!r} is saved before it has weights: call it on data or build it first.",
        )
    _warn_of_lambdas(model)
    if is_open_file(filepath):
        archive.save_to_stream(model, filepath)
        return
    path = path_of(filepath)
    if zipped is False:
        _check_folder(path, overwrite)
        _make_folder_of(path)
        archive.save_folder(model, path)
        return
    if path.endswith(legacy_h5.ENDINGS) and zipped is None:
        check_target(path, overwrite)
        _make_folder_of(path)
        legacy_h5.save_model(model, path, include_optimizer)
        return
    if not path.endswith(".keras"):
        raise ValueError(
            f"The name of a file of a model ends with `.keras` (or `.h5`); received {path!r}. For a folder pass zipped=False, for the "
            "weights alone use model.save_weights('name.weights.h5')."
        )
    check_target(path, overwrite)
    archive.save(model, path)


def _make_folder_of(path: str) -> None:
    """Make the folder in which a file will be, as Keras does for legacy files and for unzipped ones, and for no others."""
    if not os.path.isdir(folder := os.path.dirname(os.path.normpath(path)) or "."):
        os.makedirs(folder, exist_ok=True)


def _warn_of_lambdas(model: Layer) -> None:
    """Say which layers need their functions again when the model is loaded."""
    names = [
        layer.name
        for layer in model.flatten_layers()
        if isinstance(layer, Lambda) and layer.is_anonymous
    ]
    if names:
        given = ", ".join(f"{name!r}: function" for name in names)
        warn(
            f"The model {model.name!r} is saved without the functions of its Lambda layers {', '.join(names)}: a lambda has "
            f"no name to be found by. Give them again: load_model(..., custom_objects={{{given}}}); or use functions with "
            "names, registered with @keras.saving.register_keras_serializable().",
        )


def load_model(
    filepath: Target,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Return the model that a file holds, compiled as it was unless `compile` is False.

    Reads `.keras` archives, unzipped folders and `.h5` files, those of Keras 2 and 3 included, and the folders that Keras 2
    wrote in TensorFlow's SavedModel format. Users' classes and functions are found among
    `custom_objects` (name -> class or function), in open scopes, and where they were registered. What a file says is
    looked up in tables and never imported or run: `safe_mode` is accepted, and there is no unsafe mode.

    Raises FileNotFoundError where there is no file, and ValueError, with the reason, for one that can't be loaded.

    >>> import io
    >>> from hornbeam import keras
    >>> file = io.BytesIO()
    >>> keras.saving.save_model(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), file)
    >>> keras.saving.load_model(file).output_shape
    (None, 2)
    """
    del safe_mode
    check_objects(custom_objects)
    if is_open_file(filepath):
        return archive.load(filepath, custom_objects, compile)
    path = path_of(filepath)
    if tf_checkpoint.is_there(path):
        raise not_loadable(path, "hdf5", "whole model")
    check_source(path)
    kind = kind_of(path)
    if kind in _OLD:
        return _OLD[kind].load_model(path, custom_objects, compile)
    if kind not in ("archive", "folder"):
        raise not_loadable(path, kind, "whole model")
    return archive.load(path, custom_objects, compile)


def save_weights(
    model: Layer,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    max_shard_size: float | None = None,
) -> None:
    """Write the weights of `model`; the file is there completely or not at all.

    The name ends with `.weights.h5`, `.safetensors`, or `.weights.json`: the last is an index of files that have
    `max_shard_size` GB at most (5 unless said otherwise). Other names with `.h5` get the format of before Keras 3. A name
    without a known ending is that of a TensorFlow checkpoint.

    Raises ValueError for another ending, or where an array is larger than `max_shard_size`; FileExistsError where
    `overwrite` is False and the file exists.

    >>> import os, tempfile
    >>> from hornbeam import keras
    >>> path = os.path.join(tempfile.mkdtemp(), "model.weights.h5")
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.saving.save_weights(model, path)
    >>> keras.saving.load_weights(model, path)
    """
    path = path_of(filepath)
    if max_shard_size is not None and path.endswith(".weights.h5"):
        path = path.removesuffix(".h5") + ".json"  # as Keras does
        warn(f"Weights in several files have an index: {path} is written.")
    if tf_checkpoint.is_name(path) and not path.endswith(_ENDINGS):
        check_built(model, "save")
        check_target(f"{path}.index", overwrite)
        tf_checkpoint.save_weights(model, path)
        return
    if not path.endswith(_ENDINGS):
        raise ValueError(
            f"The name of a file of weights ends with {' or '.join(f'`{each}`' for each in _ENDINGS)}; received {path!r}."
        )
    if max_shard_size is not None and not path.endswith(sharded.ENDING):
        raise ValueError(
            f"`max_shard_size` needs a name that ends with `{sharded.ENDING}`; received {path!r}."
        )
    check_built(model, "save")
    check_target(path, overwrite)
    if path.endswith(sharded.ENDING):
        sharded.save_weights(model, path, max_shard_size)
    elif path.endswith(safetensors.ENDING):
        safetensors.save_weights(model, path)
    elif not path.endswith(".weights.h5"):
        legacy_h5.save_weights(model, path)
    else:
        weights_h5.save_weights(model, path)


def load_weights(
    model: Layer,
    filepath: str | os.PathLike[str],
    skip_mismatch: bool = False,
    objects_to_skip: Iterable[Any] = (),
    by_name: bool = False,
) -> LoadStatus | None:
    """Read the weights of `model`, without those of `objects_to_skip`, from a file of any format that has weights.

    Files of before Keras 3 (`.h5`, SavedModel folders) list layers: they are matched by name where the file and the model
    have the same names, else by order. With `by_name`, layers that the file does not have stay as they are.
    For a TensorFlow checkpoint, return a status as `tf.train.Checkpoint.restore` does; layers that are not built yet get
    their values when they are.

    Raises ValueError, with every difference, where the file does not fit, and changes nothing then; with
    `skip_mismatch`, loads the layers that fit, and warns with the same list.

    >>> import os, tempfile
    >>> from hornbeam import keras
    >>> path = os.path.join(tempfile.mkdtemp(), "model.keras")
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> model.save(path)
    >>> keras.saving.load_weights(model, path)
    """
    path = path_of(filepath)
    if tf_checkpoint.is_there(path):
        _check_matching(path, False, by_name, objects_to_skip)
        return tf_checkpoint.load_weights(model, path, skip_mismatch, objects_to_skip)
    check_source(path)
    kind = kind_of(path)
    check_built(model, "load")
    _check_matching(path, kind in _OLD, by_name, objects_to_skip)
    if kind in _OLD:
        _OLD[kind].load_weights(model, path, skip_mismatch, by_name)
        return None
    if kind in ("archive", "folder"):
        archive.load_weights(model, path, skip_mismatch, objects_to_skip)
    elif kind in _WEIGHTS:
        _WEIGHTS[kind].load_weights(model, path, skip_mismatch, objects_to_skip)
    else:
        raise not_loadable(path, kind, "weights")
    return None


def _check_matching(
    path: str, lists_layers: bool, by_name: bool, objects_to_skip: Iterable[Any]
) -> None:
    """Raise ValueError for a way of matching layers that the file's format does not have."""
    if lists_layers and list(objects_to_skip):
        raise ValueError(
            f"{path} lists layers by name, so `objects_to_skip` does not apply to it. Pass by_name=True, and give the layers "
            "to skip names that the file does not have."
        )
    if by_name and not lists_layers:
        raise ValueError(
            f"{path} does not list layers by name, so `by_name` does not apply to it: only `.h5` files of before Keras 3 do. "
            "Use skip_mismatch=True or objects_to_skip."
        )


# The modules that read weights, by kind of file.
_WEIGHTS: dict[str, Any] = {"hdf5": weights_h5, "shards": sharded, "safetensors": safetensors}
# The modules that read what was written before Keras 3.
_OLD: dict[str, Any] = {"legacy": legacy_h5, "saved model": saved_model}


def _check_options(options: dict[str, Any]) -> None:
    """Accept what Keras accepts besides, and refuse the rest."""
    options.pop("save_format", None)
    if options:
        listed = ", ".join(map(repr, options))
        raise ValueError(f"save_model received unknown arguments: {listed}.")


def _check_folder(path: str, overwrite: bool) -> None:
    if path.endswith(".keras"):
        raise ValueError(
            f"With zipped=False give the name of a folder, without `.keras`; received {path!r}."
        )
    _check_free(path, overwrite)


def check_built(model: Layer, what: str) -> None:
    """Raise ValueError for a model without weights."""
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} has no weights yet: call it on data or build it, then {what}."
        )


def check_target(path: str, overwrite: bool) -> None:
    """Raise an error where a file can't be written at `path`."""
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a folder; give the name of a file in it.")
    _check_free(path, overwrite)


def _check_free(path: str, overwrite: bool) -> None:
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path} exists already; delete it, or pass overwrite=True.")
