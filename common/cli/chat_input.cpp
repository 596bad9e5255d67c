#include "cli/chat_input.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include "cli/cli.hpp"

namespace rung::cli {
namespace {

volatile std::sig_atomic_t pressed = 0;

void on_chat_interrupt(int) { pressed = 1; }

constexpr const char* kFence = "\"\"\"";

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

void catch_chat_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_chat_interrupt;
  sigaction(SIGINT, &action, nullptr);
}
bool chat_interrupted() { return pressed != 0; }
void clear_chat_interrupt() { pressed = 0; }

ChatInput::Status ChatInput::read_line(std::string& line, const char* prompt) {
  if (prompts_) {
    fmt::print("{}", prompt);
    std::fflush(stdout);
  }
  for (;;) {
    if (const std::size_t end = buffer_.find('\n'); end != std::string::npos) {
      line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return Status::line;
    }
    if (at_end_) {
      if (buffer_.empty()) return Status::end;
      line = std::move(buffer_);
      buffer_.clear();
      return Status::line;
    }
    // The signal may come to another thread, or just before read(): so we look for it now and then.
    pollfd typed{STDIN_FILENO, POLLIN, 0};
    constexpr int kMilliseconds = 50;
    if (poll(&typed, 1, kMilliseconds) <= 0) {
      if (chat_interrupted() || interrupted()) return Status::interrupt;
      continue;
    }
    char piece[4096];
    const ssize_t n = ::read(STDIN_FILENO, piece, sizeof piece);
    if (n > 0) {
      buffer_.append(piece, static_cast<std::size_t>(n));
    } else if (n == 0) {
      at_end_ = true;
    } else if (errno != EINTR) {
      fail("cannot read standard input: {}", std::strerror(errno));
    }
  }
}

std::optional<ChatInput::Entry> ChatInput::next() {
  std::string text, line;
  bool fenced = false, goes_on = false;
  for (;;) {
    const Status status = read_line(line, fenced || goes_on ? ". " : "> ");
    if (status == Status::interrupt) return Entry{Entry::Kind::interrupt, {}, {}};
    if (status == Status::end) {
      if (text.empty()) return std::nullopt;
      return Entry{Entry::Kind::message, text, {}};
    }
    if (trimmed(line) == kFence) {
      if (fenced) return Entry{Entry::Kind::message, text, {}};
      fenced = true;
      continue;
    }
    if (fenced) {
      text += text.empty() ? line : "\n" + line;
      continue;
    }
    const bool first = !goes_on;
    goes_on = !line.empty() && line.back() == '\\';
    if (goes_on) line.back() = '\n';
    if (first && !goes_on && line.size() > 1 && line[0] == '/' && line[1] != '/') {
      const std::size_t space = line.find(' ');
      return Entry{Entry::Kind::command, space == std::string::npos ? "" : trimmed(line.substr(space + 1)),
                   line.substr(1, space == std::string::npos ? space : space - 1)};
    }
    if (first && line.size() > 1 && line[0] == '/' && line[1] == '/') line.erase(0, 1);
    text += line;
    if (!goes_on && !trimmed(text).empty()) return Entry{Entry::Kind::message, text, {}};
    if (!goes_on) text.clear();
  }
}

}  // namespace rung::cli
