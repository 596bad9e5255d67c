// What judges and times the rungs of `tokenization`: merges learned here, on words made here.

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "tokenization.hpp"

namespace rung::tokenization {
namespace {

struct Text {
  Ids symbols;
  std::vector<std::uint32_t> ends;
};

void add_word(Text& text, const Ids& word) {
  text.symbols.insert(text.symbols.end(), word.begin(), word.end());
  text.ends.push_back(static_cast<std::uint32_t>(text.symbols.size()));
}

/// Words of one to four syllables. Like in any language, a few come all the time: the k-th most frequent
/// about 1 / k times as often as the first (Zipf).
class Language {
 public:
  Language() {
    Rng rng(5);
    const std::string first = "bcdfghklmnprstw", vowel = "aeiou", last = "nrstl";
    for (int i = 0; i < 3000; ++i) {
      Ids word = {' '};
      for (std::uint64_t syllables = 1 + rng.below(4); syllables > 0; --syllables) {
        word.push_back(first[rng.below(first.size())]);
        word.push_back(vowel[rng.below(vowel.size())]);
        if (rng.below(2) == 0) word.push_back(last[rng.below(last.size())]);
      }
      words_.push_back(word);
    }
  }
  Text text(std::size_t words, std::uint64_t seed) const {
    Rng rng(seed);
    Text text;
    for (std::size_t i = 0; i < words; ++i) {
      const double rank = std::exp(rng.uniform() * std::log(static_cast<double>(words_.size())));
      add_word(text, words_[std::min(words_.size() - 1, static_cast<std::size_t>(rank) - 1)]);
    }
    return text;
  }
  PairTable learn(int merges) const {
    std::map<Ids, std::int64_t> counts;
    const Text sample = text(20'000, 6);
    std::size_t begin = 0;
    for (const std::uint32_t end : sample.ends) {
      ++counts[Ids(sample.symbols.begin() + static_cast<std::ptrdiff_t>(begin),
                   sample.symbols.begin() + end)];
      begin = end;
    }
    std::vector<CountedWord> words;
    for (const auto& [word, count] : counts) words.push_back({word, count});
    return train(std::move(words), merges);
  }

 private:
  std::vector<Ids> words_;
};

/// One word without a space, of letters as the language has them.
Text long_word(const Language& language, std::size_t length) {
  Ids word;
  for (const std::int32_t symbol : language.text(length, 7).symbols) {
    if (symbol != ' ' && word.size() < length) word.push_back(symbol);
  }
  Text text;
  add_word(text, word);
  return text;
}

/// Any merges over few letters, in any order: pairs that no training would give.
PairTable random_pairs(Rng& rng, std::int32_t letters, std::int32_t merges) {
  PairTable table(static_cast<std::size_t>(merges));
  for (std::int32_t rank = 0; rank < merges; ++rank) {
    const auto known = static_cast<std::uint64_t>(letters + rank);
    table.insert(static_cast<std::int32_t>(rng.below(known)), static_cast<std::int32_t>(rng.below(known)),
                 static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(merges))), letters + rank);
  }
  return table;
}

/// `expected` is computed when a rung is judged for the first time.
struct Workload {
  std::string name;
  std::shared_ptr<const PairTable> pairs;
  Text text;
  bool timed = false;
  mutable std::optional<Ids> expected = {};
};

const Ids& expected_of(const Workload& w) {
  if (w.expected) return *w.expected;
  Ids all;
  std::map<Ids, Ids> known;
  std::size_t begin = 0;
  for (const std::uint32_t end : w.text.ends) {
    const Ids word(w.text.symbols.begin() + static_cast<std::ptrdiff_t>(begin), w.text.symbols.begin() + end);
    auto found = known.find(word);
    if (found == known.end()) found = known.emplace(word, oracle(*w.pairs, word)).first;
    all.insert(all.end(), found->second.begin(), found->second.end());
    begin = end;
  }
  w.expected = std::move(all);
  return *w.expected;
}

Verdict judge(const Ladder<Tokenization>& ladder, const std::string& rung, const Workload& w) {
  const Ids& expected = expected_of(w);
  Ids got = {-7};  // what was there stays
  ladder.make(rung, {})->merge(*w.pairs, w.text.symbols, w.text.ends, got);
  if (!got.empty() && got.front() == -7) {
    got.erase(got.begin());
    if (got == expected) return {};
  }
  const auto at = static_cast<std::size_t>(
      std::mismatch(got.begin(), got.end(), expected.begin(), expected.end()).first - got.begin());
  const auto token = [at](const Ids& ids) {
    return at < ids.size() ? fmt::format("token {}", ids[at])
                           : fmt::format("the end after {} tokens", ids.size());
  };
  return Verdict().fail(
      mismatch(w.name, fmt::format("{} words, {} symbols", w.text.ends.size(), w.text.symbols.size()),
               fmt::format("token {}", at), token(expected), token(got)));
}

std::vector<Workload> workloads() {
  const Language language;
  const auto learned = std::make_shared<const PairTable>(language.learn(600));
  const auto as = std::make_shared<PairTable>(4);
  as->insert('a', 'a', 0, 256);
  as->insert(256, 256, 1, 257);
  as->insert(257, 'a', 2, 258);
  std::vector<Workload> list;
  const auto add = [&](std::string name, std::shared_ptr<const PairTable> pairs, Text text,
                       bool timed = false) {
    list.push_back({std::move(name), std::move(pairs), std::move(text), timed, {}});
  };
  add("nothing", learned, {});
  Text repeated;
  for (const std::size_t length : {0, 1, 2, 3, 4, 5, 6, 7, 65, 130}) add_word(repeated, Ids(length, 'a'));
  add("runs of one letter", as, repeated);
  add("words", learned, language.text(300, 8));
  add("a long word", learned, long_word(language, 700));
  Text strange;
  add_word(strange, {-5, 'a', 'a', -5, 99'999, 'a', 'a', 'a', -2});
  add("symbols that no merge knows", as, strange);
  Rng rng(9);
  for (int i = 0; i < 30; ++i) {
    const auto letters = static_cast<std::int32_t>(1 + rng.below(4));
    const auto pairs = std::make_shared<const PairTable>(
        random_pairs(rng, letters, static_cast<std::int32_t>(1 + rng.below(60))));
    Text text;
    for (int k = 0; k < 8; ++k) {
      Ids word(rng.below(k < 6 ? 20 : 150));
      for (std::int32_t& symbol : word) {
        symbol = static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(letters)));
      }
      add_word(text, word);
    }
    add(fmt::format("random merges {}", i), pairs, text);
  }
  add("20000 words", learned, language.text(20'000, 10), true);
  for (const std::size_t length : {1000, 4000, 8000}) {
    add(fmt::format("one word of {} letters", length), learned, long_word(language, length), true);
  }
  return list;
}

}  // namespace

std::vector<Trial> make_trials(const Ladder<Tokenization>& ladder) {
  const auto judge_one = [&ladder](const std::string& rung, int /*threads*/, const Workload& w) {
    return judge(ladder, rung, w);
  };
  return trials_of(workloads(), judge_one, [&ladder](Trial& trial, std::shared_ptr<const Workload> w) {
    trial.work.bytes = static_cast<double>(w->text.symbols.size());  // of text: a symbol is a byte of it
    trial.prepare = [&ladder, w](const std::string& rung, int) -> std::function<void()> {
      const std::shared_ptr<Tokenization> merger = ladder.make(rung, {});
      return [=] {
        Ids ids;
        merger->merge(*w->pairs, w->text.symbols, w->text.ends, ids);
      };
    };
  });
}

}  // namespace rung::tokenization
