"""Expressions of the tables whose answers differ from TensorFlow's, with the reasons.

`python -m tests.tensors.test_printed` lists those that have come to agree.
"""

from __future__ import annotations

DIFFERENT: list[tuple[str, list[str]]] = [
    (
        "Strings are not tensors yet.",
        [
            'repr(tf.constant("a"))',
            'str(tf.constant("a"))',
            'repr(tf.constant(["a",b"b"]))',
            'str(tf.constant(["a",b"b"]))',
            'tf.constant("a").numpy()',
            'repr(tf.constant("é"))',
            'repr(tf.Variable("a"))',
            'tf.constant("a")+"b"',
            'tf.debugging.assert_shapes([(tf.ones(3),("n","n"))])',
            'tf.cast("a", tf.float32)',
            'tf.strings.split("a b")',
            'tf.strings.join(["a","b"])',
            'tf.strings.upper("a")',
            'tf.constant("a") == "a"',
            'tf.constant(["a","b"]) == "a"',
            'tf.convert_to_tensor("a", dtype_hint=tf.float32)',
        ],
    ),
    (
        "An error of another class.",
        [
            'tf.constant(["a"]).numpy()',
            "tf.Variable(1.0).device",
            "tf.constant([1.0]).consumers()",
            "[10, 20, 30][tf.constant(1.0)]",
            "tf.constant([1, 2]) == tf.constant([1, 2, 3])",
            "tf.constant([1, 2]) != tf.constant([1, 2, 3])",
            "memoryview(tf.constant([1, 2])).tolist()",
        ],
    ),
    (
        "Classes of Hornbeam stand in its own modules, and are more than those of TensorFlow.",
        [
            "type(tf.constant(1.0)).__module__",
            "tf.errors.InvalidArgumentError.__mro__",
        ],
    ),
    (
        "It can be done here.",
        [
            "repr(tf.Variable(1.0))",
            "str(tf.Variable(1.0))",
            'tf.Variable(1.0, name="w").name',
            "tf.Variable(1.0).name",
            "round(tf.constant(3.7))",
            'f"{tf.Variable(1.0)}"',
            'f"{tf.Variable(2.5):.1f}"',
            'f"{tf.Variable([1.0])}"',
            '"%s" % tf.Variable(1.0)',
            "hash(tf.Variable(1.0))",
            "len(tf.Variable([1.0]))",
            "tf.Variable([1, 2])[5]",
        ],
    ),
    (
        "Ragged and sparse tensors and data sets are made in other rooms.",
        [
            "repr(tf.ragged.constant([[1,2],[3]]))",
            "str(tf.ragged.constant([[1,2],[3]]))",
            'repr(tf.ragged.constant([["a"],["b","c"]]))',
            "repr(tf.SparseTensor([[0,1]],[1.0],[2,2]))",
            "str(tf.SparseTensor([[0,1]],[1.0],[2,2]))",
            'tf.strings.to_number("x")',
            'tf.io.read_file("/nonexistent")',
            "next(iter(tf.data.Dataset.range(0)))",
            "tf.ragged.constant([[1,2],[3]]).to_tensor()",
            "tf.ragged.constant([[1,2],[3]]).shape",
            "tf.ragged.constant([[1,2],[3]])[0]",
            "tf.ragged.constant([[1,2],[3]])+1",
            "tf.ragged.constant([[1,2],[3]]).row_lengths()",
            "tf.reduce_sum(tf.ragged.constant([[1,2],[3]]),axis=1)",
            "tf.ragged.constant([[1,2],[3]]).to_list()",
        ],
    ),
    (
        "64-bit types are served by their 32-bit kin.",
        [
            "repr(tf.constant(1+2j))",
            "repr(tf.constant(1, tf.int64))",
            "repr(tf.constant(1.0, tf.float64))",
            "tf.constant(2 ** 31)",
            "tf.constant(2 ** 63)",
        ],
    ),
    (
        "Types are promoted where TensorFlow wants a cast.",
        [
            "tf.constant(1.0)+tf.constant(1)",
            "tf.nn.softmax(tf.constant([1,2]))",
            "tf.one_hot(1.5, 3)",
            "tf.constant(1) == tf.constant(1.0)",
            "tf.constant([True, 1])",
            "tf.constant([True, 1.0])",
            "tf.constant(tf.constant(1.0), tf.int32)",
            "tf.convert_to_tensor(tf.constant(1), tf.float32)",
            "tf.convert_to_tensor(tf.Variable(1), tf.float32)",
        ],
    ),
    (
        "Hornbeam has no part that compares so.",
        [
            "tf.debugging.assert_equal(1,2)",
            'tf.debugging.assert_equal(1,2,message="m")',
            "tf.debugging.assert_positive(-1.0)",
            "tf.nest.map_structure(lambda a,b: 0, [1], [1,2])",
        ],
    ),
    (
        "Shapes are tuples.",
        [
            "(1,) + tf.TensorShape([3])",
            "bool(tf.TensorShape([]))",
        ],
    ),
    (
        "Types are names.",
        [
            "tf.bool.limits",
            "tf.DType(1)",
        ],
    ),
    (
        "Python's types are types.",
        [
            "tf.as_dtype(int)",
            "tf.as_dtype(str)",
            "tf.as_dtype(complex)",
        ],
    ),
    (
        "Lists may hold tensors.",
        [
            "tf.constant([tf.constant(1.0), 2.0])",
            "tf.constant([tf.constant(1.0), tf.constant(2)])",
        ],
    ),
]

# Errors of the same class, told in other words.
OWN_WORDS: list[str] = [
    "tf.Variable([1.0]).assign([1.0,2.0])",
    "tf.random.uniform([2], dtype=tf.int32)",
    'tf.TensorShape(["a"])',
    "tf.TensorShape([1.5])",
    'tf.TensorSpec("a")',
    'tf.TensorSpec([2], "no type")',
    "tf.bool.max",
    "tf.string.max",
    'tf.as_dtype("no type")',
    "tf.constant(1.0).nope",
    "tf.constant(1.0).T",
    "tf.constant([1.0]).tolist()",
    'tf.constant([1.0]).astype("int32")',
    "tf.constant([1.0]).reshape((1,))",
    "tf.constant([1.0]).size",
    "tf.constant([1.0]).mean()",
    "tf.constant([1.0]).item()",
    "tf.constant([1.0]).append(1)",
    "len(tf.Variable(1.0))",
    "int(tf.constant([3]))",
    "int(tf.constant([3, 4]))",
    "float(tf.constant([3.5]))",
    "float(tf.constant([3.5, 1.0]))",
    "[10, 20, 30][tf.constant([1])]",
    'tf.constant(1.0) == "a"',
    "tf.constant(1.0) < None",
    "tf.constant(1.0) + None",
    "tf.constant(1.0) + object()",
    'tf.constant([1, "a"])',
    'tf.constant(["a", 1])',
    'tf.constant("a", tf.int32)',
    "tf.constant([1, 2, 3], shape=(2, 2))",
    'tf.constant(1, dtype="no type")',
    "tf.convert_to_tensor((1, (2, 3)))",
    "tf.convert_to_tensor(1, preferred_dtype=tf.float32)",
]
