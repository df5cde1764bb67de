"""How each contender trains a perceptron, and predicts with it."""

from __future__ import annotations

import importlib
import warnings
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.datasets import Labelled
from benchmarks.workload import Job

MODULES = {"scikit-learn": "sklearn.neural_network", "fastml": "fastml.neural_network"}


def fit(contender: str, data: Labelled, estimator: str = "MLPClassifier", **parameters: Any) -> Job:
    """Train for a number of epochs."""
    if contender == "torch":
        return _fit_torch(data, parameters)
    model = _model(contender, estimator, parameters)
    return Job(lambda: model.fit(data.X, data.y), lambda fitted: _answer(data, fitted))


def predict_proba(contender: str, data: Labelled, rows: int | None, **parameters: Any) -> Job:
    """Predict probabilities of the first rows; None for all there are, the held out ones too."""
    samples = np.concatenate([data.X, data.X_held_out]) if rows is None else data.X[:rows]
    model = _model("scikit-learn", "MLPClassifier", parameters).fit(data.X, data.y)
    if contender == "torch":
        torch = importlib.import_module("torch")
        network = _torch_network(torch, model.coefs_, model.intercepts_)
        tensor = torch.from_numpy(samples)

        def call() -> Any:
            with torch.no_grad():
                return torch.softmax(network(tensor), dim=1)

        return Job(call, lambda values: {"values": values.numpy()})
    if contender == "fastml":
        module = importlib.import_module(MODULES[contender])
        ours = module.MLPClassifier(**model.get_params())
        ours.__dict__.update(model.__dict__)
        model = ours
    return Job(lambda: model.predict_proba(samples), lambda values: {"values": values})


def _model(contender: str, estimator: str, parameters: dict[str, Any]) -> Any:
    warnings.simplefilter("ignore")  # of limits of epochs
    return getattr(importlib.import_module(MODULES[contender]), estimator)(
        **{"random_state": 0, "n_iter_no_change": 10_000, **parameters}
    )


def _answer(data: Labelled, model: Any) -> dict[str, Any]:
    return {
        "losses": np.asarray(model.loss_curve_, dtype=np.float64),
        "score": float(model.score(data.X_held_out, data.y_held_out)),
    }


def _torch_network(torch: Any, coefs: list[Any], intercepts: list[Any]) -> Any:
    layers = []
    for coef, intercept in zip(coefs, intercepts, strict=True):
        layer = torch.nn.Linear(*coef.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(coef.T)))
            layer.bias.copy_(torch.from_numpy(intercept))
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def _fit_torch(data: Labelled, parameters: dict[str, Any]) -> Job:
    """Train in eager mode, with the fused Adam; weights begin in scikit-learn's range."""
    torch = importlib.import_module("torch")
    X, y = torch.from_numpy(data.X), torch.from_numpy(data.y.astype(np.int64))
    widths = [data.X.shape[1], *parameters["hidden_layer_sizes"], int(data.y.max()) + 1]
    batch = parameters.get("batch_size", 200)

    def call() -> Any:
        rng = np.random.default_rng(0)
        coefs, starts = [], []
        for fan_in, fan_out in pairwise(widths):
            bound = np.sqrt(6 / (fan_in + fan_out))
            coefs.append(rng.uniform(-bound, bound, (fan_in, fan_out)).astype(data.X.dtype))
            starts.append(rng.uniform(-bound, bound, fan_out).astype(data.X.dtype))
        network = _torch_network(torch, coefs, starts)
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-8, fused=True)
        loss_of = torch.nn.CrossEntropyLoss()
        total = 0.0  # the loss of each batch is asked for, as scikit-learn and fastml give it
        for _ in range(parameters["max_iter"]):
            order = torch.from_numpy(rng.permutation(len(X)))
            for begin in range(0, len(X), batch):
                rows = order[begin : begin + batch]
                optimizer.zero_grad(set_to_none=True)
                loss = loss_of(network(X[rows]), y[rows])
                loss.backward()
                optimizer.step()
                total += float(loss.detach()) * len(rows)
        return network

    def answer(network: Any) -> dict[str, Any]:
        with torch.no_grad():
            labels = network(torch.from_numpy(data.X_held_out)).argmax(dim=1).numpy()
        return {"score": float(np.mean(labels == data.y_held_out))}

    return Job(call, answer)
