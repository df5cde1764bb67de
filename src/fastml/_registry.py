"""The estimators and functions that fastml has, and whose place in scikit-learn they take.

One line each. Patching, the coverage table and the docs read it; no family is imported before it is needed. Estimators
that scikit-learn does not have stand in a list of their own: nothing is patched by them, and no call of them can fall
back.
"""

from typing import Any, NamedTuple


class Entry(NamedTuple):
    """An estimator or function that has scikit-learn's name.

    Parameters
    ----------
    name : str
        Its name, in both packages.
    sklearn_module : str
        The public scikit-learn module that has the original.
    family : str
        The fastml module that has ours.
    """

    name: str
    sklearn_module: str
    family: str


class OwnEntry(NamedTuple):
    """An estimator that scikit-learn does not have.

    Parameters
    ----------
    name : str
        Its name.
    family : str
        The fastml module that has it.
    """

    name: str
    family: str


ENTRIES = (
    Entry("DBSCAN", "sklearn.cluster", "fastml.cluster"),
    Entry("KMeans", "sklearn.cluster", "fastml.cluster"),
    Entry("MiniBatchKMeans", "sklearn.cluster", "fastml.cluster"),
    Entry("dbscan", "sklearn.cluster", "fastml.cluster"),
    Entry("k_means", "sklearn.cluster", "fastml.cluster"),
    Entry("kmeans_plusplus", "sklearn.cluster", "fastml.cluster"),
    Entry("IncrementalPCA", "sklearn.decomposition", "fastml.decomposition"),
    Entry("PCA", "sklearn.decomposition", "fastml.decomposition"),
    Entry("TruncatedSVD", "sklearn.decomposition", "fastml.decomposition"),
    Entry("AdaBoostClassifier", "sklearn.ensemble", "fastml.ensemble"),
    Entry("AdaBoostRegressor", "sklearn.ensemble", "fastml.ensemble"),
    Entry("BaggingClassifier", "sklearn.ensemble", "fastml.ensemble"),
    Entry("BaggingRegressor", "sklearn.ensemble", "fastml.ensemble"),
    Entry("ExtraTreesClassifier", "sklearn.ensemble", "fastml.ensemble"),
    Entry("ExtraTreesRegressor", "sklearn.ensemble", "fastml.ensemble"),
    Entry("GradientBoostingClassifier", "sklearn.ensemble", "fastml.ensemble"),
    Entry("GradientBoostingRegressor", "sklearn.ensemble", "fastml.ensemble"),
    Entry("RandomForestClassifier", "sklearn.ensemble", "fastml.ensemble"),
    Entry("RandomForestRegressor", "sklearn.ensemble", "fastml.ensemble"),
    Entry("RandomTreesEmbedding", "sklearn.ensemble", "fastml.ensemble"),
    Entry("ElasticNet", "sklearn.linear_model", "fastml.linear_model"),
    Entry("ElasticNetCV", "sklearn.linear_model", "fastml.linear_model"),
    Entry("Lasso", "sklearn.linear_model", "fastml.linear_model"),
    Entry("LassoCV", "sklearn.linear_model", "fastml.linear_model"),
    Entry("LinearRegression", "sklearn.linear_model", "fastml.linear_model"),
    Entry("LogisticRegression", "sklearn.linear_model", "fastml.linear_model"),
    Entry("LogisticRegressionCV", "sklearn.linear_model", "fastml.linear_model"),
    Entry("MultiTaskElasticNet", "sklearn.linear_model", "fastml.linear_model"),
    Entry("MultiTaskElasticNetCV", "sklearn.linear_model", "fastml.linear_model"),
    Entry("MultiTaskLasso", "sklearn.linear_model", "fastml.linear_model"),
    Entry("MultiTaskLassoCV", "sklearn.linear_model", "fastml.linear_model"),
    Entry("PassiveAggressiveClassifier", "sklearn.linear_model", "fastml.linear_model"),
    Entry("PassiveAggressiveRegressor", "sklearn.linear_model", "fastml.linear_model"),
    Entry("Perceptron", "sklearn.linear_model", "fastml.linear_model"),
    Entry("Ridge", "sklearn.linear_model", "fastml.linear_model"),
    Entry("RidgeCV", "sklearn.linear_model", "fastml.linear_model"),
    Entry("RidgeClassifier", "sklearn.linear_model", "fastml.linear_model"),
    Entry("RidgeClassifierCV", "sklearn.linear_model", "fastml.linear_model"),
    Entry("SGDClassifier", "sklearn.linear_model", "fastml.linear_model"),
    Entry("SGDOneClassSVM", "sklearn.linear_model", "fastml.linear_model"),
    Entry("SGDRegressor", "sklearn.linear_model", "fastml.linear_model"),
    Entry("enet_path", "sklearn.linear_model", "fastml.linear_model"),
    Entry("lasso_path", "sklearn.linear_model", "fastml.linear_model"),
    Entry("ridge_regression", "sklearn.linear_model", "fastml.linear_model"),
    Entry("pairwise_distances_argmin", "sklearn.metrics", "fastml.metrics"),
    Entry("pairwise_distances_argmin_min", "sklearn.metrics", "fastml.metrics"),
    Entry("BernoulliNB", "sklearn.naive_bayes", "fastml.naive_bayes"),
    Entry("CategoricalNB", "sklearn.naive_bayes", "fastml.naive_bayes"),
    Entry("ComplementNB", "sklearn.naive_bayes", "fastml.naive_bayes"),
    Entry("GaussianNB", "sklearn.naive_bayes", "fastml.naive_bayes"),
    Entry("MultinomialNB", "sklearn.naive_bayes", "fastml.naive_bayes"),
    Entry("KNeighborsClassifier", "sklearn.neighbors", "fastml.neighbors"),
    Entry("KNeighborsRegressor", "sklearn.neighbors", "fastml.neighbors"),
    Entry("KNeighborsTransformer", "sklearn.neighbors", "fastml.neighbors"),
    Entry("LocalOutlierFactor", "sklearn.neighbors", "fastml.neighbors"),
    Entry("NearestCentroid", "sklearn.neighbors", "fastml.neighbors"),
    Entry("NearestNeighbors", "sklearn.neighbors", "fastml.neighbors"),
    Entry("RadiusNeighborsClassifier", "sklearn.neighbors", "fastml.neighbors"),
    Entry("RadiusNeighborsRegressor", "sklearn.neighbors", "fastml.neighbors"),
    Entry("RadiusNeighborsTransformer", "sklearn.neighbors", "fastml.neighbors"),
    Entry("kneighbors_graph", "sklearn.neighbors", "fastml.neighbors"),
    Entry("radius_neighbors_graph", "sklearn.neighbors", "fastml.neighbors"),
    Entry("MLPClassifier", "sklearn.neural_network", "fastml.neural_network"),
    Entry("MLPRegressor", "sklearn.neural_network", "fastml.neural_network"),
    Entry("LinearSVC", "sklearn.svm", "fastml.svm"),
    Entry("LinearSVR", "sklearn.svm", "fastml.svm"),
    Entry("NuSVC", "sklearn.svm", "fastml.svm"),
    Entry("NuSVR", "sklearn.svm", "fastml.svm"),
    Entry("OneClassSVM", "sklearn.svm", "fastml.svm"),
    Entry("SVC", "sklearn.svm", "fastml.svm"),
    Entry("SVR", "sklearn.svm", "fastml.svm"),
    Entry("DecisionTreeClassifier", "sklearn.tree", "fastml.tree"),
    Entry("DecisionTreeRegressor", "sklearn.tree", "fastml.tree"),
    Entry("ExtraTreeClassifier", "sklearn.tree", "fastml.tree"),
    Entry("ExtraTreeRegressor", "sklearn.tree", "fastml.tree"),
)

OWN_ENTRIES = (
    OwnEntry("Autoencoder", "fastml.neural_network"),
    OwnEntry("ConvAutoencoder", "fastml.neural_network"),
    OwnEntry("ConvNetClassifier", "fastml.neural_network"),
    OwnEntry("ConvNetRegressor", "fastml.neural_network"),
    OwnEntry("NeuralNetClassifier", "fastml.neural_network"),
    OwnEntry("NeuralNetRegressor", "fastml.neural_network"),
)


def is_ours(thing: Any) -> bool:
    """Tell whether a class or function is one of fastml's."""
    return (getattr(thing, "__module__", None) or "").partition(".")[0] == "fastml"
