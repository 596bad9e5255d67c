#include "core/process_memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <initializer_list>
#include <string>
#include <utility>

namespace rung {
namespace {

/// Reads the lines "Key: N kB" of a file in /proc. For each key in `wanted`, stores the value in bytes.
void read_kib(const char* path, std::initializer_list<std::pair<const char*, double*>> wanted) {
  std::ifstream in(path);
  for (std::string key; in >> key;) {
    for (const auto& [name, bytes] : wanted) {
      double kib = 0;
      if (key == name && in >> kib) *bytes = kib * 1024;
    }
    std::string rest;
    std::getline(in, rest);
  }
}

}  // namespace

double available_memory() {
  double bytes = -1;
  read_kib("/proc/meminfo", {{"MemAvailable:", &bytes}});
  if (bytes >= 0) return bytes;
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

ProcessMemory process_memory() {
  double anonymous = 0, file = 0;
  read_kib("/proc/self/status", {{"RssAnon:", &anonymous}, {"RssFile:", &file}});
  return {static_cast<std::size_t>(anonymous), static_cast<std::size_t>(file)};
}

std::size_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

}  // namespace rung
