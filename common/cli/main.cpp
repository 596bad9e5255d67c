// The `rung` program. Exit status: 0 done, 1 the job failed (one sentence on stderr), 2 wrong usage.

#include <cstdio>
#include <new>
#include <string>

#include "cli/cli.hpp"
#include "core/printable.hpp"
#include "core/simd.hpp"
#include "core/waiting.hpp"

int main(int argc, char** argv) {
  using namespace rung;
  cli::open_standard_streams();
  cli::Program program;
  program.words = {"rung"};
  for (int i = 1; i < argc; ++i) program.words.emplace_back(argv[i]);
  cli::Command app("Rung: LLM inference, one rung at a time", "rung");
  cli::add_demo(app, program);
  cli::add_generate(app, program);
  cli::add_chat(app, program);
  cli::add_tokenize(app, program);
  cli::add_logits(app, program);
  cli::add_perplexity(app, program);
  cli::add_bench(app, program);
  cli::add_bench_serve(app, program);
  cli::add_compare(app, program);
  cli::add_experiment(app, program);
  cli::add_plot(app, program);
  cli::add_report(app, program);
  cli::add_explain(app, program);
  cli::add_inspect(app, program);
  cli::add_plan(app, program);
  cli::add_pull(app, program);
  cli::add_quantize(app, program);
  cli::add_convert(app, program);
  cli::add_synth(app, program);
  cli::add_ladder(app, program);
  cli::add_exercises(app, program);

  try {
    using Parsed = cli::Command::Parsed;
    const Parsed parsed = app.parse(argc, argv, std::string("rung ") + RUNG_VERSION);
    if (parsed != Parsed::run) {
      cli::finish_output();
      return parsed == Parsed::told ? 0 : 2;
    }
    if (program.threads) choose_waiting(argv);  // may begin again from the start: nothing is read yet
    simd_level();                               // a wrong RUNG_SIMD is an error before any work
    cli::catch_interrupts();
    cli::catch_bus_errors();
    program.run();
    cli::finish_output();
    return 0;
  } catch (const UsageError& error) {
    cli::tell("rung: {}\n", error.what());
    return 2;
  } catch (const Error& error) {
    cli::tell("rung: {}\n", error.what());
    return 1;
  } catch (const std::bad_alloc&) {
    cli::tell(
        "rung: this machine does not have enough memory for this command; use a smaller model, --ctx or "
        "batch\n");
    return 1;
  } catch (const std::exception& error) {
    if (std::ferror(stdout) != 0) {  // thrown by fmt, in words of its own
      cli::tell("rung: the output could not be written; is the disk full or the pipe closed?\n");
      return 1;
    }
    cli::tell("rung: unexpected: {}\n", printable(error.what(), true));
    return 1;
  }
}
