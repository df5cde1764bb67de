"""The parameters of training, which all estimators over modules have: what they may be, and what they mean."""

from numbers import Integral, Real
from pathlib import Path

from sklearn.utils._param_validation import Interval, StrOptions

from fastml.neural_network._building import OPTIMIZERS, SCHEDULES

PARTS = ("optimizer", "schedule", "early_stopping", "checkpoint")
"""What has parameters of its own: ``optimizer__lr``, ..."""

TRAINING_CONSTRAINTS: dict = {
    "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "max_epochs": [Interval(Integral, 1, None, closed="left")],
    "schedule": [StrOptions(set(SCHEDULES)), callable, None],
    "callbacks": [list, tuple, None],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
    "scoring": [str, callable, list, tuple, dict, None],
    "accumulate": [Interval(Integral, 1, None, closed="left")],
    "gradient_clip_norm": [Interval(Real, 0, None, closed="neither"), None],
    "gradient_clip_value": [Interval(Real, 0, None, closed="neither"), None],
    "shuffle": ["boolean"],
    "drop_last": ["boolean"],
    "checkpoint": [str, Path, None],
    "resume": ["boolean"],
    "warm_start": ["boolean"],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}

TRAINING_DOC = """\
optimizer : {"adagrad", "adam", "adamw", "rmsprop", "sgd"}, class or function, default="adam"
        How parameters are stepped: one of :mod:`fastml.nn.optim`, or what is called with the parameters to make one.
        ``optimizer__lr`` and so on are its arguments.

    batch_size : int, default=64
        Samples in a step.

    max_epochs : int, default=100
        Passes over the samples. Without ``early_stopping`` there are as many.

    schedule : {"cosine", "exponential", "inverse_sqrt", "linear", "plateau", "step"}, class or function, default=None
        How the learning rate changes: one of :mod:`fastml.nn.schedules`, or what is called with the optimizer to make
        one. ``schedule__gamma`` and so on are its arguments, ``schedule__every`` ("epoch" or "step") and
        ``schedule__monitor`` those of :class:`fastml.nn.callbacks.LRSchedule`. A ``T_max`` that is not given is the
        length of the training, less that of a warm-up.

    callbacks : list of fastml.nn.callbacks.Callback, default=None
        What else is done along with training. Copies of them are used, which are then in ``callbacks_``.

    early_stopping : bool, default=False
        Whether to keep samples back and to stop once these get no better: by the first score where there is
        ``scoring``, by the loss otherwise. The parameters of the best epoch are kept. ``early_stopping__patience`` and
        so on are the arguments of :class:`fastml.nn.callbacks.EarlyStopping`.

    validation_fraction : float, default=None
        The share of the samples that is kept back, for ``validation_loss`` and scores in the history. By default 0.1
        with ``early_stopping`` and none without.

    scoring : str, callable, list of str or dict, default=None
        Scores of scikit-learn that go into the history after each epoch: names, scorers (``scorer(estimator, X, y)``,
        under the name "score"), or both by name in a dict. They are of the samples that are kept back, and where there
        are none, of those that are trained on.

    accumulate : int, default=1
        Batches whose gradients make up one step.

    gradient_clip_norm : float, default=None
        The largest norm of the gradient; a longer one is scaled down.

    gradient_clip_value : float, default=None
        The largest absolute value in the gradient.

    shuffle : bool, default=True
        Whether each epoch has an order of its own.

    drop_last : bool, default=False
        Whether a last batch that is not full is left out, as batch normalisation needs where it would be a single
        sample.

    checkpoint : str or Path, default=None
        A file in which ``fit`` saves the training after each epoch, whole or not at all; it is that of one training,
        not of all those of a search. ``checkpoint__every`` and so on are the arguments of
        :class:`fastml.nn.callbacks.Checkpoint`.

    resume : bool, default=False
        Whether ``fit`` goes on from the checkpoint where the file exists. With the same samples, parameters and an
        integer as ``random_state`` it ends as if it had never stopped, to the bit.

    warm_start : bool, default=False
        Whether ``fit`` goes on from the parameters of the fit before, with a new optimizer.

    random_state : int, RandomState instance or None, default=None
        Fixes initial values, the samples kept back, their order, and what layers draw.

    verbose : bool or int, default=False
        Whether to show progress: by tqdm where it is installed, by a line an epoch otherwise.

    **nested : dict
        Arguments of the parts, as named above."""

ATTRIBUTES_DOC = """\
module_ : Module
        The trained module.

    history_ : fastml.nn.History
        Numbers of each epoch: "loss", "validation_loss", scores, "lr", "seconds". ``history_.plot()`` draws them, and
        ``history_.stopped`` says why training ended before ``max_epochs``.

    loss_curve_ : list of float
        ``history_["loss"]``.

    n_iter_ : int
        Epochs of the last call of ``fit`` or ``partial_fit``.

    best_epoch_ : int
        The epoch, by the history's numbers, whose parameters were kept. Only with ``early_stopping``.

    callbacks_ : list of fastml.nn.callbacks.Callback
        The copies of ``callbacks`` that were used.

    n_features_in_ : int
        Features of the samples.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where the samples came with names that are all strings."""
