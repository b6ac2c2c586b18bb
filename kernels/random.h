// Random numbers that are a function of what they are for, not of what was drawn before: any cell of
// any step can ask for its own, in any order, on any number of threads.
#pragma once

struct Words {
  unsigned a, b, c, d;
};

INLINE unsigned high_word(unsigned long long v) { return (unsigned)(v >> 32); }

// Philox4x32-10: 128 random bits of a 128-bit counter and a 64-bit key. J. K. Salmon, M. A. Moraes,
// R. O. Dror, D. E. Shaw, Parallel random numbers: as easy as 1, 2, 3, Proc. SC11 (2011).
INLINE Words philox(Words counter, unsigned key_a, unsigned key_b) {
  Words w = counter;
  for (int round = 0; round < 10; ++round) {
    const unsigned long long p = 0xD2511F53ull * w.a, q = 0xCD9E8D57ull * w.c;
    w = Words{high_word(q) ^ w.b ^ key_a, (unsigned)q, high_word(p) ^ w.d ^ key_b, (unsigned)p};
    key_a += 0x9E3779B9u;
    key_b += 0xBB67AE85u;
  }
  return w;
}

#if ON_GPU
INLINE unsigned bits_of_float(float v) { return __float_as_uint(v); }
INLINE float float_of_bits(unsigned b) { return __uint_as_float(b); }
#else
INLINE unsigned bits_of_float(float v) { unsigned b; memcpy(&b, &v, sizeof b); return b; }
INLINE float float_of_bits(unsigned b) { float v; memcpy(&v, &b, sizeof v); return v; }
#endif

// -ln u of a uniform number u in (0, 1], by u = 2^e f with f in [1/sqrt 2, sqrt 2) and ln f =
// 2 artanh((f-1)/(f+1)). The libraries' functions would keep compilers from vectorising the loop.
INLINE float minus_log_uniform(unsigned word) {
  const float u = ((float)(int)(word >> 1) + 0.5f) * 4.656612873e-10f;  // 2^-31
  const unsigned shifted = bits_of_float(u) + 0x004AFB0Du;  // 1/sqrt 2 becomes a power of two
  const int e = (int)(shifted >> 23) - 127;
  const float f = float_of_bits((shifted & 0x007FFFFFu) + 0x3F3504F3u);
  const float s = (f - 1.0f) / (f + 1.0f), z = s * s;
  const float series = 1.0f + z * (1.0f / 3 + z * (1.0f / 5 + z * (1.0f / 7 + z * (1.0f / 9))));
  return -((float)e * 0.69314718f + 2.0f * s * series);
}

struct Pair {
  float x, y;
};

// Cosine and sine of a uniform angle: two bits choose the quadrant, the others the place in it, where
// the series converge fast, |t| <= pi/4.
INLINE Pair uniform_direction(unsigned word) {
  const float t = ((float)(int)(word & 0x3FFFFFFFu) * 9.31322575e-10f - 0.5f) * 1.57079633f;  // 2^-30
  const float z = t * t;
  const float c = 1.0f - z * (1.0f / 2 - z * (1.0f / 24 - z * (1.0f / 720 - z * (1.0f / 40320))));
  const float s =
      t * (1.0f - z * (1.0f / 6 - z * (1.0f / 120 - z * (1.0f / 5040 - z * (1.0f / 362880)))));
  const bool odd = (word >> 30 & 1u) != 0, half = word >> 31 != 0;
  const float x = odd ? -s : c, y = odd ? c : s;
  return Pair{half ? -x : x, half ? -y : y};
}

// Two independent normal deviates of mean 0 and variance 1, at most 6.7 in size. G. E. P. Box and
// M. E. Muller, Ann. Math. Statist. 29, 610 (1958). They are single precision in all runs, so that
// runs of both precisions see the same noise.
INLINE Pair normal_pair(unsigned length, unsigned angle) {
  const float square = 2.0f * minus_log_uniform(length);
  const float r = sqrtf(square > 0.0f ? square : 0.0f);
  const Pair d = uniform_direction(angle);
  return Pair{r * d.x, r * d.y};
}
