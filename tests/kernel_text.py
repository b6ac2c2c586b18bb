"""Small kernels for the tests of the backends, on the real ``portable.h``."""

from __future__ import annotations

from micromag.backend import Source
from micromag.backend.source import read_kernel_file

BODY = """
// Comments may hold KERNEL fake(CELLS, int a) and be ignored.
KERNEL difference(CELLS, const real* RESTRICT a, real* out, double factor, int shift) {
  EACH_ROW(row)
    const long first = row.rep * row.n;
    EACH_CELL(row, c)
      const real slope = a[first + c.xp] - a[first + c.xm];
      out[first + c.i] = (real)factor * slope + shift * a[first + c.yp];
    END_CELL
  END_ROW
}

KERNEL square_sums(CHUNKS, const real* RESTRICT a, double* partial) {
  BLOCK_SCRATCH
  EACH_CHUNK(chunk, rep)
    double sum = 0;
    EACH_CELL_OF(chunk, rep, row, c)
      const double v = a[rep * row.n + c.i];
      sum += v * v;
    END_CELL_OF
    const double total = FOLD_SUM(sum);
    ONE_THREAD partial[rep * nchunk + chunk] = total;
  END_CHUNK
}

KERNEL count_up(ITEMS, unsigned short* small, int* counts, long long big, real scale, double* out) {
  EACH_ITEM(i)
    counts[i] += 1;
    if (small) small[i] += 2;
    out[i] = (double)big + (double)scale;
  END_ITEM
}
"""


def source(precision: str = "single", body: str = BODY, **defines: int) -> Source:
    """Return the test kernels as one translation unit."""
    return Source("test", read_kernel_file("portable.h") + body, defines, precision)
