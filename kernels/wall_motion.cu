// How fast a wall moves: per x-row the sums over the wall's cells of dm_c/dt [1/s] and of the change
// of m_c from cell to cell, for the component c of the domains. The chunks are the rows.
#include "portable.h"
#include "vec3.h"
#include "clock.h"
#include "site.h"
#include "model.cuh"
#include "rhs.h"
#include "chosen.h"
#include "wall.h"

INLINE real component_of(V v, int component) {
  return component == 0 ? v.x : component == 1 ? v.y : v.z;
}

KERNEL wall_motion(CHUNKS, MODEL_ARGUMENTS, const double* RESTRICT clock, const real* RESTRICT work,
                   const unsigned* RESTRICT regions, int wanted, int stride,
                   const double* RESTRICT spec, double* result) {
  BLOCK_SCRATCH
  const Arrays arrays = ARRAYS;
  EACH_CHUNK(chunk, rep)
    const double* wall = spec + (long)rep * WALL_SPEC;
    const int low = (int)wall[WALL_LOW], high = (int)wall[WALL_HIGH];
    const int component = (int)wall[WALL_COMPONENT];
    const Chosen cells = chosen_cells(clock, work, regions, wanted, stride, rep, nrep,
                                      (long)nx * ny * nz);
    double rate = 0, change = 0;
    EACH_CELL_OF(chunk, rep, row, c)
      if (c.x >= low && c.x <= high && is_chosen(cells, c.i)) {
        const Params p = cell_params(arrays, row_params(arrays, row), row, c);
        const Site s = complete(make_site(cells.m, row.n, c), p);
        rate += (double)component_of(llg(s, p, real(0)), component);
        change += 0.5 * ((double)component_of(s.xp, component) - (double)component_of(s.xm, component));
      }
    END_CELL_OF
    const double rates = FOLD_SUM(rate), changes = FOLD_SUM(change);
    ONE_THREAD {
      result[2 * ((long)rep * nchunk + chunk)] = rates;
      result[2 * ((long)rep * nchunk + chunk) + 1] = changes;
    }
  END_CHUNK
}
