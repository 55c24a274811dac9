"""Names of devices taken apart, and sections for one thread. The answers are TensorFlow's."""

import threading

import pytest

import hornbeam as tf

NAMES = {
    "/job:worker/replica:0/task:1/device:GPU:3": ("worker", 0, 1, "GPU", 3),
    "/cpu:0": (None, None, None, "CPU", 0),
    "/device:CPU:*": (None, None, None, "CPU", None),
    "": (None, None, None, None, None),
    "/job:a/task:2": ("a", None, 2, None, None),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_taken_apart(name):
    spec = tf.DeviceSpec.from_string(name)
    found = spec.job, spec.replica, spec.task, spec.device_type, spec.device_index
    assert found == NAMES[name]
    assert spec.to_string() == name.replace("/cpu:", "/device:CPU:")
    assert tf.DeviceSpec(*found) == spec and hash(tf.DeviceSpec(*found)) == hash(spec)


def test_specifications_are_merged():
    a, b = (
        tf.DeviceSpec(job="a", device_type="cpu"),
        tf.DeviceSpec(device_type="GPU", device_index=1),
    )
    assert a.make_merged_spec(b).to_string() == "/job:a/device:GPU:1"
    assert a.replace(job="z").to_string() == "/job:z/device:CPU:*"
    for wrong in ("nonsense", "/cpu:x"):
        with pytest.raises(ValueError, match=wrong):
            tf.DeviceSpec.from_string(wrong)


def test_one_thread_at_a_time_is_in_a_section():
    section, inside, most = tf.CriticalSection(name="c"), [0], [0]

    def enter():
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        threading.Event().wait(0.002)
        inside[0] -= 1

    threads = [threading.Thread(target=section.execute, args=[enter]) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert most == [1] and section.name == "c"
