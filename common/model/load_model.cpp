// load_model(): determines the format of a path and then loads its parts in order.

#include <fmt/ranges.h>

#include <filesystem>
#include <functional>

#include "core/error.hpp"
#include "files/gguf.hpp"
#include "files/safetensors.hpp"
#include "model/families.hpp"
#include "model/model.hpp"
#include "model/weights_loader.hpp"
#include "text/tokenizer/formats/load.hpp"

namespace rung {
namespace {

namespace fs = std::filesystem;

enum class Format { gguf, hf_folder };

/// Looks at what `path` is; everything that is neither format gets a sentence.
Format format_of(const std::string& path) {
  std::error_code error;
  if (!is_model_folder(path)) return Format::gguf;
  if (!fs::exists(fs::path(path) / "config.json", error)) {
    fail(
        "the folder '{}' has no config.json; expected a Hugging Face model folder (config.json, "
        "*.safetensors, "
        "tokenizer.json) or a GGUF file",
        path);
  }
  return Format::hf_folder;
}

std::string shape_text(const std::vector<std::int64_t>& slowest_first) {
  return fmt::format("[{}]", fmt::join(slowest_first, ", "));
}

class GgufSource : public TensorSource {
 public:
  explicit GgufSource(const Gguf& gguf) : gguf_(gguf) {}
  const std::string& path() const override { return gguf_.path(); }
  bool find(std::string_view name, SourceTensor& found) const override {
    const GgufTensor* tensor = gguf_.find_tensor(name);
    if (tensor == nullptr) return false;
    found.shape = shape_text({tensor->dims.rbegin(), tensor->dims.rend()});
    found.dtype_name = traits(tensor->view.dtype).name;
    found.view = tensor->view;
    return true;
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> result;
    for (const GgufTensor& tensor : gguf_.tensors()) result.push_back(tensor.name);
    return result;
  }

 private:
  const Gguf& gguf_;
};

class SafeTensorsSource : public TensorSource {
 public:
  explicit SafeTensorsSource(const SafeTensors& files) : files_(files) {}
  const std::string& path() const override { return files_.path(); }
  bool find(std::string_view name, SourceTensor& found) const override {
    const SafeTensor* tensor = files_.find(name);
    if (tensor == nullptr) return false;
    found.shape = shape_text(tensor->shape);
    found.dtype_name = tensor->dtype_name;
    found.view = tensor->view;
    return true;
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> result;
    for (const auto& [name, tensor] : files_.tensors()) result.push_back(name);
    return result;
  }

 private:
  const SafeTensors& files_;
};

/// What the tensors of a Model point into.
struct Storage {
  std::shared_ptr<const void> files;
  ConvertedTensors converted;
};

void finish(Model& model, std::shared_ptr<Storage> storage) {
  // Added tokens may lie beyond: the Gemma 3 models without a vision tower keep the token for pictures, which
  // their embedding table has no row for. A text that has it is refused when it is submitted.
  if (model.tokenizer->text_vocab_size() > model.config.vocab_size) {
    fail("{}: the tokenizer has {} tokens, but the model's vocabulary is {}; they do not belong together",
         model.path, model.tokenizer->text_vocab_size(), model.config.vocab_size);
  }
  model.converted_bytes = storage->converted.bytes;
  model.storage = std::move(storage);
}

Model load_gguf(const std::string& path, const FileOpener& opener) {
  const auto gguf = Gguf::open(path, opener);
  auto storage = std::make_shared<Storage>();
  storage->files = gguf;
  Model model;
  model.path = path;
  model.config = config_from_gguf(*gguf);
  model.weights = load_weights(model.config, GgufSource(*gguf), Naming::gguf, storage->converted);
  model.tokenizer = tokenizer_from_gguf(*gguf);
  finish(model, std::move(storage));
  return model;
}

Model load_hf(const std::string& folder, const LoadOptions& options) {
  const auto files = SafeTensors::open_folder(
      folder, options.safetensors != nullptr ? *options.safetensors : default_safetensors_reader(),
      options.files);
  auto storage = std::make_shared<Storage>();
  storage->files = files;
  Model model;
  model.path = folder;
  const SafeTensorsSource source(*files);
  model.config = config_from_hf(folder, has_output_tensor(source, Naming::hugging_face));
  model.weights = load_weights(model.config, source, Naming::hugging_face, storage->converted);
  model.tokenizer = tokenizer_from_folder(folder);
  finish(model, std::move(storage));
  return model;
}

}  // namespace

Model load_model(const std::string& path, const LoadOptions& options) {
  std::vector<std::shared_ptr<const FileBytes>> files;
  LoadOptions noting = options;
  noting.files = [&](const std::string& file) { return files.emplace_back(options.files(file)); };
  Model model = format_of(path) == Format::gguf ? load_gguf(path, noting.files) : load_hf(path, noting);
  model.files = std::move(files);
  return model;
}

void Model::release(const Tensor& weight) const {
  const auto* begin = static_cast<const std::byte*>(weight.data);
  for (const auto& file : files) {
    const std::span<const std::byte> bytes = file->bytes();
    const std::less_equal<> not_after;  // defined for pointers into different objects too
    if (not_after(bytes.data(), begin) && not_after(begin + weight.bytes(), bytes.data() + bytes.size())) {
      return file->release({begin, weight.bytes()});
    }
  }
}

}  // namespace rung
