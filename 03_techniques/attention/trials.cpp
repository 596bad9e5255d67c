// The workloads of this ladder: shapes, inputs, the float64 oracle, and what one call costs.

#include "trials.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include <fmt/core.h>

#include "core/guarded_buffer.hpp"
#include "core/large_array.hpp"
#include "core/rng.hpp"

namespace rung::attention {

namespace {

/// Windows and soft caps, alone and together, against head sizes that fill no vector and every way to share
/// KV heads. Magnitudes take the scores well beyond the cap.
void add_window_and_cap(std::vector<Case>& cases) {
  struct Heads {
    int heads, kv_heads, head_dim;
  };
  const Heads shapes[] = {{6, 2, 40}, {4, 1, 80}, {3, 3, 96}};
  struct Cut {
    int window;
    float softcap, magnitude;
  };
  const Cut cuts[] = {{1, 0, 1},   {2, 0, 1},    {16, 0, 1},    {64, 0, 1},  {1000, 0, 1},
                      {0, 50, 80}, {0, 5, 10},   {1, 5, 10},    {2, 50, 80}, {16, 5, 10},
                      {65, 5, 10}, {16, 50, 80}, {1000, 50, 80}};
  int next = 0;
  for (const Cut& cut : cuts) {
    const Heads& shape = shapes[next++ % 3];
    Case c{fmt::format("window {}, soft cap {}", cut.window, cut.softcap),
           shape.heads,
           shape.kv_heads,
           shape.head_dim,
           {{9, 9}, {1, 130}, {70, 200}, {1, 1}, {3, 66}},
           cut.magnitude};
    c.window = cut.window;
    c.softcap = cut.softcap;
    cases.push_back(std::move(c));
  }
}

/// Every format of K and V, with heads that are whole blocks of it.
void add_narrow(std::vector<Case>& cases) {
  for (const DType type : {DType::f16, DType::bf16, DType::f8_e4m3, DType::q8_0, DType::mxfp8}) {
    const std::string name(traits(type).name);
    const auto add = [&](Case c) {
      c.kv_dtype = type;
      cases.push_back(std::move(c));
    };
    add({"mixed batch, K and V in " + name, 6, 2, 96, {{1, 1}, {33, 95}, {1, 130}, {9, 9}, {2, 66}}});
    Case window{"window 16, K and V in " + name, 8, 1, 32, {{70, 200}, {1, 130}}};
    window.window = 16;
    add(std::move(window));
    if (traits(type).block_elements == 1) add({"head_dim 40, K and V in " + name, 3, 3, 40, {{5, 70}}});
    add({"decode, context 4096, K and V in " + name, 32, 8, 64, {{1, 4096}}, 1, 0, true});
  }
}

/// Blocks smaller and larger than a tile of keys, with everything that cuts across them.
void add_paged(std::vector<Case>& cases) {
  for (const int block : {1, 2, 16, 64, 256}) {
    Case mixed{fmt::format("mixed batch, blocks of {}", block),
               6,
               2,
               40,
               {{1, 1}, {33, 95}, {1, 130}, {9, 9}, {2, 66}, {1, 600}}};
    mixed.block = block;
    cases.push_back(mixed);
    mixed.name += ", window 70";
    mixed.window = 70;
    cases.push_back(std::move(mixed));
  }
  for (const DType type : {DType::f16, DType::q8_0}) {
    Case narrow{fmt::format("mixed batch, blocks of 16, K and V in {}", traits(type).name),
                4,
                2,
                64,
                {{33, 95}, {1, 530}}};
    narrow.kv_dtype = type;
    narrow.block = 16;
    cases.push_back(std::move(narrow));
  }
  for (const int block : {1, 16, 256}) {
    Case decode{fmt::format("decode, context 4096, blocks of {}", block), 32, 8, 64, {{1, 4096}}, 1, 0, true};
    decode.block = block;
    cases.push_back(std::move(decode));
  }
  Case arithmetic{"decode, context 8192, all in one block of 64", 32, 8, 64, {{1, 8192}}, 1, 0, true};
  arithmetic.block = 64;
  arithmetic.one_block = true;
  cases.push_back(std::move(arithmetic));
  Case prefill{"prefill 512, blocks of 16", 32, 8, 64, {{512, 512}}, 1, 0, true};
  prefill.block = 16;
  cases.push_back(std::move(prefill));
}

/// Trees of drafts beside other rows: forks at the root and behind it, with and without rows before them.
void add_trees(std::vector<Case>& cases) {
  const std::vector<std::int32_t> fork = {-1, 0, 0, 1, 2, 1}, wide = {-1, -1, 0, -1, 1, 2, 5, 3};
  Case trees{"trees of drafts", 6, 2, 40, {{7, 69, fork}, {9, 9}, {8, 140, wide}, {1, 130}, {6, 6, fork}}};
  cases.push_back(trees);
  trees.name += ", window 5, blocks of 16";
  trees.window = 5;
  trees.block = 16;
  cases.push_back(std::move(trees));
  Case narrow{"trees of drafts, K and V in q8_0", 4, 1, 64, {{9, 520, wide}, {33, 95}, {8, 67, fork}}};
  narrow.kv_dtype = DType::q8_0;
  cases.push_back(std::move(narrow));
}

}  // namespace

std::vector<Case> cases() {
  std::vector<Case> cases = {
      {"one token", 4, 4, 16, {{1, 1}}},
      {"prompt of 5", 4, 2, 8, {{5, 5}}},
      {"prompt of 64", 8, 4, 64, {{64, 64}}},
      {"prompt of 65, 3 heads per KV head", 6, 2, 40, {{65, 65}}},
      {"decode, context 129", 8, 8, 64, {{1, 129}}},
      {"chunk of 7 at position 193, MQA", 8, 1, 128, {{7, 200}}},
      {"head_dim 10", 3, 1, 10, {{9, 20}}},
      {"mixed batch, 8 heads per KV head",
       8,
       1,
       64,
       {{1, 1}, {17, 17}, {1, 64}, {33, 95}, {1, 130}, {2, 66}}},
      {"mixed batch, strided rows", 6, 3, 24, {{3, 3}, {1, 63}, {70, 135}, {1, 65}}, 1, 20},
      {"scores in the thousands", 4, 2, 32, {{40, 100}, {1, 150}}, 1000},
      {"decode beyond one chunk", 4, 1, 40, {{1, 513}, {1, 512}, {1, 1600}}},
      {"chunk of 30 at position 1010, 2 heads per KV head", 4, 2, 24, {{30, 1040}}},
      {"decode, 32 heads", 32, 8, 64, {{1, 1100}, {1, 40}, {1, 600}}},
      {"decode, context 8192, MQA", 8, 1, 128, {{1, 8192}}, 1, 0, true},
      {"decode, context 4096", 32, 8, 64, {{1, 4096}}, 1, 0, true},
      {"decode, context 8192", 32, 8, 64, {{1, 8192}}, 1, 0, true},
      {"decode, 4 x context 1024", 32, 8, 64, {{1, 1024}, {1, 1024}, {1, 1024}, {1, 1024}}, 1, 0, true},
      {"prefill 512", 32, 8, 64, {{512, 512}}, 1, 0, true},
      {"prefill, the last 64 of 8192", 4, 1, 64, {{64, 8192}}, 1, 0, true},
      {"decode, context 4096, window 1024", 32, 8, 64, {{1, 4096}}, 1, 0, true, 1024},
      {"prefill 512, soft cap 50", 32, 8, 64, {{512, 512}}, 1, 0, true, 0, 50},
  };
  add_window_and_cap(cases);
  add_narrow(cases);
  add_paged(cases);
  add_trees(cases);
  return cases;
}

Case judged_part(Case shape) {
  if (shape.timed && shape.kv_heads % 4 == 0) {
    shape.heads /= 4;
    shape.kv_heads /= 4;
  }
  return shape;
}

Workload make_workload(const Case& shape) {
  Workload work;
  int longest = 0;
  std::int64_t tokens = 0;
  for (const auto& [queries, context, parents] : shape.sequences) longest = std::max(longest, context);
  const int block_size = shape.block > 0 ? shape.block : longest + 3;
  // Blocks are handed out in reverse and block 0 stays free, so that a rung which ignores the table fails.
  int blocks = 1;
  for (const auto& [queries, context, parents] : shape.sequences)
    blocks += (context + block_size - 1) / block_size;
  int next = blocks;
  for (const auto& [queries, context, parents] : shape.sequences) {
    const auto table = static_cast<std::int32_t>(work.batch.block_table.size());
    const int entries = (context + block_size - 1) / block_size;
    for (int b = 0; b < entries; ++b) {
      if (b == 0 || !shape.one_block) --next;
      work.batch.block_table.push_back(next);
    }
    work.batch.sequences.push_back({static_cast<std::int32_t>(tokens), queries, context, table, entries});
    for (int j = 0; j < queries; ++j) work.batch.positions.push_back(context - queries + j);
    tokens += queries;
    make_tree(work.batch, parents);
  }
  work.batch.tokens.assign(static_cast<std::size_t>(tokens), 0);

  work.config.heads = shape.heads;
  work.config.kv_heads = shape.kv_heads;
  work.config.head_dim = shape.head_dim;
  work.config.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(shape.head_dim)));
  work.config.max_context = longest;
  work.config.window = shape.window;
  work.config.softcap = shape.softcap;
  work.config.kv_dtype = shape.kv_dtype;

  Rng rng(20260101);
  const int q_width = shape.heads * shape.head_dim;
  work.q.resize(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(q_width + shape.gap));
  for (float& x : work.q) x = shape.magnitude * static_cast<float>(rng.normal());
  work.q_rows = {work.q.data(), DType::f32, tokens, q_width, q_width + shape.gap};

  const int kv_width = shape.kv_heads * shape.head_dim;
  const std::int64_t slots = std::int64_t{blocks} * block_size;
  work.keys.assign(bytes_of(shape.kv_dtype, slots * kv_width), std::byte{0xff});
  work.values = work.keys;
  work.kv.keys = {work.keys.data(), shape.kv_dtype, slots, kv_width};
  work.kv.values = {work.values.data(), shape.kv_dtype, slots, kv_width};
  work.kv.block_size = block_size;
  work.kv.contiguous = shape.block == 0;
  for (const BatchSequence& s : work.batch.sequences) {
    std::vector<float> key(static_cast<std::size_t>(kv_width)), value(key);
    for (int p = 0; p < s.context_length; ++p) {
      for (std::size_t i = 0; i < key.size(); ++i) {
        key[i] = static_cast<float>(rng.normal());
        value[i] = static_cast<float>(rng.normal());
      }
      traits(shape.kv_dtype).from_float(key.data(), work.kv.keys.row(work.slot(s, p)), kv_width);
      traits(shape.kv_dtype).from_float(value.data(), work.kv.values.row(work.slot(s, p)), kv_width);
    }
  }
  return work;
}

std::vector<int> Workload::path(const BatchSequence& s, int j) const {
  const std::uint64_t nodes = batch.ancestors_of(static_cast<std::size_t>(s.query_begin + j));
  const int before = nodes == 0 ? s.context_length - s.query_count + j + 1 : s.context_length - s.drafts;
  std::vector<int> places;
  for (int p = 0; p < before; ++p) places.push_back(p);
  for (int node = 0; node < s.drafts; ++node) {
    if ((nodes >> node & 1) != 0) places.push_back(before + node);
  }
  return places;
}

namespace {

double dot(const float* a, const float* b, int n) {
  double sums[4] = {};  // side by side: an addition takes several cycles
  for (int i = 0; i < n; ++i) sums[i % 4] += double{a[i]} * b[i];
  return sums[0] + sums[1] + (sums[2] + sums[3]);
}

}  // namespace

// The tolerance. With eps = 2^-24, rounding moves the score of a key by about
//   delta = 4 eps sqrt(head_dim) |q| |k| scale                     (a sum of head_dim products),
// which multiplies its weight by at most exp(2 delta) (once in the weight, once in the sum), and a sum
// of n terms adds about 4 eps sqrt(n) more. Rounding errors of either sign walk as the square root of
// their number; the factor 4 is the margin. So out[d] may be off by
//   (exp(2 delta) - 1 + 4 eps sqrt(n) + 8 eps) * sum_p w_p |v_p[d]|.
// A cap adds the rounding of a division, a tanh (4 ulp) and a product to the capped score, eight eps in all,
// to delta, and makes no error larger: its slope is at most 1.
Answer oracle(const Workload& work, int mask_shift, int window_shift) {
  const AttentionConfig& c = work.config;
  constexpr double kEps = 0x1p-24;
  Answer answer;
  std::vector<double> weights;
  std::vector<float> keys, values;  // [context, kv_heads * head_dim], as they were rounded
  std::vector<double> key_norms;    // [context, kv_heads], squared
  for (const BatchSequence& s : work.batch.sequences) {
    const std::int64_t kv_width = work.kv.keys.cols;
    keys.resize(static_cast<std::size_t>(s.context_length * kv_width));
    values.resize(keys.size());
    for (int p = 0; p < s.context_length; ++p) {
      traits(c.kv_dtype).to_float(work.kv.keys.row(work.slot(s, p)), keys.data() + p * kv_width, kv_width);
      traits(c.kv_dtype)
          .to_float(work.kv.values.row(work.slot(s, p)), values.data() + p * kv_width, kv_width);
    }
    key_norms.clear();
    for (std::size_t i = 0; i < keys.size(); i += static_cast<std::size_t>(c.head_dim)) {
      key_norms.push_back(dot(keys.data() + i, keys.data() + i, c.head_dim));
    }
    for (int j = 0; j < s.query_count; ++j) {
      std::vector<int> places = work.path(s, j);
      const int position = static_cast<int>(places.size()) - 1;
      if (mask_shift > 0 && places.back() + 1 < s.context_length) places.push_back(places.back() + 1);
      const int visible = std::clamp(position + 1 + mask_shift, 1, static_cast<int>(places.size()));
      const int edge = c.window > 0 ? position + 1 - c.window + window_shift : 0;
      const int first = std::clamp(edge, 0, visible - 1);
      for (int h = 0; h < c.heads; ++h) {
        const int kv_head = h / (c.heads / c.kv_heads);
        const std::int64_t column = std::int64_t{kv_head} * c.head_dim;
        const float* q = work.q_rows.ptr<float>(s.query_begin + j) + h * c.head_dim;
        const double q_norm = dot(q, q, c.head_dim);
        double k_norm = 0, largest = -HUGE_VAL;
        weights.assign(static_cast<std::size_t>(visible - first), 0);
        for (int p = first; p < visible; ++p) {
          const int place = places[static_cast<std::size_t>(p)];
          const double scaled = dot(q, keys.data() + place * kv_width + column, c.head_dim) * c.scale;
          const double score = c.softcap > 0 ? c.softcap * std::tanh(scaled / c.softcap) : scaled;
          weights[static_cast<std::size_t>(p - first)] = score;
          k_norm = std::max(k_norm, key_norms[static_cast<std::size_t>(place * c.kv_heads + kv_head)]);
          largest = std::max(largest, score);
          answer.largest_score = std::max(answer.largest_score, std::fabs(scaled));
        }
        double sum = 0;
        for (double& w : weights) sum += w = std::exp(w - largest);

        const double delta =
            4 * kEps * std::sqrt(c.head_dim * q_norm * k_norm) * c.scale + 8 * kEps * c.softcap;
        const double relative = std::expm1(2 * delta) + 4 * kEps * std::sqrt(visible - first) + 8 * kEps;
        answer.lse.push_back(largest + std::log(sum));
        answer.lse_tolerance.push_back(delta + 4 * kEps * std::sqrt(visible - first) +
                                       4 * kEps * std::max(1.0, std::fabs(largest)));
        std::vector<double> out(static_cast<std::size_t>(c.head_dim)), magnitude(out);
        for (int p = first; p < visible; ++p) {
          const double w = weights[static_cast<std::size_t>(p - first)] / sum;
          const float* v = values.data() + places[static_cast<std::size_t>(p)] * kv_width + column;
          for (int d = 0; d < c.head_dim; ++d) {
            out[static_cast<std::size_t>(d)] += w * v[d];
            magnitude[static_cast<std::size_t>(d)] += w * std::fabs(v[d]);
          }
        }
        for (std::size_t d = 0; d < out.size(); ++d) {
          answer.expected.push_back(out[d]);
          answer.tolerance.push_back(relative * magnitude[d]);
        }
      }
    }
  }
  return answer;
}

namespace {

// Keys and values of every sequence that any row sees once, q and out once; two products of head_dim
// multiply-adds for each visible key. The heads of a group share their K and V, so they count once. A cap's
// tanh is not counted, and a tree of drafts counts as a chain: none is timed.
Work cost(const Case& shape) {
  Work work;
  for (const auto& [queries, context, parents] : shape.sequences) {
    double visible = 0;  // summed over the rows
    for (int past = context - queries + 1; past <= context; ++past) {
      visible += shape.window > 0 ? std::min(past, shape.window) : past;
    }
    const double read = shape.window > 0 ? std::min(context, queries - 1 + shape.window) : context;
    work.flops += 4.0 * shape.heads * shape.head_dim * visible;
    const auto kv_row = static_cast<double>(bytes_of(shape.kv_dtype, shape.head_dim));
    work.bytes += 2 * shape.kv_heads * read * kv_row + 4.0 * shape.head_dim * 2.0 * shape.heads * queries;
  }
  return work;
}

/// A workload and its answer, made when first asked for and kept for the next rung.
struct Lazy {
  Case shape;
  std::unique_ptr<Workload> work_;
  std::unique_ptr<Answer> answer_;

  const Workload& work() {
    if (!work_) work_ = std::make_unique<Workload>(make_workload(shape));
    return *work_;
  }
  const Answer& answer() {
    if (!answer_) answer_ = std::make_unique<Answer>(oracle(work()));
    return *answer_;
  }
};

/// A rung that is timed. In decode every key is read once, and a model has a cache per layer: calls take
/// turns with copies, so that none finds what the one before it left behind.
struct Timed {
  Timed(const Case& shape, const Workload& work, std::shared_ptr<Attention> attention)
      : work(work), attention(std::move(attention)), out(work.tokens(), work.q_rows.cols) {
    const bool decode = std::all_of(shape.sequences.begin(), shape.sequences.end(),
                                    [](const Case::Sequence& s) { return s.queries == 1; });
    const std::size_t bytes = work.keys.size() + work.values.size();
    for (std::size_t i = 0; decode && i < 2 * (kRotatedBytes / bytes); ++i) {
      const std::vector<std::byte>& original = i % 2 == 0 ? work.keys : work.values;
      copies.push_back(std::make_unique<LargeArray>(original.size() / sizeof(float) + 1, Pages::large));
      std::memcpy(copies.back()->begin(), original.data(), original.size());
    }
    this->attention->plan(work.batch);
  }

  void run() {
    KvView kv = work.kv;
    if (!copies.empty()) {
      kv.keys.data = copies[turn]->begin();
      kv.values.data = copies[turn + 1]->begin();
      turn = (turn + 2) % copies.size();
    }
    attention->run(work.q_rows, kv, out.tensor());
  }

  const Workload& work;
  std::shared_ptr<Attention> attention;
  GuardedBuffer out;
  std::vector<std::unique_ptr<LargeArray>> copies;  // keys, values, keys, ...
  std::size_t turn = 0;
};

}  // namespace

std::vector<Trial> trials(const Ladder<Attention>& ladder) {
  std::vector<Trial> result;
  for (const Case& shape : cases()) {
    const auto whole = std::make_shared<Lazy>(Lazy{shape, {}, {}});
    const auto part = std::make_shared<Lazy>(Lazy{judged_part(shape), {}, {}});
    Trial trial;
    trial.name = shape.name;
    trial.work = cost(shape);
    trial.timed = shape.timed;
    trial.judge = [part, &ladder](const std::string& rung, int threads) {
      return judged([&]() -> Verdict {
        const Workload& work = part->work();
        AttentionConfig config = work.config;
        config.threads = threads;
        try {
          ladder.choose(rung, config);
        } catch (const UsageError&) {
          throw;
        } catch (const Error& error) {
          return {Verdict::Status::unsupported, 0, 0, error.what()};
        }
        const Case& c = part->shape;
        const int width = c.heads * c.head_dim;
        GuardedBuffer out(work.tokens(), width, width + c.gap);
        const auto attention = ladder.make(rung, config);
        attention->plan(work.batch);
        attention->run(work.q_rows, work.kv, out.tensor());
        out.check_guards();
        const Answer& answer = part->answer();
        return compare(c.name, {{"token", work.tokens()}, {"head", c.heads}, {"dim", c.head_dim}},
                       out.values(), answer.expected, answer.tolerance);
      });
    };
    trial.prepare = [whole, &ladder](const std::string& rung, int threads) -> std::function<void()> {
      const Workload& work = whole->work();
      AttentionConfig config = work.config;
      config.threads = threads;
      const auto timed = std::make_shared<Timed>(whole->shape, work, ladder.make(rung, config));
      return [whole, timed] { timed->run(); };
    };
    result.push_back(std::move(trial));
  }
  return result;
}

}  // namespace rung::attention
