"""TensorFlow's names on JAX: `import hornbeam as tf`.

>>> import hornbeam as tf
>>> tf.nn.relu(tf.constant([-1.0, 2.0])).numpy()
array([0., 2.], dtype=float32)
"""

from hornbeam import keras
from hornbeam.core.faces import missing_names

__version__ = "0.1.0"

__all__ = ["keras"]

__getattr__ = missing_names(__name__)
