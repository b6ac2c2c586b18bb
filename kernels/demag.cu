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

// H = -N M for every wave vector, in place; the tensor, octant of non-negative wave vectors, order
// xx yy zz xy xz yz, carries mu0 and the transforms' normalisation. Off-diagonal components are odd
// along their two axes. Item = (kz, ky, replica): a line of kx.
KERNEL multiply_tensor(ITEMS, int lx, int ly, int lz, int nrep, const real* RESTRICT tensor,
                       real* spectrum) {
  EACH_ITEM(item)
    const int rep = item % nrep, ky = item / nrep % ly, kz = item / nrep / ly;
    const int kx_count = lx / 2 + 1;
    const int oy = ky <= ly / 2 ? ky : ly - ky, oz = kz <= lz / 2 ? kz : lz - kz;
    const real sy = oy == ky ? real(1) : real(-1), sz = oz == kz ? real(1) : real(-1);
    const long octant = (long)(lz / 2 + 1) * (ly / 2 + 1) * kx_count;
    const real* N = tensor + ((long)oz * (ly / 2 + 1) + oy) * kx_count;
    const real *Nxx = N, *Nyy = N + octant, *Nzz = N + 2 * octant;
    const real *Nxy = N + 3 * octant, *Nxz = N + 4 * octant, *Nyz = N + 5 * octant;
    real* X = spectrum + (((long)kz * ly + ky) * nrep + rep) * 3 * kx_count * 2;
    real* Y = X + 2 * kx_count;
    real* Z = Y + 2 * kx_count;
    const real sxy = sy, sxz = sz, syz = sy * sz;
    for (int kx = 0; kx < kx_count; ++kx) {
      const real xx = Nxx[kx], yy = Nyy[kx], zz = Nzz[kx];
      const real xy = sxy * Nxy[kx], xz = sxz * Nxz[kx], yz = syz * Nyz[kx];
      for (int part = 0; part < 2; ++part) {
        const int i = 2 * kx + part;
        const real x = X[i], y = Y[i], z = Z[i];
        X[i] = xx * x + xy * y + xz * z;
        Y[i] = xy * x + yy * y + yz * z;
        Z[i] = xz * x + yz * y + zz * z;
      }
    }
  END_ITEM
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
