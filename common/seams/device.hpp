#pragma once
// Seam `device`: the memory of a CPU or a GPU, and the order of the work on it.
//
// The forward pass gets all its memory from a device and never dereferences the addresses. On the CPU, a
// device address is a host address, and a copy is a memcpy. On a GPU, the host cannot read these addresses.
//
// Thread safety: only one thread at a time may use a device, but any thread may free a DeviceBuffer. Any
// number of threads may use the CPU's device.

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/tensor.hpp"

namespace rung {

/// Owns memory on a device and frees it in its destructor. Movable, not copyable.
class DeviceBuffer {
 public:
  using Free = void (*)(void* data);
  DeviceBuffer() = default;
  DeviceBuffer(void* data, std::size_t bytes, Free free) : data_(data, free), bytes_(bytes) {}
  void* data() const { return data_.get(); }
  std::size_t bytes() const { return bytes_; }
  /// Returns a matrix at the start of the buffer. REQUIRES: the buffer is large enough.
  Tensor tensor(DType dtype, std::int64_t rows, std::int64_t cols) const {
    assert(bytes_of(dtype, rows * cols) <= bytes_);
    return {data(), dtype, rows, cols};
  }

 private:
  std::unique_ptr<void, Free> data_{nullptr, +[](void*) {}};
  std::size_t bytes_ = 0;
};

/// A queue of work on a device. The operations of one stream run in the order in which they were issued, and
/// different streams may run at the same time. Every call without a stream parameter uses stream 0. A stream
/// is a plain number, so that every configuration can contain one; the device defines what the number means.
using DeviceStream = int;
/// A point in a stream for which another stream can wait. Waiting for a point that the stream has already
/// passed is allowed and takes no time.
using DeviceEvent = int;

/// The direction of a copy.
enum class CopyKind { to_device, to_host, within_device };

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string_view name() const = 0;  // "cpu", "cuda:0"

  /// Returns zeroed memory that is aligned to 64 bytes. Throws Error that names the size if there is not
  /// enough memory.
  virtual DeviceBuffer allocate(std::size_t bytes) = 0;

  /// A copy runs after all work issued to stream 0 so far. to_host() returns when the bytes have arrived, and
  /// to_device() returns when `from` may be reused.
  virtual void to_device(void* to, const void* from, std::size_t bytes) = 0;
  virtual void to_host(void* to, const void* from, std::size_t bytes) = 0;
  virtual void copy(void* to, const void* from, std::size_t bytes) = 0;  // within the device

  /// Returns the number of streams, at least 1. The CPU has one stream, because its work is finished when the
  /// call returns.
  virtual int streams() const { return 1; }
  /// Returns an event that marks the end of the work issued to `stream` so far. REQUIRES: 0 <= stream <
  /// streams().
  virtual DeviceEvent record(DeviceStream /*stream*/) { return 0; }
  /// Makes all work that is issued to `stream` from now on wait for `event`. Does not block the host.
  virtual void wait(DeviceStream /*stream*/, DeviceEvent /*event*/) {}
  /// Issues a copy to `stream`. The copy may still be running when this function returns. Until the stream
  /// has finished it, `from` must not change and nothing may use `to`. REQUIRES: 0 <= stream < streams().
  virtual void copy_in_stream(CopyKind kind, void* to, const void* from, std::size_t bytes,
                              DeviceStream stream) {
    assert(stream >= 0 && stream < streams());
    (void)stream;
    if (kind == CopyKind::to_device) return to_device(to, from, bytes);
    if (kind == CopyKind::to_host) return to_host(to, from, bytes);
    copy(to, from, bytes);
  }

  /// Returns whether the device can read host memory, such as a mapped file, without a copy.
  virtual bool shares_host_memory() const = 0;
  /// Waits for all work issued so far to all streams.
  virtual void synchronize() = 0;
};

}  // namespace rung
