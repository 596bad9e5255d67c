// Registers the ladder `tokenization`, bottom rung first, and adapts the learner's function to the seam.

#include "tokenization.hpp"

namespace rung::tokenization {
namespace {

constexpr const char* kFolder = "03_techniques/tokenization/";

class Mine final : public Tokenization {
 public:
  void merge(const PairTable& pairs, std::span<const std::int32_t> symbols,
             std::span<const std::uint32_t> ends, Ids& ids) const override {
    std::size_t begin = 0;
    for (const std::uint32_t end : ends) {
      Ids word(symbols.begin() + static_cast<std::ptrdiff_t>(begin), symbols.begin() + end);
      my_merge(pairs, word);
      ids.insert(ids.end(), word.begin(), word.end());
      begin = end;
    }
  }
};

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<Tokenization>& ladder = registry.ladder<Tokenization>();
  const auto add = [&](const char* name, const char* summary, auto make, bool exercise = false) {
    ladder.add({{name, fmt::format("{}{}.cpp", kFolder, name), summary, exercise}, make, {}});
  };
  add("naive", "looks at all pairs again after every merge", make_naive);
  add("heap", "keeps the pairs in a heap; a merge changes only the two next to it", make_heap);
  add("linear", "keeps one bucket per rank, without comparisons; copies repeated words", make_linear);
  add(
      "mine", "yours", [](const TokenizationConfig&) { return std::make_unique<Mine>(); }, true);
  ladder.make_trials = [&ladder] { return make_trials(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::tokenization
