// Registers the rungs by name. A class turns a plain function into a reader.

#include "tgi.hpp"

namespace rung::tgi {
namespace {

class FunctionIndex final : public SafetensorsIndex {
 public:
  using Function = Entries (*)(std::string_view, const std::string&);
  explicit FunctionIndex(Function function) : function_(function) {}
  Entries read(std::string_view header, const std::string& what) const override {
    return function_(header, what);
  }

 private:
  Function function_;
};

Entries naive(std::string_view header, const std::string& what) {
  return default_safetensors_reader().read(header, what);
}

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<SafetensorsIndex>& ladder = registry.ladder<SafetensorsIndex>();
  const auto add = [&](const char* name, const char* source, const char* summary,
                       FunctionIndex::Function function, bool exercise = false) {
    ladder.add(
        {{name, source, summary, exercise},
         [function](const SafetensorsIndexConfig&) { return std::make_unique<FunctionIndex>(function); },
         {}});
  };
  add("naive", "common/files/safetensors_header.cpp",
      "parses the whole header into a JSON tree, then reads the tree", naive);
  add("sax", "02_engines/tgi/sax.cpp", "no tree: the parser calls a function for every token", sax);
  add("scan", "02_engines/tgi/scan.cpp", "one pass over the text, written for this format", scan);
  add("mine", "02_engines/tgi/mine.cpp", "yours to write", mine, /*exercise=*/true);
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::tgi
