#include "infer/embedding_file.h"

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "text/class_file.h"
#include "text/same_words.h"
#include "text/tokenizer.h"
#include "weights/npy.h"

namespace tagclip {
namespace {

using nlohmann::json;

constexpr const char* kTensor = "text_embeddings";
constexpr const char* kClasses = "tagclip.classes";      // JSON: a list of lists of words
constexpr const char* kTemplates = "tagclip.templates";  // JSON: a list
constexpr const char* kClassTemplates = "tagclip.class_templates";  // JSON: a list of lists

bool is_npy(const std::filesystem::path& path) { return path.extension() == ".npy"; }

struct StoredEmbeddings {
  at::Tensor rows;  // [C, d], of any type
  std::vector<ClassWords> classes;
  std::vector<std::string> templates;
};

std::vector<ClassWords> classes_in(const Metadata& metadata, const std::string& source) {
  std::vector<ClassWords> classes;
  const auto stored = metadata.find(kClasses);
  if (stored == metadata.end()) return classes;
  try {
    const json list = parse_bounded_json(stored->second).value();
    for (const json& words : list) {
      classes.push_back({words.get<std::vector<std::string>>()});
      if (classes.back().words.empty()) throw std::bad_optional_access();
    }
  } catch (const std::exception&) {
    throw bad_input(source + ": the metadata " + kClasses + " is damaged");
  }
  return checked_classes(classes, source);
}

std::vector<std::string> templates_in(const Metadata& metadata) {
  const auto stored = metadata.find(kTemplates);
  if (stored == metadata.end()) return {};
  const json list = parse_bounded_json(stored->second).value_or(json());
  std::vector<std::string> templates;
  for (const json& prompt : list) {
    if (prompt.is_string()) templates.push_back(prompt.get<std::string>());
  }
  return templates;
}

StoredEmbeddings read_npy_embeddings(const std::filesystem::path& path) {
  const NpyArray array = read_npy(path);
  return {as_tensor(array.view).clone(), {}, {}};
}

std::vector<ClassWords> classes_beside(const std::filesystem::path& path) {
  const std::filesystem::path list = class_list_of(path);
  if (!is_npy(path) || !path_exists(list)) {
    throw bad_input(
        path.string() + ": nothing says which classes the rows stand for",
        "name them in `classes`, or put the list beside it as " + list.filename().string());
  }
  return parse_classes(list.string());
}

StoredEmbeddings read_safetensors_embeddings(const std::filesystem::path& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const TensorView* view = file.find(kTensor);
  if (view == nullptr) {
    throw bad_input(fmt::format("{}: holds no tensor {}", path.string(), kTensor),
                    "tagclip embed writes such files");
  }
  return {as_tensor(*view).clone(), classes_in(file.metadata(), path.string()),
          templates_in(file.metadata())};
}

// Unit rows, float32.
at::Tensor checked_rows(const at::Tensor& rows, int64_t embedding, const std::string& source) {
  if (rows.dim() != 2 || rows.size(1) != embedding || rows.size(0) == 0) {
    throw bad_input(
        fmt::format("{}: expected rows of {} numbers, as this model compares; found shape {}",
                    source, embedding, shape_text(rows.sizes())),
        "embeddings belong to the CLIP whose text tower made them");
  }
  check_numbers(source, kTensor, rows, "embed the words again");
  const at::Tensor numbers = rows.to(at::kFloat);
  const at::Tensor lengths = numbers.norm(2, 1);
  const at::Tensor usable = lengths.isfinite().logical_and(lengths.gt(0));
  if (!usable.all().item<bool>()) {
    const int64_t row = usable.logical_not().nonzero()[0].item<int64_t>();
    throw bad_input(fmt::format("{}: row {} is zero, or too large for float32", source, row));
  }
  return l2_normalize(numbers);
}

}  // namespace

std::filesystem::path class_list_of(const std::filesystem::path& embeddings) {
  return std::filesystem::path(embeddings).replace_extension(".txt");
}

void write_text_embeddings(const std::filesystem::path& path, const EmbeddedVocabulary& vocabulary,
                           bool with_list) {
  const auto classes = static_cast<int64_t>(vocabulary.classes.size());
  if (vocabulary.embeddings.size(0) != classes) {
    throw usage_error("a file of embeddings holds one per class",
                      "set `synonyms` to mean, or make each word a class");
  }
  const at::Tensor rows = vocabulary.embeddings.cpu().to(at::kFloat).contiguous();
  if (!is_npy(path)) {
    json words = json::array();
    for (const ClassWords& entry : vocabulary.classes) words.push_back(entry.words);
    Metadata metadata = {{kClasses, words.dump()}, {kTemplates, json(vocabulary.templates).dump()}};
    if (!vocabulary.class_templates.empty()) {
      metadata[kClassTemplates] = json(vocabulary.class_templates).dump();
    }
    save(path, {{kTensor, rows}}, metadata);
    return;
  }
  std::string list;
  for (const ClassWords& entry : vocabulary.classes) {
    for (const std::string& word : entry.words) list.append(quoted_word(word)).append(", ");
    list.replace(list.size() - 2, 2, "\n");
  }
  if (with_list) write_file(class_list_of(path), list);
  write_npy(path, {.dtype = DType::kF32,
                   .shape = rows.sizes().vec(),
                   .data = {static_cast<const std::byte*>(rows.const_data_ptr()), rows.nbytes()}});
}

EmbeddedVocabulary read_text_embeddings(const std::filesystem::path& path,
                                        const InferenceModel& model,
                                        std::vector<ClassWords> classes) {
  const c10::InferenceMode no_gradients;
  const std::string source = path.string();
  StoredEmbeddings stored =
      is_npy(path) ? read_npy_embeddings(path) : read_safetensors_embeddings(path);
  at::Tensor rows = checked_rows(stored.rows, model.model.encoder->info.clip.embedding, source);
  if (!classes.empty()) stored.classes = std::move(classes);
  if (stored.classes.empty()) stored.classes = classes_beside(path);
  const auto count = static_cast<int64_t>(stored.classes.size());
  DistinctClasses distinct =
      distinct_classes(stored.classes, stored.templates, Tokenizer(), Tokenizer::kContext);
  const bool one_each = rows.size(0) == count;
  if (!one_each && rows.size(0) != std::ssize(distinct.classes)) {
    throw bad_input(fmt::format("{}: holds {} embeddings, the class list {} classes", source,
                                rows.size(0), stored.classes.size()),
                    "each row needs its class, in the same order");
  }
  if (one_each && std::ssize(distinct.classes) < count) {
    const std::vector<int64_t> kept(distinct.origin.begin(), distinct.origin.end());
    rows = rows.index_select(0, at::tensor(kept, at::kLong));
  }
  stored.classes = std::move(distinct.classes);
  std::vector<bool> seen = seen_classes(stored.classes, model.trained_on);
  return {.classes = std::move(stored.classes),
          .seen = std::move(seen),
          .inductive = model.trained_on.inductive,
          .templates = std::move(stored.templates),
          .embeddings = rows.to(model.model.encoder->info.device),
          .same = std::move(distinct.remarks)};
}

}  // namespace tagclip
