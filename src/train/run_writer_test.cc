#include "train/run_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/files.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

// The validation of iteration 2 was not saved either.
TEST(RunLog, DropsWhatAKilledRunWroteAfterItsLastSave) {
  TestDir dir;
  write_file(dir / "log.jsonl",
             "{\"iteration\":1}\n{\"iteration\":2,\"loss\":1}\n{\"iteration\":2}\n"
             "{\"iteration\":3,\"loss\":1}\nno json\n{\"iteration\":4");
  RunLog log(dir.path(), 2, 1);
  log.add(TrainReport{.iteration = 3});
  std::ifstream file(dir / "log.jsonl");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(text, ::testing::StartsWith(
                        "{\"iteration\":1}\n{\"iteration\":2,\"loss\":1}\n{\"iteration\":3,"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 3);
}

}  // namespace
}  // namespace tagclip
