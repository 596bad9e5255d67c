// Fuzz target: loads any bytes as a GGUF file, from the header to a whole model.

#include "files/gguf.hpp"
#include "model/model.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/fuzz/exercise_tokenizer.hpp"

using namespace rung;

namespace {

// Every view must lie inside the file.
void check_tensors(const Gguf& gguf) {
  volatile unsigned char touched = 0;
  for (const GgufTensor& tensor : gguf.tensors()) {
    if (tensor.view.empty() || tensor.view.bytes() == 0) continue;
    const auto* bytes = static_cast<const unsigned char*>(tensor.view.data);
    if (tensor.offset > gguf.file_size() || tensor.view.bytes() > gguf.file_size() - tensor.offset)
      fuzz::finding("tensor " + tensor.name + " leaves the file");
    touched = bytes[0] ^ bytes[tensor.view.bytes() - 1];
  }
  static_cast<void>(touched);
}

void touch(const Tensor& weight) {
  if (weight.empty() || weight.size() == 0) return;
  std::vector<float> row(static_cast<std::size_t>(weight.cols));
  for (const std::int64_t i : {std::int64_t{0}, weight.rows - 1})
    traits(weight.dtype).to_float(weight.row(i), row.data(), weight.cols);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::MemoryFile file;
  file.set(fuzz::text_of(data, size));
  fuzz::accepted_or_refused([] {
    const auto gguf = Gguf::open(file.path());
    for (const GgufEntry& entry : gguf->entries()) static_cast<void>(gguf->value_text(entry));
    check_tensors(*gguf);
  });
  fuzz::accepted_or_refused(
      [] { fuzz::exercise_tokenizer(*load_tokenizer(file.path()), fuzz::kSampleText); });
  fuzz::accepted_or_refused([] {
    const Model model = load_model(file.path());
    touch(model.weights.token_embedding);
    touch(model.weights.output);
    for (const LayerWeights& layer : model.weights.layers) {
      for (const Weight* w :
           {&layer.attn_norm, &layer.q, &layer.k, &layer.v, &layer.attn_out, &layer.up, &layer.down}) {
        touch(w->weight);
        touch(w->bias);
      }
      touch(layer.router.weight);
      for (const ExpertWeights& expert : layer.experts) {
        for (const Tensor& t : {expert.gate, expert.up, expert.down}) touch(t);
      }
    }
  });
  return 0;
}
