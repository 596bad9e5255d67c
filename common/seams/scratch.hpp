#pragma once
// Scratch memory: where rungs compute, taken once, before the first step.
//
// Most rungs need memory only while one of their calls runs, and the calls of a forward pass run one after
// the other. So a model's products share one region that is as large as the largest of them needs:
//
//   Scratch scratch;
//   ScratchMemory rows(place, "product rows", bytes);      // while a part is built: asks
//   scratch.allocate(device);                              // once, when all parts are built: takes
//   rows.data();                                           // during a step: uses
//
// A ScratchMemory without a Scratch takes its own memory at once, for tests and for programs that use one
// rung alone.
//
// Thread safety: none while parts are built. During a step, a region belongs to the call that uses it.

#include <cstddef>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "seams/device.hpp"

namespace rung {

class Scratch {
 public:
  struct Region {
    std::size_t bytes = 0;
    DeviceBuffer memory;
  };

  Scratch() = default;
  Scratch(const Scratch&) = delete;  // ScratchMemory points into it
  Scratch& operator=(const Scratch&) = delete;

  /// Makes a region at least `bytes` large. Calls that may run at the same time, or that keep what another
  /// one still reads, use regions of different names. REQUIRES: allocate() was not called yet.
  Region& ask(std::string_view region, std::size_t bytes) {
    if (allocated_) fail("scratch memory for '{}' was asked for after it had been taken", region);
    Region& found = regions_[std::string(region)];
    if (bytes > found.bytes) found.bytes = bytes;
    return found;
  }

  /// Takes the memory of all regions. Throws Error if the device has not enough.
  void allocate(Device& device) {
    for (auto& [name, region] : regions_) region.memory = device.allocate(region.bytes);
    allocated_ = true;
  }

  /// The sum over all regions, taken or not.
  std::size_t bytes() const {
    std::size_t total = 0;
    for (const auto& [name, region] : regions_) total += region.bytes;
    return total;
  }

 private:
  std::map<std::string, Region, std::less<>> regions_;
  bool allocated_ = false;
};

/// Where a rung works: part of every configuration whose rungs read or write a device's memory.
struct Workplace {
  Device* device = nullptr;    // null: the host. Not owned; outlives the rung
  DeviceStream stream = 0;     // of the device
  Scratch* scratch = nullptr;  // null: the rung takes memory of its own. Not owned; outlives the rung
};

/// A part's use of one region. Movable and copyable: copies use the same memory.
class ScratchMemory {
 public:
  ScratchMemory() = default;
  /// Asks for `bytes`; see Scratch::ask(). Throws Error if there is no Scratch and the device has not enough.
  ScratchMemory(const Workplace& place, std::string_view region, std::size_t bytes) {
    if (place.scratch != nullptr) {
      region_ = &place.scratch->ask(region, bytes);
      return;
    }
    own_ = std::make_shared<Scratch::Region>();
    own_->bytes = bytes;
    own_->memory = place.device != nullptr ? place.device->allocate(bytes) : host_memory(bytes);
    region_ = own_.get();
  }

  /// 64-byte aligned; null for a part that asked for nothing. REQUIRES: Scratch::allocate() was called.
  void* data() const { return region_ == nullptr ? nullptr : region_->memory.data(); }
  std::size_t bytes() const { return region_ == nullptr ? 0 : region_->bytes; }

 private:
  static DeviceBuffer host_memory(std::size_t bytes) {
    constexpr std::size_t kLine = 64;
    if (bytes == 0) return {};
    void* data = std::aligned_alloc(kLine, (bytes + kLine - 1) / kLine * kLine);
    if (data == nullptr) fail("{} bytes of scratch memory cannot be taken; use fewer tokens per step", bytes);
    return {data, bytes, +[](void* p) { std::free(p); }};
  }

  std::shared_ptr<Scratch::Region> own_;
  const Scratch::Region* region_ = nullptr;
};

}  // namespace rung
