// rung plot and rung report: draw stored runs, and put them into a page that can be handed in. The scripts of
// tools/lessons do the work, because matplotlib and WeasyPrint are Python libraries.

#include <filesystem>

#include "cli/compare.hpp"

namespace rung::cli {
namespace {

void run_or_fail(const std::string& script, const std::vector<std::string>& arguments, const char* what) {
  if (run_script(script, arguments) != 0) fail("{}; the message above says why", what);
}

}  // namespace

void add_plot(Command& app, Program& program) {
  struct State {
    std::vector<std::string> files;
    std::string out;
  };
  const auto state = std::make_shared<State>();
  Command* command =
      add_command(app, program, "plot", "draw runs that rung compare or rung experiment has stored");
  command->add_option("files", state->files, "files of stored runs, which are drawn together")->required();
  command->add_option("--out", state->out,
                      "write NAME.svg and NAME.png (default for one file: its name without .json)");
  command->footer("Example:\n  rung plot monday.json tuesday.json --out both");
  command->callback([&program, state] {
    program.run = [&program, state] {
      if (state->out.empty() && state->files.size() > 1)
        fail_usage("{} files are drawn into one picture; name it with --out NAME", state->files.size());
      const std::string out = state->out.empty()
                                  ? std::filesystem::path(state->files.front()).replace_extension("").string()
                                  : state->out;
      std::vector<std::string> arguments = state->files;
      arguments.insert(arguments.end(), {"--out", out});
      run_or_fail("draw_runs.py", arguments, "the picture was not drawn");
      if (program.json) print_json({{"out", out}});
    };
  });
}

void add_report(Command& app, Program& program) {
  struct State {
    std::string folder, out, author, title, discussion;
    bool no_pdf = false;
  };
  const auto state = std::make_shared<State>();
  Command* command = add_command(
      app, program, "report", "write a page and a PDF about the stored runs in a folder, ready to hand in");
  command->add_option("folder", state->folder, "folder with files of stored runs")->required();
  command->add_option("--out", state->out, "page to write (default: report.html in the folder)");
  command->add_option("--author", state->author, "name to print below the title");
  command->add_option("--title", state->title, "title (default: that of the runs)");
  command->add_option("--discussion", state->discussion,
                      "file with your text, which becomes the section Discussion");
  command->add_flag("--no-pdf", state->no_pdf, "write only the page");
  command->footer("Example:\n  rung report results --author \"Ada Lovelace\" --discussion discussion.txt");
  command->callback([&program, state] {
    program.run = [&program, state] {
      std::vector<std::string> arguments = {state->folder};
      for (const auto& [name, value] :
           {std::pair{"--out", &state->out}, std::pair{"--author", &state->author},
            std::pair{"--title", &state->title}, std::pair{"--discussion", &state->discussion}}) {
        if (!value->empty()) arguments.insert(arguments.end(), {name, *value});
      }
      if (state->no_pdf) arguments.emplace_back("--no-pdf");
      run_or_fail("report.py", arguments, "the report is not complete");
      if (program.json) {
        const auto page = state->out.empty() ? std::filesystem::path(state->folder) / "report.html"
                                             : std::filesystem::path(state->out);
        print_json({{"page", page.string()}});
      }
    };
  });
}

}  // namespace rung::cli
