// One mutex guards the queue of work, another each stream. The loop's thread takes the queue as a whole,
// does it without a lock, makes a step, and hands out what has ended.

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

/// What the threads of callers and the loop's thread share.
struct LoopThread::Shared {
  using Work = std::function<void(StepLoop& loop)>;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Work> work;    // in the order in which it was asked for
  bool stopping = false;     // no more work is taken
  std::exception_ptr error;  // what ended the engine, if that was an error
  std::thread::id thread;    // of the loop; written before the first call

  // Of the loop's thread alone.
  std::map<int, std::shared_ptr<RequestStream>> streams;  // of what is under way
  std::vector<RequestStream*> ended;                      // of these, since the last look
  std::vector<RequestStream*> failed;                     // by a listener of their own, since then

  /// Throws Error when the engine has stopped, because then the work would never be done.
  void post(Work item) {
    const std::lock_guard lock(mutex);
    if (error) std::rethrow_exception(error);
    if (stopping) fail("the engine was shut down and takes no more requests; make a new one");
    work.push_back(std::move(item));
    changed.notify_all();
  }

  /// Posts work and waits for what it returns.
  template <class Item>
  auto call(Item item) {
    using Value = std::invoke_result_t<Item, StepLoop&>;
    if (std::this_thread::get_id() == thread)
      fail("a request's listener may call nothing but cancel(): the engine's thread would wait for itself");
    auto task = std::make_shared<std::packaged_task<Value(StepLoop&)>>(std::move(item));
    std::future<Value> value = task->get_future();
    // The queue alone owns the task: dropped with the queue, it breaks its promise.
    post([task = std::move(task)](StepLoop& loop) { (*task)(loop); });
    try {
      return value.get();
    } catch (const std::future_error&) {
      const std::lock_guard lock(mutex);
      if (error) std::rethrow_exception(error);
      fail("the engine was shut down before it could answer; make a new one");
    }
  }

  void hand_out(StepLoop& loop);
  void end_all(StepLoop& loop, const std::exception_ptr& why);
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

  // Of the engine's thread.

  int id = -1;  // written before anybody else sees the stream

  /// What the engine calls with each delta of this request.
  OnDelta hearing() {
    return [this](const Delta& delta) {  // streams has it as long as the engine calls this
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

  /// `why`: what ended the engine, if that was an error; a listener's own error comes first.
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
  /// With the lock.
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
  std::exception_ptr own_error_;  // of the listener; the engine's thread alone

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Delta> deltas_;
  bool done_ = false;
  Result result_;
  std::exception_ptr error_;
};

/// What ended in the last step, and whose listener failed in it.
void LoopThread::Shared::hand_out(StepLoop& loop) {
  for (RequestStream* stream : std::exchange(failed, {})) loop.cancel(stream->id);
  for (RequestStream* stream : std::exchange(ended, {})) {
    stream->end(loop.take(stream->id), nullptr);
    streams.erase(stream->id);
  }
}

void LoopThread::Shared::end_all(StepLoop& loop, const std::exception_ptr& why) {
  if (!why) {
    for (const auto& [id, stream] : streams) loop.cancel(id);
    for (const auto& [id, stream] : streams) {
      while (!loop.finished(id)) loop.step();  // steps in flight end first
    }
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
  // The thread owns the promise: the waiting constructor may return before set_value() has returned.
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
    late.swap(shared.work);  // dropped: a call that waits for it gets a broken promise
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
        "submit() returns one stream, and this request asks for n = {}; submit_samples() returns one for "
        "each",
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
