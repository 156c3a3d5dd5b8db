#include "serve/segment/engine.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>

#include "base/bounded_json.h"
#include "infer/options.h"
#include "serve/embedded_file.h"
#include "serve/segment/segment_answer.h"
#include "weights/stored_weights.h"

namespace tagclip {

std::span<const EmbeddedFile> embedded_samples();  // tests/data/photos

namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string random_digits(size_t bytes) {
  std::vector<uint8_t> random(bytes);
  if (::RAND_bytes(random.data(), static_cast<int>(bytes)) != 1) {
    throw failure("the system gives no random numbers");
  }
  std::string digits;
  for (const uint8_t byte : random) digits += fmt::format("{:02x}", byte);
  return digits;
}

// A presence that leaves no class out, yet is asked for: answers tell it.
InferenceOptions with_presence(InferenceOptions options) {
  options.presence = std::max(options.presence, std::numeric_limits<double>::min());
  return options;
}

bool is_out_of_memory(const Error& error) {
  const std::string_view what = error.what();
  return what.find("out of memory") != what.npos || what.find("allocate memory") != what.npos;
}

// What the library's messages call the photo at `index` of several that are encoded together.
std::string name_of(size_t index, size_t count) {
  return count == 1 ? "photo" : fmt::format("photo {}", index + 1);
}

// Those of the warnings that are about this photo, as its client knows it.
std::vector<std::string> warnings_about(const std::string& name,
                                        const std::vector<std::string>& warnings) {
  std::vector<std::string> own;
  for (const std::string& text : warnings) {
    if (text.starts_with(name + ":")) own.push_back("photo" + text.substr(name.size()));
  }
  return own;
}

int64_t parameters_of(const std::filesystem::path& weights) {
  int64_t count = 0;
  for (const TensorView& tensor : read_stored_weights(weights).tensors) count += tensor.numel();
  return count;
}

ordered_json names_of(const auto& choices) {
  ordered_json names = ordered_json::array();
  for (const auto& choice : choices) names.push_back(choice.first);
  return names;
}

// The words of the classes that the weights name.
std::vector<Words> known_words(const Segmenter& model) {
  std::vector<Words> classes;
  for (const ClassInfo& entry : model.known_classes()) classes.push_back(entry.words);
  if (classes.empty()) {
    throw bad_input("classes: the model does not say which it knows", "name the classes");
  }
  return classes;
}

std::string description_of(const Segmenter& model, const std::filesystem::path& weights) {
  ordered_json seen = ordered_json::array(), unseen = ordered_json::array();
  for (const ClassInfo& entry : model.known_classes()) {
    (entry.seen ? seen : unseen).push_back(entry.words.front());
  }
  const bool trained = model.mode() == Mode::kTrained;
  const ordered_json entry = {
      {"name", weights.filename().string()},
      {"mode", name_of(kModeNames, model.mode())},
      {"parameters", parameters_of(weights)},
      {"seen_classes", seen},
      {"unseen_classes", unseen},
      {"weights", trained ? names_of(kWeightingNames) : ordered_json({"none"})},
      {"refine", names_of(kRefineNames)}};
  return json_text({{"version", version()}, {"models", {entry}}}) + "\n";
}

}  // namespace

Engine::Engine(const ServeOptions& options, Metrics& metrics, RequestLog& log)
    : options_(options),
      metrics_(metrics),
      log_(log),
      most_waiting_(static_cast<size_t>(options.queue)),
      instance_(random_digits(4)),
      queue_(most_waiting_),
      encodings_(static_cast<size_t>(options.encodings_mb) << 20,
                 std::chrono::seconds(options.encodings_seconds)) {}

void Engine::start() {
  thread_ = std::thread([this] {
    run();
    const std::lock_guard lock(mutex_);
    over_ = true;
    ended_.notify_all();
  });
}

Engine::~Engine() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

bool Engine::ends_within(std::chrono::milliseconds patience) {
  queue_.close();
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, patience, [&] { return over_; });
}

// Keeps the exception that is being handled.
void Engine::fail() {
  const std::lock_guard lock(mutex_);
  failure_ = std::current_exception();
}

void Engine::rethrow_failure() const {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

void Engine::fill(ServerGauges& gauges) const {
  gauges.ready = ready_;
  gauges.waiting = queue_.size();
  gauges.encodings = encodings_.count();
  gauges.encoding_bytes = encodings_.bytes();
}

std::string Engine::new_encoding_id() const { return instance_ + "-" + random_digits(16); }

void Engine::submit(ModelJob job) {
  const std::shared_ptr<Exchange> exchange = job.exchange;
  if (queue_.push(job)) return;
  exchange->answer(refusal(429, "busy", fmt::format("{} requests wait already", most_waiting_),
                           "wait as Retry-After says, then send it again"));
}

void Engine::drop(const Exchange& exchange) {
  queue_.take(std::numeric_limits<size_t>::max(),
              [&](const ModelJob& job) { return job.exchange.get() == &exchange; });
}

void Engine::run() {
  try {
    load();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kStopped) fail();
    return;
  } catch (...) {
    fail();
    return;
  }
  ready_ = true;
  while (std::optional<ModelJob> job = queue_.pop()) {
    std::vector<ModelJob> jobs;
    jobs.push_back(std::move(*job));
    if (!jobs.front().photo.empty()) {
      for (ModelJob& more : queue_.take(model_->photos_per_batch() - 1, [](const ModelJob& other) {
             return !other.photo.empty();
           })) {
        jobs.push_back(std::move(more));
      }
    }
    std::erase_if(jobs, [](const ModelJob& j) { return j.exchange->is_over(); });
    if (!jobs.empty()) serve(std::move(jobs));
  }
}

// Everything that takes long once is done before the first request.
void Engine::load() {
  const Hooks hooks = log_.hooks();
  model_.emplace(options_.weights, with_presence(options_.inference));
  if (!model_->assumption().empty()) {
    log_.warn(fmt::format("{}: {}", options_.weights.string(), model_->assumption()));
  }
  knows_classes_ = !model_->known_classes().empty();
  // The words that presence compares with are embedded, too: with a CLIP in many templates, which
  // the cache folder keeps for the next start.
  const Vocabulary words = model_->parse({.classes = "person, animal, plant, building"}, hooks);
  std::vector<Photo> photos;
  for (const EmbeddedFile& sample : embedded_samples()) {
    photos.emplace_back(std::as_bytes(std::span(sample.bytes)), std::string(sample.path));
  }
  for (const PhotoEncoding& photo : model_->encode(photos, hooks)) model_->segment(photo, words);
  description_ = description_of(*model_, options_.weights);
}

void Engine::refuse(const ModelJob& job, const Error& error) {
  const std::string& id = job.exchange->request().id;
  if (error.kind() == ErrorKind::kFailure) log_.fault(id, error.what());
  if (job.result != nullptr) {
    job.result->set_exception(
        is_out_of_memory(error)
            ? std::make_exception_ptr(RefusedRequest(503, "busy", "there is not enough memory now"))
            : std::make_exception_ptr(error));
    return;
  }
  if (const auto* refused = dynamic_cast<const RefusedRequest*>(&error)) {
    job.exchange->answer(refusal(refused->status, refused->name, error.what(), error.hint()));
  } else if (is_out_of_memory(error)) {
    job.exchange->answer(refusal_of(failure("out of memory"), id));
  } else {
    job.exchange->answer(refusal_of(error, id));
  }
}

// Where several photos at once fail, each is tried alone: one that cannot be used, or memory for
// less than all of them, hurts no other. Photos that nobody waits for any more are given up between
// two batches of windows.
Engine::Encodings Engine::encode(const std::vector<ModelJob>& jobs,
                                 std::vector<std::string>& warnings) {
  const Hooks hooks{.stop_requested =
                        [&] {
                          return std::ranges::all_of(
                              jobs, [](const auto& j) { return j.exchange->is_over(); });
                        },
                    .warn = [&](const std::string& text) { warnings.push_back(text); }};
  std::vector<Photo> photos;
  for (size_t i = 0; i < jobs.size(); ++i) {
    photos.emplace_back(std::as_bytes(std::span(jobs[i].photo)), name_of(i, jobs.size()));
  }
  Encodings encodings;
  if (jobs.size() > 1) {
    try {
      for (PhotoEncoding& encoding : model_->encode(photos, hooks)) {
        encodings.emplace_back(std::move(encoding));
      }
      return encodings;
    } catch (const Error&) {
      encodings.clear();
      warnings.clear();
    }
  }
  for (size_t i = 0; i < jobs.size(); ++i) {
    encodings.emplace_back();
    try {
      try {
        encodings.back() = model_->encode(photos[i], hooks);
      } catch (const Error& error) {
        if (!is_out_of_memory(error)) throw;
        encodings_.remove_all();
        encodings.back() = model_->encode(photos[i], hooks);
      }
    } catch (const Error& error) {
      refuse(jobs[i], error);
    }
  }
  return encodings;
}

void Engine::serve(std::vector<ModelJob> jobs) {
  for (const ModelJob& job : jobs) metrics_.observe_stage("queue", seconds_since(job.since));
  const bool encodes = !jobs.front().photo.empty();
  const Clock::time_point begin = Clock::now();
  std::vector<std::string> warnings;
  Encodings encodings;
  if (encodes) {
    encodings = encode(jobs, warnings);
    metrics_.observe_stage("encode", seconds_since(begin));
    metrics_.count_batch(jobs.size());
  } else {
    encodings.push_back(encodings_.find(jobs.front().segment->encoding));
  }
  const double milliseconds = encodes ? seconds_since(begin) * 1e3 : 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const ModelJob& job = jobs[i];
    if (job.exchange->is_over()) continue;
    std::vector<std::string> own = warnings_about(name_of(i, jobs.size()), warnings);
    try {
      if (!encodings[i]) {  // a photo that could not be encoded was refused above
        throw RefusedRequest(404, "not_found", "there is no encoding of this id, or not any more",
                             job.segment->encoding.starts_with(instance_)
                                 ? "encode the photo again: POST /v1/encodings"
                                 : "another server made it: ask that one, or encode the photo "
                                   "again: POST /v1/encodings");
      }
      if (job.segment) {
        segment(job, *encodings[i], milliseconds, std::move(own));
      } else {
        keep(job, *encodings[i]);
      }
    } catch (const Error& error) {
      refuse(job, error);
    } catch (const std::bad_alloc&) {
      refuse(job, failure("out of memory"));
    } catch (const std::exception& error) {
      refuse(job, failure(error.what()));
    }
  }
}

void Engine::keep(const ModelJob& job, PhotoEncoding encoding) {
  const std::string id = new_encoding_id();
  const int width = encoding.width(), height = encoding.height();
  const size_t bytes = encoding.bytes();
  if (!encodings_.keep(id, std::move(encoding), bytes)) {
    throw RefusedRequest(
        413, "too_large",
        fmt::format("the encoded photo takes {} MiB, more than are kept", (bytes >> 20) + 1),
        "send a smaller photo, or the photo and the words together");
  }
  const ordered_json answer = {{"id", id},
                               {"width", width},
                               {"height", height},
                               {"expires_in", encodings_.max_age().count()}};
  job.exchange->answer({.status = 201,
                        .body = json_text(answer) + "\n",
                        .headers = {{"Location", "/v1/encodings/" + id}}});
}

void Engine::segment(const ModelJob& job, const PhotoEncoding& encoding, double encode_milliseconds,
                     std::vector<std::string> warnings) {
  const SegmentRequest& request = *job.segment;
  const Hooks hooks{.warn = [&](const std::string& text) { warnings.push_back(text); }};
  Clock::time_point begin = Clock::now();
  const Segmenter model = model_->with(with_presence(request.options));
  const Vocabulary vocabulary = request.words.classes.empty() && request.words.background.empty()
                                    ? model.embed_words({.classes = known_words(model)}, hooks)
                                    : model.embed_words(request.words, hooks);
  metrics_.observe_stage("embed", seconds_since(begin));
  const Clock::time_point embedded = Clock::now();
  const Segmentation result = model.segment(encoding, vocabulary);
  metrics_.observe_stage("segment", seconds_since(embedded));
  const double milliseconds = seconds_since(begin) * 1e3;
  if (job.result != nullptr) return job.result->set_value({vocabulary, result});
  begin = Clock::now();
  Answer answer = segment_answer(request, vocabulary, result, model.mode(), knows_classes_,
                                 warnings, {encode_milliseconds, milliseconds});
  metrics_.observe_stage("write", seconds_since(begin));
  job.exchange->answer(std::move(answer));
}

}  // namespace tagclip
