#include "fetch/download.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "fetch/cache.h"
#include "fetch/checked_file.h"
#include "fetch/http.h"
#include "fetch/part_file.h"

namespace tagclip {
namespace {

constexpr const char* kWrongFile =
    "the publisher may have changed it; `from` takes a file that you have";

std::string origin(const std::string& url, const std::string& validator) {
  return url + "\n" + validator;
}

// The bytes of one file, from wherever they stand now to the end.
class Transfer : public HttpReceiver {
 public:
  Transfer(const CheckpointFile& file, const std::string& url, const DownloadLimits& limits,
           PartFile& part, Console& console)
      : file_(file), url_(url), limits_(limits), part_(part), console_(console) {}

  // Throws TransferFailed, Stopped, Error.
  void run() {
    HttpRequest request{.url = url_, .timeout = limits_.timeout};
    request.validator = known_validator();
    // Bytes of unknown origin and without a checksum could be of two files.
    const bool unknown = request.validator.empty() && file_.sha256.empty();
    if (unknown || part_.size() >= limit()) part_.restart();
    resumed_ = part_.size() > 0;
    if (resumed_) {
      console_.note(fmt::format("{}: going on after {}", file_.name, format_bytes(part_.size())));
    }
    part_.read([&](std::span<const std::byte> bytes) { sha256_.update(bytes); });
    request.offset = part_.size();
    http_get(request, *this, console_);
    check();
  }

  void begin(const HttpHead& head) override {
    if (head.content_type.starts_with("text/html")) {
      throw failure(without_secrets(url_) + ": the server sent a web page instead of the file",
                    "you may have to log in to the network, or the address is out of date");
    }
    total_ = head.total;
    check_total();
    if (head.first != part_.size()) start_again(head.first);
    part_.set_origin(origin(url_, head.validator));
    check_room(part_.path().parent_path(), total_.value_or(0) - part_.size());
  }

  void receive(std::span<const std::byte> bytes) override {
    if (part_.size() + static_cast<int64_t>(bytes.size()) > limit()) {
      part_.discard();
      throw failure(fmt::format("{}: the server sends more than {}", without_secrets(url_),
                                file_.size ? fmt::format("the {} bytes expected", limit())
                                           : format_bytes(limit())),
                    kWrongFile);
    }
    sha256_.update(bytes);
    part_.append(bytes);
    show_progress(console_, file_.name, part_.size(), total_.value_or(file_.size.value_or(0)));
  }

 private:
  int64_t limit() const { return file_.size.value_or(limits_.max_bytes); }

  std::string known_validator() const {
    const std::string known = part_.origin(), prefix = origin(url_, "");
    return known.starts_with(prefix) ? known.substr(prefix.size()) : "";
  }

  void check_total() const {
    if (!total_ || (file_.size ? *total_ == *file_.size : *total_ <= limit())) return;
    throw failure(
        fmt::format("{}: the server offers {} bytes, {} are expected", without_secrets(url_),
                    *total_,
                    file_.size ? fmt::format("{}", limit()) : fmt::format("at most {}", limit())),
        kWrongFile);
  }

  // The server sends from another byte than the one asked for.
  void start_again(int64_t first) {
    if (first != 0)
      throw TransferFailed(without_secrets(url_) + ": the server sent another range", true);
    console_.note(file_.name + ": the server cannot go on in the middle; starting again");
    part_.restart();
    sha256_ = Sha256();
    resumed_ = false;
  }

  void check() {
    if (total_ && part_.size() < *total_)
      throw TransferFailed(without_secrets(url_) + ": the file is cut short");
    const auto wrong = mismatch(file_, part_.size(), sha256_.hex());
    if (!wrong) return;
    const std::string what =
        fmt::format("{}: not the file that is expected: {}", without_secrets(url_), *wrong);
    // The fault may lie in what an earlier run left.
    if (resumed_) throw TransferFailed(what, true);
    part_.discard();
    throw failure(what, kWrongFile);
  }

  const CheckpointFile& file_;
  const std::string& url_;
  const DownloadLimits& limits_;
  PartFile& part_;
  Console& console_;
  Sha256 sha256_;
  std::optional<int64_t> total_;
  bool resumed_ = false;
};

// True if an earlier run fetched it all and was ended before it could record that.
bool is_complete(const CheckpointFile& file, const PartFile& part, Console& console) {
  return file.size == part.size() && !file.sha256.empty() && !mismatch(file, part.path(), console);
}

Error gave_up(const CheckpointFile& file, const TransferFailed& failed, int tries, int64_t kept) {
  return failure(
      fmt::format("{} (tried {})", failed.what(), counted(tries, "time")),
      kept > 0 ? fmt::format("{} of {} are kept: the same command goes on from there",
                             format_bytes(kept), file.name)
               : "try later; `mirror` names another address, `from` takes a file that you have");
}

}  // namespace

void download(const CheckpointFile& file, const std::string& url,
              const std::filesystem::path& target, const DownloadLimits& limits, Console& console) {
  PartFile part(target);
  check_room(target.parent_path(), file.size.value_or(0) - part.size());
  if (is_complete(file, part, console)) return part.commit();
  console.note(fmt::format("fetching {}{}", without_secrets(url),
                           file.size ? fmt::format(" ({})", format_bytes(*file.size)) : ""));
  for (int attempt = 1;; ++attempt) {
    try {
      Transfer(file, url, limits, part, console).run();
      return part.commit();
    } catch (const TransferFailed& failed) {
      if (failed.restart()) part.restart();
      if (attempt >= limits.tries) throw gave_up(file, failed, attempt, part.size());
      const int seconds = std::min(1 << std::min(attempt - 1, 5), 30);
      console.note(fmt::format("{}; trying again in {} s", failed.what(), seconds));
      pause(std::chrono::seconds(seconds), console);
    }
  }
}

}  // namespace tagclip
