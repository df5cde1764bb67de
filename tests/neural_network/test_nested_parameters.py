"""Nested parameters as scikit-learn's tools see them: clone, searches, pipelines, pickles, the printed form."""

import copy
import doctest
import inspect
import io
import pickle

import joblib
import numpy as np
import pytest
from neural_net_problem import THREE, VALUES, X, assert_same_parameters
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

from fastml import nn
from fastml.neural_network import Autoencoder, NeuralNetClassifier, NeuralNetRegressor

QUICK = {"optimizer__lr": 0.01, "batch_size": 16, "max_epochs": 20, "random_state": 0}


def test_they_are_parameters_like_the_others():
    net = NeuralNetClassifier(optimizer__lr=0.1, module__dropout=0.2, max_epochs=3)
    assert net.get_params()["optimizer__lr"] == net.optimizer__lr == 0.1
    assert net.set_params(optimizer__lr=0.2, optimizer="sgd", optimizer__momentum=0.9) is net
    assert (net.optimizer__lr, net.optimizer, net.optimizer__momentum) == (0.2, "sgd", 0.9)
    net.module__dropout = 0.3
    assert net.get_params()["module__dropout"] == 0.3
    copied = clone(net)
    assert copied.get_params() == net.get_params()
    shallow = copy.copy(net).set_params(optimizer__lr=0.5)
    assert (net.optimizer__lr, shallow.optimizer__lr) == (0.2, 0.5)
    assert not hasattr(net, "optimizer__betas")
    assert "nested" not in inspect.signature(NeuralNetClassifier).parameters
    assert "optimizer__lr=0.2" in repr(net)
    assert "optimizer__lr" in estimator_html_repr(net)


def test_they_reach_the_parts():
    net = NeuralNetClassifier(
        optimizer="sgd",
        optimizer__lr=0.5,
        schedule="exponential",
        schedule__gamma=0.5,
        criterion__label_smoothing=0.1,
        module__hidden_layer_sizes=(6,),
        max_epochs=4,
        random_state=0,
    ).fit(X, THREE)
    assert net.history_["lr"] == [0.5, 0.25, 0.125, 0.0625]
    assert net.module_[0].out_features == 6
    sharp = clone(net).set_params(criterion__label_smoothing=0.0).fit(X, THREE)
    assert sharp.loss_curve_[0] != net.loss_curve_[0]


def test_a_subclass_has_its_own():
    class Wide(NeuralNetClassifier):
        def __init__(self, module__dropout=0.0, max_epochs=2):
            super().__init__(max_epochs=max_epochs, module__dropout=module__dropout)

    assert list(inspect.signature(Wide).parameters) == ["module__dropout", "max_epochs"]
    assert clone(Wide(module__dropout=0.25)).fit(X, THREE).module_[2].p == 0.25


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_search_over_nested_parameters_of_a_pipeline(n_jobs):
    pipeline = make_pipeline(StandardScaler(), NeuralNetClassifier(batch_size=16, max_epochs=20, random_state=0))
    grid = {
        "neuralnetclassifier__optimizer__lr": [1e-6, 0.01],
        "neuralnetclassifier__module__hidden_layer_sizes": [(), (16,)],
    }
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=n_jobs).fit(X, THREE)
    assert search.best_params_["neuralnetclassifier__optimizer__lr"] == 0.01
    assert search.best_score_ > 0.8
    again = GridSearchCV(pipeline, grid, cv=3).fit(X, THREE)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], again.cv_results_["mean_test_score"])


def test_threads_that_train_at_once_do_not_see_each_other():
    """Initial values and dropout draw from a generator of each fit's own."""
    nets = [NeuralNetClassifier(module__dropout=0.5, **QUICK).set_params(random_state=seed) for seed in range(4)]
    fitted = joblib.Parallel(n_jobs=4, backend="threading")(joblib.delayed(net.fit)(X, THREE) for net in nets)
    for seed, net in enumerate(fitted):
        assert_same_parameters(net, clone(nets[seed]).fit(X, THREE))


def test_the_default_generator_is_left_alone():
    nn.manual_seed(3)
    NeuralNetClassifier(module__dropout=0.5, max_epochs=1).fit(X, THREE)
    after = nn.default_generator().random()
    nn.manual_seed(3)
    assert after == nn.default_generator().random()


def test_meta_estimators():
    net = NeuralNetRegressor(**{**QUICK, "max_epochs": 60})
    scaled = TransformedTargetRegressor(net, transformer=StandardScaler()).fit(X, 1000 + 50 * VALUES)
    assert scaled.score(X, 1000 + 50 * VALUES) > 0.9
    predicted = cross_val_predict(NeuralNetClassifier(**QUICK), X, THREE, cv=3, method="predict_proba")
    assert predicted.shape == (120, 3)


@pytest.mark.parametrize(
    "estimator",
    [
        NeuralNetClassifier(
            module__batch_norm=True, callbacks=[nn.callbacks.EarlyStopping("loss")], schedule="cosine", **QUICK
        ),
        NeuralNetRegressor(nn.Linear(4, 1), **QUICK),
        Autoencoder(2, tied=True, noise="gaussian", hidden_layer_sizes=(3,), **QUICK),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_pickles(estimator):
    estimator.fit(X, VALUES if isinstance(estimator, NeuralNetRegressor) else THREE)
    with io.BytesIO() as file:
        joblib.dump(estimator, file)
        file.seek(0)
        restored = [pickle.loads(pickle.dumps(estimator)), joblib.load(file), copy.deepcopy(estimator)]
    targets = VALUES if isinstance(estimator, NeuralNetRegressor) else THREE
    method = "transform" if isinstance(estimator, Autoencoder) else "predict"
    expected = getattr(estimator, method)(X)
    estimator.partial_fit(X, targets)
    for other in restored:
        np.testing.assert_array_equal(getattr(other, method)(X), expected)
        other.partial_fit(X, targets)  # with the moments of the optimizer that was not pickled
        assert_same_parameters(other, estimator)


def test_names_of_features():
    pandas = pytest.importorskip("pandas", reason="names of features come with data frames")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    net = NeuralNetClassifier(max_epochs=1).fit(frame, THREE)
    assert list(net.feature_names_in_) == list("abcd")
    with pytest.raises(ValueError, match="feature names should match"):
        net.predict(frame[["b", "a", "c", "d"]])
    coder = Autoencoder(2, max_epochs=1).set_output(transform="pandas").fit(frame)
    assert list(coder.transform(frame).columns) == ["autoencoder0", "autoencoder1"]


@pytest.mark.parametrize("cls", [NeuralNetClassifier, NeuralNetRegressor, Autoencoder])
def test_the_docs_are_of_the_parameters_and_attributes_that_there_are(cls):
    docscrape = pytest.importorskip("numpydoc.docscrape", reason="numpydoc reads the docs")
    docs = docscrape.ClassDoc(cls)
    documented = [parameter.name for parameter in docs["Parameters"]]
    assert documented == [*inspect.signature(cls).parameters, "**nested"]
    fitted = cls(max_epochs=2, early_stopping=True).fit(X, VALUES if cls is NeuralNetRegressor else THREE)
    attributes = {name for name in vars(fitted) if name.endswith("_")} | {"loss_curve_"}
    # Names of features are there with data frames only.
    assert {attribute.name for attribute in docs["Attributes"]} == attributes | {"feature_names_in_"}
    (examples,) = doctest.DocTestFinder(recurse=False).find(cls, cls.__name__, module=False, globs={})
    assert len(examples.examples) > 3
    assert doctest.DocTestRunner().run(examples).failed == 0
