"""From parameters of an estimator (names, classes, functions) to parts of a training."""

import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from fastml import nn
from fastml.nn import optim, schedules

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "identity": nn.Identity,
    "leaky_relu": nn.LeakyReLU,
    "logistic": nn.Sigmoid,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
}
OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "adagrad": optim.Adagrad,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "rmsprop": optim.RMSprop,
    "sgd": optim.SGD,
}
SCHEDULES: dict[str, Callable[..., Any]] = {
    "cosine": schedules.CosineAnnealingLR,
    "exponential": schedules.ExponentialLR,
    "inverse_sqrt": schedules.InverseSqrtLR,
    "linear": schedules.LinearLR,
    "plateau": schedules.ReduceLROnPlateau,
    "step": schedules.StepLR,
}
CLASS_LOSSES: dict[str, Callable[..., Any]] = {
    "bce_with_logits": nn.BCEWithLogitsLoss,
    "cross_entropy": nn.CrossEntropyLoss,
    "hinge": nn.HingeLoss,
}
VALUE_LOSSES: dict[str, Callable[..., Any]] = {
    "absolute_error": nn.L1Loss,
    "huber": nn.HuberLoss,
    "poisson": nn.PoissonNLLLoss,
    "squared_error": nn.MSELoss,
}


def activation(name: str) -> nn.Module:
    """Return a new activation by its name.

    Raises
    ------
    ValueError
        Where there is none of that name.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"activation: expected one of {', '.join(ACTIVATIONS)}; got {name!r}.")
    return ACTIVATIONS[name]()


def takes(build: Callable[..., Any], name: str) -> bool:
    """Tell whether an argument of that name stands in the signature, not only what takes any."""
    return name in inspect.signature(build).parameters


def check_names(part: str, build: Callable[..., Any], given: Mapping[str, Any], n_first: int = 0) -> None:
    """Check that a class or function takes the nested parameters of a part.

    Parameters
    ----------
    part : str
    build : class or function
    given : mapping
    n_first : int, default=0
        How many of its arguments, the first ones, are not the user's to give.

    Raises
    ------
    ValueError
        Where it has no argument of such a name (the message lists those that there are), or needs one more.
    """
    parameters = list(inspect.signature(build).parameters.values())[n_first:]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    names = [p.name for p in named]
    for name in given:
        if name not in names:
            raise ValueError(
                f"{part}__{name}: {getattr(build, '__name__', build)} has no argument {name!r}; it has "
                f"{', '.join(names) or 'none'}."
            )
    for p in named:
        if p.default is p.empty and p.name not in given:
            raise ValueError(f"{part}__{p.name}: {getattr(build, '__name__', build)} needs it.")


def built(part: str, build: Callable[..., Any], given: Mapping[str, Any], *first: Any) -> Any:
    """Call what builds a part with the nested parameters of that part, behind other arguments."""
    check_names(part, build, given, len(first))
    return build(*first, **given)


def new_module(module: Any, given: Mapping[str, Any], shape: Mapping[str, Any]) -> nn.Module:
    """Return a module to train, in the type of the samples.

    Parameters
    ----------
    module : Module, class or function
        A module is copied.
    given : mapping
        The nested parameters.
    shape : mapping
        What follows from the samples: ``in_features``, ``out_features`` and ``dtype``. A class or function gets those
        that its signature names and that were not given.
    """
    if isinstance(module, nn.Module):
        if given:
            raise ValueError(
                f"module__{next(iter(given))}: the module is built already. Give its class, or a function that builds "
                "it, as module."
            )
        return copy.deepcopy(module).astype(shape["dtype"])
    result = built("module", module, {**{k: v for k, v in shape.items() if takes(module, k)}, **given})
    if not isinstance(result, nn.Module):
        raise TypeError(f"module: expected {module} to return a Module of fastml.nn, got {type(result).__name__}.")
    return result.astype(shape["dtype"])


def new_loss(criterion: Any, given: Mapping[str, Any], of_samples: bool) -> Callable[[Any, Any], Any]:
    """Return a loss of outputs and targets.

    Parameters
    ----------
    criterion : class, Module or function
        A class is built; a module is a loss already, and so is a function.
    given : mapping
        The nested parameters.
    of_samples : bool
        Whether losses of samples are needed, and not their mean, since they are to be weighted.
    """
    given = {**given, "reduction": "none"} if of_samples else given
    if isinstance(criterion, type):
        if of_samples and not takes(criterion, "reduction"):
            raise _unweighted(criterion.__name__)
        return built("criterion", criterion, given)
    if isinstance(criterion, nn.Module):
        if set(given) - {"reduction"}:
            raise ValueError(
                f"criterion__{next(iter(given))}: the criterion is built already. Give its class as criterion."
            )
        if of_samples:
            if not hasattr(criterion, "reduction"):
                raise _unweighted(type(criterion).__name__)
            criterion = copy.copy(criterion)
            criterion.reduction = "none"
        return criterion
    if of_samples and not takes(criterion, "reduction"):
        raise _unweighted(getattr(criterion, "__name__", str(criterion)))
    check_names("criterion", criterion, given, n_first=2)
    return functools.partial(criterion, **given) if given else criterion


def _unweighted(name: str) -> ValueError:
    return ValueError(
        f"criterion: sample_weight and class_weight need the losses of single samples, and {name} gives their mean "
        "only: it has no argument 'reduction', which would be 'none'."
    )


def new_schedule(
    schedule: str | Callable[..., Any], given: Mapping[str, Any], optimizer: Any, n_steps: Mapping[str, int]
) -> nn.callbacks.LRSchedule:
    """Return the callback of a schedule.

    Parameters
    ----------
    schedule : str, class or function
    given : mapping
        The nested parameters: the schedule's, and ``every`` and ``monitor`` of the callback.
    optimizer : Optimizer
    n_steps : mapping
        How long the training is, in each unit of ``every``: ``T_max`` where a schedule has it and none is given,
        less the steps of a warm-up.
    """
    own = {name: value for name, value in given.items() if name in ("every", "monitor")}
    arguments = {name: value for name, value in given.items() if name not in own}
    build = SCHEDULES[schedule] if isinstance(schedule, str) else schedule
    if takes(build, "T_max"):
        length = n_steps.get(own.get("every", "epoch"), 1)
        arguments.setdefault("T_max", max(length - arguments.get("warmup_steps", 0), 1))
    return nn.callbacks.LRSchedule(built("schedule", build, arguments, optimizer), **own)
