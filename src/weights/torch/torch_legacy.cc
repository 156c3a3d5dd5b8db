// What torch.save wrote before PyTorch 1.6, and writes still when asked to: five pickles (a magic
// number, the version of the format, the machine it came from, the object, the keys of its
// storages), then each storage: its number of elements and their bytes.
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "io/byte_cursor.h"
#include "weights/torch/torch_content.h"

namespace tagclip {
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
  // After the protocol's number (2 bytes) and, from protocol 4 on, a frame's size (9 bytes).
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

}  // namespace tagclip
