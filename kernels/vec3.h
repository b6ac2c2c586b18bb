// Three-component vectors, and their loads from arrays laid out [component][cell].
#pragma once

struct V {
  real x, y, z;
};

INLINE V operator+(V a, V b) { return V{a.x + b.x, a.y + b.y, a.z + b.z}; }
INLINE V operator-(V a, V b) { return V{a.x - b.x, a.y - b.y, a.z - b.z}; }
INLINE V operator-(V a) { return V{-a.x, -a.y, -a.z}; }
INLINE V operator*(real s, V a) { return V{s * a.x, s * a.y, s * a.z}; }
INLINE V operator*(V a, V b) { return V{a.x * b.x, a.y * b.y, a.z * b.z}; }
INLINE real dot(V a, V b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
INLINE V cross(V a, V b) {
  return V{a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
INLINE real norm(V a) { return (real)sqrt(dot(a, a)); }

INLINE V load(const real* a, long n, long i) { return V{a[i], a[i + n], a[i + 2 * n]}; }
INLINE void store(real* a, long n, long i, V v) {
  a[i] = v.x;
  a[i + n] = v.y;
  a[i + 2 * n] = v.z;
}
