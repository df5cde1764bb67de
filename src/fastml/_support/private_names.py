"""The private names of scikit-learn that fastml uses, in one place.

scikit-learn may change or drop them in any release, and not only with a new minor version. A test fails when one of
them is gone, when fastml uses one that is not listed, and when one is listed that fastml no longer uses.
"""

CHECKED_AGAINST = ("1.9.1",)
"""The versions of scikit-learn on which the names were checked."""

PRIVATE_NAMES = {
    "sklearn._loss.loss.ExponentialLoss": "tells which line search a leaf of gradient boosting gets",
    "sklearn._loss.loss.HalfBinomialLoss": (
        "tells which line search a leaf of gradient boosting gets; the loss that Newton's methods minimise"
    ),
    "sklearn._loss.loss.HalfMultinomialLoss": "tells which line search a leaf of gradient boosting gets",
    "sklearn._loss.loss.HalfSquaredError": "tells that leaves of gradient boosting need no line search",
    "sklearn._loss.loss.HuberLoss": "tells that a stage begins with a new delta",
    "sklearn.base.BaseEstimator._get_param_names": "the names of a tree's parameters",
    "sklearn.base.BaseEstimator._validate_params": "overridden: parameters of trees are checked once",
    "sklearn.base._fit_context": "checks parameters as every fit of scikit-learn does",
    "sklearn.cluster._kmeans.KMeans._check_params_vs_input": "overridden by MiniBatchKMeans, see there",
    "sklearn.cluster._kmeans.MiniBatchKMeans._check_params_vs_input": "sets sizes and numbers of runs that depend on X",
    "sklearn.cluster._kmeans.MiniBatchKMeans._mini_batch_convergence": "the stopping rule",
    "sklearn.cluster._kmeans.MiniBatchKMeans._random_reassign": "the rule for when to reassign clusters",
    "sklearn.cluster._kmeans._BaseKMeans": "the parent that both k-means estimators share",
    "sklearn.cluster._kmeans._BaseKMeans._transform": "overridden with our distances",
    "sklearn.cluster._kmeans._BaseKMeans._validate_center_shape": "the messages for invalid initial centres",
    "sklearn.decomposition._base._BasePCA": "the parent that both principal component analyses share",
    "sklearn.decomposition._pca._infer_dimension": "the number of components where eigenvalues are equal",
    "sklearn.ensemble._bagging.BaggingClassifier._get_estimator": "overridden: our tree by default",
    "sklearn.ensemble._bagging.BaggingRegressor._get_estimator": "overridden: our tree by default",
    "sklearn.ensemble._bagging.BaseBagging._fit": "not used: it shares its name with the trees' method",
    "sklearn.ensemble._base.BaseEnsemble._validate_estimator": "overridden: our trees in forests",
    "sklearn.ensemble._bootstrap._get_n_samples_bootstrap": (
        "the size of a bootstrap sample, and the warning of a small one"
    ),
    "sklearn.ensemble._forest.BaseForest": "the parent that all forests share",
    "sklearn.ensemble._forest.BaseForest._validate_X_predict": "overridden: no estimators are made for it",
    "sklearn.ensemble._forest.BaseForest._validate_y_class_weight": (
        "overridden: integer classes are numbered in linear time"
    ),
    "sklearn.ensemble._forest.ForestClassifier": "the parent of classification forests",
    "sklearn.ensemble._forest.ForestClassifier._set_oob_score_and_attributes": "overridden with our predictions",
    "sklearn.ensemble._forest.ForestClassifier._validate_y_class_weight": "class weights and their errors",
    "sklearn.ensemble._forest.ForestRegressor": "the parent of regression forests",
    "sklearn.ensemble._forest.ForestRegressor._set_oob_score_and_attributes": "overridden with our predictions",
    "sklearn.ensemble._forest.RandomTreesEmbedding._set_oob_score_and_attributes": "raises: there is no such estimate",
    "sklearn.ensemble._gb.BaseGradientBoosting": "the parent that both estimators share",
    "sklearn.ensemble._gb.BaseGradientBoosting._fit_stage": "overridden: our trees",
    "sklearn.ensemble._gb.BaseGradientBoosting._fit_stages": "overridden: samples are encoded before the stages",
    "sklearn.ensemble._gb.BaseGradientBoosting._raw_predict": "overridden with our predictions",
    "sklearn.ensemble._gb.BaseGradientBoosting._raw_predict_init": "checks samples and predicts what the stages add to",
    "sklearn.ensemble._gb._init_raw_predictions": "what the stages add to, for samples that need no check",
    "sklearn.ensemble._gb._safe_divide": "the step of a leaf, and the warning of an overflow",
    "sklearn.ensemble._gb.set_huber_delta": "sets the loss' delta before a stage",
    "sklearn.ensemble._weight_boosting.AdaBoostClassifier._validate_estimator": "overridden: our tree by default",
    "sklearn.ensemble._weight_boosting.AdaBoostRegressor._validate_estimator": "overridden: our tree by default",
    "sklearn.linear_model._base.LinearClassifierMixin": "the parent that linear classifiers share",
    "sklearn.linear_model._base.LinearModel": "the parent that linear regressors share",
    "sklearn.linear_model._base.LinearModel._decision_function": "overridden: quick checks of plain input",
    "sklearn.linear_model._base.LinearModel._set_intercept": "the intercept, where X was decomposed",
    "sklearn.linear_model._base.SPARSE_INTERCEPT_DECAY": "how SGD slows the intercept of sparse samples",
    "sklearn.linear_model._base._check_precomputed_gram_matrix": "rejects a Gram matrix of other samples",
    "sklearn.linear_model._base._preprocess_data": "centres and weights samples that are to be decomposed",
    "sklearn.linear_model._coordinate_descent.ElasticNet._decision_function": "overridden: quick checks of plain input",
    "sklearn.linear_model._coordinate_descent.LinearModelCV": "the parent that LassoCV and its like share",
    "sklearn.linear_model._coordinate_descent._alpha_grid": "the penalties of a path; the error where there are none",
    "sklearn.linear_model._glm.glm.NewtonCholeskySolver": "Newton's method, over our Hessian",
    "sklearn.linear_model._linear_loss.LinearModelLoss": "what Newton's methods take for a loss",
    "sklearn.linear_model._logistic.LogisticRegressionCV._get_scorer": "not used: it shares its name with ridge's",
    "sklearn.linear_model._logistic._LOGISTIC_SOLVER_CONVERGENCE_MSG": "the end of the warning of L-BFGS",
    "sklearn.linear_model._logistic._check_solver": "which penalties a solver takes",
    "sklearn.linear_model._logistic._log_reg_scoring_path": "folds by liblinear, SAG and SAGA, and their scores",
    "sklearn.linear_model._logistic._logistic_regression_path": "liblinear, SAG and SAGA, on weighted classes",
    "sklearn.linear_model._ridge": "the class for leave-one-out errors, whose name stands in messages",
    "sklearn.linear_model._ridge._BaseRidge": "the parent that ridge estimators share; runs the other solvers",
    "sklearn.linear_model._ridge._BaseRidgeCV": "the parent that both searches for a penalty share",
    "sklearn.linear_model._ridge._BaseRidgeCV._get_scorer": "the scorer, and what it asks for of metadata",
    "sklearn.linear_model._ridge._RidgeClassifierMixin": "the parent that ridge classifiers share",
    "sklearn.linear_model._ridge._RidgeClassifierMixin._prepare_data": "classes as targets, weights of classes",
    "sklearn.linear_model._ridge._get_valid_accept_sparse": "the sparse formats that a solver takes",
    "sklearn.linear_model._stochastic_gradient.BaseSGD._allocate_parameter_mem": (
        "where SGD starts from, and the errors of wrong starts"
    ),
    "sklearn.linear_model._stochastic_gradient.BaseSGD._get_l1_ratio": "the mixing parameter where it has no meaning",
    "sklearn.linear_model._stochastic_gradient.BaseSGD._get_learning_rate_type": (
        "the number of a schedule, and the error of an unknown one"
    ),
    "sklearn.linear_model._stochastic_gradient.BaseSGD._get_loss_function": "the attribute `_loss_function_`",
    "sklearn.linear_model._stochastic_gradient.BaseSGD._get_penalty_type": "the number of a penalty",
    "sklearn.linear_model._stochastic_gradient.BaseSGD._make_validation_score_cb": (
        "overridden: accuracy without an estimator"
    ),
    "sklearn.linear_model._stochastic_gradient.BaseSGD._make_validation_split": (
        "the samples that early stopping sets aside"
    ),
    "sklearn.linear_model._stochastic_gradient.BaseSGDClassifier": "the parent that classifiers by SGD share",
    "sklearn.linear_model._stochastic_gradient.BaseSGDClassifier._fit": "overridden: fewer checks of plain targets",
    "sklearn.linear_model._stochastic_gradient.BaseSGDClassifier._partial_fit": "overridden: our solver",
    "sklearn.linear_model._stochastic_gradient.BaseSGDRegressor": "the parent that regressors by SGD share",
    "sklearn.linear_model._stochastic_gradient.BaseSGDRegressor._decision_function": "overridden with our predictions",
    "sklearn.linear_model._stochastic_gradient.BaseSGDRegressor._fit": "overridden: our solver",
    "sklearn.linear_model._stochastic_gradient.BaseSGDRegressor._fit_regressor": "overridden: our solver",
    "sklearn.linear_model._stochastic_gradient.BaseSGDRegressor._partial_fit": "overridden: our solver",
    "sklearn.linear_model._stochastic_gradient.SGDOneClassSVM._fit": "overridden: our solver",
    "sklearn.linear_model._stochastic_gradient.SGDOneClassSVM._fit_one_class": "overridden: our solver",
    "sklearn.linear_model._stochastic_gradient.SGDOneClassSVM._partial_fit": "overridden: our solver",
    "sklearn.linear_model.enet_path._skl_parameter_constraints": "which arguments it takes",
    "sklearn.linear_model.lasso_path._skl_parameter_constraints": "which arguments it takes",
    "sklearn.linear_model.ridge_regression._skl_parameter_constraints": "which arguments it takes",
    "sklearn.metrics.pairwise_distances_argmin._skl_parameter_constraints": "which arguments it takes",
    "sklearn.metrics.pairwise_distances_argmin_min._skl_parameter_constraints": "which arguments it takes",
    "sklearn.neighbors._base.KNeighborsMixin": "the parent that all searches for k neighbours share",
    "sklearn.neighbors._base.NeighborsBase": "the parent that all estimators of neighbours share",
    "sklearn.neighbors._base.NeighborsBase._fit": "overridden: no tree of scikit-learn is built",
    "sklearn.neighbors._base.RadiusNeighborsMixin": "the parent that all searches within a radius share",
    "sklearn.neighbors._base.VALID_METRICS": "which metrics each algorithm takes",
    "sklearn.neighbors._base._check_precomputed": "checks given distances, and sorts graphs of them",
    "sklearn.neighbors._base._kneighbors_from_graph": "cuts the nearest out of a graph, and the message for too few",
    "sklearn.neighbors.kneighbors_graph._skl_parameter_constraints": "which arguments it takes",
    "sklearn.neighbors.radius_neighbors_graph._skl_parameter_constraints": "which arguments it takes",
    "sklearn.neural_network._multilayer_perceptron.BaseMultilayerPerceptron": "the parent that both perceptrons share",
    "sklearn.neural_network._multilayer_perceptron.BaseMultilayerPerceptron._check_solver": (
        "whether there is a partial_fit, and the message where there is none"
    ),
    "sklearn.neural_network._multilayer_perceptron.BaseMultilayerPerceptron._fit": (
        "overridden; fit and partial_fit call it"
    ),
    "sklearn.neural_network._multilayer_perceptron.BaseMultilayerPerceptron._forward_pass_fast": (
        "overridden; predictions and validation scores call it"
    ),
    "sklearn.neural_network._multilayer_perceptron.BaseMultilayerPerceptron._initialize": "draws the first weights",
    "sklearn.neural_network._multilayer_perceptron.BaseMultilayerPerceptron._update_no_improvement_count": (
        "keeps the best loss or score, and counts epochs without a better one"
    ),
    "sklearn.neural_network._multilayer_perceptron.MLPClassifier._validate_input": "checks samples and labels",
    "sklearn.neural_network._multilayer_perceptron.MLPRegressor._validate_input": "checks samples and targets",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer": "holds the state of Adam between calls",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer": "holds velocities and the rate between calls",
    "sklearn.naive_bayes.BernoulliNB._check_X": (
        "raises what scikit-learn says of samples to predict, where a kernel met values that are not finite"
    ),
    "sklearn.naive_bayes.BernoulliNB._check_X_y": (
        "raises what scikit-learn says of samples, where a kernel met values that are not finite"
    ),
    "sklearn.naive_bayes.BernoulliNB._joint_log_likelihood": "tells whether a class defines its scores anew",
    "sklearn.naive_bayes.BernoulliNB._update_feature_log_prob": "log-probabilities from counts",
    "sklearn.naive_bayes.CategoricalNB._check_X": (
        "raises what scikit-learn says of samples to predict, where a kernel met values that are not finite"
    ),
    "sklearn.naive_bayes.CategoricalNB._check_X_y": (
        "raises what scikit-learn says of samples, where a kernel met values that are not finite"
    ),
    "sklearn.naive_bayes.CategoricalNB._init_counters": (
        "tells whether a class defines its counts anew; the arrays that counts are added to"
    ),
    "sklearn.naive_bayes.CategoricalNB._joint_log_likelihood": (
        "tells whether a class defines its scores anew; raises for categories without probability"
    ),
    "sklearn.naive_bayes.CategoricalNB._update_feature_log_prob": "log-probabilities from counts",
    "sklearn.naive_bayes.CategoricalNB._validate_n_categories": (
        "the numbers of categories, and the errors of min_categories"
    ),
    "sklearn.naive_bayes.ComplementNB._joint_log_likelihood": "tells whether a class defines its scores anew",
    "sklearn.naive_bayes.ComplementNB._update_feature_log_prob": "log-probabilities from counts",
    "sklearn.naive_bayes.GaussianNB._check_X": "not used: it shares its name with that of discrete naive Bayes",
    "sklearn.naive_bayes.GaussianNB._joint_log_likelihood": "tells whether a class defines its scores anew",
    "sklearn.naive_bayes.MultinomialNB._joint_log_likelihood": "tells whether a class defines its scores anew",
    "sklearn.naive_bayes.MultinomialNB._update_feature_log_prob": "log-probabilities from counts",
    "sklearn.naive_bayes._BaseDiscreteNB": "the parent that naive Bayes classifiers of counts and categories share",
    "sklearn.naive_bayes._BaseDiscreteNB._check_X": (
        "raises what scikit-learn says of samples to predict, where a kernel met values that are not finite"
    ),
    "sklearn.naive_bayes._BaseDiscreteNB._check_X_y": (
        "raises what scikit-learn says of samples, where a kernel met values that are not finite"
    ),
    "sklearn.naive_bayes._BaseDiscreteNB._check_alpha": "the smoothing of counts, its errors and warning",
    "sklearn.naive_bayes._BaseDiscreteNB._init_counters": (
        "tells whether a class defines its counts anew; the arrays that counts are added to"
    ),
    "sklearn.naive_bayes._BaseDiscreteNB._update_class_log_prior": (
        "log-probabilities of the classes, and the errors of given ones"
    ),
    "sklearn.naive_bayes._BaseNB": "the parent that all naive Bayes classifiers share",
    "sklearn.svm._base.BaseLibSVM": "the parent that kernel machines share",
    "sklearn.svm._base.BaseLibSVM._compute_kernel": "the values of a kernel that is a function",
    "sklearn.svm._base.BaseLibSVM._decision_function": "overridden with our decisions",
    "sklearn.svm._base.BaseLibSVM._dense_fit": "overridden: our solver; fit calls it with samples that it has checked",
    "sklearn.svm._base.BaseLibSVM._sparse_fit": "overridden: our solver; fit calls it with samples that it has checked",
    "sklearn.svm._base.BaseLibSVM._validate_for_predict": "overridden: quick checks of plain input",
    "sklearn.svm._base.BaseLibSVM._warn_from_fit_status": "the warning where max_iter was reached",
    "sklearn.svm._base.BaseSVC": "the parent that SVC and NuSVC share",
    "sklearn.svm._base.BaseSVC._check_proba": "whether there are probabilities, and the message where there are none",
    "sklearn.svm._classes.NuSVC._impl": "which of LIBSVM's machines it is",
    "sklearn.svm._classes.NuSVR._impl": "which of LIBSVM's machines it is",
    "sklearn.svm._classes.OneClassSVM._impl": "which of LIBSVM's machines it is",
    "sklearn.svm._classes.SVC._impl": "which of LIBSVM's machines it is",
    "sklearn.svm._classes.SVR._impl": "which of LIBSVM's machines it is",
    "sklearn.tree._classes.BaseDecisionTree": "the parent that all trees share",
    "sklearn.tree._classes.BaseDecisionTree._compute_missing_values_in_feature_mask": (
        "rejects values that are not finite where they may not be"
    ),
    "sklearn.svm._base._fit_liblinear": "liblinear, on the samples as they are",
    "sklearn.svm._base._get_liblinear_solver_type": "the number of a solver, and the errors where there is none",
    "sklearn.tree._classes.BaseDecisionTree._fit": "overridden; forests and boosting call it too",
    "sklearn.tree._classes.BaseDecisionTree._prune_tree": "minimal cost-complexity pruning",
    "sklearn.tree._classes.BaseDecisionTree._validate_X_predict": "checks samples to predict for",
    "sklearn.tree._criterion.Criterion": "tells a criterion given as an object",
    "sklearn.tree._criterion.Entropy": "a criterion that has a name",
    "sklearn.tree._criterion.Gini": "a criterion that has a name",
    "sklearn.tree._criterion.MAE": "a criterion that has a name",
    "sklearn.tree._criterion.MSE": "a criterion that has a name",
    "sklearn.tree._criterion.Poisson": "a criterion that has a name",
    "sklearn.tree._splitter.Splitter": "tells a splitter given as an object",
    "sklearn.tree._tree.NODE_DTYPE": "the layout of nodes, which the kernels share",
    "sklearn.tree._tree.TREE_LEAF": "tells leaves",
    "sklearn.tree._tree.Tree": "what `tree_` is, filled by its __setstate__",
    "sklearn.tree._tree._build_pruned_tree_ccp": "prunes the trees of a forest",
    "sklearn.utils._align_api_if_sparse": "a sparse matrix or array, as the configuration asks for",
    "sklearn.utils._arpack._init_arpack_v0": "the vector that ARPACK starts from",
    "sklearn.utils._metadata_requests._raise_for_params": "the error of arguments for a splitter without routing",
    "sklearn.utils._metadata_requests._routing_enabled": "tells whether metadata are routed",
    "sklearn.utils._param_validation.Interval": "says which values a parameter may have",
    "sklearn.utils._param_validation.StrOptions": "says which names a parameter may have",
    "sklearn.utils._param_validation.validate_params": "checks the parameters of a function",
    "sklearn.utils.fixes._get_additional_lbfgs_options_dict": "the option by which SciPy is asked to print",
    "sklearn.utils.metadata_routing._manual_routing": "what the splitter and the scorer are given without routing",
    "sklearn.utils.metadata_routing._raise_for_params": "the message for metadata that nothing asks for",
    "sklearn.utils.metadata_routing._routing_enabled": "tells whether metadata are routed",
    "sklearn.utils.multiclass._check_partial_fit_first_call": "the classes of the first batch, and errors of others",
    "sklearn.utils.optimize._check_optimize_result": "the warning of L-BFGS",
    "sklearn.utils.optimize._newton_cg": "Newton's method with conjugate gradients, over our products",
    "sklearn.utils.parallel._get_threadpool_controller": "limits the threads of BLAS; shared, as it takes long to make",
    "sklearn.utils.sparsefuncs._implicit_column_offset": "sparse samples less their means, for ARPACK",
    "sklearn.utils.validation._check_method_params": "cuts a scorer's arguments to the rows of a fold",
    "sklearn.utils.validation._check_sample_weight": "the messages for invalid weights; there is no public equivalent",
    "sklearn.utils.validation._is_arraylike_not_scalar": "tells initial centres from the name of a method",
    "sklearn.utils.validation._num_samples": "how many targets RandomTreesEmbedding draws",
}
"""Dotted path of each name, and what it is needed for."""
