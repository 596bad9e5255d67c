#include "cli/checksum.hpp"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <fstream>
#include <vector>

#include "cli/cli.hpp"
#include "core/error.hpp"

namespace rung::cli {
namespace {

EVP_MD_CTX* of(void* context) { return static_cast<EVP_MD_CTX*>(context); }

void check(int ok) {
  if (ok != 1) fail("the checksum could not be computed: libcrypto refused");
}

}  // namespace

void Checksum::Free::operator()(void* context) const { EVP_MD_CTX_free(of(context)); }

Checksum::Checksum(const void* algorithm) : context_(EVP_MD_CTX_new()) {
  check(context_ != nullptr &&
        EVP_DigestInit_ex(of(context_.get()), static_cast<const EVP_MD*>(algorithm), nullptr) == 1);
}

Checksum Checksum::sha256() { return Checksum(EVP_sha256()); }

Checksum Checksum::git_blob(std::uint64_t size) {
  Checksum sum(EVP_sha1());
  const std::string head = fmt::format("blob {}", size);
  sum.add({head.c_str(), head.size() + 1});  // with its terminating zero
  return sum;
}

void Checksum::add(std::span<const char> bytes) {
  check(EVP_DigestUpdate(of(context_.get()), bytes.data(), bytes.size()));
}

std::string Checksum::finish() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  check(EVP_DigestFinal_ex(of(context_.get()), digest, &size));
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::string checksum_of(const std::filesystem::path& path, Checksum sum) {
  std::ifstream in(path, std::ios::binary);
  std::vector<char> buffer(std::size_t{1} << 20);
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), in.gcount() > 0) {
    sum.add({buffer.data(), static_cast<std::size_t>(in.gcount())});
    check_interrupted();
  }
  return sum.finish();
}

bool is_file_of(const std::filesystem::path& path, std::uint64_t size) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && std::filesystem::file_size(path, error) == size &&
         !error;
}

bool is_file_of(const std::filesystem::path& path, std::uint64_t size, const std::string& hash) {
  return is_file_of(path, size) &&
         checksum_of(path, hash.size() == 64 ? Checksum::sha256() : Checksum::git_blob(size)) == hash;
}

}  // namespace rung::cli
