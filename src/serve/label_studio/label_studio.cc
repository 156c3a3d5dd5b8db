#include "serve/label_studio/label_studio.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <future>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/files.h"
#include "serve/label_studio/prediction.h"

namespace tagclip {
namespace {

using nlohmann::ordered_json;
using SteadyClock = std::chrono::steady_clock;

constexpr size_t kFetchingThreads = 4;  // requests whose pictures are fetched at a time
// Photos of one request that wait for the model while the next picture is fetched.
constexpr size_t kAhead = 4;
constexpr std::chrono::milliseconds kTick{20};
constexpr uint64_t kMaxKeyBytes = uint64_t{64} << 10;

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The key of the file, else of the environment: an argument would stand in the list of processes.
std::string read_key(const ServeOptions& options) {
  if (!options.label_studio_key_file.empty()) {
    return read_text(options.label_studio_key_file, kMaxKeyBytes);
  }
  std::string key = from_environment("LABEL_STUDIO_API_KEY");
  if (!key.empty()) return key;
  throw usage_error("there is no key for Label Studio, which keeps pictures from strangers",
                    "make a personal access token in Label Studio, Account & Settings, and name a "
                    "file that holds it by `label_studio_key_file`, or set LABEL_STUDIO_API_KEY; "
                    "without Label Studio, unset LABEL_STUDIO_URL");
}

// What a task's error means for its client.
RefusedRequest refused(const std::string& task, const Error& error) {
  if (const auto* known = dynamic_cast<const RefusedRequest*>(&error)) {
    return {known->status, known->name, task + ": " + known->what(), known->hint()};
  }
  if (error.kind() == ErrorKind::kFailure) {
    return {500, "internal", task + ": the server failed at it", "its log says why"};
  }
  return {400, "bad_input", task + ": " + error.what(), error.hint()};
}

}  // namespace

// The answer to one request, task by task.
class LabelStudio::Predictions {
 public:
  Predictions(LabelStudio& owner, const Job& job)
      : owner_(owner),
        job_(job),
        end_(job.exchange->begun() + time_for(owner.options_)),
        entries_(job.request.tasks.size()) {}

  void make() {
    for (size_t i = 0; i < entries_.size() && !is_over(); ++i) {
      const PredictTask& task = job_.request.tasks[i];
      try {
        if (task.fault) throw Error(*task.fault);
        submit(i, picture_of(task));
      } catch (const Error& error) {
        fail(i, error);
      }
      while (waiting_.size() > kAhead) collect();
    }
    while (!waiting_.empty() && !is_over()) collect();
    if (!is_over()) answer();
  }

 private:
  struct Waiting {
    size_t index;
    std::future<ModelResult> result;
  };

  // Some time is left to send what is there by then.
  static SteadyClock::duration time_for(const ServeOptions& options) {
    return std::chrono::milliseconds(options.deadline * 900);
  }

  bool is_over() const { return job_.exchange->is_over(); }
  bool is_late() const { return SteadyClock::now() > end_; }

  static RefusedRequest too_late() {
    return {504, "timeout", "its turn did not come in time",
            "ask for fewer tasks at a time; more time is for its operator to give: tagclip serve "
            "--deadline"};
  }

  std::string picture_of(const PredictTask& task) {
    if (is_late()) throw too_late();
    const SteadyClock::time_point begin = SteadyClock::now();
    std::string photo;
    try {
      photo = owner_.pictures_.fetch(task.picture, {end_, [this] { return is_over(); }});
    } catch (const Error&) {
      if (is_late()) throw too_late();
      throw;
    }
    const std::chrono::duration<double> passed = SteadyClock::now() - begin;
    owner_.metrics_.observe_stage("picture", passed.count());
    check_photo(photo, owner_.limits_);
    return photo;
  }

  // Waits for a place in the engine's queue.
  void submit(size_t index, std::string photo) {
    const PredictTask& task = job_.request.tasks[index];
    SegmentRequest wanted{.options = owner_.options_.inference};
    for (const WantedClass& entry : task.classes) wanted.words.classes.push_back(entry.words);
    wanted.words.background = task.background;
    ModelJob job{
        .exchange = job_.exchange, .photo = std::move(photo), .segment = std::move(wanted)};
    job.result = std::make_shared<std::promise<ModelResult>>();
    std::future<ModelResult> result = job.result->get_future();
    while (!owner_.engine_.offer(job)) {
      if (is_over() || is_late()) throw too_late();
      std::this_thread::sleep_for(kTick);
    }
    waiting_.push_back({index, std::move(result)});
  }

  // Takes the result of the task that has waited longest.
  void collect() {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    const PredictTask& task = job_.request.tasks[next.index];
    try {
      while (next.result.wait_for(kTick) != std::future_status::ready) {
        if (is_over() || is_late()) throw too_late();
      }
      const ModelResult result = next.result.get();
      entries_[next.index] = prediction_of(
          job_.request.config, task, result.vocabulary, result.labels, owner_.model_version_,
          fmt::format("{}-{}", job_.exchange->request().id, next.index + 1));
      ++done_;
    } catch (const Error& error) {
      fail(next.index, error);
    } catch (const std::future_error&) {  // the engine dropped it: nobody waits
    }
  }

  void fail(size_t index, const Error& error) {
    if (is_over()) return;
    const RefusedRequest fault = refused(job_.request.tasks[index].name, error);
    owner_.log_.fault(job_.exchange->request().id, fault.what());
    entries_[index] = {
        {"error", {{"kind", fault.name}, {"message", fault.what()}, {"hint", fault.hint()}}}};
    if (!first_fault_) first_fault_ = refusal(fault.status, fault.name, fault.what(), fault.hint());
  }

  void answer() {
    if (done_ == 0 && first_fault_) return job_.exchange->answer(std::move(*first_fault_));
    job_.exchange->answer(
        {.body =
             json_text({{"results", entries_}, {"model_version", owner_.model_version_}}) + "\n"});
  }

  LabelStudio& owner_;
  const Job& job_;
  const SteadyClock::time_point end_;
  std::vector<ordered_json> entries_;
  std::deque<Waiting> waiting_;
  std::optional<Answer> first_fault_;
  size_t done_ = 0;
};

std::unique_ptr<LabelStudio> LabelStudio::start(const ServeOptions& options,
                                                const RequestLimits& limits, Engine& engine,
                                                Metrics& metrics, RequestLog& log) {
  const std::string address = options.label_studio_url.empty()
                                  ? from_environment("LABEL_STUDIO_URL")
                                  : options.label_studio_url;
  if (address.empty()) {
    if (options.label_studio_key_file.empty()) return nullptr;
    throw usage_error("`label_studio_key_file` goes with `label_studio_url`", "name both");
  }
  return std::unique_ptr<LabelStudio>(
      new LabelStudio(options, limits, engine, metrics, log, address, read_key(options)));
}

LabelStudio::LabelStudio(const ServeOptions& options, const RequestLimits& limits, Engine& engine,
                         Metrics& metrics, RequestLog& log, const std::string& address,
                         const std::string& key)
    : options_(options),
      limits_(limits),
      engine_(engine),
      metrics_(metrics),
      log_(log),
      model_version_(fmt::format("tagclip-{}-{}", version(), options.weights.stem().string())),
      pictures_(address, key, {.bytes = static_cast<size_t>(options.max_body_mb) << 20}),
      queue_(static_cast<size_t>(options.queue)) {
  for (size_t i = 0; i < kFetchingThreads; ++i) {
    threads_.emplace_back([this] {
      while (const std::optional<Job> job = queue_.pop()) serve(*job);
    });
  }
}

LabelStudio::~LabelStudio() {
  queue_.close();
  for (std::thread& thread : threads_) thread.join();
}

void LabelStudio::serve(const Job& job) {
  const std::string& id = job.exchange->request().id;
  try {
    Predictions(*this, job).make();
  } catch (const std::bad_alloc&) {
    job.exchange->answer(refusal_of(failure("out of memory"), id));
  } catch (const std::exception& error) {
    log_.fault(id, error.what());
    job.exchange->answer(refusal_of(failure(error.what()), id));
  }
}

Answer LabelStudio::health() const {
  return {.body = json_text({{"status", "UP"}, {"model_class", "tagclip"}}) + "\n"};
}

Answer LabelStudio::setup(const ClientRequest& request) const {
  read_labelling_config(request.body, "schema");
  return {.body = json_text({{"model_version", model_version_}}) + "\n"};
}

Answer LabelStudio::validate(const ClientRequest& request) const {
  read_labelling_config(request.body, "config");
  return {.body = json_text({{"status", "ok"}}) + "\n"};
}

Answer LabelStudio::versions() const {
  return {.body = json_text({{"versions", {model_version_}}}) + "\n"};
}

Answer LabelStudio::webhook(const ClientRequest& request) const {
  const std::string action = read_webhook_action(request.body);
  if (action == "START_TRAINING") {
    throw bad_input("the model does not learn from annotations here",
                    "export them, then: tagclip data convert, tagclip train");
  }
  const bool known = action.starts_with("ANNOTATION") || action.starts_with("TASK") ||
                     action.starts_with("PROJECT") || action.starts_with("LABEL_LINK");
  return {.status = known ? 201 : 200, .body = json_text({{"status", "ok"}}) + "\n"};
}

void LabelStudio::predict(const std::shared_ptr<Exchange>& exchange) {
  Job job{exchange, read_predict_request(exchange->request().body, limits_)};
  if (queue_.push(job)) return;
  exchange->answer(refusal(429, "busy", fmt::format("{} requests wait already", options_.queue),
                           "wait as Retry-After says, then send it again"));
}

}  // namespace tagclip
