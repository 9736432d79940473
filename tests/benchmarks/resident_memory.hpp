// Memory of this process that lies in RAM.
#pragma once

#include <sys/resource.h>

#include <fstream>
#include <string>

namespace gan::bench {

struct ResidentMemory {
  double now = 0, peak = 0;  ///< MB (10^6 bytes)
};

/// From /proc/self/status. Where that is missing, both are the peak that getrusage tells.
inline ResidentMemory resident_memory() {
  ResidentMemory memory;
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if ((word == "VmRSS:" || word == "VmHWM:") && status >> kilobytes)
      (word == "VmRSS:" ? memory.now : memory.peak) = kilobytes * 1024e-6;
  }
  if (memory.peak > 0) return memory;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  memory.peak = static_cast<double>(usage.ru_maxrss) * 1e-6;
#else
  memory.peak = static_cast<double>(usage.ru_maxrss) * 1024e-6;
#endif
  memory.now = memory.peak;
  return memory;
}

}  // namespace gan::bench
