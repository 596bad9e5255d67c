#include "cli/http_client.hpp"

#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "cli/cli.hpp"
#include "cli/source_error.hpp"
#include "core/ascii.hpp"

namespace rung::cli {
namespace {

struct UrlParts {
  std::string scheme, host, port;
  std::string origin() const { return scheme + "://" + host + ":" + port; }
  bool is_this_machine() const { return host == "127.0.0.1" || host == "localhost" || host == "[::1]"; }
};

UrlParts split_url(const std::string& text) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), curl_url_cleanup);
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    fail_source("'{}' is not a valid URL", text);
  const auto part = [&](CURLUPart which) {
    char* value = nullptr;
    if (curl_url_get(url.get(), which, &value, CURLU_DEFAULT_PORT) != CURLUE_OK) return std::string();
    std::string result(value);
    curl_free(value);
    return result;
  };
  UrlParts parts{part(CURLUPART_SCHEME), part(CURLUPART_HOST), part(CURLUPART_PORT)};
  parts.host = ascii_lower(parts.host);
  if (parts.scheme != "http" && parts.scheme != "https")
    fail_source(
        "'{}' is no http or https address; use one of these, because models are fetched in no other way",
        text);
  return parts;
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

/// What the callbacks of one transfer share. They may not throw through libcurl.
struct HttpClient::Transfer {
  CURL* easy;
  const std::function<bool(const HttpHead&)>& on_head;
  const std::function<bool(std::span<const char>)>& on_bytes;
  HttpHead head;
  bool head_told = false;
  bool stopped = false;
  std::exception_ptr thrown;

  /// Calls the user; false ends the transfer.
  template <class Call>
  bool guarded(Call&& call) {
    try {
      if (call()) return true;
    } catch (...) {
      thrown = std::current_exception();
    }
    stopped = true;
    return false;
  }

  bool tell_head() {
    if (head_told) return true;
    head_told = true;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &head.status);
    return guarded([&] { return on_head(head); });
  }

  void header_line(std::string_view line) {
    if (line.starts_with("HTTP/")) head.headers.clear();  // of an earlier answer (100 Continue)
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || head.headers.size() >= 256) return;
    head.headers[ascii_lower(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
  }
};

void HttpClient::Free::operator()(void* easy) const { curl_easy_cleanup(easy); }

HttpClient::HttpClient(std::string token, const std::string& token_origin) : token_(std::move(token)) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  easy_.reset(ready == CURLE_OK ? curl_easy_init() : nullptr);
  if (easy_ == nullptr) fail("libcurl cannot be initialized; check its installation");
  const UrlParts home = split_url(token_origin);
  origin_ = home.origin();
  if (!token_.empty() && home.scheme == "http" && !home.is_this_machine()) {
    token_.clear();
    token_note_ =
        fmt::format("the access token is not sent to {}, because plain http does not encrypt it", origin_);
  }
  if (std::any_of(token_.begin(), token_.end(), [](unsigned char c) { return c <= 32 || c >= 127; }))
    fail("the access token has characters that are not allowed in a token; check HF_TOKEN");
}

HttpClient::~HttpClient() = default;

HttpEnd HttpClient::get_once(const HttpRequest& request, Transfer& transfer) {
  CURL* easy = easy_.get();
  curl_easy_reset(easy);
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, curl_slist_free_all);
  const auto add_header = [&](const std::string& line) {
    curl_slist* all = curl_slist_append(headers.get(), line.c_str());
    if (all == nullptr) throw std::bad_alloc();
    static_cast<void>(headers.release());
    headers.reset(all);
  };
  if (!token_.empty() && split_url(request.url).origin() == origin_)
    add_header("Authorization: Bearer " + token_);
  if (!request.accept.empty()) add_header("Accept: " + request.accept);
  if (request.from > 0) {
    add_header(fmt::format("Range: bytes={}-", request.from));
    if (!request.if_range.empty()) add_header("If-Range: " + request.if_range);
  }

  char problem[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "rung/" RUNG_VERSION);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 20L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);  // a stalled connection is a broken one
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, 30L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, problem);
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* bundle = std::getenv(name);
    if (bundle != nullptr && *bundle != '\0') curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
  }

  using Write = std::size_t (*)(char*, std::size_t, std::size_t, void*);
  const Write on_header = [](char* bytes, std::size_t, std::size_t n, void* user) {
    static_cast<Transfer*>(user)->header_line({bytes, n});
    return n;
  };
  const Write on_body = [](char* bytes, std::size_t, std::size_t n, void* user) {
    auto* t = static_cast<Transfer*>(user);
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (is_redirect(status)) return n;  // its body is of no interest
    const bool go_on = t->tell_head() && t->guarded([&] { return t->on_bytes({bytes, n}); });
    return go_on ? n : 0;
  };
  using Watch = int (*)(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  const Watch on_progress = [](void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return interrupted() ? 1 : 0;
  };
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);

  transfer.head = {};
  transfer.head.url = request.url;
  const CURLcode code = curl_easy_perform(easy);
  check_interrupted();
  HttpEnd end;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &transfer.head.status);
  end.reached = transfer.head.status != 0;
  if (code == CURLE_OK && !is_redirect(transfer.head.status)) transfer.tell_head();  // a body of no bytes
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  end.head = transfer.head;
  end.stopped = transfer.stopped;
  end.complete = code == CURLE_OK && !transfer.stopped;
  if (code != CURLE_OK && !transfer.stopped)
    end.problem = *problem != '\0' ? problem : curl_easy_strerror(code);
  return end;
}

HttpEnd HttpClient::get(const HttpRequest& request, const std::function<bool(const HttpHead&)>& on_head,
                        const std::function<bool(std::span<const char>)>& on_bytes) {
  constexpr int kMaxRedirects = 10;
  HttpRequest next = request;
  for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
    Transfer transfer{easy_.get(), on_head, on_bytes, {}, false, false, {}};
    const HttpEnd end = get_once(next, transfer);
    if (!end.complete || !is_redirect(end.head.status)) return end;
    char* target = nullptr;
    curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &target);
    if (target == nullptr || *target == '\0') fail_source("{} redirects without giving an address", next.url);
    const std::string url = target;
    if (split_url(next.url).scheme == "https" && split_url(url).scheme != "https")
      fail_source("{} redirects from https to http, which is not followed", next.url);
    next.url = url;
  }
  fail_source("{} redirects more than {} times", request.url, kMaxRedirects);
}

std::string url_encode(const std::string& text, bool keep_slashes) {
  std::string result;
  for (const char c : text) {
    const bool plain =
        is_ascii_letter(c) || is_ascii_digit(c) || c == '-' || c == '_' || c == '.' || c == '~';
    result += plain || (keep_slashes && c == '/') ? std::string(1, c)
                                                  : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string resolve_url(const std::string& base, const std::string& reference) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), curl_url_cleanup);
  char* value = nullptr;
  if (curl_url_set(url.get(), CURLUPART_URL, base.c_str(), 0) != CURLUE_OK ||
      curl_url_set(url.get(), CURLUPART_URL, reference.c_str(), 0) != CURLUE_OK ||
      curl_url_get(url.get(), CURLUPART_URL, &value, 0) != CURLUE_OK)
    fail_source("'{}' in the answer of {} is not a valid address", reference, base);
  std::string result(value);
  curl_free(value);
  const UrlParts target = split_url(result);  // http or https
  if (split_url(base).scheme == "https" && target.scheme != "https")
    fail_source("{} names an address without https, which is not followed: {}", base, result);
  return result;
}

}  // namespace rung::cli
