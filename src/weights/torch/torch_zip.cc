#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "weights/torch/torch_content.h"
#include "weights/torch/zip_archive.h"

namespace tagclip {
namespace {

// The one folder at the top that holds data.pkl, with its slash.
std::string top_folder(const ZipArchive& archive, const std::string& name) {
  constexpr std::string_view kPickle = "data.pkl";
  std::string folder;
  for (const auto& [entry, _] : archive.entries()) {
    const size_t slash = entry.find('/');
    if (slash == std::string::npos || std::string_view(entry).substr(slash + 1) != kPickle) {
      continue;
    }
    if (!folder.empty()) throw bad_input(name + ": the archive has two folders with a data.pkl");
    folder = entry.substr(0, slash + 1);
  }
  if (folder.empty()) {
    throw bad_input(name + ": a zip archive, but not one of PyTorch: it has no data.pkl",
                    "expected a file of torch.save or torch.jit.save");
  }
  return folder;
}

bool has_code(const ZipArchive& archive, const std::string& folder) {
  const auto code = archive.entries().lower_bound(folder + "code/");
  return archive.contains(folder + "constants.pkl") ||
         (code != archive.entries().end() && code->first.starts_with(folder + "code/"));
}

void check_byte_order(const ZipArchive& archive, const std::string& entry,
                      const std::string& name) {
  if (!archive.contains(entry)) return;  // PyTorch before 2.1 did not write it
  const auto bytes = archive.read(entry);
  const std::string_view order(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (order != "little") {
    throw bad_input(
        fmt::format("{}: expected little-endian storages, found {}", name, in_quotes(order)),
        "save it again on a little-endian machine");
  }
}

}  // namespace

bool is_zip(std::span<const std::byte> bytes) {
  constexpr std::string_view kMagic = "PK\x03\x04";
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())
      .starts_with(kMagic);
}

TorchContent read_torch_zip(std::span<const std::byte> bytes, const std::string& name) {
  const ZipArchive archive(bytes, name);
  const std::string folder = top_folder(archive, name);
  check_byte_order(archive, folder + "byteorder", name);

  TorchContent content{.container = has_code(archive, folder) ? TorchFile::Container::kTorchScript
                                                              : TorchFile::Container::kZip};
  content.pickle = parse_pickle(archive.read(folder + "data.pkl"), name,
                                content.container == TorchFile::Container::kTorchScript
                                    ? PickleDialect::kTorchScript
                                    : PickleDialect::kPlain);
  for (const auto& [key, storage] : content.pickle.storages) {
    content.storages.emplace(key, archive.read(folder + "data/" + key));
  }
  return content;
}

}  // namespace tagclip
