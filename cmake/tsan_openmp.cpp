// Tells ThreadSanitizer what libgomp orders: a parallel region's start and end, barriers, critical sections, and the
// atomics that the compiler makes locks of. The linker routes each call through the __wrap_ function below (--wrap).
//
// A release of an address by one thread happens before an acquire of it by another, which is what the calls promise.
// Two regions that run at the same time share these addresses, so an order between them that does not exist may hide a
// race between regions; within a region nothing is hidden.
#if !defined(__SANITIZE_THREAD__)
#error "compile with -fsanitize=thread"
#endif

extern "C" {

void __tsan_acquire(void* address);
void __tsan_release(void* address);

using Body = void (*)(void*);

void __real_GOMP_parallel(Body body, void* data, unsigned threads, unsigned flags);
void __real_GOMP_parallel_loop_dynamic(Body body, void* data, unsigned threads, long start, long end, long step,
                                       long chunk, unsigned flags);
void __real_GOMP_parallel_loop_nonmonotonic_dynamic(Body body, void* data, unsigned threads, long start, long end,
                                                    long step, long chunk, unsigned flags);
void __real_GOMP_barrier();
void __real_GOMP_loop_end();
void __real_GOMP_critical_start();
void __real_GOMP_critical_end();
void __real_GOMP_atomic_start();
void __real_GOMP_atomic_end();

}  // extern "C"

namespace {

char barrier_order;
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

// The second barrier keeps a fast thread from releasing its next barrier before a slow one has acquired this one, which
// would order what the fast thread did in between, and hide its races.
void acquire_barrier() {
  __tsan_acquire(&barrier_order);
  __real_GOMP_barrier();
}

template <class Launch>
void launch_region(Body body, void* data, Launch launch) {
  Region region{body, data, 0, 0};
  __tsan_release(&region.start);
  launch(&region);
  __tsan_acquire(&region.end);
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

void __wrap_GOMP_critical_start() {
  __real_GOMP_critical_start();
  __tsan_acquire(&lock_order);
}

void __wrap_GOMP_critical_end() {
  __tsan_release(&lock_order);
  __real_GOMP_critical_end();
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
