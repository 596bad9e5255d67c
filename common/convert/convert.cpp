#include "convert/convert.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "convert/config_write.hpp"
#include "convert/convert_tensors.hpp"
#include "convert/convert_tokenizer.hpp"
#include "core/error.hpp"
#include "core/output_file.hpp"
#include "files/safetensors_writer.hpp"
#include "model/families.hpp"
#include "text/chat/chat_template.hpp"
#include "text/tokenizer/formats/load.hpp"

namespace rung {
namespace {

namespace fs = std::filesystem;

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

/// Calls write_tensor() for all of them and reports how far it is.
template <class Writer>
void write_all(const std::vector<OutTensor>& tensors, Writer& writer, const WriteProgress& progress) {
  std::uint64_t done = 0;
  for (const OutTensor& tensor : tensors) {
    write_tensor(tensor, [&](std::span<const std::byte> bytes) {
      writer.append(bytes);
      done += bytes.size();
      if (progress) progress(done, writer.tensor_bytes());
    });
  }
}

/// The format that most numbers of the file are in, which general.file_type names.
DType main_type(const std::vector<OutTensor>& tensors) {
  std::map<DType, std::int64_t> counts;
  for (const OutTensor& tensor : tensors) {
    if (tensor.shape.size() < 2) continue;
    for (const Tensor& part : tensor.parts) counts[tensor.type] += part.size();
  }
  const auto largest = std::max_element(counts.begin(), counts.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
  return largest != counts.end() ? largest->first : DType::f32;
}

/// What was written is read back: a model that the target cannot describe would compute something else in
/// silence.
void require_same(const ModelConfig& written, const ModelConfig& source, const std::string& in,
                  const char* what) {
  const std::string difference = config_difference(written, source);
  if (!difference.empty()) {
    fail("{}: {} cannot say what this model is: read back, {}; nothing was written", in, what, difference);
  }
}

/// The same for the tokenizer.
void require_same_tokenizer(const Tokenizer& written, const Model& model, const std::string& in) {
  const std::string difference = tokenizer_difference(written, *model.tokenizer, model.config.vocab_size);
  if (!difference.empty()) {
    fail("{}: its tokenizer cannot be written: read back, {}; nothing was written", in, difference);
  }
}

/// What a folder has beside the weights and config.json.
constexpr const char* kSideFiles[] = {
    "tokenizer.json",         "tokenizer.model",         "tokenizer_config.json",
    "generation_config.json", "special_tokens_map.json", "added_tokens.json",
    "chat_template.jinja",    "chat_template.json",      kMoreChatTemplates};

/// Whether a file is one that a conversion writes.
bool is_part_of_folder(const std::string& name) {
  return name == "config.json" || name == "model.safetensors" ||
         std::find(std::begin(kSideFiles), std::end(kSideFiles), name) != std::end(kSideFiles);
}

void copy_if_there(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (!fs::exists(from, error)) return;
  fs::copy(from, to, fs::copy_options::overwrite_existing, error);
  if (error) fail("{} cannot be written: {}", to.string(), error.message());
}

}  // namespace

ConvertResult convert_to_gguf(const std::string& in, const std::string& out, std::optional<DType> type,
                              const WriteProgress& progress) {
  const Model model = load_model(in);
  const std::vector<OutTensor> tensors = tensors_for(model, Naming::gguf, type);
  const std::vector<NamedVector> factors = rope_factor_tensors(model.config);
  ConvertResult result;

  GgufWriter writer(out);
  write_config_gguf(model.config, model.path, writer);
  writer.add_u32("general.file_type", ggml_type(main_type(tensors)).file_type);
  writer.add_u32("general.quantization_version", 2);
  if (model.tokenizer->vocab_size() == 0) {
    writer.add_string("tokenizer.ggml.model", "none");
    result.notes.push_back("the model has no tokenizer: the file can be run on token ids only");
  } else if (is_folder(in)) {
    write_tokenizer_gguf(in, *model.tokenizer, model.config.vocab_size, writer, result.notes);
  } else {
    const auto gguf = Gguf::open(in);
    for (const GgufEntry& entry : gguf->entries()) {
      if (std::string_view(entry.key).starts_with("tokenizer.")) writer.add_entry(entry);
    }
  }
  for (const auto& [name, values] : factors) {
    const std::int64_t dims[] = {static_cast<std::int64_t>(values.size())};
    writer.declare_tensor(name, dims, DType::f32);
  }
  for (const OutTensor& tensor : tensors) {
    const std::vector<std::int64_t> dims(tensor.shape.rbegin(), tensor.shape.rend());
    writer.declare_tensor(tensor.name, dims, tensor.type);
  }
  for (const auto& [name, values] : factors) writer.append(std::as_bytes(std::span(values)));
  write_all(tensors, writer, progress);
  result.tensors = static_cast<int>(tensors.size() + factors.size());
  result.bytes = writer.finish([&](const std::string& written) {
    const auto gguf = Gguf::open(written);
    require_same(config_from_gguf(*gguf), model.config, in, "GGUF's metadata");
    require_same_tokenizer(*tokenizer_from_gguf(*gguf), model, in);
  });
  return result;
}

ConvertResult convert_to_hf(const std::string& in, const std::string& out, std::optional<DType> type,
                            const WriteProgress& progress) {
  std::error_code error;
  if (fs::equivalent(in, out, error)) {
    fail_usage("the input and the output are the same folder ({}); choose another name for the output", in);
  }
  const Model model = load_model(in);
  const std::vector<OutTensor> tensors = tensors_for(model, Naming::hugging_face, type);
  nlohmann::ordered_json config = config_to_hf(model.config, model.path);
  const LayerWeights& first = model.weights.layers.front();
  const bool gpt2 = model.config.family->hf_names == HfNames::gpt2;
  if (!gpt2) {
    config["attention_bias"] = !first.q.bias.empty();
    config["mlp_bias"] = !first.up.bias.empty();
    if (model.config.architecture == "stablelm") config["use_qkv_bias"] = !first.q.bias.empty();
  }
  const DType stored = main_type(tensors);
  config["torch_dtype"] = stored == DType::f16 ? "float16" : stored == DType::bf16 ? "bfloat16" : "float32";
  if (model.tokenizer->bos() >= 0) config["bos_token_id"] = model.tokenizer->bos();
  if (model.tokenizer->eos() >= 0) config["eos_token_id"] = model.tokenizer->eos();

  OutputFolder folder(out, is_part_of_folder);
  const fs::path to = folder.path();
  ConvertResult result;
  SafeTensorsWriter writer((to / "model.safetensors").string());
  for (const OutTensor& tensor : tensors) writer.declare_tensor(tensor.name, tensor.shape, tensor.type);
  write_all(tensors, writer, progress);
  result.bytes = writer.finish();
  result.tensors = static_cast<int>(tensors.size());
  OutputFile file((to / "config.json").string());
  file.write(config.dump(2) + '\n');
  file.commit();
  require_same(config_from_hf(folder.path(), !model.config.tied_embeddings), model.config, in,
               "a config.json");
  if (is_folder(in)) {
    for (const char* name : kSideFiles) copy_if_there(fs::path(in) / name, to / name);
  } else if (model.tokenizer->vocab_size() > 0) {
    write_tokenizer_hf(*Gguf::open(in), *model.tokenizer, folder.path());
  }
  require_same_tokenizer(*tokenizer_from_folder(folder.path()), model, in);
  std::set<std::string_view> widened;
  for (const LayerWeights& layer : model.weights.layers) {
    const DType had = layer.experts.empty() ? layer.down.weight.dtype : layer.experts.front().down.dtype;
    if (!type && safetensors_type(had) == nullptr) widened.insert(traits(had).name);
  }
  for (const std::string_view name : widened) {
    result.notes.push_back(fmt::format("safetensors has no {}: such tensors are stored as f32", name));
  }
  folder.commit();
  return result;
}

}  // namespace rung
