#include "core/gunzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "core/error.hpp"

namespace rung {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;
constexpr int kGzip = 16 + MAX_WBITS;

class Inflater {
 public:
  explicit Inflater(std::string_view name) {
    if (inflateInit2(&stream, kGzip) != Z_OK)
      fail("{} cannot be unpacked: there is not enough memory; end other programs", name);
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream{};
};

}  // namespace

bool is_gzip(std::string_view data) { return data.starts_with("\x1f\x8b"); }

std::string gunzip(std::string_view data, std::string_view name) {
  std::string unpacked;
  char buffer[1 << 16];
  while (!data.empty()) {
    Inflater inflater(name);
    z_stream& stream = inflater.stream;
    for (int state = Z_OK; state != Z_STREAM_END;) {
      if (stream.avail_in == 0) {
        if (data.empty()) fail("{} is compressed, but its end is missing; fetch or compress it again", name);
        const auto piece = std::min<std::size_t>(data.size(), std::numeric_limits<int>::max());
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
        stream.avail_in = static_cast<uInt>(piece);
        data.remove_prefix(piece);
      }
      stream.next_out = reinterpret_cast<Bytef*>(buffer);
      stream.avail_out = sizeof buffer;
      state = inflate(&stream, Z_NO_FLUSH);
      if (state != Z_OK && state != Z_STREAM_END)
        fail("{} is compressed, but damaged; fetch or compress it again", name);
      unpacked.append(buffer, sizeof buffer - stream.avail_out);
      if (unpacked.size() > kMostBytes)
        fail("{} unpacks to more than {} bytes; split it into smaller files", name, kMostBytes);
    }
    data = std::string_view(data.data() - stream.avail_in, data.size() + stream.avail_in);  // the next member
  }
  return unpacked;
}

}  // namespace rung
