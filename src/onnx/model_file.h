#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "onnx/graph.h"

namespace tagclip::onnx {

// The largest message that readers of protocol buffers take, bytes.
inline constexpr uint64_t kMaxModelBytes = (uint64_t{1} << 31) - 1;

// A graph and what it says about itself, on the way to a file. The graph must outlive it.
class ModelFile {
 public:
  // `max_bytes`: a larger file has its tensors in a second one beside it, "NAME.data".
  ModelFile(const Graph& graph, std::map<std::string, std::string> metadata,
            std::filesystem::path path, uint64_t max_bytes = kMaxModelBytes);

  // The files that `write` writes: the model, then its data where they do not fit into it.
  std::vector<std::filesystem::path> paths() const;
  // Each file appears whole or not at all, the model after its data. Throws Error(kFailure) when
  // one cannot be written.
  void write() const;

 private:
  Message message(const std::vector<Message>& initializers) const;

  const Graph& graph_;
  std::map<std::string, std::string> metadata_;
  std::filesystem::path path_;
  bool has_data_file_ = false;
};

}  // namespace tagclip::onnx
