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
    EACH_POINT(row, x)
      const long i = row.first + x;
      store(line, nx, x, Ms_here[i * Ms_cell_stride] * load(m, row.n, i));
    END_POINT
  END_ROW
}

// B(k) = -mu0 N(k) M(k), in place, for the rows from ky = y0[0] on of some columns of the spectrum, which
// has ly rows and nz planes in all. The tensor is that of these columns: the octant of non-negative
// wave vectors, order xx yy zz xy xz yz; it carries -mu0 and the transforms' normalisation. Its
// off-diagonal components are odd along their two axes.
KERNEL multiply_tensor(CELLS, const int* RESTRICT y0, int ly, const real* RESTRICT tensor,
                       real* spectrum) {
  EACH_ROW(row)
    const int ky = y0[0] + row.y;
    const int oy = ky <= ly / 2 ? ky : ly - ky;
    const int oz = row.z <= nz / 2 ? row.z : nz - row.z;
    const real sxy = oy == ky ? real(1) : real(-1), sxz = oz == row.z ? real(1) : real(-1);
    const real syz = sxy * sxz;
    const long octant = (long)(nz / 2 + 1) * (ly / 2 + 1) * nx;
    const real* N = tensor + ((long)oz * (ly / 2 + 1) + oy) * nx;
    real* line = spectrum + (((long)row.z * ny + row.y) * nrep + row.rep) * 6 * nx;
    EACH_POINT(row, x)
      const real xx = N[x], yy = N[octant + x], zz = N[2 * octant + x];
      const real xy = sxy * N[3 * octant + x], xz = sxz * N[4 * octant + x];
      const real yz = syz * N[5 * octant + x];
      const long i = 2 * (long)x;
      const V re = load(line, 2 * nx, i), im = load(line, 2 * nx, i + 1);
      store(line, 2 * nx, i, V{xx * re.x + xy * re.y + xz * re.z, xy * re.x + yy * re.y + yz * re.z,
                               xz * re.x + yz * re.y + zz * re.z});
      store(line, 2 * nx, i + 1, V{xx * im.x + xy * im.y + xz * im.z,
                                   xy * im.x + yy * im.y + yz * im.z,
                                   xz * im.x + yz * im.y + zz * im.z});
    END_POINT
  END_ROW
}

// Field B [T] back into the solver's layout.
KERNEL store_field(CELLS, const real* RESTRICT in, real* field) {
  EACH_ROW(row)
    const real* line = in + (((long)row.z * ny + row.y) * nrep + row.rep) * 3 * nx;
    real* mine = field + (long)row.rep * 3 * row.n;
    EACH_POINT(row, x)
      store(mine, row.n, row.first + x, load(line, nx, x));
    END_POINT
  END_ROW
}
