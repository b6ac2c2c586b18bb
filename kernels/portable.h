// One kernel source, two compilers: NVRTC for the GPU, g++/clang++ for the CPU.
//
// A kernel is written once, as a loop body over a cell that already knows its neighbours:
//
//     KERNEL scale(CELLS, const real* RESTRICT a, real* out) {
//       EACH_ROW(row)
//         const long first = row.rep * row.n;           // whatever is constant along x
//         EACH_CELL(row, c)
//           out[first + c.i] = real(2) * a[first + c.i];
//         END_CELL
//       END_ROW
//     }
//
// On the GPU a thread is one cell. On the host a call runs the x-rows [lo, hi) of all replicas; the
// x loop is peeled at both ends so that its interior is affine in x, which is what lets g++ and clang
// vectorise it. Three things decide whether they do: the body is force-inlined, the loop carries the
// promise that its iterations are independent, and it captures by value.
#pragma once

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define ON_GPU 1
#else
#define ON_GPU 0
#include <math.h>
#include <stdint.h>
#include <string.h>
#endif

#ifdef PRECISION_DOUBLE
typedef double real;
typedef unsigned long long real_bits;
#else
typedef float real;
typedef unsigned int real_bits;
#endif

#define RESTRICT __restrict__
#define ALWAYS_INLINE __attribute__((always_inline))

// Periodic axes wrap, open ones repeat the edge cell (zero normal derivative).
#ifndef PERIODIC_X
#define PERIODIC_X 0
#endif
#ifndef PERIODIC_Y
#define PERIODIC_Y 0
#endif
#ifndef PERIODIC_Z
#define PERIODIC_Z 0
#endif

// A row of cells along x, and what is constant on it. Indices are flat within one component of one
// replica; n is the number of cells of a replica.
struct Row {
  int x, y, z, rep, nx;
  long first, n;
  long ym, yp, zm, zp;  // first cells of the neighbouring rows
};

struct Cell {
  int x;
  long i, xm, xp, ym, yp, zm, zp;
};

#if ON_GPU
// ------------------------------------------------------------------------------------------- GPU
#define KERNEL extern "C" __global__ void
#define INLINE __device__ __forceinline__
#define CELLS int nx, int ny, int nz, int nrep
#define CHUNKS int nx, int ny, int nz, int nrep, int nchunk
#define ITEMS int count

INLINE Row make_row(int nx, int ny, int nz, int rep, long i) {
  Row r;
  // A replica has fewer than 2^32 cells, and 64-bit division is slow on a GPU.
  const unsigned cell = (unsigned)i, q = cell / (unsigned)nx;
  const int x = (int)(cell - q * (unsigned)nx), z = (int)(q / (unsigned)ny);
  const int y = (int)(q - (unsigned)z * (unsigned)ny);
  const int ym = y > 0 ? y - 1 : (PERIODIC_Y ? ny - 1 : 0);
  const int yp = y < ny - 1 ? y + 1 : (PERIODIC_Y ? 0 : ny - 1);
  const int zm = z > 0 ? z - 1 : (PERIODIC_Z ? nz - 1 : 0);
  const int zp = z < nz - 1 ? z + 1 : (PERIODIC_Z ? 0 : nz - 1);
  r.x = x; r.y = y; r.z = z; r.rep = rep; r.nx = nx;
  r.n = (long)nx * ny * nz;
  r.first = ((long)z * ny + y) * nx;
  r.ym = ((long)z * ny + ym) * nx;
  r.yp = ((long)z * ny + yp) * nx;
  r.zm = ((long)zm * ny + y) * nx;
  r.zp = ((long)zp * ny + y) * nx;
  return r;
}

INLINE Cell make_cell(const Row& r) {
  const int x = r.x;
  const int xm = x > 0 ? x - 1 : (PERIODIC_X ? r.nx - 1 : 0);
  const int xp = x < r.nx - 1 ? x + 1 : (PERIODIC_X ? 0 : r.nx - 1);
  return Cell{x, r.first + x, r.first + xm, r.first + xp,
              r.ym + x, r.yp + x, r.zm + x, r.zp + x};
}

#define EACH_ROW(row)                                                        \
  {                                                                          \
    const long thread_ = (long)blockIdx.x * blockDim.x + threadIdx.x;        \
    if (thread_ < (long)nx * ny * nz) {                                      \
      const Row row = make_row(nx, ny, nz, (int)blockIdx.y, thread_);        \
      [&]() ALWAYS_INLINE {
#define END_ROW }(); } }
#define EACH_CELL(row, c)                                                    \
  {                                                                          \
    const Cell c = make_cell(row);                                           \
    [&]() ALWAYS_INLINE {
#define END_CELL }(); }

// For bodies that look at no neighbour.
#define EACH_POINT(row, x)                                                   \
  {                                                                          \
    const int x = row.x;                                                     \
    [&]() ALWAYS_INLINE {
#define END_POINT }(); }

// A chunk is a fixed share of the rows of one replica; a block works on it and every thread keeps
// sums of its own, which FOLD_* then combines in a fixed order.
#define EACH_CHUNK(chunk, rep)                                               \
  {                                                                          \
    const int chunk = (int)blockIdx.x, rep = (int)blockIdx.y;
#define END_CHUNK }
#define EACH_CELL_OF(chunk, rep, row, c)                                     \
  {                                                                          \
    const long rows_ = (long)ny * nz;                                        \
    const long a_ = rows_ * chunk / nchunk * nx, b_ = rows_ * (chunk + 1) / nchunk * nx; \
    for (long i_ = a_ + threadIdx.x; i_ < b_; i_ += blockDim.x) {            \
      const Row row = make_row(nx, ny, nz, rep, i_);                         \
      const Cell c = make_cell(row);
#define END_CELL_OF } }

INLINE double fold_sum(double value, double* scratch) {
  __syncthreads();
  scratch[threadIdx.x] = value;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {
    if ((int)threadIdx.x < half) scratch[threadIdx.x] += scratch[threadIdx.x + half];
    __syncthreads();
  }
  return scratch[0];
}

// The larger of two non-negative numbers; NaN is larger than all (its bit pattern is).
INLINE double larger(double a, double b) { return (b > a || b != b) && a == a ? b : a; }

INLINE double fold_max(double value, double* scratch) {
  __syncthreads();
  scratch[threadIdx.x] = value;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {
    if ((int)threadIdx.x < half)
      scratch[threadIdx.x] = larger(scratch[threadIdx.x], scratch[threadIdx.x + half]);
    __syncthreads();
  }
  return scratch[0];
}

#define BLOCK_SCRATCH __shared__ double scratch_[256];
#define FOLD_SUM(value) fold_sum(value, scratch_)
#define FOLD_MAX(value) fold_max(value, scratch_)
#define ONE_THREAD if (threadIdx.x == 0)

#define EACH_ITEM(i)                                                         \
  {                                                                          \
    const int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);              \
    if (i < count) {
#define END_ITEM } }

INLINE real_bits bits_of(real v) {
#ifdef PRECISION_DOUBLE
  return (real_bits)__double_as_longlong(v);
#else
  return __float_as_uint(v);
#endif
}
INLINE real from_bits(real_bits b) {
#ifdef PRECISION_DOUBLE
  return __longlong_as_double((long long)b);
#else
  return __uint_as_float(b);
#endif
}

#else
// ------------------------------------------------------------------------------------------ host
#define KERNEL extern "C" void
#define INLINE static inline ALWAYS_INLINE
#define CELLS long lo, long hi, int nx, int ny, int nz, int nrep
#define CHUNKS long lo, long hi, int nx, int ny, int nz, int nrep, int nchunk
#define ITEMS long lo, long hi, int count

#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

INLINE Row make_row(int nx, int ny, int nz, int rep, int z, int y) {
  Row r;
  const int ym = y > 0 ? y - 1 : (PERIODIC_Y ? ny - 1 : 0);
  const int yp = y < ny - 1 ? y + 1 : (PERIODIC_Y ? 0 : ny - 1);
  const int zm = z > 0 ? z - 1 : (PERIODIC_Z ? nz - 1 : 0);
  const int zp = z < nz - 1 ? z + 1 : (PERIODIC_Z ? 0 : nz - 1);
  r.x = 0; r.y = y; r.z = z; r.rep = rep; r.nx = nx;
  r.n = (long)nx * ny * nz;
  r.first = ((long)z * ny + y) * nx;
  r.ym = ((long)z * ny + ym) * nx;
  r.yp = ((long)z * ny + yp) * nx;
  r.zm = ((long)zm * ny + y) * nx;
  r.zp = ((long)zp * ny + y) * nx;
  return r;
}

template <class Body>
INLINE void each_row(long lo, long hi, int nx, int ny, int nz, Body body) {
  for (long q = lo; q < hi; ++q) {
    const long plane = q / ny;
    body(make_row(nx, ny, nz, (int)(plane / nz), (int)(plane % nz), (int)(q % ny)));
  }
}

INLINE Cell make_cell(const Row& r, int x, int xm, int xp) {
  return Cell{x, r.first + x, r.first + xm, r.first + xp,
              r.ym + x, r.yp + x, r.zm + x, r.zp + x};
}

template <class Body>
INLINE void each_cell(const Row& r, Body body) {
  const int last = r.nx - 1;
  body(make_cell(r, 0, PERIODIC_X ? last : 0, last > 0 ? 1 : 0));
  const Row row = r;
  INDEPENDENT
  for (int x = 1; x < last; ++x) body(make_cell(row, x, x - 1, x + 1));
  if (last > 0) body(make_cell(r, last, last - 1, PERIODIC_X ? 0 : last));
}

template <class Body>
INLINE void each_point(int nx, Body body) {
  INDEPENDENT
  for (int x = 0; x < nx; ++x) body(x);
}

#define EACH_ROW(row)                                                        \
  (void)nrep;                                                                \
  each_row(lo, hi, nx, ny, nz, [=](const Row& row) ALWAYS_INLINE {
#define END_ROW });
#define EACH_CELL(row, c) each_cell(row, [=](const Cell& c) ALWAYS_INLINE {
#define END_CELL });
#define EACH_POINT(row, x) each_point(row.nx, [=](int x) ALWAYS_INLINE {
#define END_POINT });

#define EACH_CHUNK(chunk, rep)                                               \
  (void)nrep;                                                                \
  for (long unit_ = lo; unit_ < hi; ++unit_) {                               \
    const int chunk = (int)(unit_ % nchunk), rep = (int)(unit_ / nchunk);
#define END_CHUNK }
#define EACH_CELL_OF(chunk, rep, row, c)                                     \
  {                                                                          \
    const long rows_ = (long)ny * nz;                                        \
    for (long q_ = rows_ * chunk / nchunk; q_ < rows_ * (chunk + 1) / nchunk; ++q_) { \
      const Row row = make_row(nx, ny, nz, rep, (int)(q_ / ny), (int)(q_ % ny)); \
      each_cell_in_order(row, [&](const Cell& c) ALWAYS_INLINE {
#define END_CELL_OF }); } }

template <class Body>
INLINE void each_cell_in_order(const Row& r, Body body) {
  const int last = r.nx - 1;
  for (int x = 0; x <= last; ++x)
    body(make_cell(r, x, x > 0 ? x - 1 : (PERIODIC_X ? last : 0),
                   x < last ? x + 1 : (PERIODIC_X ? 0 : last)));
}

INLINE double larger(double a, double b) { return (b > a || b != b) && a == a ? b : a; }

#define BLOCK_SCRATCH
#define FOLD_SUM(value) (value)
#define FOLD_MAX(value) (value)
#define ONE_THREAD

#define EACH_ITEM(i)                                                         \
  (void)count;                                                               \
  for (int i = (int)lo; i < (int)hi; ++i) {
#define END_ITEM }

INLINE real_bits bits_of(real v) { real_bits b; memcpy(&b, &v, sizeof b); return b; }
INLINE real from_bits(real_bits b) { real v; memcpy(&v, &b, sizeof v); return v; }
#endif
