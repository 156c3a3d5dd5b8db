#include "data/class_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using Names = std::vector<std::string>;

Names names(NameList list) { return {list.begin(), list.end()}; }

// The unseen classes' indices.
std::vector<size_t> unseen(const std::string& text, const Names& classes) {
  const std::vector<bool> seen = seen_classes(text, as_classes(classes));
  std::vector<size_t> indices;
  for (size_t c = 0; c < seen.size(); ++c) {
    if (!seen[c]) indices.push_back(c);
  }
  return indices;
}

Error error_of(const std::string& text, const Names& classes) {
  try {
    seen_classes(text, as_classes(classes));
  } catch (const Error& error) {
    return error;
  }
  return failure("no error");
}

const Names kFew = {"sky", "potted plant", "road", "12"};

TEST(UnseenSplits, BuiltInOnes) {
  EXPECT_THAT(unseen("voc-5", names(voc_classes())), ElementsAre(15, 16, 17, 18, 19));
  EXPECT_THAT(unseen("coco-stuff-15", names(coco_stuff_classes())),
              ElementsAre(19, 23, 28, 29, 36, 51, 76, 88, 94, 112, 133, 136, 137, 157, 160));
  EXPECT_THAT(unseen("context-cascade-clip", names(context_classes())),
              ElementsAre(0, 2, 3, 7, 9, 13, 17, 19, 31, 37));
  EXPECT_EQ(unseen("context-zs3", names(context_classes())).size(), 10u);
  EXPECT_EQ(unseen("voc-zs3", names(voc_classes())).size(), 10u);
}

TEST(UnseenSplits, NamesAndIndices) {
  EXPECT_THAT(unseen("road, potted plant", kFew), ElementsAre(1, 2));
  EXPECT_THAT(unseen("0,2", kFew), ElementsAre(0, 2));
  EXPECT_THAT(unseen("12", kFew), ElementsAre(3));  // a name before an index
  EXPECT_TRUE(unseen("none", kFew).empty());
}

TEST(UnseenSplits, ListFiles) {
  TestDir dir;
  const std::string list = (dir / "hidden.txt").string();
  write_file(list, "road\n0\n");
  EXPECT_THAT(unseen(list, kFew), ElementsAre(0, 2));
  write_file(list, "pottedplant\n");
  const Error error = error_of(list, kFew);
  EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("hidden.txt"), HasSubstr("\"pottedplant\"")));
  EXPECT_THAT(error.hint(), HasSubstr("\"potted plant\""));
  EXPECT_THAT(error_of("no/such.txt", kFew).what(), HasSubstr("cannot read no/such.txt"));
}

TEST(UnseenSplits, MistypedEntries) {
  EXPECT_EQ(error_of("rod", kFew).kind(), ErrorKind::kUsage);
  EXPECT_THAT(error_of("rod", kFew).hint(), HasSubstr("did you mean \"road\"?"));
  EXPECT_THAT(error_of("voc-6", kFew).hint(), HasSubstr("did you mean \"voc-5\"?"));
  EXPECT_THAT(error_of("sky, rod", kFew).hint(), HasSubstr("did you mean \"road\"?"));
  EXPECT_THAT(error_of("4", kFew).what(), HasSubstr("no class 4: they count from 0 to 3"));
  EXPECT_THAT(error_of("-1, sky", kFew).what(), HasSubstr("\"-1\" is no class"));
  EXPECT_THAT(error_of("99999999999999999999999", kFew).what(), HasSubstr("is no class"));
  EXPECT_THAT(error_of("sky,,road", kFew).what(), HasSubstr("unseen: empty word"));
  EXPECT_THAT(error_of("voc-5", kFew).what(), HasSubstr("the split voc-5: \"pottedplant\""));
}

}  // namespace
}  // namespace tagclip
