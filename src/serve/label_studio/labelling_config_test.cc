#include "serve/label_studio/labelling_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tagclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What is said of an interface that cannot be used.
std::string refusal_of_config(std::string_view xml) {
  try {
    parse_labelling_config(xml);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "accepted";
}

TEST(LabellingConfig, HasTheWordsAndNamesOfLabels) {
  const LabellingConfig config = parse_labelling_config(R"(<View>
    <!-- <Label value="no"/> -->
    <Image name="photo" value="$picture" zoom="true"/>
    <View><BrushLabels name="brush" toName="photo">
      <Label value="caf&#233; &amp; bar" background="#ff0000"/>
      <Label value="Auto" alias="car" predicted_values="car, lorry ,,"/>
    </BrushLabels></View>
    <PolygonLabels name="polygon" toName="photo">
      <Label value="roof"/><Label value="Auto" alias="car"/>
    </PolygonLabels>
    <RectangleLabels name="box" toName="photo"><Label value="box"/></RectangleLabels>
    <TextArea name="notes" toName="photo" value="no words"/>
    <TextArea name="prompt" toName="photo" value="$words"/>
  </View>)");
  EXPECT_EQ(config.image, "photo");
  EXPECT_EQ(config.image_key, "picture");
  EXPECT_EQ(config.prompt, "prompt");
  EXPECT_EQ(config.prompt_text, "$words");
  ASSERT_EQ(config.labels.size(), 3);
  EXPECT_EQ(config.labels[0].name, "café & bar");
  EXPECT_THAT(config.labels[0].words, ElementsAre("café & bar"));
  EXPECT_EQ(config.labels[1].name, "car");
  EXPECT_THAT(config.labels[1].words, ElementsAre("car", "lorry"));
  EXPECT_EQ(config.labels[1].control, "brush");
  EXPECT_EQ(config.labels[2].name, "roof");
  EXPECT_EQ(config.labels[2].control, "polygon");
  EXPECT_EQ(config.labels[2].tool, LabelTool::kPolygon);
}

TEST(LabellingConfig, TakesTheImageThatHasLabels) {
  const LabellingConfig config = parse_labelling_config(
      "<View><Image name='a' value='$x'/><Image name='b' value='$y'/>"
      "<PolygonLabels name='p' toName='b'><Label value='cat'/></PolygonLabels>"
      "<TextArea name='hint' smart='true' toName='b'/></View>");
  EXPECT_EQ(config.image_key, "y");
  EXPECT_EQ(config.prompt, "hint");
}

TEST(LabellingConfig, SaysWhatIsMissing) {
  EXPECT_THAT(refusal_of_config("<View>\n  <Image"), HasSubstr("line 2, column"));
  EXPECT_THAT(refusal_of_config(""), HasSubstr("not XML"));
  EXPECT_THAT(refusal_of_config("<View/>"), HasSubstr("no Image"));
  EXPECT_THAT(refusal_of_config("<View><Image name='a' value='$x'/></View>"),
              HasSubstr("no BrushLabels or PolygonLabels with labels for \"a\""));
  EXPECT_THAT(refusal_of_config("<View><Image name='a' value='$x'/><BrushLabels name='b' "
                                "toName='a'><Label value='$words'/></BrushLabels></View>"),
              HasSubstr("from the data of tasks"));
  EXPECT_THAT(refusal_of_config(std::string(kMaxConfigBytes + 1, ' ')), HasSubstr("more than"));
}

TEST(LabellingConfig, ExpandsNoEntitiesAndReadsNoFiles) {
  const LabellingConfig config = parse_labelling_config(
      "<?xml version='1.0'?><!DOCTYPE v [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>"
      "<!ENTITY f SYSTEM 'file:///etc/passwd'>]>"
      "<View><Image name='a' value='$x'/><BrushLabels name='b' toName='a'>"
      "<Label value='&b;'/><Label value='&f;'/></BrushLabels></View>");
  EXPECT_EQ(config.labels[0].name, "&b;");
  EXPECT_EQ(config.labels[1].name, "&f;");
}

TEST(LabellingConfig, SurvivesDeepNesting) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<View>";
  EXPECT_THAT(refusal_of_config(deep), HasSubstr("not XML"));
  for (int i = 0; i < 100'000; ++i) deep += "</View>";
  EXPECT_THAT(refusal_of_config(deep.substr(0, kMaxConfigBytes)), HasSubstr("not XML"));
  std::string whole;
  for (int i = 0; i < 50'000; ++i) whole += "<View>";
  for (int i = 0; i < 50'000; ++i) whole += "</View>";
  EXPECT_THAT(refusal_of_config(whole), HasSubstr("no Image"));
}

}  // namespace
}  // namespace tagclip
