"""Growing the trees of a forest: in threads that take one tree after the other, or as joblib's tasks."""

import threading
import time
from typing import Any

import joblib
import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from fastml import _core
from fastml.ensemble._bootstrap import Bootstrap, balanced_weights
from fastml.ensemble._lazy_trees import GrownTree
from fastml.tree._fitted_tree import pruned
from fastml.tree._growing import SEEDS, seeded
from fastml.tree._parameters import encoding, tree_options
from fastml.tree._shared_features import encode

_TASKS_PER_WORKER = 4
"""Pieces for each of joblib's workers: trees differ in size, and each piece is a task of joblib's, some 100 us."""
_PATIENCE = 30.0
"""Seconds at most that an error waits for the trees of other threads. They stop within milliseconds, but for what is
done on very many samples before the first split. A thread in the kernel at the interpreter's end would abort the
process."""
_OF_THIS_PROCESS = ("cancel_flag", "features", "targets", "options")


class TreeTask:
    """What it takes to grow any tree of a forest. Calls from several threads are independent, but for ``cancel``.

    Parameters
    ----------
    X : ndarray or CSC of shape (n_samples, n_features), float32
        Validated, as ``fastml.tree._samples.dense_or_csc`` returns it. It is kept only as far as ``keep_X`` says.
    y : ndarray of shape (n_samples, n_outputs), float64
        Class numbers or targets.
    n_classes : ndarray of shape (n_outputs,), or None
        None for regression.
    sample_weight : ndarray of shape (n_samples,), float64, or None
        The weights of samples, where there is no bootstrap.
    bootstrap : Bootstrap or None
        Draws the samples of a tree.
    balanced : bool
        Whether the classes of those are weighted equally.
    tree : estimator instance
        An unfitted tree with the parameters.
    max_features : int
        Features looked at for a split.
    constraints : ndarray of shape (n_features,), int8, or None
        See ``fastml.tree._parameters.signed_constraints``.
    keep_X : bool
        Whether the task may go to another process, where X is encoded anew.
    """

    def __init__(
        self,
        X: Any,
        y: np.ndarray,
        n_classes: np.ndarray | None,
        sample_weight: np.ndarray | None,
        bootstrap: Bootstrap | None,
        balanced: bool,
        tree: Any,
        max_features: int,
        constraints: np.ndarray | None,
        keep_X: bool,
    ) -> None:
        self.X = X if keep_X else None
        self.y, self.n_classes = y, n_classes
        self.sample_weight, self.bootstrap = sample_weight, bootstrap
        self.codes = y.astype(np.intp) if balanced else None
        self.tree, self.max_features, self.constraints = tree, max_features, constraints
        self._prepare(X)

    def _prepare(self, X: Any) -> None:
        self.cancel_flag = _core.CancelFlag()
        self.features = encode(X, encoding(self.tree.splitter, self.max_features, X.shape[1]))
        self.targets = _core.TreeTargets(self.y, self.n_classes)
        total = float(len(self.y))
        if self.bootstrap is not None:
            total = float(self.bootstrap.n_draws)
        elif self.sample_weight is not None:
            total = np.sum(self.sample_weight)
        self.options = self._options(total)

    def _options(self, total_weight: float) -> _core.TreeOptions:
        return tree_options(
            self.tree, len(self.y), self.max_features, total_weight=total_weight, monotonic_cst=self.constraints
        )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _OF_THIS_PROCESS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._prepare(state["X"])

    def grow(self, seed: int, n_threads: int = 1) -> GrownTree:
        """Grow the tree with a ``random_state``."""
        weights, options = self.sample_weight, self.options
        if self.bootstrap is not None:
            counts = self.bootstrap.counts(seeded(seed))
            weights = counts.astype(np.float64)
            if self.codes is not None and self.n_classes is not None:
                weights *= balanced_weights(self.codes, self.n_classes, counts)
                options = self._options(np.sum(weights))
        # scikit-learn's draws for the samples and for the splitter start from the same seed.
        splitter_seed = seeded(seed).randint(0, SEEDS)
        arguments = self.features, self.targets, options, weights, splitter_seed, n_threads, self.cancel_flag
        if self.tree.ccp_alpha > 0.0:
            grown = _core.grow_tree(*arguments)
            return GrownTree.of(*pruned(self.features.n_features, self.n_classes, self.tree.ccp_alpha, *grown), seed)
        compact, max_depth = _core.grow_compact_tree(*arguments)
        return GrownTree(compact, self.y.shape[1], max_depth, seed)

    def grow_all(self, seeds: list[int]) -> list[GrownTree]:
        """Grow some trees, one after the other."""
        return [self.grow(seed) for seed in seeds]

    def grow_announced(self, seed: int, number: int, n_trees: int, verbose: int) -> GrownTree:
        """Grow one tree, and say so before where ``verbose`` asks for it."""
        if verbose > 1:
            print(f"building tree {number + 1} of {n_trees}")
        return self.grow(seed)

    def cancel(self) -> None:
        """End the trees that grow in other threads of this process, where ``grow`` raises an error soon."""
        self.cancel_flag.set()
        until = time.monotonic() + _PATIENCE
        while self.cancel_flag.n_growing and time.monotonic() < until:
            time.sleep(0.002)


def grow_by_joblib(task: TreeTask, seeds: list[int], n_jobs: int | None, verbose: int) -> list[GrownTree]:
    """Grow trees in joblib's workers: one task a tree where progress is printed, else a few for each worker."""
    parallel = Parallel(n_jobs=n_jobs, verbose=verbose, prefer="threads")
    try:
        if verbose:
            return parallel(
                delayed(task.grow_announced)(seed, number, len(seeds), verbose) for number, seed in enumerate(seeds)
            )
        n_pieces = min(len(seeds), _TASKS_PER_WORKER * joblib.effective_n_jobs(n_jobs))
        pieces = [piece.tolist() for piece in np.array_split(np.array(seeds), n_pieces)]
        return [tree for trees in parallel(delayed(task.grow_all)(piece) for piece in pieces) for tree in trees]
    except BaseException:
        # joblib leaves its threads to finish the tasks that they are at.
        task.cancel()
        raise


def grow_by_threads(task: TreeTask, seeds: list[int], n_threads: int) -> list[GrownTree]:
    """Grow trees in this thread and others beside it, each taking the next tree when it is done with one.

    After an error in one of them, or Ctrl-C, which the kernel sees in the main thread, the others drop the trees that
    they are at.
    """
    n_workers = min(n_threads, len(seeds))
    if n_workers == 1:
        return [task.grow(seed, n_threads) for seed in seeds]

    waiting = iter(enumerate(seeds))
    taking = threading.Lock()
    grown: dict[int, GrownTree] = {}
    errors: list[BaseException] = []

    def give_up(error: BaseException) -> None:
        errors.append(error)
        task.cancel_flag.set()

    def work() -> None:
        try:
            while not errors:
                with taking:
                    place, seed = next(waiting, (-1, 0))
                if place < 0:
                    return
                grown[place] = task.grow(seed, n_threads // n_workers)
        except BaseException as error:
            give_up(error)

    workers = [threading.Thread(target=work) for _ in range(n_workers - 1)]
    try:
        for worker in workers:
            worker.start()
        work()
        if not errors:
            for worker in workers:
                worker.join()
    except BaseException as error:
        give_up(error)
    if not errors:
        return [grown[place] for place in range(len(seeds))]
    task.cancel()
    # Ctrl-C is what the user hears of, also where it met an error of another thread.
    raise next((error for error in errors if not isinstance(error, Exception)), errors[0])
