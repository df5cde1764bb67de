"""The samples that each tree of a forest is grown on, drawn as scikit-learn draws them."""

from collections.abc import Sequence

import numpy as np


class Bootstrap:
    """Draws samples with replacement.

    Parameters
    ----------
    n_samples : int
        The samples there are.
    n_draws : int
        How many are drawn for a tree.
    sample_weight : ndarray of shape (n_samples,) or None
        In proportion to which they are drawn.

    Raises
    ------
    ValueError
        NumPy's, where the weights cannot be made into probabilities.
    """

    def __init__(self, n_samples: int, n_draws: int, sample_weight: np.ndarray | None) -> None:
        self.n_samples = n_samples
        self.n_draws = n_draws
        self.cumulative: np.ndarray | None = None
        if sample_weight is not None:
            probabilities = sample_weight / np.sum(sample_weight)
            # choice() would check them and add them up anew for each tree.
            np.random.RandomState(0).choice(n_samples, 1, p=probabilities)
            cumulative = probabilities.cumsum(dtype=np.float64)
            self.cumulative = cumulative / cumulative[-1]

    def indices(self, random_state: np.random.RandomState) -> np.ndarray:
        """Draw the numbers of samples."""
        if self.cumulative is None:
            return random_state.randint(0, self.n_samples, self.n_draws)
        return self.cumulative.searchsorted(random_state.random_sample(self.n_draws), side="right")

    def counts(self, random_state: np.random.RandomState) -> np.ndarray:
        """Draw, and return how often each sample came up."""
        return np.bincount(self.indices(random_state), minlength=self.n_samples)


def balanced_weights(codes: np.ndarray, n_classes: Sequence[int] | np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Weigh the classes of a bootstrap sample equally.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_outputs), int
        The classes, by number.
    n_classes : sequence of int
        The classes of each output.
    counts : ndarray of shape (n_samples,)
        How often each sample was drawn.

    Returns
    -------
    weights : ndarray of shape (n_samples,)
        What :func:`sklearn.utils.compute_sample_weight` gives for "balanced" and the samples drawn: equal bits, as the
        sums are those of whole numbers. Zero where a sample's class was not drawn.
    """
    product = np.ones(len(codes))
    for k, count in enumerate(n_classes):
        drawn = np.bincount(codes[:, k], weights=counts, minlength=count)
        present = drawn > 0
        weights = np.zeros(count)
        weights[present] = drawn.sum() / (np.count_nonzero(present) * drawn[present])
        product *= weights[codes[:, k]]
    return product
