"""The thread decision: each of its limits, and the places where nested parallelism must not oversubscribe."""

import math
import multiprocessing
import os
import subprocess
import sys
import threading
import timeit

import joblib
import pytest
from threadpoolctl import threadpool_limits

import fastml
from fastml._support import threads
from fastml._support.threads import WORK_PER_THREAD, n_threads


@pytest.fixture
def eight_cpus(monkeypatch):
    """A machine of eight CPUs, whose OpenMP has noticed."""
    monkeypatch.setattr(threads, "_read_cpus", lambda: 8)
    monkeypatch.setattr(threads, "_cpus_read_at", -math.inf)
    monkeypatch.setattr(threads._core, "omp_max_threads", lambda: 8)
    with fastml.config_context():
        fastml._support.config.current()["n_threads"] = None
        yield
    threads._cpus_read_at = -math.inf


def test_by_default_all_cpus(eight_cpus):
    assert n_threads() == 8


def test_the_openmp_maximum_limits(eight_cpus, monkeypatch):
    monkeypatch.setattr(threads._core, "omp_max_threads", lambda: 3)
    assert n_threads() == 3


def test_openmp_asked_for_more_than_the_cpus(eight_cpus, monkeypatch):
    monkeypatch.setattr(threads._core, "omp_max_threads", lambda: 64)
    assert n_threads() == 8


def test_the_setting_limits(eight_cpus):
    with fastml.config_context(n_threads=2):
        assert n_threads() == 2
        assert n_threads(n_jobs=-1) == 2
    with fastml.config_context(n_threads=100):
        assert n_threads() == 8


@pytest.mark.parametrize(
    ("n_jobs", "expected"), [(None, 8), (1, 1), (5, 5), (-1, 8), (-2, 7), (-8, 1), (-20, 1), (100, 8)]
)
def test_n_jobs_counts_as_in_joblib(eight_cpus, n_jobs, expected):
    assert n_threads(n_jobs) == expected


def test_n_jobs_takes_the_place_of_the_openmp_maximum(eight_cpus, monkeypatch):
    monkeypatch.setattr(threads._core, "omp_max_threads", lambda: 1)
    assert n_threads(n_jobs=4) == 4


def test_no_jobs_is_an_error():
    with pytest.raises(ValueError, match="n_jobs must not be 0: give -1 for all CPUs"):
        n_threads(n_jobs=0, work=1)


@pytest.mark.parametrize(
    ("work", "expected"),
    [(0, 1), (2 * WORK_PER_THREAD - 1, 1), (2 * WORK_PER_THREAD, 2), (5.5 * WORK_PER_THREAD, 5), (1e15, 8)],
)
def test_no_more_threads_than_the_work_is_worth(eight_cpus, work, expected):
    assert n_threads(work=work) == expected


def test_threadpoolctl_limits_openmp():
    with threadpool_limits(limits=1, user_api="openmp"):
        assert n_threads() == 1


def test_a_thread_without_joblib_gets_what_the_main_thread_gets(eight_cpus):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(n_threads()))
    thread.start()
    thread.join()
    assert seen == [8]


def test_joblib_worker_threads_get_one_each(eight_cpus):
    parallel = joblib.Parallel(n_jobs=2, backend="threading")
    assert parallel(joblib.delayed(n_threads)(n_jobs) for n_jobs in (None, None, -1, 4)) == [1, 1, 1, 1]
    assert n_threads() == 8


def test_joblib_in_sequence_is_not_nested(eight_cpus):
    assert joblib.Parallel(n_jobs=1)(joblib.delayed(n_threads)() for _ in range(2)) == [8, 8]


def test_joblib_worker_processes_share_the_cpus():
    n_cpus = joblib.cpu_count()
    parallel = joblib.Parallel(n_jobs=n_cpus, backend="loky")
    assert parallel(joblib.delayed(n_threads)(n_jobs) for n_jobs in (None, -1, None, -1)) == [1, 1, 1, 1]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no CPU affinity")
def test_affinity_is_honoured():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from fastml._support.threads import n_threads, available_cpus; print(available_cpus(), n_threads())"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.split() == ["1", "1"]


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, math.inf),
        ({"proc/self/cgroup": "0::/\n"}, math.inf),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}, math.inf),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/cpu.max": "200000 100000\n",
                "sys/fs/cgroup/a/b/cpu.max": "300000 100000\n",
            },
            2.0,
        ),
        # In a container the path may be the host's, and only the mount itself be there.
        ({"proc/self/cgroup": "0::/docker/1f2e\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 0.5),
        (
            {
                "proc/self/cgroup": "5:memory:/m\n4:cpu,cpuacct:/c\n1:name=systemd:/\n",
                "sys/fs/cgroup/cpu/c/cpu.cfs_quota_us": "400000\n",
                "sys/fs/cgroup/cpu/c/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            4.0,
        ),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "nonsense\n"}, math.inf),
    ],
)
def test_control_group_quota(tmp_path, files, quota):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert threads.cgroup_quota(tmp_path) == quota


def test_a_quota_rounds_up_and_leaves_one(monkeypatch):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda pid: set(range(6)), raising=False)
    for quota, expected in [(math.inf, 6), (2.5, 3), (0.1, 1), (40.0, 6)]:
        monkeypatch.setattr(threads, "cgroup_quota", lambda quota=quota: quota)
        assert threads._read_cpus() == expected


def _in_child(queue):
    queue.put((n_threads(), n_threads(n_jobs=-1)))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
@pytest.mark.parametrize(("team_started", "expected"), [(True, (1, 1)), (False, (8, 8))])
def test_a_forked_child_is_serial_when_the_parent_had_a_team(eight_cpus, monkeypatch, team_started, expected):
    # GNU's OpenMP would wait there for threads that the fork did not copy.
    monkeypatch.setattr(threads, "_team_started", team_started)
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    assert queue.get() == expected
    child.join()


def test_a_team_is_noted(eight_cpus, monkeypatch):
    monkeypatch.setattr(threads, "_team_started", False)
    n_threads(work=1)
    n_threads(n_jobs=1)
    assert not threads._team_started
    n_threads()
    assert threads._team_started


def test_the_decision_is_cheap():
    # It takes 0.5 to 1 us; the bound leaves room for slower and busy machines.
    assert min(timeit.repeat(lambda: n_threads(work=1e9), number=5000, repeat=7)) / 5000 < 5e-6
