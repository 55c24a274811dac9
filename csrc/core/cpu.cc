#include "core/cpu.h"

#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace hornbeam {
namespace {

Cpu detect() {
  Cpu found;
#if defined(__x86_64__)
  // __builtin_cpu_supports also asks whether the system saves the registers.
  __builtin_cpu_init();
  found.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  found.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  found.avx512_bf16 = found.avx512 && __builtin_cpu_supports("avx512bf16");
  // Older compilers don't know AMX by name: cpuid leaf 7, EDX bits 22 (BF16) and 24 (tiles). Only
  // reported; whether Linux lets the process use the tiles is oneDNN's question.
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) found.amx_bf16 = (d >> 22 & 1) && (d >> 24 & 1);
#endif
  const char* most = std::getenv("HORNBEAM_CPU");
  if (most && std::strcmp(most, "avx2") == 0) {
    found.avx512 = found.avx512_bf16 = found.amx_bf16 = false;
    found.limited = true;
  }
  return found;
}

}  // namespace

const Cpu& cpu() {
  static const Cpu found = detect();
  return found;
}

std::vector<std::string> cpu_features() {
  std::vector<std::string> names;
  if (cpu().avx2) names.push_back("avx2");
  if (cpu().avx512) names.push_back("avx512");
  if (cpu().avx512_bf16) names.push_back("avx512_bf16");
  if (cpu().amx_bf16) names.push_back("amx_bf16");
  return names;
}

}  // namespace hornbeam
