// The device seam on CUDA: cudaMalloc for memory, one stream for the order of work.
//
// Every call first selects its GPU, because CUDA keeps "the current GPU" per host thread. Copies to and from
// the host wait for the stream: the seam promises that the host's bytes may be touched when they return.

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

// Throws a sentence when a CUDA call did not succeed, and clears the error so that the next call is judged
// alone.
void check(cudaError_t status, const std::string& device, const char* doing) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();
  fail("{}: {} failed: {} ({})", device, doing, cudaGetErrorString(status), cudaGetErrorName(status));
}

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(int index) : index_(index), name_("cuda:" + std::to_string(index)) {
    select();
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), name_, "creating a stream");
  }
  // The stream is not destroyed: the device lives as long as the process, and at exit the driver may be gone
  // first.

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
          "{} has {:.1f} MB of its {:.1f} MB free, {:.1f} MB were asked for; use a smaller --ctx, fewer "
          "sequences or "
          "a smaller model",
          name_, static_cast<double>(free) * 1e-6, static_cast<double>(total) * 1e-6,
          static_cast<double>(bytes) * 1e-6);
    }
    check(status, name_, "allocating memory");
    DeviceBuffer buffer(
        data, bytes, +[](void* p) { (void)cudaFree(p); });
    check(cudaMemsetAsync(data, 0, bytes, stream_), name_, "zeroing new memory");
    return buffer;
  }

  void to_device(void* to, const void* from, std::size_t bytes) override {
    transfer(to, from, bytes, cudaMemcpyHostToDevice, "copying to the device");
    synchronize();
  }
  void to_host(void* to, const void* from, std::size_t bytes) override {
    transfer(to, from, bytes, cudaMemcpyDeviceToHost, "copying to the host");
    synchronize();
  }
  void copy(void* to, const void* from, std::size_t bytes) override {
    transfer(to, from, bytes, cudaMemcpyDeviceToDevice, "copying within the device");
  }

  bool shares_host_memory() const override { return false; }

  void synchronize() override {
    select();
    check(cudaStreamSynchronize(stream_), name_, "waiting for the work issued so far");
  }

 private:
  void select() { check(cudaSetDevice(index_), name_, "selecting the GPU"); }

  void transfer(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, const char* doing) {
    if (bytes == 0) return;
    if (to == nullptr || from == nullptr)
      fail("{}: {} failed: a null address for {} bytes", name_, doing, bytes);
    select();
    check(cudaMemcpyAsync(to, from, bytes, kind, stream_), name_, doing);
  }

  int index_;
  std::string name_;
  cudaStream_t stream_ = nullptr;
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
    fail("there is no CUDA GPU here, or no driver for it; use --device cpu");
  }
  if (index < 0 || index >= count || index >= kMaxDevices) {
    fail("GPU {} was asked for, but this machine has {} (counted from 0); choose one of them or --device cpu",
         index, count);
  }
  const std::lock_guard lock(mutex);
  auto& device = devices[static_cast<std::size_t>(index)];
  if (!device) device = std::make_unique<CudaDevice>(index);
  return device.get();
}

}  // namespace rung
