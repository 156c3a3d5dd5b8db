#include "report/photo_columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "image/palette.h"
#include "report/html.h"

namespace tagclip {
namespace {

const ExamplePhoto* find_example(const RunGroup& group, const std::string& name) {
  for (const TrainingRun* run : group.runs) {
    const auto found = std::ranges::find(run->examples, name, &ExamplePhoto::name);
    if (found != run->examples.end()) return &*found;
  }
  return nullptr;
}

// Returns the names of all photos in the order of the groups.
std::vector<std::string> photo_names(const std::vector<const RunGroup*>& groups) {
  std::vector<std::string> names;
  for (const RunGroup* group : groups) {
    for (const TrainingRun* run : group->runs) {
      for (const ExamplePhoto& example : run->examples) {
        if (std::ranges::find(names, example.name) == names.end()) names.push_back(example.name);
      }
    }
  }
  return names;
}

std::string picture(const Image& image, const std::string& caption) {
  return fmt::format(
      R"(<figure><figcaption>{0}</figcaption><img src="{1}" alt="{0}" width="{2}" height="{3}"></figure>)"
      "\n",
      escaped(caption), data_uri(image), image.width, image.height);
}

std::string tag(const std::string& name, bool seen, Colour colour) {
  return fmt::format(R"(<span class="tag {}" style="background:{}">{}</span>)",
                     seen ? "seen" : "unseen", css_colour(colour), escaped(name));
}

class Row {
 public:
  Row(const std::string& name, const std::vector<const RunGroup*>& groups)
      : data_(groups.front()->first().record.data), present_(data_.classes.size()) {
    for (const RunGroup* group : groups) {
      const ExamplePhoto* example = find_example(*group, name);
      if (example == nullptr) {
        missing(*group);
      } else {
        add(*example, *group);
      }
    }
    TAGCLIP_CHECK(first_ != nullptr, "one of the groups has the photo");
    html_ = picture(first_->photo, name) + html_ + picture(first_->truth, "truth");
  }

  std::string html() const {
    return fmt::format("<div class=\"scroll\"><div class=\"photos\">\n{}</div></div>\n<p>{}</p>\n",
                       html_, legend());
  }

 private:
  void add(const ExamplePhoto& example, const RunGroup& group) {
    if (first_ == nullptr) first_ = &example;
    html_ += picture(example.prediction, group.name);
    for (size_t c = 0; c < present_.size(); ++c) present_[c] = present_[c] || example.present[c];
  }
  void missing(const RunGroup& group) {
    html_ += fmt::format(
        "<figure><figcaption>{}</figcaption><p class=\"none\">no picture</p></figure>\n",
        escaped(group.name));
  }

  std::string legend() const {
    const std::vector<Colour> palette = result_palette(present_.size());
    std::string tags;
    for (size_t c = 0; c < present_.size(); ++c) {
      if (present_[c]) tags += tag(data_.classes[c], data_.seen[c], palette[c]) + " ";
    }
    return tags;
  }

  const RunData& data_;
  std::vector<bool> present_;
  const ExamplePhoto* first_ = nullptr;
  std::string html_;
};

}  // namespace

std::string photo_columns(const std::vector<const RunGroup*>& groups) {
  std::string rows;
  for (const std::string& name : photo_names(groups)) rows += Row(name, groups).html();
  if (rows.empty()) return "";
  const Colour plain{222, 222, 222};
  return fmt::format("<p>Borders mark {} and {} classes; grey pixels are unlabelled.</p>\n{}",
                     tag("seen", true, plain), tag("unseen", false, plain), rows);
}

}  // namespace tagclip
