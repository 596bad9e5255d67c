#pragma once
// A description of the machine and of this program, which is stored with measurements.

#include <cstdint>
#include <map>
#include <string>

#include "measure/report_json.hpp"

namespace rung {

struct MachineRecord {
  std::string name;                             // "AMD EPYC, 2 processors"
  std::string simd;                             // SIMD level in use
  std::uint64_t memory_bytes = 0;               // 0: unknown
  std::map<std::string, std::uint64_t> caches;  // bytes of the first processor's caches: L1d, L2, L3
  std::string governor = "unknown";             // policy of the processor's frequency
  std::string system;                           // "Linux 6.1.0"
  std::string compiler;                         // "GCC 12.2.0"
  std::string version;                          // of this program
  std::string commit;  // empty: built outside of a repository; ends in + if files were changed
};

/// Describes this machine, as far as the system reports it.
MachineRecord machine_record();

/// Returns the commit that this program was built from. Empty: unknown.
const char* build_commit();

Json to_json(const MachineRecord& machine);
/// Reads what to_json() wrote. Throws Json::exception if a member is missing or has the wrong type.
MachineRecord machine_record_from(const Json& json);

}  // namespace rung
