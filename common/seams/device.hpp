#pragma once
// Seam `device`: memory that is not necessarily the host's, and the order of work on it.
//
// The forward pass gets all its memory from here and never dereferences it. On the CPU a device
// address is a host address and copies are memcpy; on CUDA they are neither.
//
// Thread safety: one thread at a time uses a device; any thread may free a DeviceBuffer. The CPU's device may
// be used by any number of threads.

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/tensor.hpp"

namespace rung {

/// Memory owned on a device; given back when this goes out of scope. Movable, not copyable.
class DeviceBuffer {
 public:
  using Free = void (*)(void* data);
  DeviceBuffer() = default;
  DeviceBuffer(void* data, std::size_t bytes, Free free) : data_(data, free), bytes_(bytes) {}
  void* data() const { return data_.get(); }
  std::size_t bytes() const { return bytes_; }
  /// The buffer's start as a matrix. REQUIRES: it is large enough.
  Tensor tensor(DType dtype, std::int64_t rows, std::int64_t cols) const {
    assert(bytes_of(dtype, rows * cols) <= bytes_);
    return {data(), dtype, rows, cols};
  }

 private:
  std::unique_ptr<void, Free> data_{nullptr, +[](void*) {}};
  std::size_t bytes_ = 0;
};

/// An order of work on a device: what is issued to one stream runs one piece after the other, and streams run
/// beside each other. Stream 0 is the device's own, which every call without a stream uses. A number, so that
/// it fits into any configuration; the device gives it its meaning.
using DeviceStream = int;
/// A point in a stream, to wait for. Waiting for one that has passed long ago is allowed and takes no time.
using DeviceEvent = int;

/// Between which memories a copy goes.
enum class CopyKind { to_device, to_host, within_device };

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string_view name() const = 0;  // "cpu", "cuda:0"

  /// 64-byte aligned, zeroed memory. Throws Error that names the size when there is none left.
  virtual DeviceBuffer allocate(std::size_t bytes) = 0;

  /// Copies are ordered after the work issued to stream 0 so far; to_host() returns when the bytes are there,
  /// to_device() when `from` may be reused.
  virtual void to_device(void* to, const void* from, std::size_t bytes) = 0;
  virtual void to_host(void* to, const void* from, std::size_t bytes) = 0;
  virtual void copy(void* to, const void* from, std::size_t bytes) = 0;  // within the device

  /// The number of streams; always at least 1. On the CPU work is done when the call returns, so there is
  /// one.
  virtual int streams() const { return 1; }
  /// Marks the end of what `stream` was given so far. REQUIRES: 0 <= stream < streams().
  virtual DeviceEvent record(DeviceStream /*stream*/) { return 0; }
  /// What `stream` is given from now on starts when `event` has passed. Does not block the host.
  virtual void wait(DeviceStream /*stream*/, DeviceEvent /*event*/) {}
  /// A copy in the order of `stream`, which may still be under way when this returns: until the stream has
  /// passed it, `from` must stay as it is and nothing may use `to`. REQUIRES: 0 <= stream < streams().
  virtual void copy_in_stream(CopyKind kind, void* to, const void* from, std::size_t bytes,
                              DeviceStream stream) {
    assert(stream >= 0 && stream < streams());
    (void)stream;
    if (kind == CopyKind::to_device) return to_device(to, from, bytes);
    if (kind == CopyKind::to_host) return to_host(to, from, bytes);
    copy(to, from, bytes);
  }

  /// Whether host memory (a mapped file) can be used as it lies.
  virtual bool shares_host_memory() const = 0;
  /// Waits for all work issued so far, to every stream.
  virtual void synchronize() = 0;
};

}  // namespace rung
