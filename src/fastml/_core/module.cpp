// The extension module fastml._core: a list of the bindings, nothing else.
#include "bindings.hpp"

PYBIND11_MODULE(_core, module) {
  module.doc() = "Bindings of fastml's kernels.";
  fastml::bind_runtime(module);
  fastml::bind_stats(module);
  fastml::bind_gemm(module);
  fastml::bind_kmeans(module);
  fastml::bind_neighbors(module);
  fastml::bind_tree(module);
  fastml::bind_forest(module);
  fastml::bind_kd_tree(module);
  fastml::bind_votes(module);
  fastml::bind_dbscan(module);
  fastml::bind_column_blocks(module);
  fastml::bind_vector_kernels(module);
  fastml::bind_cross_products(module);
  fastml::bind_sparse_cross(module);
  fastml::bind_sparse_product(module);
  fastml::bind_logistic(module);
  fastml::bind_squared_loss(module);
  fastml::bind_svm_decision(module);
  fastml::bind_nn_augment(module);
  fastml::bind_nn_batches(module);
  fastml::bind_nn_conv(module);
  fastml::bind_nn_layers(module);
  fastml::bind_nn_losses(module);
  fastml::bind_nn_norms(module);
  fastml::bind_nn_optimizers(module);
  fastml::bind_nn_pooling(module);
  fastml::bind_nn_resampling(module);
  fastml::bind_nn_dense(module);
  fastml::bind_svm_train(module);
  fastml::bind_bayes(module);
  fastml::bind_discrete_bayes(module);
}
