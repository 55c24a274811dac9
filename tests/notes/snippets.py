"""The scripts of the course notes, line for line, and what the notes show them print.

Where a line is indented, the notes' document has a no-break space for every other space: a reader who
copies a script gets these as well. `as_copied` puts them in, to the letter; here they would only be
invisible, and lost in the first editor.
"""

from __future__ import annotations

import re


def as_copied(script: str) -> str:
    """The script with the very characters of the notes' document."""
    return re.sub(r"^ +", lambda m: m[0].replace("  ", "\u00a0 "), script, flags=re.M)


SHAPE = """\
from tensorflow.keras.datasets import mnist
import matplotlib.pyplot as plt

# Tải dữ liệu
(x_train, y_train), (x_test, y_test) = mnist.load_data()

print(x_test.shape)
"""
SHAPE_PRINTS = "(10000, 28, 28)\n"

LOAD = """\
from tensorflow.keras.datasets import mnist

# Tải dữ liệu
(x_train, y_train), (x_test, y_test) = mnist.load_data()
print(type(x_train), type(y_train))
"""
LOAD_PRINTS = "<class 'numpy.ndarray'> <class 'numpy.ndarray'>\n"

PICTURE = """\
from tensorflow.keras.datasets import mnist
import matplotlib.pyplot as plt

# Tải dữ liệu
(x_train, y_train), (x_test, y_test) = mnist.load_data()

plt.imshow(x_train[0], cmap='gray')
plt.show()
# in ra ảnh viết tay số 5
"""

# A fragment, shown before the whole script below it.
CHANNEL = """\
x_train = x_train.reshape(-1, 28, 28, 1)
x_test  = x_test.reshape(-1, 28, 28, 1)
"""

RESHAPE = """\
from tensorflow.keras.datasets import mnist
import matplotlib.pyplot as plt

# Tải dữ liệu
(x_train, y_train), (x_test, y_test) = mnist.load_data()
print(x_train.shape)

x_train = x_train.reshape(-1, 28, 28, 1)
print(x_train.shape)
"""
RESHAPE_PRINTS = """\
(60000, 28, 28)
(60000, 28, 28, 1)
"""

ONE_HOT = """\
from tensorflow.keras.datasets import mnist
from tensorflow.keras.utils import to_categorical

# Tải dữ liệu
(x_train, y_train), (x_test, y_test) = mnist.load_data()

y_train = to_categorical(y_train, num_classes=10)
for i in range(5):
    print(y_train[i])
"""
ONE_HOT_PRINTS = """\
[0. 0. 0. 0. 0. 1. 0. 0. 0. 0.]
[1. 0. 0. 0. 0. 0. 0. 0. 0. 0.]
[0. 0. 0. 0. 1. 0. 0. 0. 0. 0.]
[0. 1. 0. 0. 0. 0. 0. 0. 0. 0.]
[0. 0. 0. 0. 0. 0. 0. 0. 0. 1.]
"""

EXAMPLE = """\
import tensorflow as tf
from tensorflow.keras import layers, models

# Tải dữ liệu
(X_train, y_train), (X_test, y_test) = tf.keras.datasets.mnist.load_data()

# Chuẩn hóa và reshape lại ảnh
X_train = X_train.reshape(-1, 28, 28, 1) / 255.0
X_test = X_test.reshape(-1, 28, 28, 1) / 255.0

# Xây dựng mô hình CNN
model = models.Sequential([
    layers.Conv2D(32, (3, 3), activation='relu', input_shape=(28, 28, 1)),
    layers.MaxPooling2D((2, 2)),
    layers.Conv2D(64, (3, 3), activation='relu'),
    layers.MaxPooling2D((2, 2)),
    layers.Flatten(),
    layers.Dense(64, activation='relu'),
    layers.Dense(10, activation='softmax')
])

# Compile mô hình
model.compile(optimizer='adam',
              loss='sparse_categorical_crossentropy',
              metrics=['accuracy'])

# Huấn luyện mô hình
model.fit(X_train, y_train, epochs=5, validation_data=(X_test, y_test))

# Đánh giá
test_loss, test_acc = model.evaluate(X_test, y_test)
print(f'Độ chính xác trên tập test: {test_acc:.2f}')
"""
