#include "weights/torch/torch_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "io/byte_cursor.h"
#include "io/file_signature.h"
#include "weights/torch/torch_tensors.h"
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

namespace {

constexpr std::string_view kMagic = "0x1950a86a20f9469cfc6c";
constexpr int64_t kVersion = 1001;

class LegacyReader {
 public:
  LegacyReader(std::span<const std::byte> bytes, const std::string& name)
      : bytes_(bytes), name_(name) {}

  TorchContent read() {
    check_header();
    TorchContent content{.container = TorchFile::Container::kLegacy};
    content.pickle = next_pickle();
    const Pickle keys = next_pickle();
    if (keys.root->items() == nullptr) throw broken("its storages are not listed");
    ByteCursor cursor(bytes_, name_ + ": the part with its storages");
    for (const PickleValue* key : *keys.root->items()) {
      if (key->text() == nullptr) throw broken("a storage's key that is not text");
      read_storage(cursor, *key->text(), content);
    }
    check_complete(content);
    return content;
  }

 private:
  Pickle next_pickle() {
    Pickle pickle = parse_pickle(bytes_, name_);
    bytes_ = bytes_.subspan(pickle.size);
    return pickle;
  }

  void check_header() {
    const Pickle magic = next_pickle();
    if (magic.root->text() == nullptr || *magic.root->text() != kMagic) {
      throw broken("it does not begin with PyTorch's magic number");
    }
    const Pickle version = next_pickle();
    if (version.root->integer() != kVersion) {
      throw broken(fmt::format("expected version {} of the format, found {}", kVersion,
                               version.root->integer().value_or(0)));
    }
    const Pickle machine = next_pickle();
    const PickleValue* little = machine.root->find("little_endian");
    if (little == nullptr || little->boolean() != true) {
      throw bad_input(name_ + ": expected a file of a little-endian machine",
                      "save it again on a little-endian machine");
    }
  }

  void read_storage(ByteCursor& cursor, const std::string& key, TorchContent& content) {
    const auto described = content.pickle.storages.find(key);
    if (described == content.pickle.storages.end()) {
      throw broken("storage " + in_quotes(key) + " belongs to no tensor");
    }
    const auto numel = cursor.take_little_endian<uint64_t>();
    if (numel != described->second.numel) {
      throw broken(fmt::format("storage {} holds {} elements, its tensors expect {}",
                               in_quotes(key), numel, described->second.numel));
    }
    uint64_t size = 0;
    if (__builtin_mul_overflow(numel, size_of(described->second.dtype), &size)) {
      throw broken(fmt::format("storage {} of {} elements", in_quotes(key), numel));
    }
    if (!content.storages.emplace(key, cursor.take(size)).second) {
      throw broken("storage " + in_quotes(key) + " is there twice");
    }
  }

  void check_complete(const TorchContent& content) const {
    for (const auto& [key, storage] : content.pickle.storages) {
      if (!content.storages.contains(key)) {
        throw broken("storage " + in_quotes(key) + " is missing");
      }
    }
  }

  Error broken(const std::string& what) const {
    return bad_input(name_ + ": broken PyTorch file (before 1.6): " + what,
                     "fetch the file again, or save it again with a newer PyTorch");
  }

  std::span<const std::byte> bytes_;  // what is not read yet
  const std::string& name_;
};

}  // namespace

bool is_torch_legacy(std::span<const std::byte> bytes) {
  // The number follows the protocol's (2 bytes) and, from protocol 4 on, a frame's size (9 bytes).
  using std::string_view_literals::operator""sv;
  constexpr std::string_view kMagicBytes = "\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19"sv;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto has_magic_at = [&](size_t at) {
    return text.size() > at && text.substr(at).starts_with(kMagicBytes);
  };
  return text.starts_with('\x80') && (has_magic_at(2) || has_magic_at(11));
}

TorchContent read_torch_legacy(std::span<const std::byte> bytes, const std::string& name) {
  return LegacyReader(bytes, name).read();
}

namespace {

Error not_of_torch(std::span<const std::byte> bytes, const std::string& name) {
  const std::string kind = describe_bytes(bytes);
  return bad_input(name + ": expected a PyTorch file, found " + kind,
                   kind == "a tar archive"
                       ? "if it is a file of PyTorch before 0.1.10, save it again with a newer one"
                       : "expected a file of torch.save or torch.jit.save");
}

TorchContent read_content(std::span<const std::byte> bytes, const std::string& name) {
  if (is_zip(bytes)) return read_torch_zip(bytes, name);
  if (is_torch_legacy(bytes)) return read_torch_legacy(bytes, name);
  throw not_of_torch(bytes, name);
}

}  // namespace

TorchFile TorchFile::open(const std::filesystem::path& path) {
  auto mapping = std::make_shared<MappedFile>(path);
  TorchFile file = parse(mapping->bytes(), path.string());
  file.mapping_ = std::move(mapping);
  return file;
}

TorchFile TorchFile::parse(std::span<const std::byte> bytes, const std::string& name) {
  TorchContent content = read_content(bytes, name);
  TorchTensors tensors = collect_torch_tensors(content, bytes.size(), name);
  TorchFile file;
  file.container_ = content.container;
  file.name_ = name;
  file.pickle_ = std::move(content.pickle);
  file.tensors_ = std::move(tensors.views);
  file.copies_ = std::move(tensors.copies);
  file.index_names();
  return file;
}

void TorchFile::index_names() {
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), size_t{0});
  const auto name_of = [this](size_t i) -> std::string_view { return tensors_[i].name; };
  std::ranges::sort(by_name_, {}, name_of);
  const auto twice = std::ranges::adjacent_find(by_name_, {}, name_of);
  if (twice != by_name_.end()) {
    throw bad_input(name_ + ": two tensors are named " + in_quotes(name_of(*twice)));
  }
}

const TensorView* TorchFile::find(std::string_view name) const {
  const auto name_of = [this](size_t i) -> std::string_view { return tensors_[i].name; };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
  if (found == by_name_.end() || name_of(*found) != name) return nullptr;
  return &tensors_[*found];
}

}  // namespace tagclip
