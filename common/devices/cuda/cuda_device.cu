// The device seam on CUDA, with memory from cudaMalloc and two streams.
//
// Every call first selects its GPU, because CUDA keeps a current GPU per host thread. to_device() and
// to_host() wait for stream 0, because the seam promises that the host memory may be used when they return.
// copy_in_stream() does not wait, but CUDA itself may wait: it first copies host memory that is not
// page-locked into memory that is.

#include <cuda_runtime.h>

#include <array>
#include <memory>
#include <mutex>
#include <string>

#include "core/error.hpp"
#include "devices/cuda/cuda_device.hpp"

namespace rung {
namespace {

constexpr int kMaxDevices = 64;
constexpr int kStreams = 2;  // 0: work, 1: copies at the same time
// Events are numbered 0, 1, ..., kEventNumbers - 1, and then from 0 again. Event n uses CUDA event n %
// kEvents.
constexpr int kEvents = 64;
constexpr int kEventNumbers = 1 << 30;
static_assert(kEventNumbers % kEvents == 0);

// Throws Error if a CUDA call failed, and clears CUDA's error state, so that the next call does not report it
// again.
void check(cudaError_t status, const std::string& device, const char* doing) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();
  fail("{}: {} failed: {} ({})", device, doing, cudaGetErrorString(status), cudaGetErrorName(status));
}

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(int index) : index_(index), name_("cuda:" + std::to_string(index)) {
    select();
    for (cudaStream_t& stream : streams_) {
      check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), name_, "creating a stream");
    }
    for (cudaEvent_t& event : events_) {
      check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), name_, "creating an event");
    }
  }
  // Streams and events are not destroyed: the device lives as long as the process, and at exit the driver may
  // be gone first.

  std::string_view name() const override { return name_; }

  DeviceBuffer allocate(std::size_t bytes) override {
    if (bytes == 0) return {};
    select();
    void* data = nullptr;
    const cudaError_t status = cudaMalloc(&data, bytes);
    if (status == cudaErrorMemoryAllocation) {
      (void)cudaGetLastError();
      std::size_t free = 0, total = 0;
      check(cudaMemGetInfo(&free, &total), name_, "asking for the free memory");
      fail(
          "{} has {:.1f} MB of its {:.1f} MB free, but a buffer needs {:.1f} MB; use a smaller --ctx, fewer "
          "sequences or a smaller model",
          name_, static_cast<double>(free) * 1e-6, static_cast<double>(total) * 1e-6,
          static_cast<double>(bytes) * 1e-6);
    }
    check(status, name_, "allocating memory");
    DeviceBuffer buffer(
        data, bytes, +[](void* p) { (void)cudaFree(p); });
    check(cudaMemsetAsync(data, 0, bytes, streams_[0]), name_, "zeroing new memory");
    wait_for(0);  // now any stream may use the memory
    return buffer;
  }

  void to_device(void* to, const void* from, std::size_t bytes) override {
    transfer(to, from, bytes, CopyKind::to_device, 0);
    wait_for(0);
  }
  void to_host(void* to, const void* from, std::size_t bytes) override {
    transfer(to, from, bytes, CopyKind::to_host, 0);
    wait_for(0);
  }
  void copy(void* to, const void* from, std::size_t bytes) override {
    transfer(to, from, bytes, CopyKind::within_device, 0);
  }

  int streams() const override { return kStreams; }

  DeviceEvent record(DeviceStream stream) override {
    const cudaStream_t marked = stream_of(stream);
    select();
    const int number = next_event_;
    const cudaEvent_t event = event_of(number);
    // The stream must have passed the old event that used this CUDA event, because wait() relies on this. It
    // nearly always has.
    check(cudaEventSynchronize(event), name_, "waiting for an old event");
    check(cudaEventRecord(event, marked), name_, "recording an event");
    next_event_ = (number + 1) % kEventNumbers;
    return number;
  }

  void wait(DeviceStream stream, DeviceEvent event) override {
    const cudaStream_t waiting = stream_of(stream);
    if (event < 0 || event >= kEventNumbers)
      fail("{}: {} is not an event; use what record() returned", name_, event);
    const int age = (next_event_ - event + kEventNumbers) % kEventNumbers;
    if (age == 0 || age > kEvents) return;  // its CUDA event is used again, so the stream has passed it
    select();
    check(cudaStreamWaitEvent(waiting, event_of(event), 0), name_, "making a stream wait for an event");
  }

  void copy_in_stream(CopyKind kind, void* to, const void* from, std::size_t bytes,
                      DeviceStream stream) override {
    transfer(to, from, bytes, kind, stream);
  }

  bool shares_host_memory() const override { return false; }

  void synchronize() override {
    for (DeviceStream stream = 0; stream < kStreams; ++stream) wait_for(stream);
  }

 private:
  void select() { check(cudaSetDevice(index_), name_, "selecting the GPU"); }

  cudaStream_t stream_of(DeviceStream stream) const {
    if (stream < 0 || stream >= kStreams) {
      fail("{} has no stream {}; it has {}, counted from 0", name_, stream, kStreams);
    }
    return streams_[static_cast<std::size_t>(stream)];
  }
  cudaEvent_t event_of(DeviceEvent event) const { return events_[static_cast<std::size_t>(event % kEvents)]; }

  /// Waits until all work issued to `stream` so far is finished.
  void wait_for(DeviceStream stream) {
    select();
    check(cudaStreamSynchronize(stream_of(stream)), name_, "waiting for the work issued so far");
  }

  void transfer(void* to, const void* from, std::size_t bytes, CopyKind kind, DeviceStream stream) {
    struct Direction {
      cudaMemcpyKind kind;
      const char* doing;
    };
    static constexpr Direction kDirections[] = {// by CopyKind
                                                {cudaMemcpyHostToDevice, "copying to the device"},
                                                {cudaMemcpyDeviceToHost, "copying to the host"},
                                                {cudaMemcpyDeviceToDevice, "copying within the device"}};
    const Direction& direction = kDirections[static_cast<int>(kind)];
    const cudaStream_t in = stream_of(stream);
    if (bytes == 0) return;
    if (to == nullptr || from == nullptr)
      fail("{}: {} failed: a null address for {} bytes", name_, direction.doing, bytes);
    select();
    check(cudaMemcpyAsync(to, from, bytes, direction.kind, in), name_, direction.doing);
  }

  int index_;
  std::string name_;
  std::array<cudaStream_t, kStreams> streams_{};
  std::array<cudaEvent_t, kEvents> events_{};
  int next_event_ = 0;  // number of the next event that is recorded
};

}  // namespace

int cuda_device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    (void)cudaGetLastError();
    return 0;
  }
  return count;
}

Device* cuda_device(int index) {
  static std::mutex mutex;
  static std::array<std::unique_ptr<CudaDevice>, kMaxDevices> devices;
  const int count = cuda_device_count();
  if (count == 0) {
    fail("this machine has no CUDA GPU or no driver for it; use --device cpu");
  }
  if (index < 0 || index >= count || index >= kMaxDevices) {
    fail("there is no GPU {}; this machine has {}, counted from 0; choose one of them or use --device cpu",
         index, count);
  }
  const std::lock_guard lock(mutex);
  auto& device = devices[static_cast<std::size_t>(index)];
  if (!device) device = std::make_unique<CudaDevice>(index);
  return device.get();
}

}  // namespace rung
