#include "bench/report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace tagclip::bench {
namespace {

Measurement example() {
  Measurement m{.workload = "COCO", .task = "train-step", .photos = 2, .flops = 8e11};
  m.runs = {.ours = {2, 4, 3}, .reference = {4, 8, 9}};
  m.our_peak = 3LL << 30;
  m.stages = {{"encode", 1.25}};
  m.other_words = {.ours = {0.5}, .reference = {4}};
  m.differences = {{"loss", 0.25, 0.5}, {"gradients", 0.5, 0.25}};
  return m;
}

const Machine kMachine{.cpu = "A processor",
                       .threads = 2,
                       .libtorch = "2.13.0",
                       .peak_gemm = {{"float32", 4e11}, {"bfloat16", 8e11}}};

TEST(Report, TableSaysWhatWasMeasured) {
  using testing::HasSubstr;
  EXPECT_THAT(table_head(kMachine), HasSubstr("A processor, 2 threads, LibTorch 2.13.0"));
  EXPECT_THAT(table_head(kMachine),
              HasSubstr("peak GEMM, GFLOP/s: 800 in bfloat16, 400 in float32\n"));
  const std::string rows = table_rows(example(), kMachine);
  EXPECT_THAT(rows, HasSubstr("2000    3000 "));  // ms, fastest and median
  EXPECT_THAT(rows, HasSubstr("0.667"));          // 2 photos in 3 s
  EXPECT_THAT(rows, HasSubstr("267 "));           // GFLOP/s: 8e11 / 3 s ...
  EXPECT_THAT(rows, HasSubstr("67%"));            // ... of 4e11
  EXPECT_THAT(rows, HasSubstr("25%"));            // the reference: 8e11 / 8 s
  EXPECT_THAT(rows, HasSubstr("2 (2 to 3)"));     // speedup
  EXPECT_THAT(rows, HasSubstr("differences: loss 2.5e-01 gradients 5.0e-01 (past 2e-01)"));
  EXPECT_THAT(rows, HasSubstr("encode 1250.0"));
  EXPECT_THAT(rows, HasSubstr("500 (500 to 500) ms, 8 (8 to 8) times faster"));
}

TEST(Report, ComparesARowWithThePeakOfItsPrecision) {
  Measurement m = example();
  m.precision = "bfloat16";
  const std::string rows = table_rows(m, kMachine);
  EXPECT_THAT(rows, testing::HasSubstr("COCO train-step bfloat16  2000"));
  EXPECT_THAT(rows, testing::HasSubstr("33%"));
  EXPECT_THAT(rows, testing::HasSubstr("25%"));  // the reference computes in float32
  const auto json = nlohmann::json::parse(to_json(kMachine, {m}, {}));
  EXPECT_EQ(json["measurements"][0]["precision"], "bfloat16");
  EXPECT_DOUBLE_EQ(json["measurements"][0]["ours"]["share_of_peak_gemm"], 1 / 3.0);
}

TEST(Report, ComparesMemoryWhereItIsKnown) {
  Measurement m = example();
  EXPECT_THAT(table_rows(m, kMachine), testing::Not(testing::HasSubstr("memory")));
  m.reference_peak = 75LL << 30;
  EXPECT_THAT(table_rows(m, kMachine), testing::HasSubstr("memory, plain LibTorch / ours: 25"));
  const auto json = nlohmann::json::parse(to_json(kMachine, {m}, {}));
  EXPECT_EQ(json["measurements"][0]["memory_ratio"], 25);
}

TEST(Report, WithoutMatrixProductsNoShareOfThePeak) {
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
  const auto json = nlohmann::json::parse(to_json(kMachine, {example()}, {}));
  EXPECT_EQ(json["machine"]["threads"], 2);
  EXPECT_EQ(json["machine"]["peak_gemm_flops_per_second"]["bfloat16"], 8e11);
  const auto& m = json["measurements"][0];
  EXPECT_EQ(m["name"], "COCO train-step");
  EXPECT_EQ(m["ours"]["ms"]["median"], 3000);
  EXPECT_DOUBLE_EQ(m["reference"]["flops_per_second"], 1e11);
  EXPECT_EQ(m["ours"]["peak_bytes"], 3LL << 30);
  EXPECT_TRUE(m["reference"]["peak_bytes"].is_null());
  EXPECT_EQ(m["speedup"]["max"], 3);
  EXPECT_EQ(m["differences"]["gradients"]["limit"], 0.25);
  EXPECT_EQ(m["other_words_speedup"]["median"], 8);
  EXPECT_EQ(m["agrees"], false);
}

TEST(Report, SaysWhatDoesNotRunOnThisProcessor) {
  const UnsupportedRow row{"COCO segment bfloat16x3", "it lacks AMX"};
  EXPECT_EQ(table_row(row), "COCO segment bfloat16x3   not on this processor: it lacks AMX");
  const auto json = nlohmann::json::parse(to_json(kMachine, {}, {row}));
  EXPECT_EQ(json["not_on_this_processor"][0]["name"], "COCO segment bfloat16x3");
  EXPECT_EQ(json["not_on_this_processor"][0]["reason"], "it lacks AMX");
}

TEST(Report, ListsThePrecisionsOfThisProcessor) {
  const auto json = nlohmann::json::parse(precisions_json(kMachine));
  EXPECT_EQ(json["machine"]["cpu"], "A processor");
  const std::string table = precisions_table(kMachine);
  ASSERT_EQ(json["precisions"].size(), 4U);
  for (const auto& row : json["precisions"]) {
    const std::string precision = row["precision"];
    EXPECT_EQ(row.contains("backend"), runs_here(parse_precision(precision))) << precision;
    EXPECT_NE(row.contains("backend"), row.contains("not_on_this_processor")) << precision;
    EXPECT_THAT(table, testing::HasSubstr("\n" + precision + " "));
  }
}

TEST(Report, OfTheTrustyToken) {
  const TokenCost cost{.workload = "VOC",
                       .with = {.trained = 10512, .all = 100512},
                       .without = {.trained = 10000, .all = 100000},
                       .tasks = {{"segment", {.ours = {0.5, 0.25}, .reference = {0.25, 0.5}}}}};
  EXPECT_EQ(token_cost_rows(cost),
            "VOC trained parameters        10512                   10000                   "
            "512 (5.1200%)\n"
            "VOC all parameters            100512                  100000                  "
            "512 (0.5120%)\n"
            "VOC segment, ms               375 (250 to 500)        375 (250 to 500)        "
            "0 (-250 to 250)");
  const auto json = nlohmann::json::parse(to_json(kMachine, {cost}));
  const auto& token = json["trusty_token"][0];
  EXPECT_EQ(token["trained_parameters"]["added"], 512);
  EXPECT_EQ(token["all_parameters"]["without"], 100000);
  EXPECT_EQ(token["tasks"][0]["with_ms"]["median"], 375);
  EXPECT_EQ(token["tasks"][0]["added_ms"]["max"], 250);
}

TEST(Report, OfTheScaling) {
  const ScalingPoint point{.task = "encode",
                           .value = 4,
                           .photos = 4,
                           .seconds = {0.5, 2, 1},
                           .core_seconds = {0.75, 0.8, 0.9},
                           .peak = 3 << 20,
                           .stages = {{"encode", 0.25}}};
  EXPECT_EQ(scaling_row(point),
            "4        encode      500      1000     750      4         3       encode 250");
  EXPECT_THAT(scaling_head(kMachine, "batch"), testing::HasSubstr("\nbatch    task"));
  const auto json = nlohmann::json::parse(to_json(kMachine, "batch", {point}));
  EXPECT_EQ(json["by"], "batch");
  EXPECT_EQ(json["points"][0]["batch"], 4);
  EXPECT_EQ(json["points"][0]["ms"]["median"], 1000);
  EXPECT_EQ(json["points"][0]["core_ms"], 750);
  EXPECT_EQ(json["points"][0]["peak_bytes"], 3 << 20);
}

TEST(Report, OfTheLoader) {
  const LoaderSpeed speed{
      .samples = 320, .seconds = 1.25, .stages = {{"read photo", 0.0015}, {"draw", 0.00025}}};
  EXPECT_EQ(table_rows(speed),
            "loader: 256.0 samples/s per core, of 320; ms per sample: read photo 1.50, draw 0.25");
  const auto json = nlohmann::json::parse(to_json(speed));
  EXPECT_EQ(json["samples"], 320);
  EXPECT_EQ(json["samples_per_second"], 256);
  EXPECT_EQ(json["stages_ms"]["draw"], 0.25);
}

}  // namespace
}  // namespace tagclip::bench
