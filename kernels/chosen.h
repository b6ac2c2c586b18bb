// Which cells an observable looks at: the magnetic ones, of one region where one is asked for.
#pragma once

// `wanted` is the number of a region, negative for all. `stride` is the distance of the replicas in
// `region`, 0 where they share it.
struct Chosen {
  const real* m;
  const unsigned* region;
  int wanted;
  long n;
};

INLINE Chosen chosen_cells(const double* clock, const real* work, const unsigned* region, int wanted,
                           int stride, int rep, int nrep, long n) {
  const int parity = (int)clock[(long)rep * CLOCK_COLUMNS + CLOCK_PARITY];
  return Chosen{work + slot_offset(CURRENT, parity, rep, nrep, n), region + (long)rep * stride,
                wanted, n};
}

INLINE bool is_chosen(const Chosen& s, long i) {
#if HAS_EMPTY
  if (is_empty(load(s.m, s.n, i))) return false;
#endif
  return s.wanted < 0 || (int)s.region[i] == s.wanted;
}
