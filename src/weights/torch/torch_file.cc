#include "weights/torch/torch_file.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "io/file_kind.h"
#include "weights/torch/torch_content.h"
#include "weights/torch/torch_tensors.h"

namespace tagclip {
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
