// Decoders: a list of steps over a vocabulary.

#include "text/tokenizer/decode/decode.hpp"

#include <algorithm>

#include "text/utf8.hpp"

namespace rung {

std::string TokenDecoder::decode(std::span<const std::int32_t> ids) const {
  DecodeProgress progress;
  std::string text;
  for (const std::int32_t id : ids) next(progress, id, text);
  finish(progress, text);
  return text;
}

void DecodeStep::finish(DecodeState& /*state*/, DecodeNext next) const { next.finish(); }

StepDecoder::StepDecoder(std::vector<std::string> texts, std::vector<bool> skipped, DecodeSteps steps)
    : texts_(std::move(texts)), skipped_(std::move(skipped)), steps_(std::move(steps)) {
  while (!steps_.empty() && steps_.front()->is_local()) {
    for (std::string& text : texts_) text = steps_.front()->local(text);
    steps_.erase(steps_.begin());
  }
  if (!steps_.empty() && steps_.back()->only_repairs()) steps_.pop_back();
}

DecodeNext StepDecoder::first(DecodeProgress& progress, std::string& text) const {
  if (progress.size() != steps_.size()) progress.resize(steps_.size());
  return {steps_, progress.data(), text};
}

std::string StepDecoder::piece(std::int32_t id) const {
  const auto place = static_cast<std::size_t>(id);
  if (skipped_[place]) return {};
  std::string text = texts_[place];
  bool fused = false;
  for (const auto& step : steps_) {
    text = step->inside(text, fused);
    fused = fused || step->fuses();
  }
  return text;
}

void StepDecoder::next(DecodeProgress& progress, std::int32_t id, std::string& text) const {
  const auto place = static_cast<std::size_t>(id);
  if (!skipped_[place]) first(progress, text).part(texts_[place], true);
}

void StepDecoder::finish(DecodeProgress& progress, std::string& text) const {
  first(progress, text).finish();
  progress.clear();
}

std::string replaced_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  if (from.empty()) {
    result = to;
    utf8_each(text, [&](std::string_view character, bool) { (result += character) += to; });
    return result;
  }
  while (true) {
    const std::size_t at = text.find(from);
    result += text.substr(0, at);
    if (at == std::string_view::npos) return result;
    result += to;
    text.remove_prefix(at + from.size());
  }
}

std::string cleaned_up(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  // Most tokens have none of these: each begins with a space and one of a few characters.
  bool any = false;
  for (std::size_t at = text.find(' '); at != std::string::npos && !any; at = text.find(' ', at + 1)) {
    any = std::string_view(".?!,'nd").find(text[std::min(at + 1, text.size() - 1)]) != std::string_view::npos;
  }
  if (!any) return text;
  for (const auto& [from, to] : kRules) text = replaced_all(text, from, to);
  return text;
}

}  // namespace rung
