#include "measure/machine_record.hpp"

#include <fmt/core.h>

#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>

#include <sys/utsname.h>
#include <unistd.h>

#include "core/machine.hpp"
#include "core/simd.hpp"

namespace rung {
namespace {

const std::string kProcessor = "/sys/devices/system/cpu/cpu0/";

/// Returns the first line of a file, or "" if it cannot be read.
std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// "512K", "32M" or "4096" as bytes; 0 if it is not a number.
std::uint64_t bytes_of(const std::string& size) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), number);
  if (error != std::errc()) return 0;
  if (*end == 'K') return number << 10;
  return *end == 'M' ? number << 20 : number;
}

std::map<std::string, std::uint64_t> caches() {
  std::map<std::string, std::uint64_t> all;
  for (int i = 0;; ++i) {
    const std::string folder = fmt::format("{}cache/index{}/", kProcessor, i);
    const std::string type = first_line(folder + "type");
    if (type.empty()) return all;
    if (type == "Instruction") continue;
    const std::uint64_t bytes = bytes_of(first_line(folder + "size"));
    if (bytes > 0) all["L" + first_line(folder + "level") + (type == "Data" ? "d" : "")] = bytes;
  }
}

std::string system_name() {
  utsname name{};
  return uname(&name) == 0 ? fmt::format("{} {}", name.sysname, name.release) : "unknown";
}

std::string compiler_name() {
#if defined(__clang__)
  return fmt::format("Clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
  return fmt::format("GCC {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
  return "unknown";
#endif
}

}  // namespace

MachineRecord machine_record() {
  MachineRecord machine;
  machine.name = machine_name();
  machine.simd = simd_name(simd_level());
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  if (pages > 0 && page > 0)
    machine.memory_bytes = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
  machine.caches = caches();
  if (const std::string governor = first_line(kProcessor + "cpufreq/scaling_governor"); !governor.empty())
    machine.governor = governor;
  machine.system = system_name();
  machine.compiler = compiler_name();
  machine.version = RUNG_VERSION;
  machine.commit = build_commit();
  return machine;
}

Json to_json(const MachineRecord& machine) {
  return {
      {"name", machine.name},         {"simd", machine.simd},         {"memory_bytes", machine.memory_bytes},
      {"caches", machine.caches},     {"governor", machine.governor}, {"system", machine.system},
      {"compiler", machine.compiler}, {"version", machine.version},   {"commit", machine.commit}};
}

MachineRecord machine_record_from(const Json& json) {
  MachineRecord machine;
  json.at("name").get_to(machine.name);
  json.at("simd").get_to(machine.simd);
  json.at("memory_bytes").get_to(machine.memory_bytes);
  json.at("caches").get_to(machine.caches);
  json.at("governor").get_to(machine.governor);
  json.at("system").get_to(machine.system);
  json.at("compiler").get_to(machine.compiler);
  json.at("version").get_to(machine.version);
  json.at("commit").get_to(machine.commit);
  return machine;
}

}  // namespace rung
