// Three threads ask one engine; each prints its answer. Usage: threads MODEL.gguf
#include <catalog/variants.hpp>
#include <core/waiting.hpp>
#include <cstdio>
#include <engine/engine_thread.hpp>
#include <memory>
#include <model/model.hpp>
#include <string>
#include <thread>
#include <vector>

int main(int argc, char** argv) try {
  rung::choose_waiting(argv);  // before anything else: the program may begin again
  if (argc != 2) return std::fprintf(stderr, "usage: threads MODEL.gguf\n"), 2;
  const auto model = std::make_shared<const rung::Model>(rung::load_model(argv[1]));
  rung::EngineConfig config;
  config.context = 64;
  config.max_sequences = 3;
  rung::EngineThread engine(model, rung::variants(), config);

  const std::vector<std::string> prompts = {"Once upon a time", "The king", "In the garden"};
  std::vector<std::string> answers(prompts.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    threads.emplace_back([&, i] {
      rung::Request request;
      request.prompt = model->tokenizer->encode(prompts[i], true);
      request.max_tokens = 16;
      request.sampling.temperature = 0;
      const std::shared_ptr<rung::Stream> answer = engine.submit(std::move(request));
      while (const auto delta = answer->next()) answers[i] += delta->text;  // as it becomes certain
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < prompts.size(); ++i)
    std::printf("%s|%s\n", prompts[i].c_str(), answers[i].c_str());
  const rung::EngineStats stats = engine.snapshot().stats;
  std::printf("%d answers in %d steps\n", static_cast<int>(stats.finished), static_cast<int>(stats.steps));
} catch (const std::exception& error) {
  return std::fprintf(stderr, "%s\n", error.what()), 1;
}
