#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/tensor_view.h"
#include "weights/torch/pickle.h"

namespace tagclip {

// A file of torch.save or torch.jit.save, mapped into memory and read as data: nothing in it is run
// (pickle.h). Only uncompressed archives of little-endian machines, as PyTorch writes them; the
// device a tensor was saved from does not matter. As in PyTorch itself the checksums of the archive
// are not compared.
class TorchFile {
 public:
  enum class Container {
    kZip,          // torch.save since PyTorch 1.6
    kTorchScript,  // torch.jit.save
    kLegacy,       // torch.save before 1.6: a stream of pickles and storages
  };

  // Throws Error(kBadInput) naming the file, what is wrong with it and what to do.
  static TorchFile open(const std::filesystem::path& path);
  // Parses bytes the caller keeps alive.
  static TorchFile parse(std::span<const std::byte> bytes, const std::string& name);

  Container container() const { return container_; }
  const std::string& name() const { return name_; }
  const PickleValue& root() const { return *pickle_.root; }

  // Every tensor reachable from the root through dicts, lists, tuples and attributes, in the order
  // of the file, named by its path: "state_dict.module.visual.conv1.weight",
  // "optimizer.state.0.exp_avg". A file that is a single tensor names it "". A tensor that stands
  // in several places is listed with each name. A key that is neither text nor a number shows as
  // "<tuple>". Views lie in the file; only a tensor that is not contiguous there (a transposed one)
  // is copied. The views live as long as the file object or a copy of it.
  const std::vector<TensorView>& tensors() const { return tensors_; }
  // nullptr when there is no such tensor.
  const TensorView* find(std::string_view name) const;

 private:
  void index_names();

  Container container_ = Container::kZip;
  std::string name_;
  std::shared_ptr<const void> mapping_;  // keeps the views alive
  std::shared_ptr<const void> copies_;   // of tensors that are not contiguous in the file
  Pickle pickle_;
  std::vector<TensorView> tensors_;
  std::vector<size_t> by_name_;  // indices into tensors_, sorted by name
};

// Holds a PyTorch file's content: values, and the bytes of the storages of its tensors.
struct TorchContent {
  TorchFile::Container container;
  Pickle pickle;
  std::map<std::string, std::span<const std::byte>> storages;  // each of those the pickle names
};

bool is_zip(std::span<const std::byte> bytes);
// True if PyTorch's magic number stands at the start.
bool is_torch_legacy(std::span<const std::byte> bytes);

// Both throw Error(kBadInput); `name` is the file in messages.
TorchContent read_torch_zip(std::span<const std::byte> bytes, const std::string& name);
TorchContent read_torch_legacy(std::span<const std::byte> bytes, const std::string& name);

}  // namespace tagclip
