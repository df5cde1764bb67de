// The matrix product at one SIMD level: the five loops around the micro-kernel (Goto & van de Geijn 2008, as BLIS
// arranges them), with A and B packed, B alone packed, or neither.
#include "gemm/gemm.hpp"

#include "gemm/microkernel.hpp"
#include "gemm/tuning.hpp"
#include "simd/copy_block.hpp"
#include "simd/scratch.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
std::int64_t round_up(std::int64_t x, std::int64_t multiple) { return (x + multiple - 1) / multiple * multiple; }

// Epilogue of the product: C = alpha * tile + beta * C on the `cols` leading columns of the tile.
template <class T>
struct StoreTile {
  T* c;
  std::int64_t row_stride;
  std::int64_t col_stride;
  T alpha;
  T beta;
  int cols;
  bool fetch_early;  // C lies outside L2: ask for its lines before the tile is multiplied, not when it is stored

  FASTML_INLINE void prefetch(int rows) const {
    for (int i = 0; i < rows; ++i) {
      __builtin_prefetch(c + i * row_stride, 1);
      __builtin_prefetch(c + i * row_stride + kTileCols<T> / 2, 1);
    }
  }

  template <int MR, int NV>
  FASTML_INLINE void operator()(vec<T> (&acc)[MR][NV]) const {
    if (col_stride == 1 && cols == NV * kLanes<T>) {
      if (beta == T(0)) {
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
          for (int j = 0; j < NV; ++j) store(c + i * row_stride + j * kLanes<T>, alpha * acc[i][j]);
        }
      } else {
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
          for (int j = 0; j < NV; ++j) {
            T* target = c + i * row_stride + j * kLanes<T>;
            store(target, alpha * acc[i][j] + beta * load(target));
          }
        }
      }
      return;
    }
    alignas(64) T tile[MR][NV * kLanes<T>];
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < NV; ++j) store(&tile[i][j * kLanes<T>], alpha * acc[i][j]);
    }
    const int width = cols < NV * kLanes<T> ? cols : NV * kLanes<T>;
    for (int i = 0; i < MR; ++i) {
      for (int j = 0; j < width; ++j) {
        T* target = c + i * row_stride + j * col_stride;
        *target = beta == T(0) ? tile[i][j] : tile[i][j] + beta * *target;
      }
    }
  }
};

template <class T, int MR, int NV, class A>
__attribute__((noinline)) void run_tile(std::int64_t depth, A a, const T* b, std::int64_t b_stride,
                                        const StoreTile<T>& epilogue) {
  vec<T> acc[MR][NV] = {};
  if (epilogue.fetch_early) epilogue.prefetch(MR);
  multiply_tile(depth, a, b, b_stride, acc);
  epilogue(acc);
}

// A tile of `rows` rows and up to kTileCols columns, as few vectors wide as hold `epilogue.cols` columns.
template <class T, int MR, class A>
void run_rows(int rows, std::int64_t depth, A a, const T* b, std::int64_t b_stride, const StoreTile<T>& epilogue) {
  if (rows < MR) {
    if constexpr (MR > 1) run_rows<T, MR - 1>(rows, depth, a, b, b_stride, epilogue);
  } else if (epilogue.cols <= kLanes<T>) {
    run_tile<T, MR, 1>(depth, a, b, b_stride, epilogue);
  } else {
    run_tile<T, MR, kTileVectors>(depth, a, b, b_stride, epilogue);
  }
}

template <class T>
struct Block {
  const T* data;
  std::int64_t row_stride;
  std::int64_t col_stride;
  const T* at(std::int64_t i, std::int64_t j) const { return data + i * row_stride + j * col_stride; }
};

enum class Route { unpacked, pack_b, pack_both };

// One block of the product: rows [.., ..) of C's columns [col, col + cols), steps [step, step + depth) of the common dimension.
template <class T>
struct Step {
  const GemmArguments<T>& g;
  Route route;
  std::int64_t col, cols, step, depth;

  Step(const GemmArguments<T>& g_, Route route_, std::int64_t col_, std::int64_t step_)
      : g(g_),
        route(route_),
        col(col_),
        cols(least(g_.n - col_, kGemmCols)),
        step(step_),
        depth(least(g_.k - step_, kGemmDepth)) {}

  // Columns from here on are read from packed panels, those before it where the caller has them.
  std::int64_t first_packed() const { return route == Route::unpacked ? cols / kTileCols<T> * kTileCols<T> : 0; }
  std::int64_t panels() const { return (cols - first_packed() + kTileCols<T> - 1) / kTileCols<T>; }

  // Packs panel p of B: depth x kTileCols, row-major. In the last panel the columns past n are zeros: the tile's lanes that
  // meet them are computed and never stored.
  void pack_panel(std::int64_t p, T* packed_b) const {
    const std::int64_t j = first_packed() + p * kTileCols<T>;
    const std::int64_t width = least(cols - j, kTileCols<T>);
    T* panel = packed_b + p * kTileCols<T> * depth;
    if (width < kTileCols<T>) {
      for (std::int64_t i = 0; i < depth * kTileCols<T>; ++i) panel[i] = T(0);
    }
    const Block<T> b{g.b, g.b_row_stride, g.b_col_stride};
    copy_block(panel, kTileCols<T>, b.at(step, col + j), b.row_stride, b.col_stride, depth, width);
  }

  // Multiplies rows [begin, end) with the packed panels.
  void multiply_rows(std::int64_t begin, std::int64_t end, const T* packed_b, T* packed_a) const {
    const Block<T> a{g.a, g.a_row_stride, g.a_col_stride};
    const Block<T> b{g.b, g.b_row_stride, g.b_col_stride};
    const T beta = step == 0 ? g.beta : T(1);
    const bool fetch_early = g.c_col_stride == 1 && g.m * g.n * std::int64_t(sizeof(T)) > kGemmPrefetchBytes;
    for (std::int64_t row = begin; row < end; row += kGemmRows) {
      const std::int64_t rows = least(end - row, kGemmRows);
      if (route == Route::pack_both) {
        copy_block(packed_a, kGemmDepth + kRowPad, a.at(row, step), a.row_stride, a.col_stride, rows, depth);
      }
      for (std::int64_t j = 0; j < cols; j += kTileCols<T>) {
        const bool direct = j < first_packed();
        const T* panel = direct ? b.at(step, col + j) : packed_b + (j - first_packed()) * depth;
        const std::int64_t panel_stride = direct ? b.row_stride : kTileCols<T>;
        for (std::int64_t i = 0; i < rows; i += kTileRows) {
          const int height = int(least(rows - i, kTileRows));
          const StoreTile<T> epilogue{g.c + (row + i) * g.c_row_stride + (col + j) * g.c_col_stride,
                                      g.c_row_stride,
                                      g.c_col_stride,
                                      g.alpha,
                                      beta,
                                      int(least(cols - j, kTileCols<T>)),
                                      fetch_early};
          if (route == Route::pack_both) {
            const PackedRows<T, kGemmDepth> tile{packed_a + i * (kGemmDepth + kRowPad)};
            run_rows<T, kTileRows>(height, depth, tile, panel, panel_stride, epilogue);
          } else {
            const DirectRows<T> tile{a.at(row + i, step), a.row_stride};
            run_rows<T, kTileRows>(height, depth, tile, panel, panel_stride, epilogue);
          }
        }
      }
    }
  }
};

// Elements of scratch for packed B, and for packed A of up to `rows` rows.
template <class T>
std::int64_t b_scratch(const GemmArguments<T>& g, Route route) {
  const std::int64_t cols = route == Route::unpacked ? kTileCols<T> : round_up(least(g.n, kGemmCols), kTileCols<T>);
  return padded<T>(least(g.k, kGemmDepth) * cols);
}
template <class T>
std::int64_t a_scratch(std::int64_t rows, Route route) {
  return route == Route::pack_both ? padded<T>(least(rows, kGemmRows) * (kGemmDepth + kRowPad)) : 0;
}

template <class T>
void multiply_serial(const GemmArguments<T>& g, Route route, T* scratch) {
  T* packed_a = scratch + b_scratch(g, route);
  for (std::int64_t col = 0; col < g.n; col += kGemmCols) {
    for (std::int64_t step = 0; step < g.k; step += kGemmDepth) {
      const Step<T> block(g, route, col, step);
      for (std::int64_t p = 0; p < block.panels(); ++p) block.pack_panel(p, scratch);
      block.multiply_rows(0, g.m, scratch, packed_a);
    }
  }
}

// Threads pack B together, then multiply a band of rows each.
template <class T>
void multiply_row_bands(const GemmArguments<T>& g, Route route, std::int64_t band, int threads) {
  const std::int64_t a_size = a_scratch<T>(band, route);
  Scratch<T> scratch(b_scratch(g, route) + threads * a_size);
  T* const packed_b = scratch.data();
  T* const packed_a = packed_b + b_scratch(g, route);
#pragma omp parallel num_threads(threads)
  for (std::int64_t col = 0; col < g.n; col += kGemmCols) {
    for (std::int64_t step = 0; step < g.k; step += kGemmDepth) {
      const Step<T> block(g, route, col, step);
      const std::int64_t panels = block.panels();
#pragma omp for schedule(static)
      for (std::int64_t p = 0; p < panels; ++p) block.pack_panel(p, packed_b);
#pragma omp for schedule(static, 1)
      for (int t = 0; t < threads; ++t) {
        block.multiply_rows(least(t * band, g.m), least((t + 1) * band, g.m), packed_b, packed_a + t * a_size);
      }
    }
  }
}

// Each thread multiplies a band of columns with packing buffers of its own. A, the shorter operand, is packed by each.
template <class T>
void multiply_column_bands(const GemmArguments<T>& g, Route route, std::int64_t band, int threads) {
  GemmArguments<T> widest = g;
  widest.n = band;
  const std::int64_t size = b_scratch(widest, route) + a_scratch<T>(g.m, route);
  Scratch<T> scratch(size * threads);
  T* const buffers = scratch.data();
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int t = 0; t < threads; ++t) {
    GemmArguments<T> part = g;
    part.n = least(band, g.n - t * band);
    part.b += t * band * g.b_col_stride;
    part.c += t * band * g.c_col_stride;
    if (part.n > 0) multiply_serial(part, route, buffers + t * size);
  }
}

template <class T>
Route choose_route(const GemmArguments<T>& g) {
  if (g.a_col_stride != 1) return Route::pack_both;
  if (g.m * g.n * g.k <= kGemmUnpackedWork && g.k <= kGemmDepth && g.b_col_stride == 1) return Route::unpacked;
  if (g.m < kTileRows || g.n <= 2 * kTileCols<T>) return Route::pack_b;
  return Route::pack_both;
}

// C = beta * C, for products of depth 0 and for alpha = 0.
template <class T>
void scale(const GemmArguments<T>& g) {
  for (std::int64_t i = 0; i < g.m; ++i) {
    for (std::int64_t j = 0; j < g.n; ++j) {
      T& c = g.c[i * g.c_row_stride + j * g.c_col_stride];
      c = g.beta == T(0) ? T(0) : g.beta * c;
    }
  }
}

template <class T>
void gemm(const GemmArguments<T>& arguments) {
  GemmArguments<T> g = arguments;
  if (g.m <= 0 || g.n <= 0) return;
  if (g.k <= 0 || g.alpha == T(0)) return scale(g);
  if (g.c_col_stride != 1 && g.c_row_stride == 1) {
    // C's columns are contiguous: compute its transpose, B' A'.
    g = {arguments.n,
         arguments.m,
         arguments.k,
         arguments.alpha,
         arguments.b,
         arguments.b_col_stride,
         arguments.b_row_stride,
         arguments.a,
         arguments.a_col_stride,
         arguments.a_row_stride,
         arguments.beta,
         arguments.c,
         arguments.c_col_stride,
         arguments.c_row_stride,
         arguments.threads};
  }

  const bool split_rows = g.m >= g.n;
  const std::int64_t unit = split_rows ? kTileRows : kTileCols<T>;
  const std::int64_t extent = split_rows ? g.m : g.n;
  const std::int64_t units = (extent + unit - 1) / unit;
  std::int64_t threads = least(least(g.threads, units), g.m * g.n * g.k / kGemmWorkPerThread);
  if (threads < 1) threads = 1;

  const Route route = choose_route(g);
  if (threads == 1) {
    Scratch<T> scratch(b_scratch(g, route) + a_scratch<T>(g.m, route));
    multiply_serial(g, route, scratch.data());
    return;
  }
  const std::int64_t band = (units + threads - 1) / threads * unit;
  if (split_rows) {
    multiply_row_bands(g, route, band, int(threads));
  } else {
    multiply_column_bands(g, route, band, int(threads));
  }
}

}  // namespace

extern const GemmKernels gemm_table;
const GemmKernels gemm_table{gemm<float>, gemm<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
