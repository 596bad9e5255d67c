// One mutex guards the queue of work, another each stream of text. The engine's thread takes the queue as a
// whole, does it without a lock, makes a step, and hands out what has ended.

#include "engine/engine_thread.hpp"

#include <future>
#include <type_traits>
#include <utility>
#include <vector>

namespace rung {

/// What the threads at both ends of a request share.
struct EngineThread::Stream {
  int id = -1;  // written before anybody else sees the stream

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> pieces;
  bool done = false;
  Result result;
  std::exception_ptr error;

  void push(std::string_view text) {
    const std::lock_guard lock(mutex);
    pieces.emplace_back(text);
    changed.notify_all();
  }
  void end(Result last, std::exception_ptr why) {
    const std::lock_guard lock(mutex);
    result = std::move(last);
    error = std::move(why);
    done = true;
    changed.notify_all();
  }
};

struct EngineThread::Shared {
  using Work = std::function<void(Engine& engine)>;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Work> work;    // in the order in which it was asked for
  bool stopping = false;     // no more work is taken
  std::exception_ptr error;  // what ended the engine, if that was an error
  std::thread::id thread;    // of the engine; written before anybody can ask

  // Of the engine's thread alone.
  std::map<int, std::shared_ptr<Stream>> streams;  // of what is under way
  std::map<int, std::exception_ptr> failed;        // by a callback of its own

  /// Throws Error when the engine has stopped: nobody would do the work.
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
    using Value = std::invoke_result_t<Item, Engine&>;
    if (std::this_thread::get_id() == thread)
      fail("a request's callback may call nothing but cancel(): the engine's thread would wait for itself");
    auto task = std::make_shared<std::packaged_task<Value(Engine&)>>(std::move(item));
    std::future<Value> value = task->get_future();
    // The queue alone owns the task: dropped with the queue, it breaks its promise.
    post([task = std::move(task)](Engine& engine) { (*task)(engine); });
    try {
      return value.get();
    } catch (const std::future_error&) {
      const std::lock_guard lock(mutex);
      if (error) std::rethrow_exception(error);
      fail("the engine was shut down before it could answer; make a new one");
    }
  }

  /// A listener whose exceptions end the request alone.
  template <class Listener>
  auto guarded(const std::shared_ptr<Stream>& stream, Listener listener) {
    return [this, stream = stream.get(), listener = std::move(listener)](auto heard) {
      if (!listener || failed.count(stream->id) > 0) return;
      try {
        listener(heard);
      } catch (...) {
        failed[stream->id] = std::current_exception();
      }
    };
  }
  std::function<void(std::string_view)> streaming(const std::shared_ptr<Stream>& stream,
                                                  std::function<void(std::string_view)> listener) {
    return [stream, on_text = guarded(stream, std::move(listener))](std::string_view text) {
      stream->push(text);
      on_text(text);
    };
  }

  void finish(Engine& engine, bool all, const std::exception_ptr& why) {
    for (auto s = streams.begin(); s != streams.end();) {
      auto& [id, stream] = *s;
      if (all && !why) engine.cancel(id);
      if (!all && failed.count(id) > 0) engine.cancel(id);
      if (!all && !engine.finished(id)) {
        ++s;
        continue;
      }
      const auto own = failed.find(id);
      const std::exception_ptr error = own != failed.end() ? own->second : why;
      stream->end(engine.finished(id) ? engine.take(id) : Result{}, error);
      if (own != failed.end()) failed.erase(own);
      s = streams.erase(s);
    }
  }
};

EngineThread::EngineThread(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config)
    : shared_(std::make_shared<Shared>()) {
  std::promise<void> built;
  std::future<void> result = built.get_future();
  // The thread owns the promise: who waits for it may be gone before set_value() has returned.
  thread_ = std::thread([this, built = std::move(built), &registry, model = std::move(model),
                         config = std::move(config)]() mutable {
    std::unique_ptr<Engine> engine;
    try {
      engine = std::make_unique<Engine>(model, registry, config);
      shared_->thread = std::this_thread::get_id();
    } catch (...) {
      built.set_exception(std::current_exception());
      return;
    }
    built.set_value();
    loop(*engine);
  });
  try {
    result.get();
  } catch (...) {
    thread_.join();
    throw;
  }
}

EngineThread::~EngineThread() { shutdown(); }

void EngineThread::loop(Engine& engine) {
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
      for (const Shared::Work& item : work) item(engine);
      more = engine.step();
      shared.finish(engine, false, nullptr);
    }
  } catch (...) {
    error = std::current_exception();
  }
  std::vector<Shared::Work> late;
  {
    const std::lock_guard lock(shared.mutex);
    shared.stopping = true;
    shared.error = error;
    late.swap(shared.work);  // dropped: whoever waits for it gets a broken promise
  }
  late.clear();
  shared.finish(engine, true, error);
}

void EngineThread::shutdown() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
    shared_->changed.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

EngineThread::Handle EngineThread::submit(Request request) {
  if (request.n != 1)
    fail_usage(
        "submit() returns one handle, and this request asks for n = {}; submit_samples() returns one for "
        "each",
        request.n);
  return submit_samples(std::move(request)).front();
}

std::vector<EngineThread::Handle> EngineThread::submit_samples(Request request) {
  Shared& shared = *shared_;
  std::vector<Handle> handles;
  const auto add = [&] {
    auto stream = std::make_shared<Stream>();
    handles.push_back({shared_, stream});
    return stream;
  };
  const auto first = add();
  request.on_text = shared.streaming(first, std::move(request.on_text));
  if (request.on_token) request.on_token = shared.guarded(first, std::move(request.on_token));
  shared.call([&](Engine& engine) {
    int id = engine.submit(std::move(request), [&](int) {
      return Listeners{{}, shared.streaming(add(), {})};
    });
    for (const Handle& handle : handles) {
      handle.stream_->id = id;
      shared.streams[id++] = handle.stream_;
    }
  });
  return handles;
}

EngineStats EngineThread::stats() {
  return shared_->call([](Engine& engine) { return engine.stats(); });
}

KvUse EngineThread::kv_use() {
  return shared_->call([](Engine& engine) { return engine.kv_use(); });
}

void EngineThread::check_integrity() {
  shared_->call([](Engine& engine) { engine.check_integrity(); });
}

std::optional<std::string> EngineThread::Handle::next() {
  std::unique_lock lock(stream_->mutex);
  stream_->changed.wait(lock, [&] { return stream_->done || !stream_->pieces.empty(); });
  if (stream_->pieces.empty()) {
    if (stream_->error) std::rethrow_exception(stream_->error);
    return std::nullopt;
  }
  std::string piece = std::move(stream_->pieces.front());
  stream_->pieces.pop_front();
  return piece;
}

Result EngineThread::Handle::wait() {
  std::unique_lock lock(stream_->mutex);
  stream_->changed.wait(lock, [&] { return stream_->done; });
  if (stream_->error) std::rethrow_exception(stream_->error);
  return stream_->result;
}

bool EngineThread::Handle::finished() const {
  const std::lock_guard lock(stream_->mutex);
  return stream_->done;
}

void EngineThread::Handle::cancel() {
  if (finished()) return;
  const std::lock_guard lock(shared_->mutex);
  if (shared_->stopping) return;  // it ends anyway
  shared_->work.push_back([shared = shared_.get(), id = stream_->id](Engine& engine) {
    if (shared->streams.count(id) > 0) engine.cancel(id);
  });
  shared_->changed.notify_all();
}

EngineThread::Handle EngineThread::Handle::fork(std::uint64_t seed) {
  auto stream = std::make_shared<Stream>();
  Shared& shared = *shared_;
  shared.call([&shared, stream, from = stream_->id, seed](Engine& engine) {
    if (shared.streams.count(from) == 0)
      fail_usage("request {} has ended; fork a request while it waits or runs", from);
    stream->id = engine.fork(from, seed, {{}, shared.streaming(stream, {})});
    shared.streams[stream->id] = stream;
  });
  return {shared_, stream};
}

}  // namespace rung
