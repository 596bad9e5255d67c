#pragma once
// GET requests over HTTP and HTTPS through libcurl, with the features that downloads need.
//
// This class follows redirects itself instead of libcurl. It sends the token only to the origin (scheme, host
// and port) to which the token belongs, and never follows a redirect from https to http.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace rung::cli {

struct HttpRequest {
  std::string url;
  std::uint64_t from = 0;  // first requested byte
  std::string if_range;    // ETag of the part that exists already; empty: not known
  std::string accept;      // requested media type; empty: any
};

/// The head of the last response, after redirects. Header names are in lower case.
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
  bool complete = false;  // the whole body was received
  bool stopped = false;   // on_head or on_bytes stopped the transfer
  bool reached = false;   // the server answered
  std::string problem;    // description of a connection problem; empty if complete
};

class HttpClient {
 public:
  /// `token` can be empty. It is sent only to `token_origin` (a URL), and never over plain http, unless
  /// that is this machine itself.
  HttpClient(std::string token, const std::string& token_origin);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Calls `on_head` with the head of the last response before its body, and `on_bytes` with the pieces of
  /// the body. Each can return false to stop. Throws Error "interrupted" on Ctrl-C. Throws Error for too many
  /// redirects, and for redirects to another protocol. The result reports a failed connection.
  HttpEnd get(const HttpRequest& request, const std::function<bool(const HttpHead&)>& on_head,
              const std::function<bool(std::span<const char>)>& on_bytes);

  bool has_token() const { return !token_.empty(); }
  /// Returns why the token is not sent, or an empty string if it is sent or there is none.
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

/// Encodes all characters except letters, digits, "-", "_", "." and "~" as %XX. "/" is kept if `keep_slashes`
/// is true.
std::string url_encode(const std::string& text, bool keep_slashes);

/// Returns the address of `reference`, which can be relative, in a document at `base`. Throws SourceError if
/// it is neither http nor https, or if it is http in a document that was fetched over https.
std::string resolve_url(const std::string& base, const std::string& reference);

}  // namespace rung::cli
