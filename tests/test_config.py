"""`tf.config` says what is so, and refuses or warns of what can't be changed."""

import pytest

import hornbeam as tf

CPUS = tf.config.list_physical_devices


def test_all_devices_are_visible():
    tf.config.set_visible_devices(CPUS("CPU"), "CPU")
    with pytest.raises(NotImplementedError, match="JAX_PLATFORMS"):
        tf.config.set_visible_devices([], "CPU")
    with pytest.raises(ValueError, match="Unrecognized"):
        tf.config.set_visible_devices([tf.config.PhysicalDevice("/physical_device:GPU:7", "GPU")])


def test_threads_are_fixed_when_the_process_starts():
    tf.config.threading.set_inter_op_parallelism_threads(0)
    with pytest.warns(UserWarning, match="taskset"):
        tf.config.threading.set_intra_op_parallelism_threads(2)
    assert tf.config.threading.get_intra_op_parallelism_threads() == 0


def test_devices_are_not_divided():
    (device, *_) = CPUS("CPU")
    tf.config.set_logical_device_configuration(device, [tf.config.LogicalDeviceConfiguration()])
    with pytest.raises(NotImplementedError, match="XLA_FLAGS"):
        tf.config.set_logical_device_configuration(
            device, [tf.config.LogicalDeviceConfiguration()] * 2
        )


@pytest.mark.parametrize("name", ["CPU", "CPU:0", "/device:CPU:0", "cpu:0"])
def test_memory_of_a_device_by_name(name):
    assert tf.config.experimental.get_memory_usage(name) == 0


@pytest.mark.parametrize("name", ["CPU:99", "TPU:0", "x"])
def test_devices_that_do_not_exist(name):
    with pytest.raises(ValueError, match="No matching devices"):
        tf.config.experimental.get_memory_info(name)


def test_programs_are_always_compiled():
    tf.config.optimizer.set_jit("autoclustering")
    with pytest.raises(NotImplementedError, match="run_functions_eagerly"):
        tf.config.optimizer.set_jit(False)


def test_options_of_the_optimizer_are_kept():
    tf.config.optimizer.set_experimental_options({"remapping": False})
    assert tf.config.optimizer.get_experimental_options()["remapping"] is False


def test_factors_of_products_can_be_kept_exact():
    experimental = tf.config.experimental
    experimental.enable_tensor_float_32_execution(False)
    assert not experimental.tensor_float_32_execution_enabled()
    experimental.enable_tensor_float_32_execution(True)
    assert experimental.tensor_float_32_execution_enabled()
