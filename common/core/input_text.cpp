#include "core/input_text.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/error.hpp"
#include "core/gunzip.hpp"
#include "core/output_file.hpp"

namespace rung {

std::string read_input(const std::string& path, std::string_view what) {
  const bool standard = path == "-";
  struct Close {
    void operator()(std::FILE* file) const {
      if (file != stdin) std::fclose(file);
    }
  };
  const std::unique_ptr<std::FILE, Close> file(standard ? stdin : std::fopen(path.c_str(), "rbe"));
  const std::string name = standard ? "standard input" : "'" + path + "'";
  if (!file) fail("cannot read {} {}: {}", what, name, std::strerror(errno));
  if (!standard) protect_input(path);
  std::string text;
  char buffer[1 << 14];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;) text.append(buffer, n);
  if (std::ferror(file.get()) != 0)
    fail("cannot read {} {}: {}", what, name, errno == EISDIR ? "it is a folder" : std::strerror(errno));
  return is_gzip(text) ? gunzip(text, name) : text;
}

}  // namespace rung
