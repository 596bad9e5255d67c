// The `rung` program. Exit status: 0 done, 1 the job failed (one sentence on stderr), 2 wrong usage.

#include <cstdio>
#include <new>
#include <string_view>

#include "cli/cli.hpp"
#include "core/printable.hpp"
#include "core/simd.hpp"

int main(int argc, char** argv) {
  using namespace rung;
  cli::Program program;
  CLI::App app{"Rung: LLM inference, one rung at a time", "rung"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("rung ") + RUNG_VERSION);
  cli::add_demo(app, program);
  cli::add_generate(app, program);
  cli::add_chat(app, program);
  cli::add_tokenize(app, program);
  cli::add_logits(app, program);
  cli::add_perplexity(app, program);
  cli::add_bench(app, program);
  cli::add_bench_serve(app, program);
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
    app.parse(argc, argv);
    simd_level();  // a wrong RUNG_SIMD is told before any work
    cli::catch_interrupts();
    program.run();
    if (std::fflush(stdout) != 0)
      fail("the output could not be written; is the disk full or the pipe closed?");
    return 0;
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;  // --help, --version
    const std::string_view name = argc > 1 ? argv[1] : "-";
    if (!name.starts_with('-') &&
        app.get_subcommands([&](const CLI::App* command) { return command->check_name(std::string(name)); })
            .empty()) {
      fmt::print(stderr, "rung: there is no command '{}'; rung --help lists them\n", name);
      return 2;
    }
    app.exit(error, std::cout, std::cerr);
    return asked ? 0 : 2;
  } catch (const UsageError& error) {
    fmt::print(stderr, "rung: {}\n", error.what());
    return 2;
  } catch (const Error& error) {
    fmt::print(stderr, "rung: {}\n", error.what());
    return 1;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr,
               "rung: this machine has not enough memory for that; use a smaller model, --ctx or batch\n");
    return 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "rung: unexpected: {}\n", printable(error.what(), true));
    return 1;
  }
}
