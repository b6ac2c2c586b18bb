// Runs lists of kernel launches on the CPU, shared between the caller and worker threads.
//
// A launch is cut into chunks that are claimed one by one from a ticket. The caller claims too, and
// waits only for chunks that a worker has begun; so a worker that the operating system does not
// schedule costs nothing, where a fixed share per thread would stall the caller. Chunks are
// independent by contract: who runs which changes no bit of the result.
//
// There is one pool per process. It needs pthread and the compiler's atomics, and nothing of the C++
// library, so that any compiler driver can link it.
#include <pthread.h>
#include <sched.h>
#include <time.h>

typedef void (*Function)(long lo, long hi, void* const* args);

struct Launch {
  Function function;
  void* const* args;
  long units;    // the launch covers [0, units)
  long chunks;   // pieces that it is cut into
  long threads;  // how many threads may work on it
};

namespace {

const int MAX_WORKERS = 255;
const long SPIN_NS = 50000;  // longer than the gap between two launches, shorter than a time slice

struct alignas(128) Worker {
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  int asleep;
  int index;
};

struct Pool {
  // Upper half: number of the launch. Lower half: chunks that nobody has claimed.
  alignas(128) unsigned long long ticket;
  alignas(128) long done;  // chunks that workers have finished
  alignas(128) Launch launch;
  int workers;  // how many workers may work on this launch
  int started;
  int busy;
  int watching_forks;
};

Pool pool;
Worker worker[MAX_WORKERS];

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Numbers below the normal range cost a CPU up to a hundred times the others (m_z of a thin film that
// relaxes into its plane decays through them). While kernels run they count as zero, as in the GPU's
// single precision; the caller's mode is put back afterwards.
class FlushDenormals {
 public:
#if defined(__x86_64__) || defined(__i386__)
  FlushDenormals() : saved_(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(saved_ | 0x8040); }
  ~FlushDenormals() { __builtin_ia32_ldmxcsr(saved_); }

 private:
  unsigned saved_;
#elif defined(__aarch64__)
  FlushDenormals() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved_));
    __asm__ volatile("msr fpcr, %0" : : "r"(saved_ | 1UL << 24));
  }
  ~FlushDenormals() { __asm__ volatile("msr fpcr, %0" : : "r"(saved_)); }

 private:
  unsigned long saved_;
#endif
};

inline long now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

inline void run_chunk(const Launch& l, long chunk) {
  l.function(l.units * chunk / l.chunks, l.units * (chunk + 1) / l.chunks, l.args);
}

inline bool claimable(unsigned long long ticket, int index) {
  return (unsigned)ticket != 0 && index < __atomic_load_n(&pool.workers, __ATOMIC_RELAXED);
}

// Claims and runs one chunk. What the launch is may be read only after the claim: until its last
// chunk is done the caller does not touch it.
inline bool claim(unsigned long long ticket) {
  if (!__atomic_compare_exchange_n(&pool.ticket, &ticket, ticket - 1, false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_RELAXED))
    return false;
  run_chunk(pool.launch, pool.launch.chunks - (long)(unsigned)ticket);
  return true;
}

void sleep_until_needed(Worker& self) {
  pthread_mutex_lock(&self.mutex);
  __atomic_store_n(&self.asleep, 1, __ATOMIC_SEQ_CST);
  while (!claimable(__atomic_load_n(&pool.ticket, __ATOMIC_SEQ_CST), self.index))
    pthread_cond_wait(&self.wake, &self.mutex);
  __atomic_store_n(&self.asleep, 0, __ATOMIC_SEQ_CST);
  pthread_mutex_unlock(&self.mutex);
}

void* work(void* argument) {
  Worker& self = *(Worker*)argument;
  const FlushDenormals for_this_thread;
  long idle_since = now_ns();
  for (int spins = 0;;) {
    const unsigned long long ticket = __atomic_load_n(&pool.ticket, __ATOMIC_ACQUIRE);
    if (claimable(ticket, self.index)) {
      if (claim(ticket)) __atomic_fetch_add(&pool.done, 1, __ATOMIC_RELEASE);
      spins = 0;
      continue;
    }
    relax();
    if (++spins == 1) idle_since = now_ns();
    if (spins % 32 == 0 && now_ns() - idle_since > SPIN_NS) {
      sleep_until_needed(self);
      spins = 0;
    }
  }
  return nullptr;
}

// Threads do not survive a fork: the child starts workers of its own when it needs them.
void after_fork() {
  pool.ticket &= ~0xffffffffULL;
  pool.started = 0;
  pool.busy = 0;
}

void start_workers(int wanted) {
  if (!pool.watching_forks) pool.watching_forks = pthread_atfork(nullptr, nullptr, after_fork) == 0;
  while (pool.started < wanted) {
    Worker& w = worker[pool.started];
    w.index = pool.started;
    w.asleep = 0;
    pthread_mutex_init(&w.mutex, nullptr);
    pthread_cond_init(&w.wake, nullptr);
    pthread_t thread;
    if (pthread_create(&thread, nullptr, work, &w) != 0) return;  // go on with those there are
    pthread_detach(thread);
    ++pool.started;
  }
}

void wake(Worker& w) {
  if (!__atomic_load_n(&w.asleep, __ATOMIC_SEQ_CST)) return;
  pthread_mutex_lock(&w.mutex);
  pthread_cond_signal(&w.wake);
  pthread_mutex_unlock(&w.mutex);
}

void run_shared(const Launch& launch) {
  int workers = (int)launch.threads - 1;
  if (workers > MAX_WORKERS) workers = MAX_WORKERS;
  if (workers > pool.started) start_workers(workers);
  if (workers > pool.started) workers = pool.started;

  const unsigned long long number = (pool.ticket >> 32) + 1;
  pool.launch = launch;
  __atomic_store_n(&pool.done, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&pool.workers, workers, __ATOMIC_RELAXED);
  __atomic_store_n(&pool.ticket, number << 32 | (unsigned long long)launch.chunks,
                   __ATOMIC_SEQ_CST);
  for (int i = 0; i < workers; ++i) wake(worker[i]);

  long mine = 0;
  for (;;) {
    const unsigned long long ticket = __atomic_load_n(&pool.ticket, __ATOMIC_ACQUIRE);
    if ((unsigned)ticket == 0) break;
    if (claim(ticket)) ++mine;
  }
  for (int spins = 0; __atomic_load_n(&pool.done, __ATOMIC_ACQUIRE) != launch.chunks - mine;) {
    relax();
    if (++spins > 1000) sched_yield();
  }
}

}  // namespace

// Runs the launches in order, the whole list `times` times. A second caller at the same time runs
// its list alone, without workers.
extern "C" __attribute__((visibility("default"))) void pool_run(const Launch* launches, long count,
                                                                long times) {
  const FlushDenormals while_kernels_run;
  const bool alone = __atomic_exchange_n(&pool.busy, 1, __ATOMIC_ACQUIRE) != 0;
  for (long t = 0; t < times; ++t)
    for (long i = 0; i < count; ++i) {
      const Launch& launch = launches[i];
      if (alone || launch.threads < 2 || launch.chunks < 2)
        launch.function(0, launch.units, launch.args);
      else
        run_shared(launch);
    }
  if (!alone) __atomic_store_n(&pool.busy, 0, __ATOMIC_RELEASE);
}

// Number of worker threads that this process has started.
extern "C" __attribute__((visibility("default"))) long pool_workers() { return pool.started; }
