"""The frameworks that are timed, a file for each library; nothing of theirs is imported here.

Each file is imported by a worker process of its own, under the Python that has that framework,
and offers `open_session(case, x, y)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Framework:
    """Where a framework's session is, and how its process is to be started."""

    name: str
    title: str
    module: str  # dotted path of the file with `open_session`
    packages: tuple[str, ...]  # whose versions go into the report
    import_line: str  # what a user's script begins with
    environment: Mapping[str, str] = field(default_factory=dict)
    # False: only when asked for by name; a tuple: unasked with these models alone.
    default: bool | tuple[str, ...] = True

    def is_default(self, model: str | None = None) -> bool:
        """Whether it takes part, with a model or without one, where nobody names frameworks."""
        return self.default is True or (self.default is not False and model in self.default)


HORNBEAM = "hornbeam"
BEFORE = "hornbeam-before"
"""An earlier Hornbeam, installed under another Python: what a change did to the speed."""


def _hornbeam(name: str, title: str, **options: Any) -> Framework:
    """Hornbeam, as the Python of that name has it."""
    return Framework(
        name=name,
        title=title,
        module="benchmarks.frameworks.hornbeam",
        packages=("hornbeam", "jax", "numpy"),
        import_line="import hornbeam",
        **options,
    )


def _keras(backend: str, title: str, package: str, **options: Any) -> Framework:
    """Keras on a backend, which the package brings."""
    return Framework(
        name=f"keras-{backend}",
        title=f"Keras on {title}",
        module="benchmarks.frameworks.keras_backends",
        packages=("keras", package, "numpy"),
        environment={"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        **{"import_line": "import keras", **options},
    )


FRAMEWORKS: dict[str, Framework] = {
    framework.name: framework
    for framework in (
        _hornbeam(HORNBEAM, "Hornbeam"),
        _hornbeam(BEFORE, "Hornbeam before", default=False),
        _keras(
            *("tensorflow", "TensorFlow", "tensorflow-cpu"),
            import_line="import tensorflow, keras",
        ),
        _keras("jax", "JAX", "jax"),
        # Its recurrent layers are loops in Python, minutes for a round.
        _keras("torch", "PyTorch", "torch", default=("resnet20", "transformer")),
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

__all__ = ["BEFORE", "FRAMEWORKS", "HORNBEAM", "Framework"]
