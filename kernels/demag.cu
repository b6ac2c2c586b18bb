// Around the transforms of the demagnetizing convolution. Batch index b = replica * 3 + component;
// real arrays are [z][y][b][x], spectra [kz][ky][b][kx], complex.
#include "portable.h"
#include "vec3.h"
#include "clock.h"

// M = Ms m [A/m] of slot `source`, in the transforms' layout. Ms: table of parameters (row per
// replica and region), or one value per cell.
KERNEL load_magnetization(CELLS, const double* RESTRICT clock, const real* RESTRICT work, int source,
                          const real* RESTRICT Ms, int Ms_replica_stride, int Ms_cell_stride,
                          real* out) {
  EACH_ROW(row)
    const int parity = (int)clock[(long)row.rep * CLOCK_COLUMNS + CLOCK_PARITY];
    const real* m = work + slot_offset(source, parity, row.rep, nrep, row.n);
    const real* Ms_here = Ms + (long)row.rep * Ms_replica_stride;
    real* line = out + (((long)row.z * ny + row.y) * nrep + row.rep) * 3 * nx;
    EACH_CELL(row, c)
      const V M = Ms_here[c.i * Ms_cell_stride] * load(m, row.n, c.i);
      store(line, nx, c.x, M);
    END_CELL
  END_ROW
}

// B(k) = -mu0 N(k) M(k), in place. The grid is that of the spectrum: nx = lx/2 + 1, ny = ly, nz = lz.
// The tensor is the octant of non-negative wave vectors, order xx yy zz xy xz yz, and carries -mu0 and
// the transforms' normalisation; its off-diagonal components are odd along their two axes.
KERNEL multiply_tensor(CELLS, const real* RESTRICT tensor, real* spectrum) {
  EACH_ROW(row)
    const int oy = row.y <= ny / 2 ? row.y : ny - row.y;
    const int oz = row.z <= nz / 2 ? row.z : nz - row.z;
    const real sxy = oy == row.y ? real(1) : real(-1), sxz = oz == row.z ? real(1) : real(-1);
    const real syz = sxy * sxz;
    const long octant = (long)(nz / 2 + 1) * (ny / 2 + 1) * nx;
    const real* N = tensor + ((long)oz * (ny / 2 + 1) + oy) * nx;
    real* line = spectrum + (((long)row.z * ny + row.y) * nrep + row.rep) * 6 * nx;
    EACH_CELL(row, c)
      const real xx = N[c.x], yy = N[octant + c.x], zz = N[2 * octant + c.x];
      const real xy = sxy * N[3 * octant + c.x], xz = sxz * N[4 * octant + c.x];
      const real yz = syz * N[5 * octant + c.x];
      const long i = 2 * (long)c.x;
      const V re = load(line, 2 * nx, i), im = load(line, 2 * nx, i + 1);
      store(line, 2 * nx, i, V{xx * re.x + xy * re.y + xz * re.z, xy * re.x + yy * re.y + yz * re.z,
                               xz * re.x + yz * re.y + zz * re.z});
      store(line, 2 * nx, i + 1, V{xx * im.x + xy * im.y + xz * im.z,
                                   xy * im.x + yy * im.y + yz * im.z,
                                   xz * im.x + yz * im.y + zz * im.z});
    END_CELL
  END_ROW
}

// Field B [T] back into the solver's layout.
KERNEL store_field(CELLS, const real* RESTRICT in, real* field) {
  EACH_ROW(row)
    const real* line = in + (((long)row.z * ny + row.y) * nrep + row.rep) * 3 * nx;
    real* mine = field + (long)row.rep * 3 * row.n;
    EACH_CELL(row, c)
      store(mine, row.n, c.i, load(line, nx, c.x));
    END_CELL
  END_ROW
}
