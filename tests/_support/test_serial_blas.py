"""BLAS on one thread, for as long as it is asked for."""

import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from fastml._support.serial_blas import serial_blas


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


def test_limit():
    assert blas_threads() == {2}
    with serial_blas(2):
        assert blas_threads() == {1}
        with serial_blas(2):
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {2}
    with pytest.raises(KeyboardInterrupt), serial_blas(2):
        raise KeyboardInterrupt
    assert blas_threads() == {2}
    with serial_blas(1):
        assert blas_threads() == {2}


def test_other_threads_leave_the_limit_alone():
    seen = []

    def work():
        with serial_blas(2):
            seen.append(blas_threads())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [{2}]
    assert blas_threads() == {2}
