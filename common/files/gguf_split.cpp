// Opens models in several GGUF files, as llama.cpp's gguf-split writes them: NAME-00001-of-00003.gguf and so
// on. Each file has the metadata split.no (from 0), split.count and split.tensors.count (of all files
// together).

#include <filesystem>

#include "core/error.hpp"
#include "files/gguf.hpp"

namespace rung {
namespace {

constexpr std::string_view kNumber = "split.no";
constexpr std::string_view kCount = "split.count";
constexpr std::string_view kTensors = "split.tensors.count";
constexpr std::uint64_t kMaxFiles = 99999;  // a file's name has five digits for it

std::string file_name(const std::string& stem, std::uint64_t number, std::uint64_t count) {
  return fmt::format("{}-{:05}-of-{:05}.gguf", stem, number + 1, count);
}

/// NAME of NAME-0000n-of-0000m.gguf. The numbers come from the metadata: the name must agree with them.
std::string stem_of(const std::string& path, std::uint64_t number, std::uint64_t count) {
  const std::string end = file_name("", number, count);
  if (!path.ends_with(end)) {
    fail(
        "{}: its metadata says that it is file {} of {}, so its name must end in '{}'; give the files the "
        "names "
        "that they were published under",
        path, number + 1, count, end);
  }
  return path.substr(0, path.size() - end.size());
}

}  // namespace

std::uint64_t Gguf::file_size() const {
  std::uint64_t size = file_->bytes().size();
  for (const auto& other : others_) size += other->file_size();
  return size;
}

void Gguf::add_file(std::shared_ptr<const Gguf> file) {
  for (const GgufTensor& tensor : file->tensors()) {
    if (!tensor_by_name_.emplace(tensor.name, tensors_.size()).second) {
      fail("{}: tensor '{}' is in an earlier file of the same model already", file->path(), tensor.name);
    }
    tensors_.push_back(tensor);
  }
  others_.push_back(std::move(file));
}

std::shared_ptr<const Gguf> Gguf::open(const std::string& path, const FileOpener& opener) {
  std::shared_ptr<Gguf> given = open_one(path, opener);
  const std::uint64_t count = given->get_u64(kCount, 1);
  if (count > kMaxFiles)
    fail("{}: metadata '{}' is {}; at most {} is possible", path, kCount, count, kMaxFiles);
  if (count <= 1) return given;  // llama.cpp's tool that merges files leaves 0 behind
  const std::uint64_t number = given->get_u64(kNumber);
  if (number >= count) fail("{}: metadata '{}' is {}, but there are {} files", path, kNumber, number, count);
  const std::string stem = stem_of(path, number, count);

  // All names first: what is missing is told before anything is read.
  std::error_code error;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string name = file_name(stem, i, count);
    if (!std::filesystem::exists(name, error)) {
      fail("{}: the model comes in {} files and {} is missing beside it; fetch all of them", path, count,
           std::filesystem::path(name).filename().string());
    }
  }
  std::shared_ptr<Gguf> first;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string name = file_name(stem, i, count);
    std::shared_ptr<Gguf> file = i == number ? given : open_one(name, opener);
    if (file->get_u64(kCount, 1) != count || file->get_u64(kNumber, 0) != i) {
      fail("{}: its metadata says file {} of {}, its name file {} of {}; the files do not belong together",
           name, file->get_u64(kNumber, 0) + 1, file->get_u64(kCount, 1), i + 1, count);
    }
    if (i == 0) {
      first = std::move(file);
    } else {
      first->add_file(std::move(file));
    }
  }
  const std::uint64_t expected = first->get_u64(kTensors, first->tensors().size());
  if (expected != first->tensors().size()) {
    fail("{}: metadata '{}' is {}, but the {} files have {} tensors together; fetch them again",
         first->path(), kTensors, expected, count, first->tensors().size());
  }
  return first;
}

}  // namespace rung
