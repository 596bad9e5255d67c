// tokenizer_from_json(): a Hugging Face folder's tokenizer.json as a vocabulary.

#include <algorithm>
#include <filesystem>

#include "core/error.hpp"
#include "files/json_file.hpp"
#include "text/tokenizer/formats/json_steps.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/formats/special_tokens.hpp"
#include "text/tokenizer/models/bpe.hpp"
#include "text/tokenizer/models/spm.hpp"
#include "text/tokenizer/models/unigram.hpp"
#include "text/tokenizer/models/wordpiece.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t kMaxTokenizerBytes = std::size_t{256} << 20;

struct Entry {
  std::string text;
  std::int64_t id = 0;
  TokenType type = TokenType::normal;
  bool of_model = false;  // else it was only added to the model's tokens
};

std::int64_t id_of(const json& value, const std::string& text, const std::string& what) {
  if (!value.is_number_integer()) {
    fail("{}: the id of the token \"{}\" is a JSON {}, but should be a whole number", what, text,
         value.type_name());
  }
  return value.is_number_unsigned() && value.get<std::uint64_t>() > INT32_MAX ? -1
                                                                              : value.get<std::int64_t>();
}

/// "added_tokens": tokens that the text may name, in and beside the vocabulary.
std::vector<OwnToken> read_added_tokens(const json& added, const std::string& what) {
  if (!added.is_null() && !added.is_array()) fail("{}: \"added_tokens\" is no JSON array", what);
  std::vector<OwnToken> found;
  for (const json& token : added) {
    OwnToken own;
    own.token.text = json_string(token, "content", "", what);
    if (own.token.text.empty()) fail("{}: one of \"added_tokens\" has no \"content\"", what);
    AddedToken& flags = own.token.flags;
    flags.special = json_bool(token, "special", false, what);
    flags.single_word = json_bool(token, "single_word", false, what);
    flags.lstrip = json_bool(token, "lstrip", false, what);
    flags.rstrip = json_bool(token, "rstrip", false, what);
    flags.normalized = json_bool(token, "normalized", !flags.special, what);
    own.id = id_of(json_value(token, "id"), own.token.text, what);
    found.push_back(std::move(own));
  }
  return found;
}

/// Gives added tokens their ids and flags, as tokenizers' add_tokens() does: a text that is a token already
/// keeps its id, others get the next ones. The ids in the file are not asked: they only repeat this.
class TokenAdder {
 public:
  explicit TokenAdder(std::vector<Entry>& entries)
      : entries_(entries), model_size_(static_cast<std::int64_t>(entries.size())) {
    for (std::size_t i = 0; i < entries.size(); ++i) places_.emplace(entries[i].text, i);
  }

  void add(const TokenText& token) {
    const auto [place, fresh] = places_.try_emplace(token.text, entries_.size());
    if (fresh) entries_.push_back({token.text, std::max(largest_ + 1, model_size_)});
    Entry& entry = entries_[place->second];
    entry.type = token.flags.special ? TokenType::control : TokenType::user_defined;
    largest_ = std::max(largest_, entry.id);
    AddedToken flags = token.flags;
    // Ids are checked when all tokens have been placed.
    flags.id = entry.id < 0 || entry.id > INT32_MAX ? -1 : static_cast<std::int32_t>(entry.id);
    const auto [known, first] = order_.try_emplace(token.text, added_.size());
    if (first) {
      added_.push_back(flags);
    } else {
      added_[known->second] = flags;
    }
  }
  std::vector<AddedToken> take() { return std::move(added_); }

 private:
  std::vector<Entry>& entries_;
  std::unordered_map<std::string, std::size_t> places_, order_;  // in entries_, in added_
  std::vector<AddedToken> added_;
  std::int64_t model_size_;
  std::int64_t largest_ = -1;  // id of an added token
};

/// Puts every token in its place; ids that nobody has become unused, empty tokens.
void place_tokens(const std::vector<Entry>& entries, Vocab& vocab) {
  std::int64_t largest = -1;
  for (const Entry& entry : entries) {
    // Gaps are allowed, but a stray id must not make us take memory for billions of tokens.
    const auto limit = static_cast<std::int64_t>(2 * entries.size() + 1024);
    if (entry.id < 0 || entry.id >= limit) {
      fail("{}: the token \"{}\" has an id that cannot be in a vocabulary of {} tokens", vocab.source,
           entry.text, entries.size());
    }
    largest = std::max(largest, entry.id);
  }
  vocab.tokens.resize(static_cast<std::size_t>(largest + 1));
  vocab.types.assign(vocab.tokens.size(), TokenType::unused);
  vocab.of_model.resize(vocab.tokens.size());
  std::vector<bool> taken(vocab.tokens.size());
  for (const Entry& entry : entries) {
    const auto id = static_cast<std::size_t>(entry.id);
    if (taken[id]) {
      fail("{}: the tokens \"{}\" and \"{}\" have the same id {}", vocab.source, vocab.tokens[id], entry.text,
           id);
    }
    taken[id] = true;
    vocab.tokens[id] = entry.text;
    vocab.types[id] = entry.type;
    vocab.of_model[id] = entry.of_model;
  }
}

/// "merges": ["a b", ...] or [["a", "b"], ...].
Merges read_merges(const json& list, const std::string& what) {
  if (!list.is_array()) fail("{}: the model has no array \"merges\"", what);
  Merges merges;
  merges.reserve(list.size());
  for (const json& merge : list) {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
      continue;
    }
    const std::string text = merge.is_string() ? merge.get<std::string>() : std::string();
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || space == 0 || space + 1 == text.size() ||
        text.find(' ', space + 1) != std::string::npos) {
      fail("{}: merge {} is {}; expected \"a b\" or [\"a\", \"b\"]", what, merges.size(),
           merge.dump().substr(0, 100));
    }
    merges.emplace_back(text.substr(0, space), text.substr(space + 1));
  }
  return merges;
}

std::int32_t find_token(const Vocab& vocab, const std::string& role, const std::string& text) {
  const auto found = std::find(vocab.tokens.begin(), vocab.tokens.end(), text);
  if (found == vocab.tokens.end() || text.empty()) {
    fail("{}: the {} token \"{}\" is not in the vocabulary", vocab.source, role, text);
  }
  return static_cast<std::int32_t>(found - vocab.tokens.begin());
}

/// What the post-processor puts around a text.
void read_surroundings(const TokenizerSteps& steps, Vocab& vocab) {
  for (const std::string& token : steps.before) vocab.before.push_back(find_token(vocab, "start", token));
  for (const std::string& token : steps.after) vocab.after.push_back(find_token(vocab, "end", token));
}

/// What stands around a text, and which tokens start and end it.
void read_roles(const TokenizerSteps& steps, const SpecialTokens& special, Vocab& vocab) {
  const auto of_role = [&](const char* role) {
    const std::string text(special.role(role));
    return text.empty() ? -1 : find_token(vocab, role, text);
  };
  vocab.roles = special.roles;
  vocab.bos = of_role("bos_token");
  vocab.eos = of_role("eos_token");
  // The post-processor decides, and not "add_bos_token" of tokenizer_config.json: transformers 5 drops that
  // key where there is a tokenizer.json.
  read_surroundings(steps, vocab);
  if (vocab.bos < 0 && !vocab.before.empty()) vocab.bos = vocab.before.front();
  for (const std::int64_t id : special.ends) {
    const bool known = id >= 0 && id < vocab.size();
    if (known) vocab.ends.push_back(static_cast<std::int32_t>(id));
    // A model's config.json may have been written for another tokenizer: an id that cannot come ends nothing.
    if (!known && special.ends_are_own) {
      fail("{}: eos_token_id {} is outside the vocabulary of {} tokens", special.ends_source, id,
           vocab.size());
    }
  }
  if (vocab.eos < 0 && !vocab.ends.empty()) vocab.eos = vocab.ends.front();
}

/// The type that the file names, or the one that its parts give away (old files leave it out).
std::string model_type(const json& model, const std::string& what) {
  if (!model.is_object()) fail("{}: the tokenizer model is missing; it is no JSON object", what);
  const std::string type = json_string(model, "type", "", what);
  if (!type.empty()) return type;
  if (json_value(model, "vocab").is_array()) return "Unigram";
  return model.contains("merges") || !model.contains("continuing_subword_prefix") ? "BPE" : "WordPiece";
}

/// The model's own tokens; for unigram with their scores.
std::vector<Entry> read_vocab(const json& model, const std::string& type, std::vector<double>& scores,
                              const std::string& what) {
  std::vector<Entry> entries;
  const json& vocab = json_value(model, "vocab");
  if (type == "Unigram") {
    if (!vocab.is_array()) fail("{}: the tokenizer model has no array \"vocab\"", what);
    for (const json& pair : vocab) {
      if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_number()) {
        fail("{}: token {} of the unigram model is not of the form [text, score]", what, entries.size());
      }
      entries.push_back(
          {pair[0].get<std::string>(), static_cast<std::int64_t>(entries.size()), TokenType::normal, true});
      scores.push_back(pair[1].get<double>());
    }
    return entries;
  }
  if (!vocab.is_object()) fail("{}: the tokenizer model has no object \"vocab\"", what);
  for (const auto& [text, id] : vocab.items())
    entries.push_back({text, id_of(id, text, what), TokenType::normal, true});
  return entries;
}

/// Marks the unknown token and, for models that fall back to them, the bytes. Only the model's own tokens
/// serve as these. Returns the unknown token that the file names and the model does not have, if that is so.
std::string mark_types(const json& model, const std::string& type, Vocab& vocab) {
  std::string unknown;
  if (type == "Unigram") {
    const std::int64_t id = json_int(model, "unk_id", -1, vocab.source);
    if (id < -1 || id >= vocab.size()) {
      fail("{}: unk_id {} is outside the vocabulary of {} tokens", vocab.source, id, vocab.size());
    }
    vocab.unknown = static_cast<std::int32_t>(id);
  } else {
    unknown = json_string(model, "unk_token", type == "BPE" ? "" : "[UNK]", vocab.source);
  }
  const bool byte_fallback = json_bool(model, "byte_fallback", false, vocab.source);
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    const auto place = static_cast<std::size_t>(id);
    if (!vocab.of_model[place]) continue;
    if (!unknown.empty() && vocab.tokens[place] == unknown) vocab.unknown = id;
    if (byte_fallback && named_byte(vocab.tokens[place]) >= 0) vocab.types[place] = TokenType::byte;
  }
  if (vocab.unknown < 0) return unknown;
  TokenType& type_of_unknown = vocab.types[static_cast<std::size_t>(vocab.unknown)];
  if (type_of_unknown != TokenType::byte) type_of_unknown = TokenType::unknown;  // it may serve as both
  return "";
}

std::shared_ptr<const WordModel> make_model(const json& model, const std::string& type, bool byte_level,
                                            const std::vector<double>& scores,
                                            const std::string& absent_unknown, const Vocab& vocab) {
  const std::string& what = vocab.source;
  if (type == "BPE") {
    const json& dropout = json_value(model, "dropout");
    if (dropout.is_number() && dropout.get<double>() != 0) {
      fail("{}: the tokenizer model has \"dropout\" set to {}, which is for training and not supported", what,
           dropout.dump());
    }
    BpeOptions options;
    options.byte_level = byte_level;
    options.ignore_merges = json_bool(model, "ignore_merges", false, what);
    options.fuse_unknown = json_bool(model, "fuse_unk", false, what);
    options.byte_fallback = json_bool(model, "byte_fallback", false, what);
    options.absent_unknown = absent_unknown;
    options.continuing_prefix = json_string(model, "continuing_subword_prefix", "", what);
    options.word_suffix = json_string(model, "end_of_word_suffix", "", what);
    if (byte_level && !(options.continuing_prefix.empty() && options.word_suffix.empty())) {
      fail(
          "{}: a byte-level tokenizer with a \"continuing_subword_prefix\" or an \"end_of_word_suffix\" is "
          "not "
          "supported",
          what);
    }
    return std::make_shared<BpeModel>(vocab, read_merges(json_value(model, "merges"), what), options);
  }
  if (type == "Unigram") {
    UnigramOptions options;
    options.byte_fallback = json_bool(model, "byte_fallback", false, what);
    return std::make_shared<UnigramModel>(vocab, scores, options);
  }
  WordPieceOptions options;
  options.absent_unknown = absent_unknown;
  options.whole_words = type == "WordLevel";
  options.continuing_prefix = json_string(model, "continuing_subword_prefix", "##", what);
  const std::int64_t most = json_int(model, "max_input_chars_per_word", 100, what);
  options.max_characters = static_cast<std::size_t>(std::clamp<std::int64_t>(most, 0, 1 << 20));
  return std::make_shared<WordPieceModel>(vocab, options);
}

/// As in `tokenizers`, an added token goes into the decoder as it is looked for, and those whose text there
/// is that of a special token are left out.
std::shared_ptr<const TokenDecoder> make_decoder(const Vocab& vocab, const TokenizerSteps& steps) {
  std::vector<std::string> texts = vocab.tokens;
  std::unordered_set<std::string_view> special;
  std::vector<bool> known = vocab.of_model;
  for (const AddedToken& token : vocab.added) {
    const auto id = static_cast<std::size_t>(token.id);
    known[id] = true;
    if (token.special) special.insert(vocab.tokens[id]);
    NormalizerState state;
    if (token.normalized) texts[id] = steps.normalizer.apply(vocab.tokens[id], state);
  }
  std::vector<bool> skipped(texts.size());
  for (std::size_t id = 0; id < texts.size(); ++id) skipped[id] = !known[id] || special.count(texts[id]) > 0;
  return std::make_shared<StepDecoder>(std::move(texts), std::move(skipped), steps.decoder);
}

/// The tokenizer that `root` describes. special_of(own, byte_level) says what stands beside it, and
/// read_roles(steps, special, vocab) which tokens start and end a text.
template <class SpecialOf, class ReadRoles>
std::shared_ptr<const Tokenizer> make_tokenizer(const json& root, const std::string& path,
                                                const SpecialOf& special_of, const ReadRoles& read_roles) {
  const json& model = json_value(root, "model");
  const std::string type = model_type(model, path);
  if (type != "BPE" && type != "Unigram" && type != "WordPiece" && type != "WordLevel") {
    fail(
        "{}: the tokenizer model \"{}\" is not supported; supported are BPE, Unigram, WordPiece and "
        "WordLevel",
        path, type);
  }
  const TokenizerSteps steps = read_tokenizer_steps(root, path);

  std::vector<double> scores;
  std::vector<Entry> entries = read_vocab(model, type, scores, path);
  Vocab vocab;
  vocab.source = path;
  const std::vector<OwnToken> own = read_added_tokens(json_value(root, "added_tokens"), path);
  const SpecialTokens special = special_of(own, steps.byte_level);
  TokenAdder adder(entries);
  for (const OwnToken& token : own) adder.add(token.token);
  for (const TokenText& token : special.added) adder.add(token);
  vocab.added = adder.take();
  place_tokens(entries, vocab);
  const std::string absent_unknown = mark_types(model, type, vocab);
  read_roles(steps, special, vocab);
  // Nothing is found in text but what the file says.
  vocab.added_from_types = false;

  return std::make_shared<TextTokenizer>(std::move(vocab), [&](const Vocab& checked) {
    const bool bytes = steps.byte_level && type == "BPE";
    TextParts parts;
    parts.normalizer = steps.normalizer;
    std::vector<PreTokenizerStep> pre_tokenizer = steps.pre_tokenizer;
    if (steps.byte_level && !bytes) pre_tokenizer.push_back(pre_tokenizer::visible_bytes());
    parts.pre_tokenizer = PreTokenizer(std::move(pre_tokenizer));
    parts.model = make_model(model, type, bytes, scores, absent_unknown, checked);
    parts.decoder = make_decoder(checked, steps);
    return parts;
  });
}

}  // namespace

std::shared_ptr<const Tokenizer> tokenizer_from_json(const std::string& folder) {
  const std::string path = (fs::path(folder) / "tokenizer.json").string();
  std::error_code error;
  if (!fs::exists(path, error)) {
    fail("the folder '{}' has no tokenizer.json, from which the tokenizer is read", folder);
  }
  const json root = read_json_file(path, kMaxTokenizerBytes);
  return make_tokenizer(
      root, path,
      [&folder](const std::vector<OwnToken>& own, bool byte_level) {
        return special_tokens_of(folder, own, byte_level);
      },
      read_roles);
}

std::shared_ptr<const Tokenizer> tokenizer_from_json_text(std::string_view text, const std::string& source,
                                                          const TokenizerRoles& roles) {
  const json root = parse_json(text, source);
  return make_tokenizer(
      root, source, [](const std::vector<OwnToken>&, bool) { return SpecialTokens(); },
      [&roles](const TokenizerSteps& steps, const SpecialTokens&, Vocab& vocab) {
        vocab.bos = roles.bos;
        vocab.eos = roles.eos;
        vocab.ends = roles.ends;
        vocab.roles = roles.names;
        read_surroundings(steps, vocab);
        const bool has_bos = !vocab.before.empty() && vocab.before.front() == vocab.bos;
        const bool add = roles.add_bos.value_or(has_bos) && vocab.bos >= 0;
        if (add && !has_bos) vocab.before.insert(vocab.before.begin(), vocab.bos);
        if (!add && has_bos) vocab.before.erase(vocab.before.begin());
      });
}

}  // namespace rung
