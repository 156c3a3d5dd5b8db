#include "bench/report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace tagclip::bench {
namespace {

Measurement example() {
  Measurement m{.workload = "COCO", .task = "train-step", .photos = 2, .flops = 8e11};
  m.runs = {.ours = {2, 4, 3}, .plain = {4, 8, 9}};
  m.our_peak = 3LL << 30;
  m.stages = {{"encode", 1.25}};
  m.other_words = {.ours = {0.5}, .plain = {4}};
  m.differences = {{"loss", 0.25, 0.5}, {"gradients", 0.5, 0.25}};
  return m;
}

const Machine kMachine{.cpu = "A processor",
                       .threads = 2,
                       .libtorch = "2.13.0",
                       .ceilings = {{"float32", 4e11}, {"bfloat16", 8e11}}};

TEST(Report, TableSaysWhatWasMeasured) {
  using testing::HasSubstr;
  EXPECT_THAT(table_head(kMachine), HasSubstr("A processor, 2 threads, LibTorch 2.13.0"));
  EXPECT_THAT(table_head(kMachine), HasSubstr("800 GFLOP/s in bfloat16, 400 GFLOP/s in float32"));
  const std::string rows = table_rows(example(), kMachine);
  EXPECT_THAT(rows, HasSubstr("2000    3000 "));  // ms, fastest and median
  EXPECT_THAT(rows, HasSubstr("0.667"));          // 2 photos in 3 s
  EXPECT_THAT(rows, HasSubstr("267 "));           // GFLOP/s: 8e11 / 3 s ...
  EXPECT_THAT(rows, HasSubstr("67%"));            // ... of 4e11
  EXPECT_THAT(rows, HasSubstr("25%"));            // plain: 8e11 / 8 s
  EXPECT_THAT(rows, HasSubstr("2 (2 to 3)"));     // plain over ours
  EXPECT_THAT(rows, HasSubstr("differences: loss 2.5e-01 gradients 5.0e-01 (past 2e-01)"));
  EXPECT_THAT(rows, HasSubstr("encode 1250.0"));
  EXPECT_THAT(rows, HasSubstr("500 (500 to 500) ms, 8 (8 to 8) times faster"));
}

TEST(Report, ComparesARowWithTheCeilingOfItsPrecision) {
  Measurement m = example();
  m.precision = "bfloat16";
  const std::string rows = table_rows(m, kMachine);
  EXPECT_THAT(rows, testing::HasSubstr("COCO train-step bfloat16 ours"));
  EXPECT_THAT(rows, testing::HasSubstr("33%"));
  EXPECT_THAT(rows, testing::HasSubstr("25%"));  // plain computes in float32
  const auto json = nlohmann::json::parse(to_json(kMachine, {m}));
  EXPECT_EQ(json["measurements"][0]["precision"], "bfloat16");
  EXPECT_DOUBLE_EQ(json["measurements"][0]["ours"]["share_of_ceiling"], 1 / 3.0);
}

TEST(Report, ComparesMemoryWhereItIsKnown) {
  Measurement m = example();
  EXPECT_THAT(table_rows(m, kMachine), testing::Not(testing::HasSubstr("memory")));
  m.plain_peak = 75LL << 30;
  EXPECT_THAT(table_rows(m, kMachine), testing::HasSubstr("memory, plain / ours: 25"));
  const auto json = nlohmann::json::parse(to_json(kMachine, {m}));
  EXPECT_EQ(json["measurements"][0]["plain_over_ours_peak"], 25);
}

TEST(Report, WithoutMatrixProductsNoShareOfTheCeiling) {
  Measurement m = example();
  EXPECT_THAT(table_rows(m, kMachine), testing::HasSubstr("of 2 photos, 800 GFLOP\n"));
  m.flops = 0;
  EXPECT_THAT(table_rows(m, kMachine), testing::Not(testing::HasSubstr("%")));
  EXPECT_THAT(table_rows(m, kMachine), testing::HasSubstr("of 2 photos\n"));
}

TEST(Report, TableFitsAHundredColumns) {
  std::istringstream lines(table_head(kMachine) + "\n" + table_rows(example(), kMachine));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

TEST(Report, JsonHoldsAllNumbers) {
  const auto json = nlohmann::json::parse(to_json(kMachine, {example()}));
  EXPECT_EQ(json["machine"]["threads"], 2);
  EXPECT_EQ(json["machine"]["ceilings_flops_per_second"]["bfloat16"], 8e11);
  const auto& m = json["measurements"][0];
  EXPECT_EQ(m["name"], "COCO train-step");
  EXPECT_EQ(m["ours"]["ms"]["median"], 3000);
  EXPECT_DOUBLE_EQ(m["plain"]["flops_per_second"], 1e11);
  EXPECT_EQ(m["ours"]["peak_bytes"], 3LL << 30);
  EXPECT_TRUE(m["plain"]["peak_bytes"].is_null());
  EXPECT_EQ(m["plain_over_ours"]["max"], 3);
  EXPECT_EQ(m["differences"]["gradients"]["limit"], 0.25);
  EXPECT_EQ(m["whole_over_other_words"]["median"], 8);
  EXPECT_EQ(m["agrees"], false);
}

TEST(Report, OfTheLoader) {
  const LoaderSpeed speed{
      .samples = 320, .seconds = 1.25, .stages = {{"read photo", 0.0015}, {"draw", 0.00025}}};
  EXPECT_EQ(table_rows(speed),
            "loader: 256.0 samples/s a core, of 320; ms a sample: read photo 1.50, draw 0.25");
  const auto json = nlohmann::json::parse(to_json(speed));
  EXPECT_EQ(json["samples"], 320);
  EXPECT_EQ(json["samples_per_second"], 256);
  EXPECT_EQ(json["stages_ms"]["draw"], 0.25);
}

}  // namespace
}  // namespace tagclip::bench
