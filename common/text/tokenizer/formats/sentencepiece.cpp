// tokenizer_from_sentencepiece(): a folder's tokenizer.model.
//
// The sentencepiece library opens the file, checks it and hands out the pieces, scores and types; the texts
// are then encoded by our own models. That way one code serves GGUF, tokenizer.json and tokenizer.model,
// runs in linear time on any text, finds special tokens, and never loses invalid bytes, none of which the
// library's own encoder does. What its interface does not show (kind of model, normalizer) stands in the
// file's two records of settings, which are read here: field numbers of sentencepiece_model.proto.

#include <sentencepiece_processor.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/error.hpp"
#include "files/json_file.hpp"
#include "text/tokenizer/decode/pieces.hpp"
#include "text/tokenizer/formats/json_steps.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/formats/special_tokens.hpp"
#include "text/tokenizer/models/bpe.hpp"
#include "text/tokenizer/models/spm.hpp"
#include "text/tokenizer/models/unigram.hpp"

namespace rung {
namespace {

namespace fs = std::filesystem;

/// A protocol buffer record: numbers and byte strings by field; of a repeated field the last.
struct Record {
  std::map<std::uint64_t, std::uint64_t> numbers;
  std::map<std::uint64_t, std::string_view> strings;

  std::uint64_t number(std::uint64_t field, std::uint64_t otherwise) const {
    const auto found = numbers.find(field);
    return found == numbers.end() ? otherwise : found->second;
  }
  std::string_view string(std::uint64_t field) const {
    const auto found = strings.find(field);
    return found == strings.end() ? std::string_view() : found->second;
  }
};

/// Reads the wire format (protobuf.dev/programming-guides/encoding): a key of field and kind, then a value.
Record parse_record(std::string_view bytes, const std::string& path) {
  Record record;
  std::size_t at = 0;
  const auto damaged = [&] { fail("{}: the file's settings are damaged at byte {} of a record", path, at); };
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at == bytes.size()) damaged();
      const auto byte = static_cast<unsigned char>(bytes[at++]);
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    damaged();
    return value;
  };
  while (at < bytes.size()) {
    const std::uint64_t key = varint();
    const std::uint64_t field = key >> 3;
    std::uint64_t length = 0;
    switch (key & 7) {
      case 0:
        record.numbers[field] = varint();
        continue;
      case 1:
        length = 8;
        break;
      case 2:
        length = varint();
        break;
      case 5:
        length = 4;
        break;
      default:
        damaged();
    }
    if (length > bytes.size() - at) damaged();
    if ((key & 7) == 2) record.strings[field] = bytes.substr(at, length);
    at += length;
  }
  return record;
}

TokenType type_of(const sentencepiece::SentencePieceProcessor& model, int id) {
  if (model.IsUnknown(id)) return TokenType::unknown;
  if (model.IsControl(id)) return TokenType::control;
  if (model.IsByte(id)) return TokenType::byte;
  if (model.IsUnused(id)) return TokenType::unused;
  return TokenType::normal;
}

/// Types of the pieces that the interface does not tell from ordinary ones: user-defined symbols.
void mark_user_defined(std::string_view proto, const std::string& path, Vocab& vocab) {
  constexpr std::uint64_t kPieces = 1, kPieceType = 3, kUserDefined = 4;
  std::size_t at = 0, id = 0;
  while (at < proto.size() && id < vocab.tokens.size()) {
    // Pieces stand at the top level, one after the other.
    const auto key = static_cast<unsigned char>(proto[at]);
    if (key != (kPieces << 3 | 2)) break;
    std::size_t length = 0, digits = 1;
    for (int shift = 0; at + digits < proto.size() && shift < 35; shift += 7, ++digits) {
      const auto byte = static_cast<unsigned char>(proto[at + digits]);
      length |= std::size_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) break;
    }
    at += digits + 1;
    if (at > proto.size() || length > proto.size() - at) break;
    if (parse_record(proto.substr(at, length), path).number(kPieceType, 1) == kUserDefined) {
      vocab.types[id] = TokenType::user_defined;
    }
    at += length;
    ++id;
  }
}

/// What the files beside the model say: further tokens, roles, end tokens. Found in text are, in this order,
/// the model's control tokens and those of the files.
void add_special_tokens(const std::string& folder, Vocab& vocab) {
  std::vector<OwnToken> own;
  std::map<std::string, std::int32_t> ids;
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    ids.emplace(vocab.token(id), id);
    const TokenType type = vocab.type(id);
    if (type == TokenType::control || type == TokenType::unknown) {
      vocab.added.push_back({id, true});
      own.push_back({id, {vocab.token(id), {-1, true}}});
    }
  }
  std::vector<bool> of_model;
  for (std::int32_t id = 0; id < vocab.size(); ++id) of_model.push_back(vocab.makes_words(id));
  vocab.of_model = std::move(of_model);
  const SpecialTokens special = special_tokens_of(folder, own, false);
  for (const OwnToken& token : special.placed) {
    if (token.id >= vocab.size() || ids.count(token.token.text) > 0) continue;
    std::string& text = vocab.tokens[static_cast<std::size_t>(token.id)];
    ids.erase(text);
    text = token.token.text;
    ids.emplace(text, static_cast<std::int32_t>(token.id));
  }
  for (const TokenText& token : special.added) {
    const auto [place, fresh] = ids.try_emplace(token.text, vocab.size());
    if (fresh) {
      vocab.tokens.push_back(token.text);
      vocab.types.push_back(TokenType::normal);
      vocab.of_model.push_back(false);
    }
    const std::int32_t id = place->second;
    TokenType& type = vocab.types[static_cast<std::size_t>(id)];
    if (type != TokenType::unknown) type = token.flags.special ? TokenType::control : TokenType::user_defined;
    const auto same = [&](const AddedToken& known) { return known.id == id; };
    const auto known = std::find_if(vocab.added.begin(), vocab.added.end(), same);
    AddedToken& added = known == vocab.added.end() ? vocab.added.emplace_back() : *known;
    added = token.flags;
    added.id = id;
    // Looked for in the text as it stands, so that each part gets its own space in front.
    added.normalized = false;
  }
  const auto of_role = [&](const char* role, std::int32_t otherwise) {
    const auto found = ids.find(std::string(special.role(role)));
    return found == ids.end() ? otherwise : found->second;
  };
  vocab.roles = special.roles;
  for (const auto& [role, id] : {std::pair("bos_token", vocab.bos), std::pair("eos_token", vocab.eos)}) {
    if (special.role(role).empty() && id >= 0) vocab.roles.emplace_back(role, vocab.token(id));
  }
  vocab.bos = of_role("bos_token", vocab.bos);
  vocab.eos = of_role("eos_token", vocab.eos);
  for (const std::int64_t id : special.ends) {
    if (id >= 0 && id < vocab.size()) vocab.ends.push_back(static_cast<std::int32_t>(id));
  }
}

/// A NormalizerSpec.
normalizer::SentencePieceRules normalizer_rules(const Record& record, const std::string& path) {
  normalizer::SentencePieceRules rules;
  rules.map = Charsmap(path, record.string(2));
  rules.space_in_front = record.number(3, 1) != 0;
  rules.remove_extra_spaces = record.number(4, 1) != 0;
  rules.visible_spaces = record.number(5, 1) != 0;
  return rules;
}

}  // namespace

std::shared_ptr<const Tokenizer> tokenizer_from_sentencepiece(const std::string& folder) {
  const std::string path = (fs::path(folder) / "tokenizer.model").string();
  std::error_code error;
  constexpr std::uintmax_t kMaxBytes = std::uintmax_t{256} << 20;
  const std::uintmax_t bytes = fs::file_size(path, error);
  if (error) fail("cannot read '{}': does it exist, and may you read it?", path);
  if (bytes > kMaxBytes) {
    fail("{} has {} bytes; at most {} are read from a file of this kind", path, bytes, kMaxBytes);
  }
  sentencepiece::SentencePieceProcessor model;
  sentencepiece::util::Status status;
  try {
    status = model.Load(path);
  } catch (const std::exception& error) {  // what the library's trie throws, for pieces that hold a zero byte
    fail("{} cannot be used as a SentencePiece model: {}", path, error.what());
  }
  if (!status.ok()) fail("{} is no SentencePiece model: {}", path, status.message());
  const std::string proto = model.serialized_model_proto();
  const Record root = parse_record(proto, path);
  const Record trainer = parse_record(root.string(2), path);
  const Record normalizer = parse_record(root.string(3), path);

  Vocab vocab;
  vocab.source = path;
  std::vector<float> scores;
  for (int id = 0; id < model.GetPieceSize(); ++id) {
    vocab.tokens.push_back(model.IdToPiece(id));
    vocab.types.push_back(type_of(model, id));
    scores.push_back(model.GetScore(id));
  }
  mark_user_defined(proto, path, vocab);
  vocab.bos = model.bos_id();
  vocab.eos = model.eos_id();
  vocab.unknown = model.unk_id();

  constexpr std::uint64_t kUnigram = 1, kBpe = 2;
  const std::uint64_t kind = trainer.number(3, kUnigram);
  if (kind != kUnigram && kind != kBpe) {
    fail(
        "{}: a SentencePiece model of kind {} (3: words, 4: characters) is not supported; supported are 1 "
        "(unigram) and 2 (BPE)",
        path, kind);
  }
  const std::string config_path = (fs::path(folder) / "tokenizer_config.json").string();
  const auto config =
      fs::exists(config_path, error) ? read_json_file(config_path, std::size_t{16} << 20) : nlohmann::json();
  // The file does not say; Llama's classes put a start token in front, T5's an end token behind.
  const int pieces = vocab.size();
  add_special_tokens(folder, vocab);
  const bool t5 = json_string(config, "tokenizer_class", "", config_path).find("T5") != std::string::npos;
  vocab.add_bos = json_bool(config, "add_bos_token", kind == kBpe && vocab.bos >= 0, config_path);
  vocab.add_eos = json_bool(config, "add_eos_token", t5 && vocab.eos >= 0, config_path);
  scores.resize(kind == kBpe ? vocab.tokens.size() : scores.size());

  // User-defined symbols are part of the model here: the normalizer leaves them, and no space follows them.
  normalizer::SentencePieceRules rules = normalizer_rules(normalizer, path);
  rules.space_behind = trainer.number(24, 0) != 0;
  for (std::int32_t id = 0; id < pieces; ++id) {
    if (vocab.type(id) == TokenType::user_defined) rules.kept.push_back(vocab.token(id));
  }
  vocab.added_from_types = false;
  const bool byte_fallback = trainer.number(35, 0) != 0;
  SentencePieceDecoding decoding;
  decoding.space_in_front = rules.space_in_front;
  decoding.remove_extra_spaces = rules.remove_extra_spaces;
  if (trainer.strings.count(44) > 0) decoding.unknown = trainer.string(44);
  if (const Record record = parse_record(root.string(5), path); !record.string(2).empty()) {
    normalizer::SentencePieceRules back = normalizer_rules(record, path);
    decoding.denormalize = normalizer::sentence_piece(std::move(back));
  }

  return std::make_shared<TextTokenizer>(std::move(vocab), [&](const Vocab& checked) {
    check_unknown(checked);
    TextParts parts;
    parts.normalizer.add(normalizer::sentence_piece(rules));
    if (kind == kBpe) {
      BpeOptions options;
      options.fuse_unknown = options.byte_fallback = true;
      options.freeze_user_defined = true;
      parts.model = std::make_shared<BpeModel>(checked, scores, options);
    } else {
      UnigramOptions options;
      options.sentencepiece = true;
      options.byte_fallback = byte_fallback;
      parts.model =
          std::make_shared<UnigramModel>(checked, std::vector<double>(scores.begin(), scores.end()), options);
    }
    parts.decoder = sentencepiece_decoder(checked, decoding);
    return parts;
  });
}

std::shared_ptr<const Tokenizer> tokenizer_from_folder(const std::string& folder) {
  std::error_code error;
  const bool json = fs::exists(fs::path(folder) / "tokenizer.json", error);
  const bool proto = fs::exists(fs::path(folder) / "tokenizer.model", error);
  if (json) return tokenizer_from_json(folder);
  return proto ? tokenizer_from_sentencepiece(folder) : no_tokenizer(folder);
}

}  // namespace rung
