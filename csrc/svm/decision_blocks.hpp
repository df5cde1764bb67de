// Blocks of samples over threads, each of which meets all support vectors, block by block.
//
// `Values` makes the values of the kernel:
//
//   strip()                         samples of a strip at most
//   block()                         support vectors of a block: a multiple of every level's lanes, or all
//   stride()                        distance of two samples' values
//   workspace(samples)              numbers of working memory for a block of so many samples
//   start(memory, block)            a block of samples is next
//   fill(memory, block, strip, first_vector, vectors, values)
//                                   the values of a strip; whole panels of them may be written
#pragma once

#include <algorithm>
#include <atomic>
#include <numeric>
#include <vector>

#include "runtime/buffer.hpp"
#include "svm/decision_kernels.hpp"
#include "svm/decision_task.hpp"
#include "svm/decision_tuning.hpp"

namespace fastml::svm {

struct Block {
  std::int64_t begin, count;
};

// Samples are cut into parts of near-equal size.
struct Parts {
  std::int64_t samples, count;
  Parts(std::int64_t samples_, std::int64_t most) : samples(samples_), count((samples_ + most - 1) / most) {}
  std::int64_t begin(std::int64_t part) const { return part * samples / count; }
};

// What is weighed at a time.
struct Strip {
  std::int64_t begin;  // within the block
  int height;
};

// `samples` > 0. Returns false when stopped.
template <class Values>
bool decide_blocks(const Values& values, std::int64_t samples, std::int64_t vectors, std::int64_t most_samples,
                   const DecisionTask& task) {
  const DecisionKernels& kernels = decision_kernels();
  const PairwiseAnswer& answer = task.answer;
  const std::int64_t classes = answer.classes, outputs = answer.outputs(), width = classes * outputs;
  std::vector<std::int64_t> starts(classes + 1, 0);
  std::partial_sum(task.counts, task.counts + classes, starts.begin() + 1);

  const int wanted = int(std::min<std::int64_t>(std::max(task.threads, 1), samples));
  // Sums of a sample grow with the square of the classes.
  const std::int64_t fitting = std::max<std::int64_t>(1, kSumValues / std::max<std::int64_t>(1, width));
  const std::int64_t block_samples = std::min({most_samples, fitting, (samples + wanted - 1) / wanted});
  const std::int64_t blocks = (samples + block_samples - 1) / block_samples;
  const int threads = int(std::min<std::int64_t>(wanted, blocks));
  const std::int64_t strip_values = whole_lines<double>(std::min(values.strip(), block_samples) * values.stride());
  const std::int64_t sum_size = whole_lines<double>(block_samples * width);
  const std::int64_t workspace = whole_lines<double>(values.workspace(block_samples));
  const std::int64_t memory_size = strip_values + sum_size + workspace + whole_lines<double>(answer.scratch());
  Buffer<double> memory(threads * memory_size);

  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stopped{false};
  const auto run_block = [&](int thread, const Block& block) {
    double* const strip_memory = memory.data() + thread * memory_size;
    double* const sums = strip_memory + strip_values;
    double* const own = sums + sum_size;
    const KernelValues strip_of_values{strip_memory, values.stride()};
    const Parts strips(block.count, values.strip());
    std::fill(sums, sums + block.count * width, 0.0);
    values.start(own, block);
    std::int64_t first_class = 0;
    for (std::int64_t first = 0; first < vectors; first += values.block()) {
      const std::int64_t end = std::min(first + values.block(), vectors);
      while (starts[first_class + 1] <= first) ++first_class;
      for (std::int64_t t = 0; t < strips.count; ++t) {
        const Strip strip{strips.begin(t), int(strips.begin(t + 1) - strips.begin(t))};
        values.fill(own, block, strip, first, end - first, strip_of_values);
        for (std::int64_t c = first_class; c < classes && starts[c] < end; ++c) {
          const std::int64_t from = std::max(first, starts[c]), to = std::min(end, starts[c + 1]);
          if (from >= to) continue;
          kernels.weigh({strip_memory + (from - first), values.stride()}, strip.height, to - from, task.dual + from,
                        vectors, outputs, sums + strip.begin * width + c * outputs, width);
        }
      }
      // Thread 0 of the team is the caller, which may call back into its interpreter.
      if (thread == 0 && task.stop != nullptr && task.stop()) stopped = true;
      if (stopped) return;
    }
    for (std::int64_t i = 0; i < block.count; ++i) answer.give(block.begin + i, sums + i * width, own + workspace);
  };
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int thread = 0; thread < threads; ++thread) {
    for (std::int64_t block = next++; block < blocks && !stopped; block = next++) {
      const std::int64_t begin = block * block_samples;
      run_block(thread, {begin, std::min(block_samples, samples - begin)});
    }
  }
  return !stopped;
}

}  // namespace fastml::svm
