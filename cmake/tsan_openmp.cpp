// Tells ThreadSanitizer what libgomp orders: a parallel region's start and end, barriers, tasks, critical sections, and
// the atomics that the compiler makes locks of. The linker routes each call through the __wrap_ function below (--wrap).
//
// A release of an address by one thread happens before an acquire of it by another, which is what the calls promise.
// Two regions that run at the same time share these addresses, so an order between them that does not exist may hide a
// race between regions; within a region nothing is hidden but races of a task with what follows another task's end.
#if !defined(__SANITIZE_THREAD__)
#error "compile with -fsanitize=thread"
#endif

#include <cstring>
#include <new>

extern "C" {

void __tsan_acquire(void* address);
void __tsan_release(void* address);

// Tasks and threads leave blocks to one another inside libgomp: what its own calls of malloc and free touch is not looked
// at. The runtime, a library of its own, asks for this as it starts.
__attribute__((visibility("default"))) const char* __tsan_default_suppressions();
const char* __tsan_default_suppressions() { return "called_from_lib:libgomp.so\n"; }

using Body = void (*)(void*);
using Copy = void (*)(void* to, void* from);

void __real_GOMP_parallel(Body body, void* data, unsigned threads, unsigned flags);
void __real_GOMP_parallel_loop_dynamic(Body body, void* data, unsigned threads, long start, long end, long step,
                                       long chunk, unsigned flags);
void __real_GOMP_parallel_loop_nonmonotonic_dynamic(Body body, void* data, unsigned threads, long start, long end,
                                                    long step, long chunk, unsigned flags);
void __real_GOMP_barrier();
void __real_GOMP_loop_end();
void __real_GOMP_task(Body body, void* data, Copy copy, long size, long align, bool parallel, unsigned flags,
                      void** depend, int priority, void* detach);
void __real_GOMP_taskwait();
void __real_GOMP_critical_start();
void __real_GOMP_critical_end();
void __real_GOMP_critical_name_start(void** lock);
void __real_GOMP_critical_name_end(void** lock);
void __real_GOMP_atomic_start();
void __real_GOMP_atomic_end();

}  // extern "C"

namespace {

char barrier_order;
char task_order;
char lock_order;

// One parallel region: its fields are the addresses that order its start and its end.
struct Region {
  Body body;
  void* data;
  char start;
  char end;
};

void run(void* argument) {
  Region* region = static_cast<Region*>(argument);
  __tsan_acquire(&region->start);
  region->body(region->data);
  __tsan_release(&region->end);
}

// A task, with its own copy of what it is given: its start is ordered by its address, its end by task_order.
struct Task {
  Body body;
  void* data;
  std::align_val_t align;
};

// Not instrumented: `argument` points into a block that libgomp has allocated and filled, in another thread.
__attribute__((no_sanitize("thread"))) void run_task(void* argument) {
  Task* task = *static_cast<Task**>(argument);
  __tsan_acquire(task);
  task->body(task->data);
  __tsan_release(&task_order);
  operator delete(task->data, task->align);
  delete task;
}

// The second barrier keeps a fast thread from releasing its next barrier before a slow one has acquired this one, which
// would order what the fast thread did in between, and hide its races.
void acquire_barrier() {
  __tsan_acquire(&barrier_order);
  __tsan_acquire(&task_order);  // tasks that were left end at the barrier
  __real_GOMP_barrier();
}

template <class Launch>
void launch_region(Body body, void* data, Launch launch) {
  Region region{body, data, 0, 0};
  __tsan_release(&region.start);
  launch(&region);
  __tsan_acquire(&region.end);
  __tsan_acquire(&task_order);
}

}  // namespace

extern "C" {

void __wrap_GOMP_parallel(Body body, void* data, unsigned threads, unsigned flags) {
  launch_region(body, data, [&](Region* region) { __real_GOMP_parallel(run, region, threads, flags); });
}

void __wrap_GOMP_parallel_loop_dynamic(Body body, void* data, unsigned threads, long start, long end, long step,
                                       long chunk, unsigned flags) {
  launch_region(body, data, [&](Region* region) {
    __real_GOMP_parallel_loop_dynamic(run, region, threads, start, end, step, chunk, flags);
  });
}

void __wrap_GOMP_parallel_loop_nonmonotonic_dynamic(Body body, void* data, unsigned threads, long start, long end,
                                                    long step, long chunk, unsigned flags) {
  launch_region(body, data, [&](Region* region) {
    __real_GOMP_parallel_loop_nonmonotonic_dynamic(run, region, threads, start, end, step, chunk, flags);
  });
}

void __wrap_GOMP_barrier() {
  __tsan_release(&barrier_order);
  __real_GOMP_barrier();
  acquire_barrier();
}

void __wrap_GOMP_loop_end() {
  __tsan_release(&barrier_order);
  __real_GOMP_loop_end();
  acquire_barrier();
}

void __wrap_GOMP_task(Body body, void* data, Copy copy, long size, long align, bool parallel, unsigned flags,
                      void** depend, int priority, void* detach) {
  Task* task = new Task{body, nullptr, std::align_val_t(align)};
  task->data = operator new(size, task->align);
  if (copy != nullptr) {
    copy(task->data, data);
  } else {
    std::memcpy(task->data, data, size);
  }
  __tsan_release(task);
  __real_GOMP_task(run_task, &task, nullptr, sizeof task, alignof(Task*), parallel, flags, depend, priority, detach);
}

void __wrap_GOMP_taskwait() {
  __real_GOMP_taskwait();
  __tsan_acquire(&task_order);
}

void __wrap_GOMP_critical_start() {
  __real_GOMP_critical_start();
  __tsan_acquire(&lock_order);
}

void __wrap_GOMP_critical_end() {
  __tsan_release(&lock_order);
  __real_GOMP_critical_end();
}

void __wrap_GOMP_critical_name_start(void** lock) {
  __real_GOMP_critical_name_start(lock);
  __tsan_acquire(&lock_order);
}

void __wrap_GOMP_critical_name_end(void** lock) {
  __tsan_release(&lock_order);
  __real_GOMP_critical_name_end(lock);
}

void __wrap_GOMP_atomic_start() {
  __real_GOMP_atomic_start();
  __tsan_acquire(&lock_order);
}

void __wrap_GOMP_atomic_end() {
  __tsan_release(&lock_order);
  __real_GOMP_atomic_end();
}

}  // extern "C"
