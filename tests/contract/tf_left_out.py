"""TensorFlow's public names that Hornbeam does not have, by reason; `tf.room.*` stands for whatever is missing there.

`LEFT_OUT` is final: a name of it that appears has to leave the list. `TO_COME` is a list of work.
"""

LEFT_OUT = {
    "graphs of TensorFlow 1: there is no graph to build, to read or to place operations in": """
        tf.Graph tf.Operation tf.RegisterGradient tf.import_graph_def tf.no_gradient tf.variable_creator_scope tf.AggregationMethod
        tf.make_ndarray tf.make_tensor_proto tf.test.assert_equal_graph_def
        tf.test.with_eager_op_as_function""",
    "plug-ins compiled against TensorFlow's C++": "tf.load_library tf.load_op_library",
    "quantized types, which TensorFlow itself no longer computes with, and handles of its C++ resources": """
        tf.qint8 tf.qint16 tf.qint32 tf.quint8 tf.quint16 tf.resource tf.variant tf.dtypes.qint8 tf.dtypes.qint16
        tf.dtypes.qint32 tf.dtypes.quint8 tf.dtypes.quint16 tf.dtypes.resource tf.dtypes.variant tf.dtypes.QUANTIZED_DTYPES""",
    "raw operations that TensorFlow 2.21 shows by accident beside the documented ones of tf.nn, tf.math, tf.ragged and tf.random": """
        tf.approx_top_k tf.conv tf.conv2d_backprop_filter_v2 tf.conv2d_backprop_input_v2 tf.check_pinned
        tf.ragged_fill_empty_rows tf.ragged_fill_empty_rows_grad tf.random_index_shuffle""",
    "clusters of several machines and servers that batch requests": """
        tf.nondifferentiable_batch_function tf.config.experimental_connect_to_cluster
        tf.config.experimental_connect_to_host tf.test.create_local_cluster""",
    "needs a table of a hundred thousand direction numbers": "tf.math.sobol_sample",
    "TensorFlow's own benchmarks": "tf.test.Benchmark tf.test.benchmark_config",
}

TO_COME = {
    "strings, ragged and sparse tensors": """tf.RaggedTensor tf.RaggedTensorSpec tf.SparseTensor tf.SparseTensorSpec
        tf.keras.backend.ctc_label_dense_to_sparse tf.edit_distance tf.fingerprint tf.sets.*""",
}
