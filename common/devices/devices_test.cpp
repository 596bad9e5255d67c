// Tests of the devices that every build has: their memory and their copies.

#include <cstdint>
#include <cstring>
#include <vector>

#include "core/error.hpp"
#include "devices/cpu_device.hpp"
#include "devices/device_list.hpp"
#include "devices/null_device.hpp"
#include "testing/catch.hpp"

using namespace rung;

TEST_CASE("the host: memory is aligned and zeroed, and copies are done when the call returns") {
  Device& host = cpu_device();
  CHECK(host.name() == "cpu");
  CHECK(host.shares_host_memory());
  const std::vector<std::uint8_t> sent = {1, 2, 3, 4, 5};
  const DeviceBuffer a = host.allocate(sent.size()), b = host.allocate(sent.size());
  CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % 64 == 0);
  std::vector<std::uint8_t> got(sent.size(), 9);
  host.to_host(got.data(), b.data(), got.size());
  CHECK(got == std::vector<std::uint8_t>(sent.size(), 0));
  host.to_device(a.data(), sent.data(), sent.size());
  host.copy(b.data(), a.data(), sent.size());
  host.to_host(got.data(), b.data(), got.size());
  CHECK(got == sent);
  CHECK(host.allocate(0).data() == nullptr);
}

TEST_CASE("the host has one stream, whose work is done when a call returns") {
  Device& host = cpu_device();
  CHECK(host.streams() == 1);
  const std::vector<std::uint8_t> sent = {6, 7, 8};
  std::vector<std::uint8_t> got(sent.size(), 9);
  const DeviceBuffer a = host.allocate(sent.size()), b = host.allocate(sent.size());
  host.copy_in_stream(CopyKind::to_device, a.data(), sent.data(), sent.size(), 0);
  const DeviceEvent copied = host.record(0);
  host.wait(0, copied);
  host.copy_in_stream(CopyKind::within_device, b.data(), a.data(), sent.size(), 0);
  host.copy_in_stream(CopyKind::to_host, got.data(), b.data(), sent.size(), 0);
  CHECK(got == sent);
  host.wait(0, copied);  // long passed
  host.synchronize();
}

TEST_CASE("the null device: buffers have a size and no address, and copies do nothing") {
  Device& null = null_device();
  CHECK(null.name() == "null");
  CHECK_FALSE(null.shares_host_memory());
  constexpr std::size_t kMoreThanThereIs = std::size_t{1} << 50;
  const DeviceBuffer buffer = null.allocate(kMoreThanThereIs);
  CHECK(buffer.data() == nullptr);
  CHECK(buffer.bytes() == kMoreThanThereIs);
  const Tensor all = buffer.tensor(DType::f32, std::int64_t{1} << 38, 1 << 10);
  CHECK(all.empty());
  CHECK(all.row_slice(12345, 6).empty());
  CHECK(all.row_slice(12345, 6).rows == 6);
  CHECK(all.col_slice(32, 64).empty());
  std::uint8_t byte = 7;
  null.to_device(buffer.data(), &byte, 1);
  null.copy(buffer.data(), buffer.data(), 1);
  null.to_host(&byte, buffer.data(), 1);
  CHECK(byte == 7);
  null.synchronize();
}

TEST_CASE("--device names a device of the list; the others are refused by name") {
  const DeviceEntry& cpu = find_device("cpu");
  CHECK(&cpu.device() == &cpu_device());
  CHECK(cpu.ops(cpu.device(), 1).rmsnorm != nullptr);
  CHECK(device_names(", ") == "cpu, cuda");
  CHECK_THROWS_WITH(find_device("tpu"), testing::contains("unknown device 'tpu'; choose one of: cpu, cuda"));
  CHECK_THROWS_AS(find_device("tpu"), UsageError);
  CHECK_THROWS_WITH(find_device("cuda"), testing::contains("use --device cpu"));
}
