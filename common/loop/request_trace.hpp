#pragma once
// Reads traces of real servers: when requests arrived, and how long their prompts and answers were. All
// programs use this reader.
//
// There are two formats, which the reader recognizes by the content of the file:
//
// - CSV: lines that end in ",prompt tokens,generated tokens", with or without a header. The first field is
//   the time, either a date or seconds. The Azure LLM inference traces
//   (github.com/Azure/AzurePublicDataset) have this format: "2023-11-16 18:17:03.97,374,44", and in 2024
//   "2024-05-10 00:00:00.009930+00:00,21,5". A field that the header calls "user" is the number of the user
//   that sent the request.
// - JSONL: the traces of Mooncake (Qin et al. 2024, arXiv 2407.00079). Each line is one object with timestamp
//   (ms), input_length, output_length and hash_ids, which has one number for every 512 tokens of the prompt.
//   Equal numbers mean equal tokens after equal prefixes.

#include <cstdint>
#include <iosfwd>
#include <limits>
#include <string>
#include <vector>

namespace rung {

struct TracedRequest {
  double arrival_s = 0;              // seconds since the first request of the trace
  int prompt = 0, output = 0;        // numbers of tokens
  int user = -1;                     // -1: the trace does not identify users
  std::vector<std::int64_t> blocks;  // ids of the prompt's blocks of block_tokens; the last may be partial
};

struct RequestTrace {
  std::vector<TracedRequest> requests;
  int block_tokens = 0;  // tokens per entry of `blocks`; 0: the trace does not describe the prompts' content
  bool has_arrivals = true;  // false: the first field of a CSV file is a name instead of a time
};

/// Reads the first `limit` requests of a file; "-" is stdin. A file that gzip compressed is unpacked. Throws
/// Error if the file cannot be read, has no requests, or has a line in neither of these formats. The message
/// names the file and the line.
RequestTrace read_request_trace(const std::string& path,
                                std::size_t limit = std::numeric_limits<std::size_t>::max());

/// Does the same with a stream, which error messages call `name`.
RequestTrace read_request_trace(std::istream& in, const std::string& name,
                                std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace rung
