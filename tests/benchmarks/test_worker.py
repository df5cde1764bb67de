"""What happens inside a worker: short calls are looped, memory and other programs' work are seen."""

import subprocess
import sys
import time

import pytest

from benchmarks.disturbance import PROC, Watch
from benchmarks.memory import peak_growth
from benchmarks.worker import calls_per_sample


def test_short_calls_are_repeated_until_a_sample_is_long_enough():
    assert calls_per_sample(lambda: time.sleep(0.001), sample_seconds=0.02) in range(10, 25)


def test_a_long_call_is_a_sample_of_its_own():
    assert calls_per_sample(lambda: time.sleep(0.02), sample_seconds=0.01) == 1


def test_memory_freed_before_the_end_of_the_call_counts():
    def call():
        block = b"x" * (64 << 20)
        del block

    assert peak_growth(call) >= 63 << 20  # the kernel's counts are some hundred kB off


def test_memory_held_before_the_call_does_not_count():
    block = b"x" * (64 << 20)
    assert peak_growth(lambda: len(block)) < 8 << 20


@pytest.mark.skipif(not (PROC / "stat").exists(), reason="only Linux keeps accounts of CPU time in /proc")
def test_a_program_running_beside_a_worker_disturbs_it():
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        watch = Watch(worker.pid)
        time.sleep(0.5)
        assert watch.disturbed()
    finally:
        for process in (worker, other):
            process.kill()
            process.wait()
