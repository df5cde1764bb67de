"""Large results of kernels are made in memory that is used again, never while somebody still holds it."""

import gc
import threading

import numpy as np

from fastml import _core, nn

SIZE = (300, 400)  # above the least size that is kept


def doubled(x):
    return _core.nn_add(x, x, 1)


def test_memory_is_used_again_once_nobody_holds_it():
    nn.release_memory()
    x = np.ones(SIZE)
    y = doubled(x)
    address, row = y.ctypes.data, y[7]
    del y
    gc.collect()
    other = doubled(x)
    assert other.ctypes.data != address  # `row` holds the first one
    np.testing.assert_array_equal(row, 2)
    del row
    gc.collect()
    assert _core.kept_memory() >= x.nbytes
    assert doubled(x + 1).ctypes.data == address
    nn.release_memory()
    assert _core.kept_memory() == 0
    np.testing.assert_array_equal(other, 2)


def test_results_belong_to_their_holder():
    x = np.ones(SIZE)
    y = doubled(x)
    y += 1  # as any new array it can be written to
    z = doubled(x)
    np.testing.assert_array_equal(y, 3)
    np.testing.assert_array_equal(z, 2)


def test_a_gradient_outlives_the_step():
    x = nn.Tensor(np.ones(SIZE), requires_grad=True)
    (x + x).sum().backward()
    gradient = x.grad
    for _ in range(3):
        y = nn.Tensor(np.full(SIZE, 5.0), requires_grad=True)
        (y + y).backward(np.full(SIZE, 7.0))
    np.testing.assert_array_equal(gradient, 2)


def test_fit_gives_it_back():
    nn.release_memory()
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(256, 1, 16, 16)).astype(np.float32), rng.integers(0, 3, 256)
    net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 256, 3))
    nn.fit(net, X, y, nn.CrossEntropyLoss(), nn.optim.Adam(net.parameters()), epochs=1, batch_size=128)
    assert _core.kept_memory() == 0


def test_threads_take_blocks_of_their_own():
    wrong = []

    def work(value):
        for _ in range(50):
            y = doubled(np.full(SIZE, value))
            if not (y == 2 * value).all():
                wrong.append(value)

    team = [threading.Thread(target=work, args=(float(t),)) for t in range(4)]
    for one in team:
        one.start()
    for one in team:
        one.join()
    assert not wrong
