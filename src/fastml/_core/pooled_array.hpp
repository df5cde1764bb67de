// Arrays for results, whose memory is used again once nobody holds them. See csrc/runtime/block_pool.hpp.
#pragma once

#include <memory>

#include "bindings.hpp"
#include "runtime/block_pool.hpp"

namespace fastml {

// An uninitialised array. A large one does not own its memory: its base is a capsule that gives the block back.
template <class T>
Array<T> pooled_array(const py::array::ShapeContainer& shape) {
  std::size_t bytes = sizeof(T);
  for (const py::ssize_t n : *shape) bytes *= static_cast<std::size_t>(n);
  if (bytes < kLeastPooledBytes) return Array<T>(shape);

  struct Held {
    Block block;
    explicit Held(std::size_t count) : block(take_block(count)) {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() { give_block(block); }
  };
  auto held = std::make_unique<Held>(bytes);
  T* const data = static_cast<T*>(held->block.memory);
  const py::capsule owner(held.get(), [](void* memory) { delete static_cast<Held*>(memory); });
  held.release();
  return Array<T>(shape, data, owner);
}

template <class T>
Array<T> pooled_like(const Array<T>& array) {
  return pooled_array<T>(py::array::ShapeContainer(array.shape(), array.shape() + array.ndim()));
}

}  // namespace fastml
