"""LAPACK between kernels, on one thread.

The workers of OpenBLAS go on spinning for up to a tenth of a second after a call, and those of OpenMP for some
milliseconds. A small decomposition that follows a kernel would gain little from them, and what comes next, if it is a
kernel again, would share its CPUs with threads that only wait: passes take twice as long.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sklearn.utils.parallel import _get_threadpool_controller


@contextmanager
def serial_blas(n_threads: int) -> Iterator[None]:
    """Let BLAS and LAPACK use one thread.

    The number is the whole process'. Threads that limit it at the same time would restore each other's limits, so that
    only the main thread does.

    Parameters
    ----------
    n_threads : int
        The threads of the kernels around it. With one there is nothing to limit: what is small enough for that is too
        small for BLAS to start threads.
    """
    if n_threads <= 1 or threading.current_thread() is not threading.main_thread():
        yield
        return
    with _get_threadpool_controller().limit(limits=1, user_api="blas"):
        yield
