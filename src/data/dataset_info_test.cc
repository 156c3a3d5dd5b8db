#include "data/dataset_info.h"

#include "data/test_golden.h"

namespace tagclip {
namespace {

TEST(LabelMapping, GoldenReduceZeroLabel) {
  const auto file = SafetensorsFile::open(test::pipeline_file("labels.safetensors"));
  const auto table = test::values<uint8_t>(file, "reduce_zero_label_table");
  ASSERT_EQ(table.size(), 256u);
  const LabelMapping mapping(LabelCoding::kZeroBackground, 254);
  for (int value = 0; value < 256; ++value) {
    const int expected = table[value] == 255 ? kIgnoreIndex : table[value];
    EXPECT_EQ(mapping[static_cast<uint16_t>(value)], expected) << value;
  }
}

TEST(LabelMapping, ClassesAreThemselves) {
  const LabelMapping mapping(LabelCoding::kClasses, 3);
  EXPECT_EQ(mapping[0], 0);
  EXPECT_EQ(mapping[2], 2);
  EXPECT_EQ(mapping.last_value(), 2);
  for (const uint16_t value : {3, 254, 256, 65534})
    EXPECT_EQ(mapping[value], LabelMapping::kNoClass);
  EXPECT_EQ(mapping[255], kIgnoreIndex);
  EXPECT_EQ(mapping[65535], kIgnoreIndex);
}

TEST(LabelMapping, ManyClassesMayUse255) {
  const LabelMapping mapping(LabelCoding::kClasses, 300);
  EXPECT_EQ(mapping[255], 255);
  EXPECT_EQ(mapping[299], 299);
  EXPECT_FALSE(mapping.allows(300));
}

TEST(LabelMapping, CocoIdsSkipThoseThatDoNotExist) {
  const LabelMapping mapping(LabelCoding::kCocoIds, 171);
  EXPECT_EQ(mapping.last_value(), 181);
  int expected = 0;
  for (int value = 0; value <= 181; ++value) {
    const bool unused = value == 11 || value == 25 || value == 28 || value == 29 || value == 44 ||
                        value == 65 || value == 67 || value == 68 || value == 70 || value == 82 ||
                        value == 90;
    EXPECT_EQ(mapping[static_cast<uint16_t>(value)], unused ? LabelMapping::kNoClass : expected++)
        << value;
  }
  EXPECT_EQ(expected, 171);
}

}  // namespace
}  // namespace tagclip
