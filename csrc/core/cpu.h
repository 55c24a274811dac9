// What this processor can do, and the choice among versions of one function compiled for several.
//
// What is built runs on any x86-64. Hand-written loops are compiled several times, and the best
// version is picked when the program runs:
//
//     ALWAYS_INLINE void body(...) { ... }                       // the loop, written once
//     TARGET_AVX512 void scale_avx512(float* x) { body(x); }     // compiled for AVX-512
//     TARGET_AVX2 void scale_avx2(float* x) { body(x); }         // for AVX2
//     void scale_base(float* x) { body(x); }                     // for all
//     auto* scale = pick(scale_avx512, scale_avx2, scale_base);
#pragma once

#include <string>
#include <vector>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#if defined(__x86_64__)
#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")))
#define TARGET_AVX512_BF16 \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma")))
#define TARGET_AVX2 __attribute__((target("avx2,fma")))
#else
#define TARGET_AVX512
#define TARGET_AVX512_BF16
#define TARGET_AVX2
#endif

namespace hornbeam {

struct Cpu {
  bool avx2 = false;    // with FMA
  bool avx512 = false;  // F, BW, VL and DQ: the level that oneDNN calls avx512_core
  bool avx512_bf16 = false;
  bool amx_bf16 = false;
  bool limited = false;  // by HORNBEAM_CPU=avx2: what a processor without AVX-512 does, for tests
};

const Cpu& cpu();

// The names of what `cpu()` found, for people.
std::vector<std::string> cpu_features();

template <typename F>
F* pick(F* avx512, F* avx2, F* base) {
  return cpu().avx512 ? avx512 : cpu().avx2 ? avx2 : base;
}

}  // namespace hornbeam
