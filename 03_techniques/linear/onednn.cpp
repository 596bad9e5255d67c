// The rung `onednn`: what a good library reaches. Intel's oneDNN multiplies; this file hands over pointers.
//
// It works in float32: weights of other formats are widened once, when the model is loaded, and laid out in
// whatever order the library asks for. A primitive (a compiled kernel for one shape) is made per number of
// tokens and kept. The library chooses a kernel by that number, so a token's last bits depend on how many
// stand beside it: this rung does not keep the seam's promise, `auto` never takes it, and the engine's tests
// of batch invariance leave it out. The library takes memory of its own in a call, which no Scratch counts.

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <utility>

#include "core/parallel.hpp"
#include "linear.hpp"
#include "panel_memory.hpp"

namespace rung::linear {
namespace {

using dnnl::memory;

/// oneDNN runs on as many threads as the calling thread's OpenMP setting says.
class ThreadsForNow {
 public:
  explicit ThreadsForNow(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~ThreadsForNow() { omp_set_num_threads(before_); }
  ThreadsForNow(const ThreadsForNow&) = delete;
  ThreadsForNow& operator=(const ThreadsForNow&) = delete;

 private:
  int before_;
};

dnnl::engine& processor() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::matmul::primitive_desc describe(const memory::desc& x, const memory::desc& w, const memory::desc& y) {
#if DNNL_VERSION_MAJOR >= 3
  return {processor(), x, w, y};
#else
  return {dnnl::matmul::desc(x, w, y), processor()};
#endif
}

class ByOneDnn final : public Linear {
 public:
  explicit ByOneDnn(const LinearConfig& config)
      : weight_(config.weight), threads_(config.threads), stream_(processor()) {
    const ThreadsForNow threads(threads_);
    guarded([&] { lay_out(config); });
  }

  std::size_t packed_bytes() const override { return bytes_; }

  void apply(const Tensor& x, const Tensor& y) override {
    if (x.rows == 0) return;
    const ThreadsForNow threads(threads_);
    guarded([&] {
      const Shape shape{x.rows, x.stride, y.stride};
      auto found = primitives_.find(shape);
      if (found == primitives_.end()) {
        found = primitives_.emplace(shape, dnnl::matmul(describe(from(shape), layout_, to(shape)))).first;
      }
      found->second.execute(stream_, {{DNNL_ARG_SRC, {from(shape), processor(), x.data}},
                                      {DNNL_ARG_WEIGHTS, {layout_, processor(), weights()}},
                                      {DNNL_ARG_DST, {to(shape), processor(), y.data}}});
      stream_.wait();
    });
  }

 private:
  struct Shape {
    std::int64_t tokens, x_stride, y_stride;
    auto operator<=>(const Shape&) const = default;
  };

  memory::desc from(const Shape& s) const {
    return {{s.tokens, weight_.cols}, memory::data_type::f32, memory::dims{s.x_stride, 1}};
  }
  memory::desc to(const Shape& s) const {
    return {{s.tokens, weight_.rows}, memory::data_type::f32, memory::dims{s.y_stride, 1}};
  }
  void* weights() const { return copy_ ? static_cast<void*>(copy_.get()) : weight_.data; }

  /// Asks which order of the weights the library wants for the largest step, and writes them in it. The
  /// library sees W [out, in] as its transpose, [in, out] with columns that lie together.
  void lay_out(const LinearConfig& config) {
    const memory::dims shape{weight_.cols, weight_.rows};
    // Asked about no tokens, oneDNN 2.6 divides by their number.
    const Shape largest{std::max(1, config.max_tokens), weight_.cols, weight_.rows};
    const memory::desc any(shape, memory::data_type::f32, memory::format_tag::any);
    const memory::desc rows(shape, memory::data_type::f32, memory::dims{1, weight_.cols});
    layout_ = describe(from(largest), any, to(largest)).weights_desc();
    const bool plain = weight_.dtype == DType::f32 && weight_.stride == weight_.cols;
    if (plain && layout_ == rows) return;  // used where it lies

    bytes_ = layout_.get_size();
    copy_ = take_panels(bytes_, "onednn", config);
    if (layout_ == rows) {
      widen(reinterpret_cast<float*>(copy_.get()));
      return;
    }
    std::vector<float> wide(static_cast<std::size_t>(weight_.size()));
    widen(wide.data());
    const memory source(rows, processor(), wide.data()), target(layout_, processor(), copy_.get());
    dnnl::reorder(source, target).execute(stream_, {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, target}});
    stream_.wait();
  }

  void widen(float* to) const {
    parallel_for(threads_, weight_.rows,
                 [&](std::int64_t o) { read_row(weight_, o, to + o * weight_.cols); });
  }

  template <class Work>
  void guarded(const Work& work) const {
    try {
      work();
    } catch (const dnnl::error& error) {
      fail("oneDNN cannot multiply [{} -> {}] in {}: {}; --linear simd can", weight_.cols, weight_.rows,
           traits(weight_.dtype).name, error.what());
    }
  }

  Tensor weight_;
  int threads_;
  dnnl::stream stream_;
  memory::desc layout_;
  PanelMemory copy_;  // empty where the library can use the weight as it lies
  std::size_t bytes_ = 0;
  std::map<Shape, dnnl::matmul> primitives_;
};

}  // namespace

std::unique_ptr<Linear> make_onednn(const LinearConfig& config) { return std::make_unique<ByOneDnn>(config); }

}  // namespace rung::linear
