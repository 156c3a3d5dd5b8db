#include "data/caption_shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "data/tar_reader.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

bool is_photo(const fs::path& name) {
  constexpr std::string_view kEndings[] = {".jpg", ".jpeg", ".png", ".webp"};
  return std::ranges::find(kEndings, name.extension().native()) != std::end(kEndings);
}

std::string key_of(const fs::path& name) { return fs::path(name).replace_extension().string(); }

// Puts the members of one shard together, two by two.
class Pairing {
 public:
  Pairing(const fs::path& shard, std::vector<CaptionedPhoto>& photos)
      : shard_(shard), photos_(photos) {}

  void add(TarMember member) {
    const fs::path name = member.name;
    const bool photo = is_photo(name);
    if (!photo && name.extension() != ".txt") return;
    const std::string key = key_of(name);
    if (key != pending_.key) finish();
    pending_.key = key;
    if (photo ? has_photo_ : has_captions_) {
      throw bad_input(fmt::format("{}: a second {} for {}", shard_.string(),
                                  photo ? "photo" : "caption list", member.name));
    }
    if (photo) {
      add_photo(std::move(member));
    } else {
      add_captions(member);
    }
  }

  // Closes the pair in hand.
  void finish() {
    if (has_photo_ != has_captions_) {
      throw bad_input(fmt::format("{}: {} has a {} but no {} next to it", shard_.string(),
                                  pending_.key, has_photo_ ? "photo" : "caption list",
                                  has_photo_ ? "caption list (.txt)" : "photo"));
    }
    if (has_photo_) photos_.push_back(std::move(pending_));
    pending_ = {};
    has_photo_ = has_captions_ = false;
  }

 private:
  void add_photo(TarMember member) {
    if (member.bytes.empty()) {
      throw bad_input(fmt::format("{}: {} is empty", shard_.string(), member.name));
    }
    pending_.encoded = std::move(member.bytes);
    has_photo_ = true;
  }

  void add_captions(const TarMember& member) {
    const std::string_view text{reinterpret_cast<const char*>(member.bytes.data()),
                                member.bytes.size()};
    if (const auto offset = find_invalid_utf8(text)) {
      throw bad_input(
          fmt::format("{}: {} is not UTF-8 at byte {}", shard_.string(), member.name, *offset));
    }
    const std::vector<std::string_view> lines = split_lines(text);
    pending_.captions.assign(lines.begin(), lines.end());
    std::erase(pending_.captions, "");
    if (pending_.captions.empty()) {
      throw bad_input(fmt::format("{}: {} holds no caption", shard_.string(), member.name));
    }
    has_captions_ = true;
  }

  const fs::path& shard_;
  std::vector<CaptionedPhoto>& photos_;
  CaptionedPhoto pending_;
  bool has_photo_ = false;
  bool has_captions_ = false;
};

}  // namespace

std::vector<CaptionedPhoto> read_caption_shards(const std::vector<fs::path>& shards) {
  std::vector<CaptionedPhoto> photos;
  std::unordered_map<std::string, const fs::path*> shard_of;
  for (const fs::path& shard : shards) {
    const size_t first = photos.size();
    TarReader reader(shard);
    Pairing pairing(shard, photos);
    while (auto member = reader.next()) pairing.add(std::move(*member));
    pairing.finish();
    if (photos.size() == first) {
      throw bad_input(fmt::format("{} holds no captioned photo", shard.string()),
                      "members are <key>.jpg (png, webp) and <key>.txt");
    }
    for (size_t i = first; i < photos.size(); ++i) {
      const auto [known, is_new] = shard_of.emplace(photos[i].key, &shard);
      if (is_new) continue;
      throw bad_input(fmt::format("{}: {} is already in {}", shard.string(), photos[i].key,
                                  known->second->string()));
    }
  }
  return photos;
}

}  // namespace tagclip
