#include "train/checkpoints.h"

#include <c10/util/StringUtil.h>

#include <ranges>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "clip/fingerprint.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

constexpr const char* kChecksum = "tagclip.checksum";
constexpr std::string_view kPrefix = "iteration_", kEnding = ".safetensors";

std::string file_name(int64_t iteration) { return c10::str(kPrefix, iteration, kEnding); }

std::optional<int64_t> iteration_of(const std::string& name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kEnding)) return {};
  std::string_view number = name;
  number.remove_prefix(kPrefix.size());
  number.remove_suffix(kEnding.size());
  return parse_number<int64_t>(number);
}

// Over names, metadata and values.
std::string checksum(const std::map<std::string, at::Tensor>& tensors, const Metadata& metadata) {
  std::string words;
  for (const auto& [key, value] : metadata) words += key + '\0' + value + '\0';
  std::vector<at::Tensor> all;
  for (const auto& [name, tensor] : tensors) {
    words += name + '\0';
    all.push_back(tensor);
  }
  all.push_back(at::from_blob(words.data(), {static_cast<int64_t>(words.size())}, at::kByte));
  return fingerprint(all);
}

// Throws Error(kBadInput) when the file is not what was written.
Checkpoint read(const fs::path& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  Checkpoint checkpoint{path, StateDict::from(file), file.metadata()};
  const auto stored = checkpoint.metadata.extract(kChecksum);
  if (stored.empty()) throw bad_input(path.string() + ": has no checksum");
  if (stored.mapped() != checksum(checkpoint.state.tensors, checkpoint.metadata)) {
    throw bad_input(path.string() + ": its content does not fit its checksum");
  }
  return checkpoint;
}

}  // namespace

Checkpoints::Checkpoints(const fs::path& run, int64_t keep)
    : folder_(run / "checkpoints"), keep_(keep) {}

std::map<int64_t, fs::path> Checkpoints::files() const {
  std::map<int64_t, fs::path> result;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(folder_, missing)) {
    if (const auto iteration = iteration_of(entry.path().filename())) {
      result[*iteration] = entry.path();
    }
  }
  return result;
}

void Checkpoints::save(int64_t iteration, const std::map<std::string, at::Tensor>& tensors,
                       Metadata metadata) const {
  create_folders(folder_);
  metadata[kChecksum] = checksum(tensors, metadata);
  tagclip::save(folder_ / file_name(iteration), tensors, metadata);
  int64_t kept = 0;
  for (const auto& [number, path] : files() | std::views::reverse) {
    if (++kept > keep_) fs::remove(path);
  }
}

std::optional<Checkpoint> Checkpoints::newest(
    const std::function<void(const std::string&)>& warn) const {
  std::vector<fs::path> damaged;
  for (const fs::path& path : files() | std::views::values | std::views::reverse) {
    try {
      Checkpoint found = read(path);
      found.damaged = std::move(damaged);
      return found;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
      warn(c10::str("a damaged checkpoint is passed over: ", error.what()));
      damaged.push_back(path);
    }
  }
  if (damaged.empty()) return {};
  throw bad_input(folder_.string() + ": none of the checkpoints is undamaged",
                  "move the folder away to start anew, or choose another output folder");
}

void Checkpoints::tidy(const Checkpoint& newest) const {
  for (const fs::path& path : newest.damaged) fs::rename(path, path.string() + ".damaged");
  std::vector<fs::path> half_written;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename();
    const bool ours = name.starts_with(kPrefix) && name.find(".safetensors.tmp-") != name.npos;
    if (ours) half_written.push_back(entry.path());
  }
  for (const fs::path& path : half_written) fs::remove(path);
}

}  // namespace tagclip
