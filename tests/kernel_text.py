"""Small kernels for the tests of the backends, on the real ``portable.h``."""

from __future__ import annotations

import numpy as np

from micromag.backend import Backend, Cells, Command, Multiply, Source, SpectrumBlock
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

FILTER = """
// Multiplies a part of a spectrum by a real function of the frequency and the component.
KERNEL filter(CELLS, int x0, const int* RESTRICT y0, int nkx, int ly, int components,
              const real* RESTRICT transfer, real* spectrum) {
  EACH_ROW(row)
    const long here = ((long)row.z * ly + y0[0] + row.y) * components + row.rep % components;
    const real* w = transfer + here * nkx + x0;
    real* line = spectrum + (((long)row.z * ny + row.y) * nrep + row.rep) * 2 * nx;
    EACH_POINT(row, x)
      line[2 * x] *= w[x];
      line[2 * x + 1] *= w[x];
    END_POINT
  END_ROW
}
"""


def source(precision: str = "single", body: str = BODY, **defines: int) -> Source:
    """Return the test kernels as one translation unit."""
    return Source("test", read_kernel_file("portable.h") + body, defines, precision)


def filtered_by(backend: Backend, transfer: np.ndarray) -> Multiply:
    """Return what multiplies a spectrum by ``transfer``, shape (Lz, Ly, component, nkx)."""
    precision = "double" if transfer.dtype == np.float64 else "single"
    (module,) = backend.compile([source(precision, FILTER)])
    on_device = backend.upload(transfer)
    _, ly, components, nkx = transfer.shape

    def multiply(block: SpectrumBlock) -> Command:
        planes, rows, fields, columns = block.values.shape
        return module.kernel("filter").bind(
            Cells(columns, rows, planes, fields),
            block.x, block.y, nkx, ly, components, on_device, block.values,
        )  # fmt: skip

    return multiply
