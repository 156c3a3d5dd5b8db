#include "report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "draw/canvas.h"
#include "report/charts.h"
#include "report/html.h"
#include "report/run_table.h"
#include "runs/test_runs.h"

namespace tagclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string page_of(const std::vector<TrainingRun>& runs) { return report_page(group_runs(runs)); }

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Html, EscapesAndCleans) {
  EXPECT_EQ(escaped("<b a='1'>&\"\n\x01"), "&lt;b a=&#39;1&#39;&gt;&amp;&quot;  ");
  EXPECT_EQ(escaped("caf\xC3\xA9"), "café");
  EXPECT_EQ(escaped("caf\xE9"), "caf\xEF\xBF\xBD");
}

TEST(Html, PicturesBecomeText) {
  EXPECT_THAT(data_uri(solid_image(2, 2, {1, 2, 3})),
              ::testing::StartsWith("data:image/webp;base64,UklGR"));
}

TEST(ChartAxis, TicksAreRoundAndInside) {
  EXPECT_THAT(ChartAxis(0, 1000, false).ticks(), ElementsAre(0, 200, 400, 600, 800, 1000));
  EXPECT_THAT(ChartAxis(0.5, 60, true).ticks(), ElementsAre(1, 10));
  EXPECT_DOUBLE_EQ(ChartAxis(1, 100, true).at(10), 0.5);
  EXPECT_DOUBLE_EQ(ChartAxis(0, 100, true).at(10), 0.1);  // zero has no logarithm
  EXPECT_DOUBLE_EQ(ChartAxis(5, 5, false).at(5), 0.5);
}

TEST(ChartAxis, SurvivesExtremes) {
  for (const auto& [low, high] :
       {std::pair{-3e38, 3e38}, {1e-45, 3e38}, {0.0, 0.0}, {1.0, 1.0 + 1e-15}}) {
    for (const bool logarithmic : {false, true}) {
      const ChartAxis axis(low, high, logarithmic);
      EXPECT_TRUE(std::isfinite(axis.at(low)) && std::isfinite(axis.at(high)))
          << low << " " << high;
      EXPECT_LE(axis.ticks().size(), 12U);
    }
  }
}

TEST(Page, TellsAllOfTheRuns) {
  const std::string page = page_of({sample_run("table1/a", 1, 0.4), sample_run("table1/d", 1, 0.5),
                                    sample_run("table1/d", 2, 0.6)});
  EXPECT_THAT(page, HasSubstr("<p>3 runs, 2 settings.</p>"));
  EXPECT_THAT(page, HasSubstr("55.00 ± 7.07"));
  EXPECT_THAT(page, HasSubstr("paper, Table 1 (d): TagCLIP"));
  EXPECT_EQ(count(page, "<g class=\"curve g1\">"), 4U);  // two runs, two quantities
  EXPECT_LT(page.find("<div class=\"class\">cow"), page.find("<div class=\"class\">cat"));
}

TEST(Page, ShowsPhotosInTheOrderOfTheGroups) {
  std::vector<TrainingRun> runs = {sample_run("first", 1, 0.4), sample_run("second", 1, 0.5)};
  const Image grey = solid_image(4, 4, {9, 9, 9});
  runs[0].examples = {{"street", grey, grey, grey, {true, false, true}}};
  const std::string page = page_of(runs);
  EXPECT_EQ(count(page, "<img "), 3U);
  EXPECT_EQ(count(page, "no picture"), 1U);  // the second run has none
  EXPECT_THAT(page, HasSubstr("<span class=\"tag unseen\" style=\"background:rgb("));
  EXPECT_EQ(count(page, ">dog</span>"), 0U);  // it is not in the photo
}

// Figures 1 and 7 of the paper have black borders for seen classes and red ones for unseen.
TEST(Page, BordersAreBlackForSeenAndRedForUnseen) {
  const std::string page = page_of({sample_run("a", 1, 0.4)});
  const std::string light = page.substr(0, page.find("@media (prefers-color-scheme: dark)"));
  EXPECT_THAT(light, HasSubstr("--seen: #000; --unseen: #d00000;"));
  EXPECT_THAT(page, HasSubstr("border: 2px solid var(--seen)"));
  EXPECT_THAT(page, HasSubstr(".tag.unseen { border-color: var(--unseen); }"));
}

TEST(Page, ChartsTheMetricsOverGamma) {
  std::vector<TrainingRun> runs;
  for (const double gamma : {0.1, 1.0, 10.0, 100.0}) {
    for (const int64_t seed : {1, 2}) {
      runs.push_back(sample_run("figure5/gamma=" + tick_label(gamma), seed, 0.3 + 0.1 * seed));
      runs.back().settings["loss.trusty_weight"] = gamma;
    }
  }
  const std::string page = page_of(runs);
  const size_t at = page.find("<h2>Weight of the trusty loss, gamma</h2>");
  ASSERT_NE(at, page.npos);
  const std::string chart = page.substr(at, page.find("</svg>", at) - at);
  EXPECT_EQ(count(chart, "<polyline"), 3U);            // mIoU(S), mIoU(U), hIoU
  EXPECT_EQ(count(chart, "class=\"error\""), 3U * 4);  // the seeds' spread
  for (const char* gamma : {">0.1<", ">1<", ">10<", ">100<"}) EXPECT_THAT(chart, HasSubstr(gamma));
  EXPECT_THAT(page_of({sample_run("a", 1, 0.4)}), Not(HasSubstr("over gamma")));
}

TEST(Page, SetsFigure6ValuesBesideTheBars) {
  std::vector<TrainingRun> runs = {sample_run("table2/voc", 1, 0.4), sample_run("other", 1, 0.4)};
  for (TrainingRun& run : runs) run.record.data.classes[2] = run.metrics->names[2] = "tvmonitor";
  const std::string page = page_of(runs);
  EXPECT_EQ(count(page, "(paper 86.7)"), 1U);
  EXPECT_EQ(count(page, "<b class=\"paper\" style=\"left:86.7%\">"), 1U);
}

// A loss that a run does not have is null in its log, and no curve; a curve of zeros is drawn.
TEST(Page, DrawsCurvesOfZerosButNotAbsentOnes) {
  TrainingRun run = sample_run("a", 1, 0.4);
  run.curves["trusty"] = {{10, 0.0}, {20, 0.0}};
  const std::string page = page_of({run});
  EXPECT_THAT(page, HasSubstr("Trusty loss"));
  EXPECT_THAT(page, Not(HasSubstr("Presence loss")));
}

// Logs of earlier versions have zeros where there is no loss.
TEST(Page, DrawsNoLossThatAModelDoesNotHave) {
  TrainingRun run = sample_run("a", 1, 0.4);
  run.curves["trusty"] = run.curves["presence"] = {{10, 0.0}, {20, 0.0}};
  run.settings["model.trusty_token"] = false;
  run.settings["model.protocol"] = std::string("released");
  EXPECT_THAT(page_of({run}), Not(HasSubstr("Trusty loss")));
  EXPECT_THAT(page_of({run}), Not(HasSubstr("Presence loss")));
}

TEST(Page, NothingOfAStrangerIsMarkup) {
  const std::string attack = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>";
  std::vector<TrainingRun> runs = {sample_run(attack, 1, 0.4), sample_run("", 2, 0.4)};
  for (TrainingRun& run : runs) {
    run.folder = "runs/" + attack;
    run.record.device = run.record.precision = run.record.tagclip = run.record.libtorch = attack;
    run.record.finished = run.record.data.folder = attack;
    for (std::string& name : run.record.data.classes) name += attack;
    run.curves[attack] = {{1, 2.0}};
    run.settings[attack] = run.record.label;
    const Image grey = solid_image(4, 4, {9, 9, 9});
    run.examples = {{attack, grey, grey, grey, {true, true, true}}};
  }
  const std::string page = page_of(runs);
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_EQ(count(page, "<img "), count(page, "<img src=\"data:image/webp;base64,"));
}

TEST(Page, WorksWithNextToNothing) {
  TrainingRun run = sample_run("", 1, 0.4);
  run.metrics.reset();
  run.curves.clear();
  run.settings.clear();
  const std::string page = page_of({run});
  EXPECT_THAT(page, HasSubstr("1 run, 1 setting"));
  EXPECT_THAT(page, Not(HasSubstr("IoU by class")));
  EXPECT_THAT(page, Not(HasSubstr("Curves")));
}

}  // namespace
}  // namespace tagclip
