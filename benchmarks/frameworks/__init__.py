"""The frameworks that are timed, one file each; nothing of theirs is imported here.

Each file is imported by a worker process of its own, under the Python that has that framework,
and offers `open_session(case, x, y)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Framework:
    """Where a framework's session is, and how its process is to be started."""

    name: str
    title: str
    module: str  # dotted path of the file with `open_session`
    packages: tuple[str, ...]  # whose versions go into the report
    import_line: str  # what a user's script begins with
    environment: Mapping[str, str] = field(default_factory=dict)
    default: bool = True  # False: only when asked for by name


HORNBEAM = "hornbeam"

_QUIET_TENSORFLOW = {"TF_CPP_MIN_LOG_LEVEL": "3"}

FRAMEWORKS: dict[str, Framework] = {
    framework.name: framework
    for framework in (
        Framework(
            name=HORNBEAM,
            title="Hornbeam",
            module="benchmarks.frameworks.hornbeam",
            packages=("hornbeam", "jax", "numpy"),
            import_line="import hornbeam",
        ),
        Framework(
            name="keras-tensorflow",
            title="Keras on TensorFlow",
            module="benchmarks.frameworks.keras_tensorflow",
            packages=("keras", "tensorflow-cpu", "numpy"),
            import_line="import tensorflow, keras",
            environment={"KERAS_BACKEND": "tensorflow", **_QUIET_TENSORFLOW},
        ),
        Framework(
            name="keras-jax",
            title="Keras on JAX",
            module="benchmarks.frameworks.keras_jax",
            packages=("keras", "jax", "numpy"),
            import_line="import keras",
            environment={"KERAS_BACKEND": "jax", **_QUIET_TENSORFLOW},
        ),
        Framework(
            name="keras-torch",
            title="Keras on PyTorch",
            module="benchmarks.frameworks.keras_torch",
            packages=("keras", "torch", "numpy"),
            import_line="import keras",
            environment={"KERAS_BACKEND": "torch", **_QUIET_TENSORFLOW},
            default=False,
        ),
        Framework(
            name="pytorch",
            title="PyTorch",
            module="benchmarks.frameworks.pytorch",
            packages=("torch", "numpy"),
            import_line="import torch",
        ),
        Framework(
            name="pytorch-compiled",
            title="PyTorch, torch.compile",
            module="benchmarks.frameworks.pytorch_compiled",
            packages=("torch", "numpy"),
            import_line="import torch",
            default=False,
        ),
    )
}

__all__ = ["FRAMEWORKS", "HORNBEAM", "Framework"]
