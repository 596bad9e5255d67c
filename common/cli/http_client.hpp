#pragma once
// GET over HTTP and HTTPS, through libcurl: what a download needs and no more.
//
// Redirects are followed here, not by libcurl: the token goes to the origin (scheme, host and port) that it
// is for and to nobody else, and https never turns into http.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace rung::cli {

struct HttpRequest {
  std::string url;
  std::uint64_t from = 0;  // ask for the bytes from here on
  std::string if_range;    // the ETag that the part belongs to; empty: none known
  std::string accept;      // the media type that is asked for; empty: any
};

/// The head of the last answer, after redirects. Names of headers are lower-case.
struct HttpHead {
  long status = 0;
  std::string url;
  std::map<std::string, std::string> headers;
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

/// How a transfer ended.
struct HttpEnd {
  HttpHead head;
  bool complete = false;  // the whole body came
  bool stopped = false;   // by on_head or on_bytes
  bool reached = false;   // the server answered at all
  std::string problem;    // of the connection, as words; empty when complete
};

class HttpClient {
 public:
  /// `token` may be empty; it is sent to `token_origin` (a URL) only, and never over plain http except to
  /// this machine itself.
  HttpClient(std::string token, const std::string& token_origin);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// `on_head` sees the head of the last answer before its body and may return false to stop; so may
  /// `on_bytes`. Stops by itself, with Error "interrupted", on Ctrl-C. Throws Error for too many redirects
  /// and for those that lead to another protocol; a connection that fails is told in the result.
  HttpEnd get(const HttpRequest& request, const std::function<bool(const HttpHead&)>& on_head,
              const std::function<bool(std::span<const char>)>& on_bytes);

  bool has_token() const { return !token_.empty(); }
  /// Why the token is not sent; empty when it is, or when there is none.
  const std::string& token_note() const { return token_note_; }

 private:
  struct Transfer;
  HttpEnd get_once(const HttpRequest& request, Transfer& transfer);

  struct Free {
    void operator()(void* easy) const;
  };
  std::unique_ptr<void, Free> easy_;
  std::string token_, origin_, token_note_;
};

/// Everything but letters, digits, "-", "_", "." and "~" as %XX; "/" stays when `keep_slashes`.
std::string url_encode(const std::string& text, bool keep_slashes);

/// The address that `reference`, which may be relative, means in a document at `base`. Throws SourceError
/// when it is neither http nor https, or http in a document that came over https.
std::string resolve_url(const std::string& base, const std::string& reference);

}  // namespace rung::cli
