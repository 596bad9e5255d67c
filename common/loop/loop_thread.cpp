// One mutex guards the queue of work, and each stream has its own mutex. In each round, the loop's thread
// takes all work from the queue, executes it without a lock, makes a step, and hands out the results of
// requests that have ended.

#include "loop/loop_thread.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <type_traits>
#include <utility>

namespace rung {

/// The state that the callers' threads and the loop's thread share.
struct LoopThread::Shared {
  using Work = std::function<void(StepLoop& loop)>;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Work> work;    // in the order in which it was posted
  bool stopping = false;     // no more work is taken
  std::exception_ptr error;  // the error that ended the loop, if there was one
  std::thread::id thread;    // the loop's thread; written before the first call

  // Only the loop's thread uses these members.
  std::map<int, std::shared_ptr<RequestStream>> streams;  // the requests that have not ended, by id
  std::vector<RequestStream*> ended;   // part of `streams`: ended since the last hand_out()
  std::vector<RequestStream*> failed;  // part of `streams`: their listener threw since the last hand_out()

  /// Appends work to the queue. Throws Error if the loop has stopped, because the work would never be
  /// executed.
  void post(Work item) {
    const std::lock_guard lock(mutex);
    if (error) std::rethrow_exception(error);
    if (stopping) fail("the engine was shut down and accepts no more requests; build a new one");
    work.push_back(std::move(item));
    changed.notify_all();
  }

  /// Posts work, waits until it was executed, and returns its result.
  template <class Item>
  auto call(Item item) {
    using Value = std::invoke_result_t<Item, StepLoop&>;
    if (std::this_thread::get_id() == thread)
      fail(
          "a request's listener may call nothing but cancel(), or the engine's thread would wait for itself");
    auto task = std::make_shared<std::packaged_task<Value(StepLoop&)>>(std::move(item));
    std::future<Value> value = task->get_future();
    // Only the queue owns the task. If the queue is dropped, the task is destroyed and breaks its promise.
    post([task = std::move(task)](StepLoop& loop) { (*task)(loop); });
    try {
      return value.get();
    } catch (const std::future_error&) {
      const std::lock_guard lock(mutex);
      if (error) std::rethrow_exception(error);
      fail("the engine was shut down before it could answer; build a new one");
    }
  }

  void hand_out(StepLoop& loop);
  void end_all(StepLoop& loop, std::exception_ptr why);
};

class LoopThread::RequestStream final : public Stream, public std::enable_shared_from_this<RequestStream> {
 public:
  RequestStream(std::shared_ptr<Shared> shared, OnDelta listener)
      : shared_(std::move(shared)), listener_(std::move(listener)) {}

  std::optional<Delta> next() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_ || !deltas_.empty(); });
    return take();
  }
  std::optional<Delta> poll() override {
    const std::lock_guard lock(mutex_);
    return take();
  }
  Result wait() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_; });
    if (error_) std::rethrow_exception(error_);
    return result_;
  }
  bool finished() const override {
    const std::lock_guard lock(mutex_);
    return done_;
  }
  void cancel() override {
    if (finished()) return;
    const std::lock_guard lock(shared_->mutex);
    if (shared_->stopping) return;  // it ends anyway
    shared_->work.push_back([self = shared_from_this()](StepLoop& loop) {
      if (self->shared_->streams.count(self->id) > 0) loop.cancel(self->id);
    });
    shared_->changed.notify_all();
  }
  std::shared_ptr<Stream> fork(std::uint64_t seed) override {
    auto stream = std::make_shared<RequestStream>(shared_, OnDelta{});
    Shared& shared = *shared_;
    shared.call([&shared, stream, from = id, seed](StepLoop& loop) {
      if (shared.streams.count(from) == 0)
        fail_usage("request {} has ended; fork a request while it waits or runs", from);
      stream->id = loop.fork(from, seed, stream->hearing());
      shared.streams[stream->id] = stream;
    });
    return stream;
  }

  // Only the loop's thread writes `id` and calls the functions below.

  int id = -1;  // written before other threads see the stream

  /// Returns the listener that the loop calls with each delta of this request.
  OnDelta hearing() {
    return [this](const Delta& delta) {  // `streams` owns this as long as the loop calls it
      push(delta);
      if (listener_ && !own_error_) {
        try {
          listener_(delta);
        } catch (...) {
          own_error_ = std::current_exception();
          shared_->failed.push_back(this);
        }
      }
      if (delta.finish_reason != FinishReason::none) shared_->ended.push_back(this);
    };
  }

  /// Ends the stream. `why` is the error that ended the loop, or null. An error of the request's own listener
  /// takes precedence.
  void end(Result last, const std::exception_ptr& why) {
    const std::lock_guard lock(mutex_);
    result_ = std::move(last);
    error_ = own_error_ ? own_error_ : why;
    done_ = true;
    changed_.notify_all();
  }

 private:
  void push(const Delta& delta) {
    const std::lock_guard lock(mutex_);
    deltas_.push_back(delta);
    changed_.notify_all();
  }
  /// Returns the next delta, if there is one. REQUIRES: the caller holds mutex_.
  std::optional<Delta> take() {
    if (deltas_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return std::nullopt;
    }
    Delta delta = std::move(deltas_.front());
    deltas_.pop_front();
    return delta;
  }

  const std::shared_ptr<Shared> shared_;
  const OnDelta listener_;
  std::exception_ptr own_error_;  // thrown by the listener; only the loop's thread uses it

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Delta> deltas_;
  bool done_ = false;
  Result result_;
  std::exception_ptr error_;
};

/// Cancels the requests whose listener threw, and hands out the results of the requests that ended.
void LoopThread::Shared::hand_out(StepLoop& loop) {
  for (RequestStream* stream : std::exchange(failed, {})) loop.cancel(stream->id);
  for (RequestStream* stream : std::exchange(ended, {})) {
    stream->end(loop.take(stream->id), nullptr);
    streams.erase(stream->id);
  }
}

void LoopThread::Shared::end_all(StepLoop& loop, std::exception_ptr why) {
  try {
    if (!why) {
      for (const auto& [id, stream] : streams) loop.cancel(id);
      for (const auto& [id, stream] : streams) {
        while (!loop.finished(id)) loop.step();  // steps in flight end first
      }
    }
  } catch (...) {
    why = std::current_exception();
  }
  for (const auto& [id, stream] : streams) {
    stream->end(loop.finished(id) ? loop.take(id) : Result{}, why);
  }
  streams.clear();
  ended.clear();
  failed.clear();
}

LoopThread::LoopThread(Build build) : shared_(std::make_shared<Shared>()) {
  std::promise<void> built;
  std::future<void> result = built.get_future();
  // The thread owns the promise, because the waiting constructor may return before set_value() has returned.
  thread_ = std::thread([this, built = std::move(built), build = std::move(build)]() mutable {
    std::shared_ptr<StepLoop> loop;
    try {
      loop = build();
      shared_->thread = std::this_thread::get_id();
    } catch (...) {
      built.set_exception(std::current_exception());
      return;
    }
    built.set_value();
    drive(*loop);
  });
  try {
    result.get();
  } catch (...) {
    thread_.join();
    throw;
  }
}

LoopThread::~LoopThread() { shutdown(); }

void LoopThread::drive(StepLoop& loop) {
  Shared& shared = *shared_;
  std::exception_ptr error;
  try {
    for (bool more = false;;) {
      std::vector<Shared::Work> work;
      {
        std::unique_lock lock(shared.mutex);
        shared.changed.wait(lock, [&] { return more || shared.stopping || !shared.work.empty(); });
        work.swap(shared.work);
        if (shared.stopping && work.empty()) break;
      }
      for (const Shared::Work& item : work) item(loop);
      more = loop.step();
      shared.hand_out(loop);
    }
  } catch (...) {
    error = std::current_exception();
  }
  std::vector<Shared::Work> late;
  {
    const std::lock_guard lock(shared.mutex);
    shared.stopping = true;
    shared.error = error;
    late.swap(shared.work);  // dropped: callers that wait for it get a broken promise
  }
  late.clear();
  shared.end_all(loop, error);
}

void LoopThread::shutdown() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
    shared_->changed.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<Stream> LoopThread::submit(Request request) {
  if (request.n != 1)
    fail_usage(
        "submit() returns one stream, but this request has n = {}; use submit_samples(), which returns one "
        "stream per sample",
        request.n);
  return submit_samples(std::move(request)).front();
}

std::vector<std::shared_ptr<Stream>> LoopThread::submit_samples(Request request) {
  std::vector<std::shared_ptr<RequestStream>> streams;
  const auto add = [&](OnDelta listener) {
    streams.push_back(std::make_shared<RequestStream>(shared_, std::move(listener)));
    return streams.back()->hearing();
  };
  request.on_delta = add(std::move(request.on_delta));
  shared_->call([&](StepLoop& loop) {
    int id = loop.submit(std::move(request), [&](int) { return add({}); });
    for (const auto& stream : streams) {
      stream->id = id;
      shared_->streams[id++] = stream;
    }
  });
  return {streams.begin(), streams.end()};
}

ServiceSnapshot LoopThread::snapshot() {
  return shared_->call([](StepLoop& loop) { return loop.snapshot(); });
}

void LoopThread::check_integrity() {
  shared_->call([](StepLoop& loop) { loop.check_integrity(); });
}

}  // namespace rung
