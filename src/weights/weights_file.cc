#include "weights/weights_file.h"

#include "base/error.h"
#include "base/files.h"
#include "io/file_signature.h"

namespace tagclip {
namespace {

enum class Family { kSafetensors, kTorch };

Family family_of(std::span<const std::byte> bytes, const std::string& name) {
  if (is_zip(bytes) || is_torch_legacy(bytes)) return Family::kTorch;
  const std::string kind = describe_bytes(bytes);
  if (kind == "a safetensors file") return Family::kSafetensors;
  throw bad_input(name + ": expected weights, found " + kind,
                  "weights are read from safetensors files and from what torch.save and "
                  "torch.jit.save write since PyTorch 0.1.10");
}

}  // namespace

WeightsFile WeightsFile::open(const std::filesystem::path& path) {
  constexpr size_t kPrefix = 4096;
  if (family_of(read_prefix(path, kPrefix), path.string()) == Family::kTorch) {
    return WeightsFile(TorchFile::open(path));
  }
  return WeightsFile(SafetensorsFile::open(path));
}

WeightsFile WeightsFile::parse(std::span<const std::byte> bytes, const std::string& name) {
  if (family_of(bytes, name) == Family::kTorch) return WeightsFile(TorchFile::parse(bytes, name));
  return WeightsFile(SafetensorsFile::parse(bytes, name));
}

WeightsFile::Container WeightsFile::container() const {
  const TorchFile* torch = std::get_if<TorchFile>(&file_);
  if (torch == nullptr) return Container::kSafetensors;
  switch (torch->container()) {
    case TorchFile::Container::kZip:
      return Container::kTorchZip;
    case TorchFile::Container::kTorchScript:
      return Container::kTorchScript;
    case TorchFile::Container::kLegacy:
      break;
  }
  return Container::kTorchLegacy;
}

const std::string& WeightsFile::name() const {
  return std::visit([](const auto& file) -> const std::string& { return file.name(); }, file_);
}

const Metadata& WeightsFile::metadata() const {
  static const Metadata kNone;
  const SafetensorsFile* file = std::get_if<SafetensorsFile>(&file_);
  return file != nullptr ? file->metadata() : kNone;
}

const std::vector<TensorView>& WeightsFile::tensors() const {
  return std::visit(
      [](const auto& file) -> const std::vector<TensorView>& { return file.tensors(); }, file_);
}

const TensorView* WeightsFile::find(std::string_view name) const {
  return std::visit([name](const auto& file) { return file.find(name); }, file_);
}

const PickleValue* WeightsFile::root() const {
  const TorchFile* file = std::get_if<TorchFile>(&file_);
  return file != nullptr ? &file->root() : nullptr;
}

}  // namespace tagclip
