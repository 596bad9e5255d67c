// Fuzz target: the first byte selects whether the rest is a safetensors file, or the index of a folder whose
// shards are valid.

#include <nlohmann/json.hpp>

#include "files/safetensors.hpp"
#include "testing/fuzz/target.hpp"

using namespace rung;

namespace {

std::string shard(const std::string& name) {
  const std::string header =
      nlohmann::json{{name, {{"dtype", "F32"}, {"shape", {2, 3}}, {"data_offsets", {0, 24}}}}}.dump();
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + std::string(24, '\x3f');
}

struct Folder {
  fuzz::ScratchFolder folder;
  fuzz::MemoryFile index, a, b;
  Folder() {
    a.set(shard("a.weight"));
    b.set(shard("b.weight"));
    folder.link("model.safetensors.index.json", index.path());
    folder.link("a.safetensors", a.path());
    folder.link("b.safetensors", b.path());
  }
};

void check(const SafeTensors& files) {
  volatile unsigned char touched = 0;
  for (const auto& [name, tensor] : files.tensors()) {
    if (tensor.view.empty() || tensor.view.bytes() == 0) continue;
    const auto* bytes = static_cast<const unsigned char*>(tensor.view.data);
    touched = bytes[0] ^ bytes[tensor.view.bytes() - 1];
  }
  static_cast<void>(touched);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Folder folder;
  static fuzz::MemoryFile file;
  if (size == 0) return 0;
  const std::string_view rest = fuzz::text_of(data + 1, size - 1);
  fuzz::accepted_or_refused([&] {
    if (data[0] % 2 == 0) {
      file.set(rest);
      check(*SafeTensors::open_file(file.path()));
    } else {
      folder.index.set(rest);
      check(*SafeTensors::open_folder(folder.folder.path()));
    }
  });
  return 0;
}
