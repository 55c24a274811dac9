"""All targets; whoever imports this finds them in `TARGETS`."""

from tests.fuzz import checkpoints, configs, folders, hdf5, safetensors, zips

__all__ = ["checkpoints", "configs", "folders", "hdf5", "safetensors", "zips"]
