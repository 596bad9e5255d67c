#pragma once
// Scratch memory: the temporary memory of rungs, allocated once, before the first step.
//
// Most rungs need memory only while one of their calls runs, and the calls of a forward pass run one after
// the other. Therefore all products of a model share one region, which has the size that the largest of them
// needs:
//
//   Scratch scratch;
//   ScratchMemory rows(place, "product rows", bytes);      // while a part is built: requests memory
//   scratch.allocate(device);                              // once, when all parts are built: allocates it
//   rows.data();                                           // during a step: uses it
//
// A ScratchMemory without a Scratch allocates its own memory at once. Tests use this, and programs that use
// only one rung.
//
// Thread safety: none while parts are built. During a step, only the call that uses a region may access it.

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

  /// Requests a region of at least `bytes`. Two calls need regions with different names if they may run at
  /// the same time, or if one of them reads what the other one left in memory. REQUIRES: allocate() was not
  /// called yet.
  Region& ask(std::string_view region, std::size_t bytes) {
    if (allocated_)
      fail("scratch memory for '{}' was requested after allocate(); request it when parts are built", region);
    Region& found = regions_[std::string(region)];
    if (bytes > found.bytes) found.bytes = bytes;
    return found;
  }

  /// Allocates the memory of all regions. Throws Error if the device does not have enough memory.
  void allocate(Device& device) {
    for (auto& [name, region] : regions_) region.memory = device.allocate(region.bytes);
    allocated_ = true;
  }

  /// Returns the sum of the sizes of all regions, whether they are allocated yet or not.
  std::size_t bytes() const {
    std::size_t total = 0;
    for (const auto& [name, region] : regions_) total += region.bytes;
    return total;
  }

 private:
  std::map<std::string, Region, std::less<>> regions_;
  bool allocated_ = false;
};

/// Where a rung computes: the device, the stream and the scratch memory. Every configuration whose rungs read
/// or write a device's memory contains one.
struct Workplace {
  Device* device = nullptr;    // null: the host. Not owned; outlives the rung
  DeviceStream stream = 0;     // a stream of the device
  Scratch* scratch = nullptr;  // null: the rung allocates its own memory. Not owned; outlives the rung
};

/// A part's handle to one region. It is movable and copyable, and copies refer to the same memory.
class ScratchMemory {
 public:
  ScratchMemory() = default;
  /// Requests `bytes`; see Scratch::ask(). Throws Error if there is no Scratch and the memory cannot be
  /// allocated.
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

  /// Returns 64-byte aligned memory, or null if no memory was requested. REQUIRES: Scratch::allocate() was
  /// called.
  void* data() const { return region_ == nullptr ? nullptr : region_->memory.data(); }
  std::size_t bytes() const { return region_ == nullptr ? 0 : region_->bytes; }

 private:
  static DeviceBuffer host_memory(std::size_t bytes) {
    constexpr std::size_t kLine = 64;
    if (bytes == 0) return {};
    void* data = std::aligned_alloc(kLine, (bytes + kLine - 1) / kLine * kLine);
    if (data == nullptr)
      fail("{} bytes of scratch memory cannot be allocated; use fewer tokens per step", bytes);
    return {data, bytes, +[](void* p) { std::free(p); }};
  }

  std::shared_ptr<Scratch::Region> own_;
  const Scratch::Region* region_ = nullptr;
};

}  // namespace rung
