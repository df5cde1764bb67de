// The candidates of one block of queries, from the screen's bounds to the exact answer. One thread's scratch memory.
#pragma once

#include <cstdint>
#include <vector>

#include "neighbors/ranked_rows.hpp"
#include "neighbors/screened_rows.hpp"

namespace fastml::neighbors {

// What does not change from block to block.
template <class T>
struct SearchOf {
  Rows<const T> data;
  const MetricOptions* options;
  const ScreenedRows<T>* screened;
  const double* weights;  // of ExactQuery
  const double* columns;  // of ExactQuery
};

template <class T>
class Shortlists {
 public:
  // The k nearest of each query: `within` false. All within a radius: `within` true, `k` the length of lists.
  Shortlists(const SearchOf<T>& search, const Rows<const T>& queries, std::int64_t k, std::int64_t most_queries,
             bool within);

  // Elements of scratch memory a query costs, in bytes, for the size of blocks.
  static std::int64_t bytes_per_query(std::int64_t k, std::int64_t cols);

  // Starts with the queries [first, first + count) and the fitted rows [begin, end), `begin` the first row of a panel.
  void start(std::int64_t first, std::int64_t count, std::int64_t begin, std::int64_t end);
  // Screens the next rows of the segment, about `work` multiply-adds. Returns false when there are none left.
  bool advance(std::int64_t work);
  // The nearest of query i, in order: k, or all rows of the segment. Into `part`, or (nullptr) the two arrays.
  void nearest(std::int64_t i, RankedRow* part, double* distances, std::int64_t* indices);

  // Before start(): the radius of the next block, and where those within it go, a list a query, by ascending row.
  void set_radius(double radius, std::vector<RankedRow>* found);
  // After the last advance(): passes on what is still listed.
  void finish_within();

 private:
  bool is_worth_a_sample() const;
  void start_pass(bool with_sample);
  void end_sample();
  bool is_proven() const;
  void load_query(std::int64_t i);
  void compare_exactly(std::int64_t i);
  void keep_best(std::int64_t i);
  void pass_on(std::int64_t i);
  void make_room(std::int64_t i);
  void bound_all();
  void set_tau(Shortlist& list, std::int64_t i, double tau);
  void scan(std::int64_t i);

  SearchOf<T> search_;
  const BruteKernels& kernels_;
  std::int64_t k_, cols_, features_;
  std::int32_t capacity_;
  bool within_;
  double radius_ = 0;
  std::vector<RankedRow>* found_ = nullptr;

  Rows<const T> all_queries_, queries_{};
  std::int64_t segment_begin_ = 0, segment_end_ = 0, begin_panel_ = 0, next_panel_ = 0, end_panel_ = 0;
  std::int64_t panel_step_ = 1;
  bool bounded_ = false;                   // whether tau is known
  bool sampling_ = false;                  // whether some of the rows are looked at, for a first limit only
  bool provisional_ = false;               // whether tau began as the limit of a sample, which k rows may not reach
  std::int64_t samples_ = 0, redone_ = 0;  // blocks that began with a sample, and those where it misled
  bool any_screened_ = false;

  Buffer<float> centered_, packed_, limits_;
  std::vector<Shortlist> lists_;
  std::vector<float> first_taus_;
  std::vector<char> screened_;
  std::vector<double> inverse_norms_;
  std::vector<Candidate> candidates_;
  std::int64_t sorted_;  // bounds kept in order for each query
  std::vector<float> best_;

  // One query compared exactly.
  Buffer<double> query_, scratch_;
  std::int64_t loaded_ = -1;
  std::vector<std::int32_t> rows_;
  std::vector<double> sums_;
  std::vector<ComparedRow> compared_;
};

}  // namespace fastml::neighbors
