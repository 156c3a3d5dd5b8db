#include "onnx/model_file.h"

#include "base/files.h"

namespace tagclip::onnx {
namespace {

// Field numbers of onnx.proto.
namespace field {
namespace model {
constexpr int kIrVersion = 1, kProducer = 2, kGraph = 7, kOpset = 8, kMetadata = 14;
}
constexpr int kOpsetVersion = 2;
constexpr int kKey = 1, kEntry = 2;  // of an entry of metadata
namespace tensor {
constexpr int kDimensions = 1, kType = 2, kName = 8, kRawData = 9, kExternalData = 13,
              kLocation = 14;
}
}  // namespace field

constexpr int64_t kExternal = 1;
constexpr uint64_t kAlignment = 4096;    // of tensors in a data file, so that they can be mapped
constexpr size_t kLeastExternal = 1024;  // bytes; readers want shapes and the like in the model

Message entry(const std::string& key, const std::string& value) {
  Message message;
  message.add_text(field::kKey, key);
  message.add_text(field::kEntry, value);
  return message;
}

Message described(const Graph::NamedTensor& named) {
  Message message;
  for (const int64_t length : named.tensor.shape) {
    message.add_integer(field::tensor::kDimensions, length);
  }
  message.add_integer(field::tensor::kType, static_cast<int64_t>(named.tensor.type));
  message.add_text(field::tensor::kName, named.name);
  return message;
}

std::vector<Message> with_data_inside(const Graph& graph) {
  std::vector<Message> messages;
  for (const Graph::NamedTensor& named : graph.initializers()) {
    messages.push_back(described(named));
    messages.back().add_bytes(field::tensor::kRawData, named.tensor.data);
  }
  return messages;
}

// Appends the data of large tensors to `file`, which is called `name`.
std::vector<Message> with_data_in(const Graph& graph, AtomicFile& file, const std::string& name) {
  std::vector<Message> messages;
  uint64_t end = 0;
  for (const Graph::NamedTensor& named : graph.initializers()) {
    messages.push_back(described(named));
    Message& message = messages.back();
    const std::span<const std::byte> data = named.tensor.data;
    if (data.size() < kLeastExternal) {
      message.add_bytes(field::tensor::kRawData, data);
      continue;
    }
    const uint64_t offset = (end + kAlignment - 1) / kAlignment * kAlignment;
    file.write(std::string(offset - end, '\0'));
    file.write(data);
    end = offset + data.size();
    message.add_message(field::tensor::kExternalData, entry("location", name));
    message.add_message(field::tensor::kExternalData, entry("offset", std::to_string(offset)));
    message.add_message(field::tensor::kExternalData, entry("length", std::to_string(data.size())));
    message.add_integer(field::tensor::kLocation, kExternal);
  }
  return messages;
}

void write_message(const Message& message, AtomicFile& file) {
  message.write([&](std::span<const std::byte> bytes) { file.write(bytes); });
}

std::filesystem::path data_path(std::filesystem::path path) { return path += ".data"; }

}  // namespace

ModelFile::ModelFile(const Graph& graph, std::map<std::string, std::string> metadata,
                     std::filesystem::path path, uint64_t max_bytes)
    : graph_(graph), metadata_(std::move(metadata)), path_(std::move(path)) {
  has_data_file_ = message(with_data_inside(graph_)).size() > max_bytes;
}

std::vector<std::filesystem::path> ModelFile::paths() const {
  if (has_data_file_) return {path_, data_path(path_)};
  return {path_};
}

void ModelFile::write() const {
  AtomicFile model(path_);
  if (!has_data_file_) {
    write_message(message(with_data_inside(graph_)), model);
    model.commit();
    return;
  }
  AtomicFile data(data_path(path_));
  write_message(message(with_data_in(graph_, data, data_path(path_).filename().string())), model);
  data.commit();
  model.commit();
}

Message ModelFile::message(const std::vector<Message>& initializers) const {
  Message opset, model;
  opset.add_integer(field::kOpsetVersion, kOpset);
  model.add_integer(field::model::kIrVersion, kIrVersion);
  model.add_text(field::model::kProducer, "tagclip");
  model.add_message(field::model::kGraph, graph_.message(initializers));
  model.add_message(field::model::kOpset, opset);
  for (const auto& [key, value] : metadata_) {
    model.add_message(field::model::kMetadata, entry(key, value));
  }
  return model;
}

}  // namespace tagclip::onnx
