// The ladder `loading`: names, one line each, bottom rung first.

#include "llama_cpp.hpp"

namespace rung::llama_cpp {
namespace {

constexpr const char* kFolder = "02_engines/llama_cpp/";

/// Makes the learner's function a rung of the seam.
class Mine final : public Loading {
 public:
  std::shared_ptr<const FileBytes> open(const std::string& path) override {
    const InputFile file(path);
    return mine(file);
  }
};

bool any(const LoadingConfig&) { return true; }
bool copies(const LoadingConfig& config) { return !config.shared; }

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<Loading>& ladder = registry.ladder<Loading>();
  const auto add = [&](const char* name, const char* summary, auto make, auto supports,
                       bool exercise = false) {
    ladder.add({{name, fmt::format("{}{}.cpp", kFolder, name), summary, exercise}, make, supports});
  };
  add("read", "copies the whole file into memory of the process", make_read, copies);
  add("mmap", "maps the file; a page is read on its first access", make_mmap, any);
  add("mmap_prefetch", "maps the file and starts to read all of it", make_mmap_prefetch, any);
  add(
      "mine", "yours to write", [](const LoadingConfig&) { return std::make_unique<Mine>(); }, any, true);
  ladder.make_trials = [&ladder] { return make_trials(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::llama_cpp
