// Your rung of `safetensors_index`. README.md says what it must do. Test it with ./test.sh -R '^tgi.mine$'.
//
// The header is a JSON text:  {"__metadata__": {...}, "NAME": {"dtype": "BF16", "shape": [2, 3],
// "data_offsets": [0, 12]}, ...}
//   1. Return one SafetensorsEntry (name, dtype, shape, begin, end) for every key except "__metadata__".
//   2. Call fail("{} ...", what) for everything else: a missing field, -1, 2.0, a repeated key, invalid JSON.
//   3. Do not check what the numbers mean. The loader checks whether they fit the file.
// parse_json(text, what) of files/json_file.hpp parses any JSON and refuses repeated keys.

#include "tgi.hpp"

namespace rung::tgi {

Entries mine([[maybe_unused]] std::string_view header, [[maybe_unused]] const std::string& what) {
  throw NotStarted("safetensors_index rung 'mine' is not started: write 02_engines/tgi/mine.cpp");
}

}  // namespace rung::tgi
