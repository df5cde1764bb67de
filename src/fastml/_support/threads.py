"""The one decision on the number of threads of a kernel.

A call gets the least of

* the CPUs the process may use: its affinity and the CPU quota of its control group (containers),
* the OpenMP maximum, which ``OMP_NUM_THREADS``, threadpoolctl and joblib's process workers set,
* the setting ``n_threads`` (:func:`fastml.config_context`, ``FASTML_NUM_THREADS``),
* what its work is worth.

An estimator's ``n_jobs``, when given, takes the place of the OpenMP maximum, as it does in scikit-learn; inside a
joblib worker the maximum stays, as it is joblib's means against oversubscription. joblib's worker *threads* get one
thread each.
"""

import math
import os
import sys
import threading
import time
from pathlib import Path, PurePosixPath

from fastml import _core
from fastml._support import config

WORK_PER_THREAD = 400_000
"""Scalar operations (multiply-adds, compares) below which a further thread costs more than it brings.

Measured on a Zen 4 with GCC's libgomp: entering and leaving a parallel region takes 1-2.5 us while the team still spins
and 23-28 us at best once it sleeps; a vectorised multiply-add loop over L1 does 17 operations a nanosecond, so that
400,000 operations are those 24 us. Two threads start at 800,000.
"""

_WORK_OF_VALUE = 8
"""Scalar operations that a value counts as where memory is what a call waits for."""

_CPUS_VALID_FOR = 1.0
"""Seconds for which a reading of affinity and quota is kept: it takes 100 us, and they hardly ever change."""

_cpus = 1
_cpus_read_at = -math.inf
_team_started = False
_forked_with_team = False


def available_cpus() -> int:
    """Return the number of CPUs that this process may use, at least 1.

    Returns
    -------
    n_cpus : int
        The CPUs of the process' affinity mask, or fewer when a control group's quota (version 1 or 2) allows fewer.
        A quota of 2.5 CPUs counts as 3.
    """
    global _cpus, _cpus_read_at
    now = time.monotonic()
    if now - _cpus_read_at > _CPUS_VALID_FOR:
        _cpus = _read_cpus()
        _cpus_read_at = now
    return _cpus


def _read_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        n_cpus = len(os.sched_getaffinity(0))
    else:
        n_cpus = os.cpu_count() or 1
    quota = cgroup_quota()
    return n_cpus if math.isinf(quota) else max(1, min(n_cpus, math.ceil(quota)))


def cgroup_quota(root: str | Path = "/") -> float:
    """Return how many CPUs the control groups of this process allow, ``inf`` without a limit.

    Parameters
    ----------
    root : str or Path, default="/"
        The directory that holds ``proc`` and ``sys``.

    Returns
    -------
    n_cpus : float
        The least quota, in CPUs, of the process' own control group and those around it.
    """
    root = Path(root)
    least = math.inf
    try:
        memberships = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return least
    for membership in memberships:
        _, controllers, path = membership.split(":", 2)
        if not controllers:
            mount = root / "sys/fs/cgroup"
        elif "cpu" in controllers.split(","):
            mount = root / "sys/fs/cgroup/cpu"
        else:
            continue
        # Inside a container the path is often that of the host, which is not mounted there: the mount's own
        # directory, the last one tried, is then the group of the container.
        group = PurePosixPath(path)
        for ancestor in (group, *group.parents):
            directory = mount / ancestor.relative_to("/") if ancestor.is_absolute() else mount
            least = min(least, _quota_of(directory))
    return least


def _quota_of(directory: Path) -> float:
    try:
        if (directory / "cpu.max").exists():
            quota, period = (directory / "cpu.max").read_text().split()
        else:
            quota = (directory / "cpu.cfs_quota_us").read_text().strip()
            period = (directory / "cpu.cfs_period_us").read_text().strip()
    except (OSError, ValueError):
        return math.inf
    # No limit is written "max" in version 2, -1 in version 1.
    if quota == "max" or int(quota) <= 0 or int(period) <= 0:
        return math.inf
    return int(quota) / int(period)


def n_threads(n_jobs: int | None = None, work: float | None = None) -> int:
    """Decide how many threads a kernel call uses.

    Parameters
    ----------
    n_jobs : int, optional
        The estimator's parameter, where it has one: -1 for all CPUs, -2 for all but one, and so on.
    work : float, optional
        The scalar operations that the call will do, roughly. There is a thread for each :data:`WORK_PER_THREAD` of
        them at most. None for work that is worth any number of threads.

    Returns
    -------
    n_threads : int
        At least 1.

    Raises
    ------
    ValueError
        When ``n_jobs`` is 0.
    """
    global _team_started
    if n_jobs == 0:
        raise ValueError("n_jobs must not be 0: give -1 for all CPUs, a positive number of threads, or None.")
    if work is not None and work < 2 * WORK_PER_THREAD:
        return 1
    # GNU's OpenMP waits for ever in a forked child whose parent had started a team.
    if _forked_with_team:
        return 1
    if threading.get_ident() != threading.main_thread().ident and _in_joblib_thread():
        return 1

    count = available_cpus()
    if n_jobs is None or _joblib_nesting() > 0:
        count = min(count, _core.omp_max_threads())
    if n_jobs is not None:
        count = min(count, n_jobs if n_jobs > 0 else max(1, available_cpus() + 1 + n_jobs))
    limit = config.current()["n_threads"]
    if limit is not None:
        count = min(count, limit)
    if work is not None:
        count = min(count, int(work // WORK_PER_THREAD))
    if count > 1:
        _team_started = True
    return max(1, count)


def for_pass(values: int) -> int:
    """Decide how many threads pass over values once, which waits for memory more than it computes."""
    return n_threads(work=_WORK_OF_VALUE * values)


def joblib_is_in_charge(n_jobs: int | None, verbose: int) -> bool:
    """Tell whether the parts of a fit are to be joblib's tasks, as they are in scikit-learn.

    They are where joblib's progress is to be printed, where it has to reject the number of jobs, and where the user has
    chosen a backend by ``joblib.parallel_config``.

    Parameters
    ----------
    n_jobs : int or None
        The estimator's parameter.
    verbose : int
        The estimator's parameter.

    Returns
    -------
    is_in_charge : bool
        True for ``sklearn.utils.parallel.Parallel``; False for threads of ours.
    """
    if verbose or n_jobs == 0:
        return True
    joblib = sys.modules.get("joblib")
    if joblib is None:
        return False
    backend, context_jobs = joblib.parallel.get_active_backend(prefer="threads")
    is_default = type(backend) is joblib.parallel.ThreadingBackend and context_jobs == 1
    return not is_default and not backend.nesting_level


def _joblib_nesting() -> int:
    """Return how deep this thread is inside joblib's workers; 0 outside of them."""
    joblib = sys.modules.get("joblib")
    if joblib is None:
        return 0
    backend, _ = joblib.parallel.get_active_backend()
    return backend.nesting_level or 0


def _in_joblib_thread() -> bool:
    # In a worker thread of joblib's threading backend the active backend is the one for nested calls. A process
    # worker runs its tasks in its main thread.
    return _joblib_nesting() > 0


def _note_fork() -> None:
    global _forked_with_team, _cpus_read_at
    _forked_with_team = _team_started
    _cpus_read_at = -math.inf


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)
