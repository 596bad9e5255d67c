// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "tokenization.hpp"

namespace rung::tokenization {
namespace {

Ids ids(const std::string& letters) { return {letters.begin(), letters.end()}; }

/// A symbol as a reader of a failure needs it: 'a' for a letter, 256 for what a merge has made.
std::string text_of(std::int32_t symbol) {
  return symbol > ' ' && symbol < 127 ? fmt::format("'{}'", static_cast<char>(symbol))
                                      : fmt::format("{}", symbol);
}

std::string text_of(const SymbolPair& pair) {
  return pair == SymbolPair() ? "no pair" : fmt::format("{} {}", text_of(pair.left), text_of(pair.right));
}

std::string text_of(const Ids& word) {
  std::string text;
  for (const std::int32_t symbol : word)
    text += fmt::format("{}{}", text.empty() ? "" : " ", text_of(symbol));
  return text.empty() ? "no symbols" : text;
}

Trial frequent(std::string name, std::vector<CountedWord> words, SymbolPair expected) {
  return step_check(std::move(name), [=](const std::string& what) {
    const SymbolPair got = my_frequent_pair(words);
    if (got == expected) return Verdict();
    return Verdict().fail(mismatch(what, fmt::format("{} words", words.size()), "the most frequent pair",
                                   text_of(expected), text_of(got)));
  });
}

/// Replaces a pair in all words, from left to right, as training does after each count.
void replace(std::vector<CountedWord>& words, const SymbolPair& pair, std::int32_t merged) {
  for (CountedWord& word : words) {
    for (std::size_t i = 0; i + 1 < word.symbols.size(); ++i) {
      if (word.symbols[i] != pair.left || word.symbols[i + 1] != pair.right) continue;
      word.symbols[i] = merged;
      word.symbols.erase(word.symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }
}

/// Trains on the example of the lesson with the learner's counts.
Verdict learn_example(const std::string& what) {
  std::vector<CountedWord> words = {
      {ids("low."), 5}, {ids("lower."), 2}, {ids("newest."), 6}, {ids("widest."), 3}};
  const SymbolPair expected[] = {{'e', 's'}, {'t', '.'}, {256, 257}, {'l', 'o'}, {259, 'w'}};
  std::int32_t merged = 256;
  for (const SymbolPair& wanted : expected) {
    const SymbolPair got = my_frequent_pair(words);
    if (!(got == wanted)) {
      return Verdict().fail(mismatch(what, fmt::format("{} words", words.size()),
                                     fmt::format("merge {}, which makes symbol {}", merged - 256, merged),
                                     text_of(wanted), text_of(got)));
    }
    replace(words, wanted, merged++);
  }
  return {};
}

std::vector<Trial> frequent_checks() {
  return {
      frequent("the word ab, once", {{ids("ab"), 1}}, {'a', 'b'}),
      frequent("the word babab", {{ids("babab"), 1}}, {'a', 'b'}),
      frequent("a word counts as often as it occurs: 2 times ab, 5 times cd",
               {{ids("ab"), 2}, {ids("cd"), 5}}, {'c', 'd'}),
      frequent("counts of several words add up: 2 times yx, 2 times zyx, 3 times ab",
               {{ids("yx"), 2}, {ids("zyx"), 2}, {ids("ab"), 3}}, {'y', 'x'}),
      frequent("zzzz has the pair z z three times, which is more than 2 times bc",
               {{ids("zzzz"), 1}, {ids("bc"), 2}}, {'z', 'z'}),
      frequent("dc, ac and ab are equally frequent: the smallest pair counts",
               {{ids("dc"), 2}, {ids("ac"), 2}, {ids("ab"), 2}}, {'a', 'b'}),
      frequent("no pair crosses the border of a word", {{ids("a"), 9}, {ids("b"), 9}, {{}, 9}}, {}),
      frequent("no words", {}, {}),
      frequent("3 billion times ab, 2 billion times cd",
               {{ids("ab"), 1'500'000'000}, {ids("cd"), 2'000'000'000}, {ids("eab"), 1'500'000'000}},
               {'a', 'b'}),
      step_check("5 merges of low. (5 times), lower. (2), newest. (6), widest. (3)", learn_example),
  };
}

struct Merge {
  std::int32_t left, right, rank, id;
};

PairTable table_of(const std::vector<Merge>& merges) {
  PairTable table(merges.size());
  for (const Merge& m : merges) table.insert(m.left, m.right, m.rank, m.id);
  return table;
}

/// The memory after the end of the word has the symbol `after_end`, so that an answer that reads it finds a
/// pair there and does not crash.
Trial best(std::string name, std::vector<Merge> merges, Ids word, std::size_t expected,
           std::int32_t after_end = -1) {
  return step_check(std::move(name), [=](const std::string& what) {
    Ids copy = word;
    copy.push_back(after_end);
    copy.pop_back();
    const std::size_t got = my_best_pair(table_of(merges), copy);
    if (got == expected) return Verdict();
    const auto place = [&](std::size_t i) {
      return i == word.size() ? fmt::format("{}, the size: no pair merges", i) : fmt::format("{}", i);
    };
    return Verdict().fail(mismatch(what, fmt::format("{} symbols, {} merges", word.size(), merges.size()),
                                   "the returned index", place(expected), place(got)));
  });
}

std::vector<Trial> best_checks() {
  const std::vector<Merge> ab = {{'a', 'b', 3, 256}};
  return {
      best("the word ab with the merge a b", ab, ids("ab"), 0),
      best("the word xyab: the last pair counts, too", ab, ids("xyab"), 2),
      best("the word cba: b a is not a b", ab, ids("cba"), 3),
      best("the word abcd: c d has the lower rank", {{'a', 'b', 5, 256}, {'c', 'd', 2, 257}}, ids("abcd"), 2),
      best("the word abcd: c d has rank 0", {{'a', 'b', 1, 256}, {'c', 'd', 0, 257}}, ids("abcd"), 2),
      best("the word abcd: a b has the lower rank", {{'a', 'b', 1, 257}, {'c', 'd', 2, 256}}, ids("abcd"), 0),
      best("the word aaaa: of equals, the leftmost", {{'a', 'a', 0, 256}}, ids("aaaa"), 0),
      best("a word without symbols", ab, {}, 0),
      best("a word of one symbol", ab, ids("a"), 1),
      best("the word ab, and a symbol after its end", {{'a', 'b', 3, 256}, {'b', 'c', 0, 257}}, ids("ab"), 0,
           'c'),
  };
}

Trial merged(std::string name, std::vector<Merge> merges, Ids word, Ids expected) {
  return step_check(std::move(name), [=](const std::string& what) {
    Ids got = word;
    my_merge(table_of(merges), got);
    if (got == expected) return Verdict();
    return Verdict().fail(mismatch(what, fmt::format("{} symbols, {} merges", word.size(), merges.size()),
                                   "the whole word", text_of(expected), text_of(got)));
  });
}

std::vector<Trial> merge_checks() {
  return {
      merged("lowest. with the merges of the lesson",
             {{'e', 's', 0, 256},
              {'t', '.', 1, 257},
              {256, 257, 2, 258},
              {'l', 'o', 3, 259},
              {259, 'w', 4, 260}},
             ids("lowest."), {260, 258}),
      merged("abc: b c has the lower rank, so a b is never merged", {{'a', 'b', 5, 256}, {'b', 'c', 2, 257}},
             ids("abc"), {'a', 257}),
      merged("aaaaa with the merge a a", {{'a', 'a', 0, 256}}, ids("aaaaa"), {256, 256, 'a'}),
      merged("aaaa: the merges of two merged symbols", {{'a', 'a', 0, 256}, {256, 256, 1, 257}}, ids("aaaa"),
             {257}),
      merged("abcd: the merge of b c makes a pair of a lower rank",
             {{'a', 256, 0, 257}, {'b', 'c', 1, 256}, {'c', 'd', 2, 258}, {257, 'd', 3, 259}}, ids("abcd"),
             {259}),
      merged("the new symbol is the id of the merge, not its rank", {{'a', 'b', 3, 1000}}, ids("ab"), {1000}),
      merged("a word without merges", {{'a', 'b', 0, 256}}, ids("ba"), ids("ba")),
      merged("a word without symbols", {{'a', 'b', 0, 256}}, {}, {}),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {
      "frequent pair",
      "Write `my_frequent_pair()`: the pair of adjacent symbols that occurs most often.",
      10,
      {"Which type can count pairs of numbers, so that you find the count of a pair by the pair itself?",
       "A std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> starts every count at 0. Add "
       "word.count for each index i with i + 1 < word.symbols.size().",
       "A map is sorted by its keys. If you walk over it and replace the best pair only when a count "
       "is larger, the smallest of equally frequent pairs stays."},
      frequent_checks};
  list[1] = {
      "best pair",
      "Write `my_best_pair()`: where the pair with the lowest rank begins.",
      7,
      {"A word of n symbols has n - 1 pairs. What does word.size() - 1 give for a word without symbols?",
       "Loop over i while i + 1 < word.size(), and keep the lowest rank so far and its index. Start "
       "with the rank INT_MAX and the index word.size().",
       "Replace both if pairs.find(word[i], word[i + 1]) is not null and its rank is lower, not equal: "
       "of equals, the leftmost pair stays."},
      best_checks};
  list[2] = {
      "merge a word",
      "Write `my_merge()`: merge the best pair until no pair merges.",
      5,
      {"With the merge a a, \"aaaaa\" becomes aa aa a. Why would one pass from left to right that "
       "merges every pair it finds give wrong tokens for other merges?",
       "Call my_best_pair() after every merge, because the merge can make a pair of a lower rank. End "
       "when it returns word.size().",
       "word[i] = pairs.find(word[i], word[i + 1])->id; then erase the symbol at word.begin() + i + 1."},
      merge_checks,
      true};
  return list;
}

}  // namespace rung::tokenization
