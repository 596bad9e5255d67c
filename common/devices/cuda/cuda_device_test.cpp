// Tests of the device seam on a real GPU: round trips, order, zeroed and aligned memory, and error messages.

#include "devices/cuda/cuda_device.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using rung::CopyKind;
using rung::cuda_device;
using rung::Device;
using rung::DeviceBuffer;
using rung::DeviceEvent;
using rung::DeviceStream;
using rung::testing::sentence_of;

namespace {

std::vector<std::uint8_t> random_bytes(std::size_t n, std::uint64_t seed) {
  rung::Rng rng(seed);
  std::vector<std::uint8_t> bytes(n);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.next());
  return bytes;
}

}  // namespace

TEST_CASE("bytes survive the way to the GPU, within it and back") {
  Device& gpu = *cuda_device();
  for (const std::size_t n : {std::size_t{1}, std::size_t{63}, std::size_t{4096}, std::size_t{1000003}}) {
    INFO(n << " bytes");
    auto sent = random_bytes(n, n);
    const auto expected = sent;
    DeviceBuffer a = gpu.allocate(n);
    DeviceBuffer b = gpu.allocate(n);
    REQUIRE(a.bytes() == n);
    gpu.to_device(a.data(), sent.data(), n);
    sent.assign(n, 0);  // to_device() has returned: the source may be reused
    gpu.copy(b.data(), a.data(), n);
    gpu.to_device(a.data(), sent.data(), n);  // after the copy, so b keeps the old bytes
    std::vector<std::uint8_t> got(n, 0xee);
    gpu.to_host(got.data(), b.data(), n);
    CHECK(got == expected);
    gpu.to_host(got.data(), a.data(), n);
    CHECK(got == sent);
  }
}

TEST_CASE("a piece in the middle of a buffer can be copied alone") {
  Device& gpu = *cuda_device();
  DeviceBuffer buffer = gpu.allocate(1024);
  const auto piece = random_bytes(100, 7);
  gpu.to_device(static_cast<std::uint8_t*>(buffer.data()) + 333, piece.data(), piece.size());
  std::vector<std::uint8_t> got(1024, 0xee), expected(1024, 0);
  std::copy(piece.begin(), piece.end(), expected.begin() + 333);
  gpu.to_host(got.data(), buffer.data(), got.size());
  CHECK(got == expected);
}

TEST_CASE("new memory is zeroed and aligned, also where old memory was given back") {
  Device& gpu = *cuda_device();
  const auto noise = random_bytes(65537, 3);
  for (int round = 0; round < 3; ++round) {
    DeviceBuffer buffer = gpu.allocate(noise.size());
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
    std::vector<std::uint8_t> got(noise.size(), 0xee);
    gpu.to_host(got.data(), buffer.data(), got.size());
    CHECK(got == std::vector<std::uint8_t>(noise.size(), 0));
    gpu.to_device(buffer.data(), noise.data(), noise.size());
  }
}

TEST_CASE("a copy in a stream waits for an event of another stream") {
  Device& gpu = *cuda_device();
  REQUIRE(gpu.streams() == 2);
  constexpr std::size_t kBytes = std::size_t{64}
                                 << 20;  // long enough that a copy which does not wait comes too early
  const auto sent = random_bytes(kBytes, 11);
  std::vector<std::uint8_t> got(kBytes, 0xee);
  DeviceBuffer a = gpu.allocate(kBytes), b = gpu.allocate(kBytes);
  for (int round = 0; round < 3; ++round) {
    const auto from = static_cast<DeviceStream>(round % 2), to = static_cast<DeviceStream>(1 - round % 2);
    gpu.copy_in_stream(CopyKind::to_device, a.data(), sent.data(), kBytes, from);
    for (int i = 0; i < 8; ++i) gpu.copy_in_stream(CopyKind::within_device, b.data(), a.data(), kBytes, from);
    gpu.wait(to, gpu.record(from));
    gpu.copy_in_stream(CopyKind::to_host, got.data(), b.data(), kBytes, to);
    gpu.synchronize();  // both streams
    CHECK(got == sent);
    got.assign(kBytes, 0xee);
    gpu.copy_in_stream(CopyKind::to_device, b.data(), got.data(), kBytes, to);
    gpu.synchronize();
  }
}

TEST_CASE("events are used again, and an old one has passed") {
  Device& gpu = *cuda_device();
  const auto sent = random_bytes(4096, 5);
  DeviceBuffer buffer = gpu.allocate(sent.size());
  const DeviceEvent old = gpu.record(0);
  for (int i = 0; i < 1000; ++i) {
    gpu.copy_in_stream(CopyKind::to_device, buffer.data(), sent.data(), sent.size(), i % 2);
    gpu.wait(1 - i % 2, gpu.record(i % 2));
  }
  gpu.wait(1, old);
  std::vector<std::uint8_t> got(sent.size(), 0xee);
  gpu.copy_in_stream(CopyKind::to_host, got.data(), buffer.data(), got.size(), 1);
  gpu.synchronize();
  CHECK(got == sent);
}

TEST_CASE("nothing is a size") {
  Device& gpu = *cuda_device();
  CHECK(gpu.allocate(0).data() == nullptr);
  gpu.to_device(nullptr, nullptr, 0);
  gpu.to_host(nullptr, nullptr, 0);
  gpu.copy(nullptr, nullptr, 0);
  gpu.copy_in_stream(CopyKind::to_host, nullptr, nullptr, 0, 1);
  gpu.synchronize();
}

TEST_CASE("the device says what it is") {
  Device& gpu = *cuda_device();
  CHECK(gpu.name() == "cuda:0");
  CHECK_FALSE(gpu.shares_host_memory());
  CHECK(cuda_device(0) == &gpu);
}

TEST_CASE("misuse is a sentence, and the device works afterwards") {
  Device& gpu = *cuda_device();
  CHECK(sentence_of([] { cuda_device(-1); }).find("there is no GPU -1") != std::string::npos);
  CHECK(sentence_of([] { cuda_device(1000); }).find("choose one of them") != std::string::npos);

  const std::size_t far_too_much = std::numeric_limits<std::size_t>::max() / 4;
  const std::string full = sentence_of([&] { gpu.allocate(far_too_much); });
  CHECK(full.find("cuda:0") != std::string::npos);
  CHECK(full.find("smaller --ctx") != std::string::npos);

  std::uint8_t host = 0;
  CHECK(sentence_of([&] { gpu.to_device(nullptr, &host, 1); }).find("null address") != std::string::npos);

  CHECK(sentence_of([&] { gpu.record(2); }).find("no stream 2") != std::string::npos);
  CHECK(sentence_of([&] { gpu.wait(-1, 0); }).find("no stream -1") != std::string::npos);
  CHECK(sentence_of([&] { gpu.wait(0, -1); }).find("what record() returned") != std::string::npos);
  CHECK(sentence_of([&] {
          gpu.copy_in_stream(CopyKind::to_device, &host, &host, 1, 2);
        }).find("no stream 2") != std::string::npos);

  // A failed allocation must not poison the calls after it.
  DeviceBuffer buffer = gpu.allocate(1);
  host = 42;
  gpu.to_device(buffer.data(), &host, 1);
  host = 0;
  gpu.to_host(&host, buffer.data(), 1);
  CHECK(host == 42);
}
