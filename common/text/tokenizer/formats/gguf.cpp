// tokenizer_from_gguf(): the keys tokenizer.ggml.* (github.com/ggml-org/ggml, docs/gguf.md) as a tokenizer.

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "text/tokenizer/decode/pieces.hpp"
#include "text/tokenizer/formats/gguf_keys.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/models/bpe.hpp"
#include "text/tokenizer/models/spm.hpp"
#include "text/tokenizer/models/unigram.hpp"
#include "text/tokenizer/models/wordpiece.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
constexpr std::string_view kTypes = "tokenizer.ggml.token_type";
constexpr std::string_view kScores = "tokenizer.ggml.scores";
constexpr std::string_view kMerges = "tokenizer.ggml.merges";
constexpr std::string_view kHuggingFace = "tokenizer.huggingface.json";

/// The id under `key`, `otherwise` where there is none. It is checked against the vocabulary later, so
/// here only what does not fit an id is refused.
std::int32_t token_id(const Gguf& gguf, std::string_view key, std::int32_t otherwise) {
  const std::int64_t id = gguf.get_i64(key, otherwise);
  // Writers that have no such token leave the key out, or write -1 as a signed or an unsigned number.
  if (id == -1 || id == 0xFFFFFFFF) return -1;
  if (id < 0 || id > INT32_MAX) {
    fail("{}: {} is {}, which is no token of the vocabulary", gguf.path(), key, id);
  }
  return static_cast<std::int32_t>(id);
}

/// Tokens that end generation besides the end token. GGUF's specification has two keys for them; a file of
/// `rung convert` has all in one list.
std::vector<std::int32_t> end_ids(const Gguf& gguf) {
  std::vector<std::int32_t> ids;
  for (const std::string_view key : gguf_keys::kFurtherEnds) {
    const std::int32_t id = token_id(gguf, key, -1);
    if (id >= 0) ids.push_back(id);
  }
  if (!gguf.has(gguf_keys::kEnds)) return ids;
  for (const std::int64_t id : gguf.int_array(gguf_keys::kEnds)) {
    if (id < 0 || id > INT32_MAX) {
      fail("{}: {} contains {}, which is no token of the vocabulary", gguf.path(), gguf_keys::kEnds, id);
    }
    ids.push_back(static_cast<std::int32_t>(id));
  }
  return ids;
}

/// The texts of the tokens that have a role. `bos` and `eos`: where the file does not say.
TokenRoles names_of_tokens(const Gguf& gguf, std::int32_t bos, std::int32_t eos) {
  TokenRoles names;
  const auto tokens = gguf.has(kTokens) ? gguf.string_array(kTokens) : std::vector<std::string_view>();
  for (const auto& [role, key] : gguf_keys::kRoles) {
    const std::int32_t id = token_id(gguf, key, role == "bos_token" ? bos : role == "eos_token" ? eos : -1);
    if (id < 0 || static_cast<std::size_t>(id) >= tokens.size()) continue;  // checked with the vocabulary
    names.emplace_back(role, tokens[static_cast<std::size_t>(id)]);
  }
  for (const GgufEntry& entry : gguf.entries()) {
    const std::string_view key = entry.key;
    if (!key.starts_with(gguf_keys::kNamePrefix)) continue;
    const std::string_view role = key.substr(gguf_keys::kNamePrefix.size());
    const std::string text = gguf.get_string(key);
    std::erase_if(names, [&](const auto& name) { return name.first == role; });
    if (!text.empty()) names.emplace_back(role, text);
  }
  return names;
}

void read_vocab(const Gguf& gguf, Vocab& vocab) {
  vocab.source = gguf.path();
  const auto tokens = gguf.string_array(kTokens);
  const auto types = gguf.int_array(kTypes);
  vocab.tokens.assign(tokens.begin(), tokens.end());
  vocab.types.reserve(types.size());
  for (const std::int64_t type : types) {
    // Numbers that are no type become 0, which the constructor refuses with the token's id.
    vocab.types.push_back(type < 1 || type > 6 ? TokenType{} : static_cast<TokenType>(type));
  }
  vocab.bos = token_id(gguf, "tokenizer.ggml.bos_token_id", vocab.bos);
  vocab.eos = token_id(gguf, "tokenizer.ggml.eos_token_id", vocab.eos);
  vocab.unknown = token_id(gguf, "tokenizer.ggml.unknown_token_id", vocab.unknown);
  vocab.ends = end_ids(gguf);
  vocab.roles = names_of_tokens(gguf, vocab.bos, vocab.eos);
}

/// Whether texts begin and end with a token; the writer may say so, else it is the kind's own habit.
void read_surroundings(const Gguf& gguf, Vocab& vocab, bool add_bos, bool add_eos) {
  vocab.add_bos = gguf.get_bool("tokenizer.ggml.add_bos_token", add_bos);
  vocab.add_eos = gguf.get_bool("tokenizer.ggml.add_eos_token", add_eos);
}

/// Phi-3's special tokens swallow the white space behind them, which GGUF has no field for.
void strip_behind_specials_of_phi3(const Gguf& gguf, Vocab& vocab) {
  if (gguf.get_string("general.architecture", "") != "phi3" || vocab.types.size() != vocab.tokens.size())
    return;
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    const TokenType type = vocab.type(id);
    const std::string& text = vocab.token(id);
    const bool special = type == TokenType::control || type == TokenType::unknown;
    if (!special && type != TokenType::user_defined) continue;
    const bool plain = text == "<unk>" || text == "<s>" || text == "<|endoftext|>";
    AddedToken token;
    token.id = id;
    token.special = special;
    token.rstrip = !plain;
    vocab.added.push_back(token);
  }
}

std::shared_ptr<const Tokenizer> read_spm(const Gguf& gguf) {
  SpmVocab vocab;
  vocab.bos = 1, vocab.eos = 2, vocab.unknown = 0;  // Llama's, which writers may leave out
  read_vocab(gguf, vocab);
  vocab.scores = gguf.float_array(kScores);
  read_surroundings(gguf, vocab, true, false);
  strip_behind_specials_of_phi3(gguf, vocab);
  vocab.space_prefix =
      gguf.get_bool("tokenizer.ggml.add_space_prefix", true) ? SpacePrefix::every_text : SpacePrefix::none;
  return std::make_shared<SpmTokenizer>(std::move(vocab));
}

/// One space between the parts; neither begins or ends with one, since spaces are written visibly.
Merges read_merges(const Gguf& gguf) {
  Merges merges;
  for (const std::string_view merge : gguf.string_array(kMerges)) {
    const std::size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merge.size()) {
      fail("{}: merge {} of {} is \"{}\"; expected two tokens with a space between them", gguf.path(),
           merges.size(), kMerges, merge);
    }
    merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
  return merges;
}

std::shared_ptr<const Tokenizer> read_bpe(const Gguf& gguf) {
  BpeVocab vocab;
  read_vocab(gguf, vocab);
  // Byte-level models have no such token; writers put the end of text there, which would end a prompt.
  vocab.unknown = -1;
  const PreTokenizerRow& row = pre_tokenizer_of(gguf);
  vocab.patterns.assign(row.patterns.begin(), row.patterns.end());
  vocab.ignore_merges = row.ignore_merges;
  read_surroundings(gguf, vocab, row.add_bos && vocab.bos >= 0, false);
  if (gguf.get_bool("tokenizer.ggml.add_space_prefix", false)) {
    fail("{}: tokenizer.ggml.add_space_prefix is set, which is not supported for byte-level BPE",
         gguf.path());
  }
  vocab.merges = read_merges(gguf);
  return std::make_shared<BpeTokenizer>(std::move(vocab));
}

/// Values of tokenizer.ggml.pre under which model "gpt2" means characters and not bytes.
bool is_character_bpe(std::string_view pre) {
  return pre == "gemma4" || pre == "granite-embed-multi-311m" || pre == "sarvam-moe";
}

/// Gemma 4's: merges by rank over characters, with bytes for characters that have no token. Spaces are
/// written as U+2581 first; nothing else cuts the text.
std::shared_ptr<const Tokenizer> read_character_bpe(const Gguf& gguf) {
  Vocab vocab;
  read_vocab(gguf, vocab);
  read_surroundings(gguf, vocab, vocab.bos >= 0, false);
  const Merges merges = read_merges(gguf);
  const bool space_in_front = gguf.get_bool("tokenizer.ggml.add_space_prefix", false);
  return std::make_shared<TextTokenizer>(std::move(vocab), [&](const Vocab& checked) {
    BpeOptions options;
    options.byte_fallback = options.lone_bytes = true;  // as in llama.cpp
    TextParts parts;
    if (space_in_front) parts.normalizer.add(normalizer::prepend(std::string(kVisibleSpace)));
    parts.normalizer.add(normalizer::replace_text(" ", std::string(kVisibleSpace)));
    parts.model = std::make_shared<BpeModel>(checked, merges, options);
    parts.decoder = piece_decoder(checked, PieceStyle::visible_space,
                                  space_in_front ? SpacePrefix::every_text : SpacePrefix::none);
    return parts;
  });
}

/// Unigram with SentencePiece's normalizer, as T5 has it.
std::shared_ptr<const Tokenizer> read_unigram(const Gguf& gguf) {
  Vocab vocab;
  vocab.eos = 1, vocab.unknown = 2;  // T5's
  read_vocab(gguf, vocab);
  read_surroundings(gguf, vocab, false, true);
  normalizer::SentencePieceRules rules;
  constexpr std::string_view kMap = "tokenizer.ggml.precompiled_charsmap";
  if (gguf.has(kMap)) {
    std::string blob;
    for (const std::int64_t byte : gguf.int_array(kMap)) blob += static_cast<char>(byte);
    rules.map = Charsmap(gguf.path(), blob);
  }
  // User-defined tokens are found by the model, as in the library: a space in front stays.
  for (std::int32_t id = 0; id < vocab.size() && vocab.types.size() == vocab.tokens.size(); ++id) {
    const TokenType type = vocab.type(id);
    if (type == TokenType::user_defined) rules.kept.push_back(vocab.token(id));
    if (type == TokenType::control || type == TokenType::unknown) {
      AddedToken token;
      token.id = id;
      token.special = true;
      vocab.added.push_back(token);
    }
  }
  vocab.added_from_types = false;
  rules.space_in_front = gguf.get_bool("tokenizer.ggml.add_space_prefix", true);
  rules.remove_extra_spaces = gguf.get_bool("tokenizer.ggml.remove_extra_whitespaces", true);
  const auto floats = gguf.float_array(kScores);
  const std::vector<double> scores(floats.begin(), floats.end());
  if (scores.size() != vocab.tokens.size()) {
    fail("{}: the vocabulary has {} tokens but {} scores; both arrays must have one entry per token",
         vocab.source, vocab.tokens.size(), scores.size());
  }
  return std::make_shared<TextTokenizer>(std::move(vocab), [&](const Vocab& checked) {
    UnigramOptions options;
    options.sentencepiece = true;
    options.byte_fallback = std::count(checked.types.begin(), checked.types.end(), TokenType::byte) == 256;
    TextParts parts;
    parts.normalizer.add(normalizer::sentence_piece(rules));
    parts.model = std::make_shared<UnigramModel>(checked, scores, options);
    parts.decoder = piece_decoder(checked, PieceStyle::visible_space,
                                  rules.space_in_front ? SpacePrefix::after_controls : SpacePrefix::none);
    return parts;
  });
}

std::int32_t find_token(const Vocab& vocab, std::string_view text) {
  const auto found = std::find(vocab.tokens.begin(), vocab.tokens.end(), text);
  return found == vocab.tokens.end() ? -1 : static_cast<std::int32_t>(found - vocab.tokens.begin());
}

/// WordPiece. The files mark tokens that begin a word by U+2581, instead of "##" on those that do not.
std::shared_ptr<const Tokenizer> read_wordpiece(const Gguf& gguf) {
  Vocab vocab;
  read_vocab(gguf, vocab);
  // Written back as BERT's own files have them.
  for (std::size_t id = 0; id < vocab.tokens.size() && id < vocab.types.size(); ++id) {
    std::string& token = vocab.tokens[id];
    if (vocab.types[id] != TokenType::normal || token.empty()) continue;
    if (token.compare(0, kVisibleSpace.size(), kVisibleSpace) == 0) {
      token.erase(0, kVisibleSpace.size());
    } else {
      token.insert(0, "##");
    }
  }
  const std::int32_t cls =
      token_id(gguf, "tokenizer.ggml.cls_token_id", vocab.bos >= 0 ? vocab.bos : find_token(vocab, "[CLS]"));
  const std::int32_t sep = token_id(gguf, "tokenizer.ggml.seperator_token_id", find_token(vocab, "[SEP]"));
  if (vocab.unknown < 0) vocab.unknown = find_token(vocab, "[UNK]");
  if (vocab.bos < 0) vocab.bos = cls;
  if (vocab.eos < 0) vocab.eos = sep;
  if (gguf.get_bool("tokenizer.ggml.add_bos_token", true) && cls >= 0) vocab.before = {cls};
  if (gguf.get_bool("tokenizer.ggml.add_eos_token", true) && sep >= 0) vocab.after = {sep};
  // Files that do not say whether text is lower-cased: a vocabulary with capitals is for text with capitals.
  bool capitals = false;
  for (std::size_t id = 0; id < vocab.tokens.size() && id < vocab.types.size(); ++id) {
    const std::string& token = vocab.tokens[id];
    const bool text = vocab.types[id] == TokenType::normal && !token.empty() &&
                      !(token.front() == '[' && token.back() == ']');
    capitals = capitals ||
               (text && std::any_of(token.begin(), token.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
  }
  normalizer::BertRules rules;
  rules.lowercase = gguf.get_bool("tokenizer.ggml.normalizer.lowercase", !capitals);
  rules.strip_accents = gguf.get_bool("tokenizer.ggml.normalizer.strip_accents", rules.lowercase);
  return std::make_shared<TextTokenizer>(std::move(vocab), [&](const Vocab& checked) {
    TextParts parts;
    parts.normalizer.add(normalizer::bert(rules));
    parts.pre_tokenizer = PreTokenizer(pre_tokenizer::bert());
    parts.model = std::make_shared<WordPieceModel>(checked, WordPieceOptions{});
    parts.decoder = piece_decoder(checked, PieceStyle::word_piece);
    return parts;
  });
}

/// A tokenizer.json in the file says more than tokenizer.ggml.* can; these add which tokens start and end.
std::shared_ptr<const Tokenizer> read_embedded_json(const Gguf& gguf) {
  TokenizerRoles roles;
  roles.bos = token_id(gguf, "tokenizer.ggml.bos_token_id", -1);
  roles.eos = token_id(gguf, "tokenizer.ggml.eos_token_id", -1);
  constexpr std::string_view kAddBos = "tokenizer.ggml.add_bos_token";
  if (gguf.has(kAddBos)) roles.add_bos = gguf.get_bool(kAddBos, false);
  roles.ends = end_ids(gguf);
  roles.names = names_of_tokens(gguf, -1, -1);
  return tokenizer_from_json_text(gguf.get_string(kHuggingFace),
                                  fmt::format("{}: {}", gguf.path(), kHuggingFace), roles);
}

}  // namespace

const PreTokenizerRow& pre_tokenizer_of(const Gguf& gguf) {
  constexpr std::string_view kKey = "tokenizer.ggml.pre";
  if (gguf.has(kKey)) return find_pre_tokenizer(gguf.path(), gguf.get_string(kKey));
  struct Known {
    std::string_view architecture, name;
  };
  constexpr std::array<Known, 7> kKnown = {{{"gpt2", "gpt-2"},
                                            {"gptneox", "gpt-2"},
                                            {"qwen2", "qwen2"},
                                            {"starcoder", "starcoder"},
                                            {"falcon", "falcon"},
                                            {"mpt", "mpt"},
                                            {"bloom", "bloom"}}};
  const std::string architecture = gguf.get_string("general.architecture", "");
  for (const Known& known : kKnown) {
    if (known.architecture == architecture) return find_pre_tokenizer(gguf.path(), known.name);
  }
  fail(
      "{}: metadata '{}' is missing, as in files made before April 2024, and models of architecture '{}' do "
      "not all cut text in the same way; take a newer file or convert the model again",
      gguf.path(), kKey, architecture);
}

std::shared_ptr<const Tokenizer> tokenizer_from_gguf(const Gguf& gguf) {
  if (gguf.has(kHuggingFace)) return read_embedded_json(gguf);
  if (!gguf.has("tokenizer.ggml.model") && gguf.has(kTokens)) {
    fail("{} has a vocabulary but not its kind: the key tokenizer.ggml.model is missing", gguf.path());
  }
  const std::string model = gguf.get_string("tokenizer.ggml.model", "none");
  if (model == "none") return no_tokenizer(gguf.path());
  if (model == "llama") return read_spm(gguf);
  if (model == "gpt2") {
    return is_character_bpe(gguf.get_string("tokenizer.ggml.pre", "")) ? read_character_bpe(gguf)
                                                                       : read_bpe(gguf);
  }
  if (model == "gemma4") return read_character_bpe(gguf);
  if (model == "t5") return read_unigram(gguf);
  if (model == "bert") return read_wordpiece(gguf);
  fail(
      "{}: the tokenizer model \"{}\" is not supported; supported are llama (SentencePiece-style BPE), gpt2 "
      "(byte-level BPE), gemma4 (BPE over characters), t5 (unigram) and bert (WordPiece)",
      gguf.path(), model);
}

}  // namespace rung
