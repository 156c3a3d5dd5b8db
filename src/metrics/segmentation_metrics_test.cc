#include "metrics/segmentation_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "support/places.h"
#include "weights/safetensors.h"

namespace tagclip {
namespace {

using nlohmann::json;

std::filesystem::path golden(const std::string& name) {
  return source_folder() / "tests/data/metrics" / name;
}

template <typename T>
std::vector<T> values(const SafetensorsFile& file, const std::string& name) {
  const TensorView* view = file.find(name);
  if (view == nullptr) throw std::out_of_range("no tensor " + name);
  std::vector<T> out(view->data.size() / sizeof(T));
  std::memcpy(out.data(), view->data.data(), view->data.size());
  return out;
}

// Stored labels to classes: 255 is void, and so is 0 where it means background.
std::vector<uint16_t> truth_of(const std::vector<uint8_t>& stored, bool reduce_zero_label) {
  std::vector<uint16_t> truth;
  for (const int label : stored) {
    const int shifted = label - (reduce_zero_label ? 1 : 0);
    truth.push_back(label == 255 || shifted < 0 ? 0xFFFF : static_cast<uint16_t>(shifted));
  }
  return truth;
}

std::vector<bool> seen_of(const json& entry) {
  std::vector<bool> seen(entry.at("num_classes").get<size_t>());
  for (const size_t c : entry.at("seen")) seen.at(c) = true;
  return seen;
}

ConfusionMatrix confusion_of(const SafetensorsFile& file, const std::string& name,
                             const json& entry) {
  ConfusionMatrix confusion(entry.at("num_classes"));
  const auto prediction = values<uint8_t>(file, name + ".pred");
  confusion.add(truth_of(values<uint8_t>(file, name + ".gt"), entry.at("reduce_zero_label")),
                std::vector<uint16_t>(prediction.begin(), prediction.end()));
  return confusion;
}

// null and NaN stand for each other.
void expect_same(double value, const json& expected, const std::string& what) {
  if (expected.is_null()) {
    EXPECT_TRUE(std::isnan(value)) << what << " is " << value;
  } else {
    EXPECT_NEAR(value, expected.get<double>(), 1e-9) << what;
  }
}

class Golden : public testing::TestWithParam<const char*> {
 protected:
  const SafetensorsFile file_ = SafetensorsFile::open(golden("metrics.safetensors"));
  const json entry_ = json::parse(std::ifstream(golden("metrics.json"))).at("cases").at(GetParam());
  const ConfusionMatrix confusion_ = confusion_of(file_, GetParam(), entry_);
};

TEST_P(Golden, Counts) {
  const auto expected = values<int64_t>(file_, GetParam() + std::string(".confusion"));
  std::vector<int64_t> counts;
  for (int truth = 0; truth < confusion_.classes(); ++truth) {
    EXPECT_EQ(confusion_.missed(truth), 0);
    for (int p = 0; p < confusion_.classes(); ++p) counts.push_back(confusion_.at(truth, p));
  }
  EXPECT_EQ(counts, expected);
}

TEST_P(Golden, Fractions) {
  const SegmentationMetrics metrics = summarise(confusion_, seen_of(entry_));
  expect_same(metrics.pixel_accuracy, entry_["pAcc"], "pAcc");
  expect_same(metrics.mean_iou, entry_["mIoU"], "mIoU");
  expect_same(metrics.mean_iou_seen, entry_["mIoU_seen"], "mIoU_seen");
  expect_same(metrics.mean_iou_unseen, entry_["mIoU_unseen"], "mIoU_unseen");
  expect_same(metrics.harmonic_iou, entry_["hIoU"], "hIoU");
  expect_same(metrics.mean_accuracy, entry_["mAcc"], "mAcc");
  expect_same(metrics.mean_accuracy_seen, entry_["mAcc_seen"], "mAcc_seen");
  expect_same(metrics.mean_accuracy_unseen, entry_["mAcc_unseen"], "mAcc_unseen");
  for (int c = 0; c < confusion_.classes(); ++c) {
    expect_same(metrics.iou[c], entry_["iou"][c], "iou " + std::to_string(c));
    expect_same(metrics.accuracy[c], entry_["acc"][c], "acc " + std::to_string(c));
  }
}

// The released evaluation rounds to two decimals of a percent, as the table does.
TEST_P(Golden, PrintedPercent) {
  const std::vector<bool> seen = seen_of(entry_);
  const std::string table =
      format_table(summarise(confusion_, seen), std::vector<std::string>(seen.size(), "c"), seen);
  const auto printed = [&](const char* row, const char* column) {
    const json& value = entry_["printed_percent"][row][column];
    char text[16] = "-";
    if (!value.is_null()) std::snprintf(text, sizeof text, "%.2f", value.get<double>());
    return std::string(text);
  };
  EXPECT_THAT(table,
              testing::HasSubstr("\npAcc " + printed("total", "aAcc") + "  mIoU " +
                                 printed("total", "mIoU") + "  mIoU(S) " + printed("seen", "mIoU") +
                                 "  mIoU(U) " + printed("unseen", "mIoU") + "  hIoU "));
  EXPECT_THAT(table, testing::HasSubstr("  mAcc " + printed("total", "mAcc") + "  mAcc(S) " +
                                        printed("seen", "mAcc") + "  mAcc(U) " +
                                        printed("unseen", "mAcc") + "\n"));
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden,
                         testing::Values("basic_some_absent", "predicted_but_not_in_ground_truth",
                                         "all_unseen_absent", "unseen_never_predicted",
                                         "one_image_all_ignored", "reduce_zero_label", "perfect"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Summarise, UnlabelledPixelsAreMissesOfTheirClass) {
  ConfusionMatrix confusion(2);
  confusion.add(std::vector<uint16_t>{0, 0, 0, 1}, std::vector<uint16_t>{0, 0xFFFF, 1, 1});
  const SegmentationMetrics metrics = summarise(confusion, {true, false});
  EXPECT_DOUBLE_EQ(metrics.pixel_accuracy, 2.0 / 4);
  EXPECT_DOUBLE_EQ(metrics.iou[0], 1.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.accuracy[0], 1.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.iou[1], 1.0 / 2);
}

TEST(Summarise, NothingCountedIsNothingMeasured) {
  const SegmentationMetrics metrics = summarise(ConfusionMatrix(2), {true, false});
  EXPECT_TRUE(std::isnan(metrics.pixel_accuracy));
  EXPECT_TRUE(std::isnan(metrics.mean_iou));
  EXPECT_TRUE(std::isnan(metrics.harmonic_iou));
}

TEST(Summarise, AllWrongIsZeroNotNothing) {
  ConfusionMatrix confusion(2);
  confusion.add(std::vector<uint16_t>{0, 1}, std::vector<uint16_t>{1, 0});
  EXPECT_EQ(summarise(confusion, {true, false}).harmonic_iou, 0);
}

TEST(Report, ColumnsLineUpForAnyScript) {
  ConfusionMatrix confusion(3);
  confusion.add(std::vector<uint16_t>{0, 0, 1}, std::vector<uint16_t>{0, 0, 0});
  const std::vector<std::string> names{"road", "B\xC3\xA4ume", "\xE6\xA8\xB9\xE6\x9C\xA8"};
  const std::vector<bool> seen{true, false, true};
  const std::string table = format_table(summarise(confusion, seen), names, seen);
  EXPECT_EQ(table,
            "class             IoU     Acc\n"
            "road   seen     66.67  100.00\n"
            "B\xC3\xA4ume  unseen    0.00    0.00\n"
            "\xE6\xA8\xB9\xE6\x9C\xA8   seen         -       -\n"
            "\n"
            "pAcc 66.67  mIoU 33.33  mIoU(S) 66.67  mIoU(U) 0.00  hIoU 0.00"
            "  mAcc 50.00  mAcc(S) 100.00  mAcc(U) 0.00\n");
}

TEST(Report, JsonHoldsFractionsAndNulls) {
  ConfusionMatrix confusion(2);
  confusion.add(std::vector<uint16_t>{0, 0}, std::vector<uint16_t>{0, 5});
  const std::vector<bool> seen{true, false};
  const json report = json::parse(to_json(summarise(confusion, seen), {"a\"b", "c\xFF"}, seen));
  EXPECT_EQ(report["pixel_accuracy"], 0.5);
  EXPECT_EQ(report["mean_iou_seen"], 0.5);
  EXPECT_TRUE(report["mean_iou_unseen"].is_null());
  EXPECT_TRUE(report["harmonic_iou"].is_null());
  EXPECT_EQ(report["classes"][0]["name"], "a\"b");
  EXPECT_EQ(report["classes"][0]["seen"], true);
  EXPECT_EQ(report["classes"][0]["iou"], 0.5);
  EXPECT_EQ(report["classes"][1]["name"], "c\\xFF");
  EXPECT_EQ(report["classes"][1]["seen"], false);
  EXPECT_TRUE(report["classes"][1]["accuracy"].is_null());
}

// The first set has an unseen class, the second has none.
TEST(SegmentationMetrics, OfSeveralSetsTogether) {
  ConfusionMatrix a(2), b(3);
  using Labels = std::vector<uint16_t>;
  a.add(Labels{0, 0, 1, 1}, Labels{0, 0, 1, 0});
  b.add(Labels{0, 1, 2, 2}, Labels{0, 1, 2, 2});
  const SegmentationMetrics of_a = summarise(a, {true, false}),
                            of_b = summarise(b, {true, true, true});
  const SegmentationMetrics all = together({{"a", of_a}, {"b", of_b}});
  EXPECT_DOUBLE_EQ(all.pixel_accuracy, (0.75 + 1) / 2);
  EXPECT_DOUBLE_EQ(all.mean_iou, (of_a.mean_iou + 1) / 2);
  EXPECT_DOUBLE_EQ(all.mean_iou_unseen, of_a.mean_iou_unseen);
  EXPECT_DOUBLE_EQ(all.harmonic_iou, of_a.harmonic_iou);
  EXPECT_THAT(all.iou, testing::ElementsAre(of_a.iou[0], of_a.iou[1], 1, 1, 1));
  EXPECT_EQ(all.accuracy.size(), 5U);
}

}  // namespace
}  // namespace tagclip
