#include "train/pretrain_sources.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "clip/fingerprint.h"
#include "data/caption_shards.h"
#include "text/class_file.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

bool is_taken(const std::string& key, const std::vector<std::string>& beginnings) {
  return beginnings.empty() || std::ranges::any_of(beginnings, [&](const std::string& beginning) {
           return key.starts_with(beginning);
         });
}

std::vector<PretrainPhoto> photos_of_shards(const PretrainSource& source) {
  std::vector<PretrainPhoto> photos;
  for (CaptionedPhoto& photo : read_caption_shards({source.shards.begin(), source.shards.end()})) {
    if (!is_taken(photo.key, source.keys)) continue;
    photos.push_back({.key = std::move(photo.key),
                      .encoded = std::move(photo.encoded),
                      .captions = std::move(photo.captions)});
  }
  return photos;
}

std::vector<PretrainPhoto> photos_of_set(const PretrainSource& source, const Dataset& data) {
  const fs::path list = data.folder() / "captions.tsv";
  PhotoTable<std::vector<std::string>> captions;
  if (is_file(list)) captions = read_captions(list);
  std::vector<PretrainPhoto> photos;
  bool any = captions.empty();
  for (size_t item = 0; item < data.size(); ++item) {
    const std::string& key = data.name(item);
    if (!is_taken(key, source.keys)) continue;
    const auto found = captions.find(key);
    any |= found != captions.end();
    photos.push_back({.key = key, .item = item});
    if (found != captions.end()) photos.back().captions = found->second;
  }
  if (!any && !photos.empty()) {
    throw bad_input(
        fmt::format("{}: no line is about a photo of the split {}", list.string(), source.split),
        "its lines begin with names as the split's list has them");
  }
  return photos;
}

PretrainPhotos read_source(const PretrainSource& source, const PretrainConfig& config) {
  PretrainPhotos result{.title = source.title()};
  if (source.data.folder.empty()) {
    result.photos = photos_of_shards(source);
  } else {
    DatasetOptions options = source.data;
    options.max_pixels = config.max_pixels;
    result.data.emplace(options, source.split);
    result.photos = photos_of_set(source, *result.data);
    result.labelled = config.loss.labels > 0;
    if (result.labelled && std::ranges::count(result.data->seen(), true) < 2) {
      throw bad_input(fmt::format("{}: fewer than two classes are seen", source.data.folder),
                      "loss.labels tells the words of a set apart: name fewer unseen classes");
    }
  }
  if (result.photos.empty()) {
    throw bad_input(fmt::format("{}: no photo has a key that begins with one of {}", source.title(),
                                to_string(FieldValue(source.keys))),
                    fmt::format("set {}.keys to other beginnings", source.title()));
  }
  return result;
}

// Words of names are compared as texts: two names may share one.
struct NamesList {
  std::vector<ClassWords> names;           // without the unseen ones
  std::vector<std::optional<int32_t>> at;  // of each line of the list, its place in names
};

NamesList read_names_list(const PretrainNamesConfig& config) {
  NamesList list;
  std::set<std::string> unused(config.unseen.begin(), config.unseen.end());
  for (ListedClass& entry : read_class_file(config.list)) {
    bool unseen = false;
    for (const std::string& word : entry.words) {
      unused.erase(word);
      unseen |= std::ranges::find(config.unseen, word) != config.unseen.end();
    }
    list.at.push_back(unseen ? std::nullopt : std::optional<int32_t>(std::ssize(list.names)));
    if (!unseen) list.names.push_back({std::move(entry.words)});
  }
  if (!unused.empty()) {
    throw bad_input(
        fmt::format("names.unseen: {} has no name \"{}\"", config.list, *unused.begin()),
        "name a word as it stands there, between commas");
  }
  if (list.names.size() < 2) {
    throw bad_input(config.list + " has one name to learn; there is nothing to tell apart",
                    config.unseen.empty() ? "" : "leave words out of names.unseen");
  }
  return list;
}

// Without the unseen names. A photo that they explain for the most part keeps none: the teacher's
// second thoughts about it are no names for it.
SoftNames seen_names(const SoftNames& names, const NamesList& list) {
  SoftNames seen;
  float kept = 0;
  float all = 0;
  for (const SoftName& name : names) {
    all += name.probability;
    if (!list.at[name.name]) continue;
    kept += name.probability;
    seen.push_back({*list.at[name.name], name.probability});
  }
  if (kept < all / 2) return {};
  for (SoftName& name : seen) name.probability *= all / kept;
  return seen;
}

void add_names(const PretrainConfig& config, const NamesList& list,
               std::vector<PretrainPhotos>& sources) {
  const PhotoTable<SoftNames> table = read_soft_names(config.names.soft, list.at.size());
  const std::vector<PretrainSource> described = config.all_sources();
  bool any = false;
  for (size_t s = 0; s < sources.size(); ++s) {
    for (PretrainPhoto& photo : sources[s].photos) {
      const auto found = table.find(described[s].key_prefix + photo.key);
      if (found == table.end()) continue;
      photo.names = seen_names(found->second, list);
      any = true;
    }
  }
  if (any) return;
  const PretrainPhoto& first = sources.front().photos.front();
  throw bad_input(fmt::format("{}: no line is about a photo of a source; the first one would be {}",
                              config.names.soft, described.front().key_prefix + first.key),
                  "set source.NAME.key_prefix to what stands before the keys there");
}

// Leaves out what no loss can use.
void keep_useful(const PretrainConfig& config, PretrainPhotos& source) {
  source.unused = static_cast<int64_t>(std::erase_if(source.photos, [&](PretrainPhoto& photo) {
    if (config.loss.contrastive == 0) photo.captions.clear();
    return photo.captions.empty() && photo.names.empty() && !source.labelled;
  }));
  if (!source.photos.empty()) return;
  throw bad_input(fmt::format("{}: no loss can use one of its photos", source.title),
                  "they need captions for loss.contrastive, names for loss.names, or labels for "
                  "loss.labels");
}

std::vector<float> label_priors(const PretrainPhotos& source, double balance) {
  std::vector<int64_t> pixels(source.data->classes().size(), 1);
  std::mutex mutex;
  at::parallel_for(0, std::ssize(source.photos), 1, [&](int64_t begin, int64_t end) {
    std::vector<int64_t> own(pixels.size());
    for (int64_t i = begin; i < end; ++i) {
      for (const uint16_t label : source.data->labels(source.photos[i].item).labels) {
        if (label != kIgnoreIndex && source.data->seen()[label]) ++own[label];
      }
    }
    const std::lock_guard lock(mutex);
    for (size_t c = 0; c < own.size(); ++c) pixels[c] += own[c];
  });
  const auto all = static_cast<double>(std::reduce(pixels.begin(), pixels.end()));
  std::vector<float> priors;
  for (const int64_t count : pixels) {
    priors.push_back(static_cast<float>(balance * std::log(static_cast<double>(count) / all)));
  }
  return priors;
}

bool any_photo(const std::vector<PretrainPhotos>& sources,
               const std::function<bool(const PretrainPhoto&)>& holds) {
  return std::ranges::any_of(sources, [&](const PretrainPhotos& source) {
    return std::ranges::any_of(source.photos, holds);
  });
}

int64_t bytes_of(const LabelledImage& photo) {
  return static_cast<int64_t>(photo.image.pixels.size() +
                              photo.labels.labels.size() * sizeof(uint16_t));
}

// What the labels of a set mean: its words, a class a line, those of seen classes marked.
std::string words_of(const Dataset& data) {
  std::string text;
  for (size_t c = 0; c < data.classes().size(); ++c) {
    text += data.seen()[c] ? "+" : "-";
    for (const std::string& word : data.words()[c].words) text += word + "\t";
    text += '\n';
  }
  return text;
}

}  // namespace

PretrainSources::PretrainSources(const PretrainConfig& config) : config_(config) {
  for (const PretrainSource& source : config.all_sources()) {
    sources_.push_back(read_source(source, config));
  }
  if (config.loss.names > 0) {
    NamesList list = read_names_list(config.names);
    add_names(config, list, sources_);
    names_ = std::move(list.names);
  }
  for (PretrainPhotos& source : sources_) {
    keep_useful(config, source);
    if (source.labelled && config.loss.label_balance > 0) {
      source.label_priors = label_priors(source, config.loss.label_balance);
    }
  }
  const auto has_captions = [](const PretrainPhoto& photo) { return !photo.captions.empty(); };
  if (config.loss.contrastive > 0 && !any_photo(sources_, has_captions)) {
    throw bad_input("no photo has a caption, which loss.contrastive needs",
                    "set loss.contrastive to 0, or add captions");
  }
  std::vector<int64_t> counts;
  for (const PretrainPhotos& source : sources_) {
    counts.push_back(std::ssize(source.photos));
    decoded_.emplace_back(source.photos.size());
  }
  const std::vector<int64_t> slots = slots_of_sources(config.all_sources(), counts, config.batch);
  for (size_t s = 0; s < slots.size(); ++s) sources_[s].slots = slots[s];
}

LabelledImage PretrainSources::decode(const PretrainPhotos& source,
                                      const PretrainPhoto& photo) const {
  if (!source.data) {
    return {decode_image(photo.encoded, photo.key, {.max_pixels = config_.max_pixels}), {}};
  }
  if (!source.labelled) return {source.data->image(photo.item), {}};
  LabelledImage result = source.data->read(photo.item);
  for (uint16_t& label : result.labels.labels) {
    if (label != kIgnoreIndex && !source.data->seen()[label]) label = kIgnoreIndex;
  }
  return result;
}

std::shared_ptr<const LabelledImage> PretrainSources::read(const PretrainPhotos& source,
                                                           int64_t photo) const {
  std::shared_ptr<const LabelledImage>& place = decoded_[&source - sources_.data()][photo];
  {
    const std::lock_guard lock(mutex_);
    if (place) return place;
  }
  auto decoded = std::make_shared<const LabelledImage>(decode(source, source.photos[photo]));
  const std::lock_guard lock(mutex_);
  const int64_t bytes = bytes_of(*decoded);
  if (!place && decoded_bytes_ + bytes <= config_.cache << 20) {
    decoded_bytes_ += bytes;
    place = decoded;
  }
  return decoded;
}

std::string PretrainSources::fingerprint() const {
  std::vector<at::Tensor> bytes;
  std::string words;
  for (const ClassWords& name : names_) {
    for (const std::string& word : name.words) words += word + "\t";
    words += '\n';
  }
  for (const PretrainPhotos& source : sources_) {
    if (source.labelled) words += words_of(*source.data);
    for (const PretrainPhoto& photo : source.photos) {
      if (source.data) {
        words += photo.key + "\n";
      } else {
        bytes.push_back(at::from_blob(const_cast<std::byte*>(photo.encoded.data()),
                                      {std::ssize(photo.encoded)}, at::kByte));
      }
      for (const std::string& caption : photo.captions) words += caption + "\n";
      for (const SoftName& name : photo.names) {
        words += fmt::format("{}:{}\n", name.name, name.probability);
      }
      words += '\n';
    }
  }
  bytes.push_back(at::from_blob(words.data(), {std::ssize(words)}, at::kByte));
  return tagclip::fingerprint(bytes);
}

std::vector<int64_t> slots_of_sources(const std::vector<PretrainSource>& sources,
                                      const std::vector<int64_t>& photos, int64_t batch) {
  double given = 0;
  int64_t others = 0;  // photos of the sources without a share
  for (size_t s = 0; s < sources.size(); ++s) {
    if (sources[s].share) given += *sources[s].share;
    if (!sources[s].share) others += photos[s];
  }
  if (others > 0 && given >= 1) {
    throw usage_error(fmt::format("source.*.share: {} of the batch is given away, and nothing is "
                                  "left for the sources without a share",
                                  given),
                      "let the shares add up to less than 1, or give every source one");
  }
  if (batch < std::ssize(sources)) {
    throw usage_error(fmt::format("batch: expected a photo of each of the {} sources, found {}",
                                  sources.size(), batch));
  }
  std::vector<double> exact;
  std::vector<int64_t> slots;
  for (size_t s = 0; s < sources.size(); ++s) {
    const double share = !sources[s].share ? (1 - given) * photos[s] / others
                         : others > 0      ? *sources[s].share
                                           : *sources[s].share / given;
    exact.push_back(share * batch);
    slots.push_back(std::max<int64_t>(1, static_cast<int64_t>(exact.back())));
  }
  // One at a time goes to, or is taken from, the source that is furthest from its share.
  for (int64_t left = batch - std::accumulate(slots.begin(), slots.end(), int64_t{0}); left != 0;) {
    const int64_t change = left > 0 ? 1 : -1;
    size_t furthest = sources.size();
    for (size_t s = 0; s < sources.size(); ++s) {
      if (slots[s] + change < 1) continue;
      const auto missing = [&](size_t i) {
        return static_cast<double>(change) * (exact[i] - static_cast<double>(slots[i]));
      };
      if (furthest == sources.size() || missing(s) > missing(furthest)) furthest = s;
    }
    slots[furthest] += change;
    left -= change;
  }
  return slots;
}

}  // namespace tagclip
