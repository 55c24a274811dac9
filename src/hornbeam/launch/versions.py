"""The release of TensorFlow whose public API Hornbeam follows; scripts compare `tf.__version__`."""

TENSORFLOW = "2.21.0"
