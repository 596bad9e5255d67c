// Where the time goes between a path and a loaded model:
//
//     load_stages MODEL [--rung naive|sax|scan|mine] [--repeats N]
//
// MODEL is a Hugging Face folder or a GGUF file. The program prints the shortest of N times of every stage in
// milliseconds, because other programs on the machine can only make a stage slower. Weights are mapped, not
// read: pages that a stage does not touch are not loaded. The stage `all pages` then reads one byte of each
// page, as the first forward pass does with a file in the page cache.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>

#include "core/numbers.hpp"
#include "core/program_main.hpp"
#include "core/timer.hpp"
#include "files/gguf.hpp"
#include "files/mapped_file.hpp"
#include "files/safetensors.hpp"
#include "model/model.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "tgi.hpp"

namespace {

using namespace rung;
namespace fs = std::filesystem;

double least_ms(int repeats, const std::function<void()>& stage) {
  double least = HUGE_VAL;
  for (int i = 0; i < repeats; ++i) {
    const Timer timer;
    stage();
    least = std::min(least, timer.seconds() * 1e3);
  }
  return least;
}

void print(const char* stage, double ms, const std::string& note = {}) {
  fmt::print("  {:<34} {:>10.2f} ms  {}\n", stage, ms, note);
}

/// Reads a byte of every page of a tensor.
std::uint64_t touch(const Tensor& tensor) {
  constexpr std::size_t kPage = 4096;
  const auto* bytes = static_cast<const volatile unsigned char*>(tensor.data);
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < tensor.bytes(); at += kPage) sum += bytes[at];
  return sum;
}

/// The part of `name`.safetensors that a reader sees.
std::string header_of(const fs::path& file) {
  const MappedFile mapped(file.string());
  std::uint64_t size = 0;
  std::memcpy(&size, mapped.bytes().data(), sizeof size);
  return {reinterpret_cast<const char*>(mapped.bytes().data()) + sizeof size, size};
}

void folder_stages(const std::string& folder, const SafetensorsIndex& reader, int repeats) {
  SafeTensors::open_folder(folder, reader);  // refuses what is no such folder before it is taken apart
  std::vector<std::string> headers;
  std::size_t header_bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors") continue;
    headers.push_back(header_of(entry.path()));
    header_bytes += headers.back().size();
  }
  print("headers: text to list of tensors",
        least_ms(repeats,
                 [&] {
                   for (const std::string& header : headers) reader.read(header, "header");
                 }),
        fmt::format("{} files, {} bytes", headers.size(), header_bytes));
  print("map the files, read index and headers",
        least_ms(repeats, [&] { SafeTensors::open_folder(folder, reader); }));
  print("all pages", least_ms(repeats, [&] {
          const auto files = SafeTensors::open_folder(folder, reader);
          for (const auto& [name, tensor] : files->tensors()) touch(tensor.view);
        }));
}

void gguf_stages(const std::string& path, int repeats) {
  print("map the file, read metadata and tensors", least_ms(repeats, [&] { Gguf::open(path); }));
  print("all pages", least_ms(repeats, [&] {
          const auto file = Gguf::open(path);
          for (const GgufTensor& tensor : file->tensors()) touch(tensor.view);
        }));
}

void all_stages(const std::string& path, const SafetensorsIndex& reader, int repeats) {
  fmt::print("{}\n", path);
  if (fs::is_directory(path)) {
    folder_stages(path, reader, repeats);
  } else {
    gguf_stages(path, repeats);
  }
  print("tokenizer", least_ms(repeats, [&] { load_tokenizer(path); }));
  LoadOptions options;
  options.safetensors = &reader;
  std::size_t converted = 0, weights = 0;
  const double all = least_ms(repeats, [&] {
    const Model model = load_model(path, options);
    converted = model.converted_bytes;
    weights = model.weights.bytes();
  });
  print("load_model(), all of it", all,
        fmt::format("{:.1f} MB of weights, {:.3f} MB of them converted", static_cast<double>(weights) * 1e-6,
                    static_cast<double>(converted) * 1e-6));
}

int run(int argc, char** argv) {
  std::string path, rung = "auto", repeats = "5";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool more = i + 1 < argc;
    if (word == "--rung" && more) {
      rung = argv[++i];
    } else if (word == "--repeats" && more) {
      repeats = argv[++i];
    } else {
      path = word;
    }
  }
  if (path.empty()) fail_usage("usage: load_stages MODEL [--rung NAME] [--repeats N]");
  Registry registry;
  tgi::register_rungs(registry);
  all_stages(path, *registry.ladder<SafetensorsIndex>().make(rung, {}),
             number_from<int>("--repeats", repeats, {1}));
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return run_program("load_stages", argc, argv, run); }
