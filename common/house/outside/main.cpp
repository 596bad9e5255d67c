// Uses the installed headers and libraries: judges every rung of the ladder `linear` on its first trial, then
// generates text with the model given as argument, with the naive rungs and with the best ones.

#include <catalog/variants.hpp>
#include <core/registry.hpp>
#include <core/simd.hpp>
#include <cstdio>
#include <engine/engine.hpp>
#include <memory>
#include <model/model.hpp>
#include <string>

namespace {

std::string generate(const std::shared_ptr<const rung::Model>& model, const char* attention,
                     const char* linear) {
  rung::EngineConfig config;
  config.rungs = {{"attention", attention}, {"linear", linear}};
  rung::Engine engine(model, rung::variants(), config);
  rung::Request request;
  request.prompt = model->tokenizer->encode("Once upon a time", true);
  request.max_tokens = 16;
  request.sampling.temperature = 0;
  return engine.run(std::move(request)).text;
}

}  // namespace

int main(int, char** argv) {
  const rung::LadderBase& ladder = rung::variants().find("linear");
  const rung::Trial trial = ladder.trials().at(0);
  std::printf("SIMD level %d, trial: %s\n", static_cast<int>(rung::simd_level()), trial.name.c_str());
  for (const rung::RungInfo& rung : ladder.rungs()) {
    if (rung.exercise) continue;
    const rung::Verdict verdict = trial.judge(rung.name, 1);
    std::printf("%s: %s\n", rung.name.c_str(), verdict.message.empty() ? "agrees" : verdict.message.c_str());
    if (verdict.status == rung::Verdict::Status::failed) return 1;
  }
  const auto model = std::make_shared<const rung::Model>(rung::load_model(argv[1]));
  const std::string naive = generate(model, "naive", "naive");
  std::printf("text:%s\n", naive.c_str());
  if (naive.empty() || naive != generate(model, "auto", "auto")) return 1;
  std::printf("every rung agrees\n");
  return 0;
}
