"""`tf.DeviceSpec`: the name of a device, taken apart."""

from __future__ import annotations

from typing import Any


class DeviceSpec:
    """The parts of a device's name, such as "/job:worker/replica:0/task:1/device:CPU:0"; what is None is left open.

    >>> import hornbeam as tf
    >>> tf.DeviceSpec(job="worker", device_type="CPU", device_index=0).to_string()
    '/job:worker/device:CPU:0'
    """

    def __init__(
        self,
        job: str | None = None,
        replica: int | None = None,
        task: int | None = None,
        device_type: str | None = None,
        device_index: int | None = None,
    ) -> None:
        """`device_type` is "CPU" or "GPU"."""
        self.job = None if job is None else str(job)
        self.replica = None if replica is None else int(replica)
        self.task = None if task is None else int(task)
        self.device_type = None if device_type is None else str(device_type).upper()
        self.device_index = None if device_index is None else int(device_index)

    @classmethod
    def from_string(cls, spec: str) -> DeviceSpec:
        """Return the parts of a name. Raises ValueError for what is no name of a device.

        >>> import hornbeam as tf
        >>> tf.DeviceSpec.from_string("/gpu:1").device_index
        1
        """
        found: dict[str, Any] = {}
        for part in filter(None, spec.split("/")):
            name, *values = part.split(":")
            if name in ("job", "replica", "task") and len(values) == 1:
                found[name] = values[0]
            elif name == "device" and len(values) == 2:
                found["device_type"], found["device_index"] = values
            elif name.upper() in ("CPU", "GPU") and len(values) == 1:
                found["device_type"], found["device_index"] = name, values[0]
            else:
                raise ValueError(
                    f"Unknown attribute '{name}' is encountered while parsing the device spec: '{spec}'."
                )
        known = {name: value for name, value in found.items() if value != "*"}
        try:
            return cls(**known)
        except ValueError:
            raise ValueError(
                f"`replica`, `task` and the device are numbered; received '{spec}'."
            ) from None

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """Return the parts of a name, as `from_string`; this object does not change."""
        return self.from_string(spec)

    def to_string(self) -> str:
        """Return the name."""
        parts = [f"/{key}:{getattr(self, key)}" for key in ("job", "replica", "task") if getattr(self, key) is not None]  # fmt: skip
        if self.device_type is not None:
            index = "*" if self.device_index is None else self.device_index
            parts.append(f"/device:{self.device_type}:{index}")
        return "".join(parts)

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """Return the parts of `dev`, and those of this one where `dev` leaves them open."""
        merged = {**self._parts(), **{k: v for k, v in dev._parts().items() if v is not None}}
        return DeviceSpec(**merged)

    def replace(self, **kwargs: Any) -> DeviceSpec:
        """Return a copy with other parts."""
        return DeviceSpec(**{**self._parts(), **kwargs})

    def _parts(self) -> dict[str, Any]:
        names = ("job", "replica", "task", "device_type", "device_index")
        return {name: getattr(self, name) for name in names}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceSpec) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(tuple(self._parts().values()))

    def __repr__(self) -> str:
        return (
            f"<DeviceSpec({', '.join(f'{key}={value}' for key, value in self._parts().items())})>"
        )
