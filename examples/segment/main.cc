// segment_example WEIGHTS PHOTO OUTPUT.png WORDS...
//
// Encodes a photo once and asks for two vocabularies: the words given, and those and "background".
#include <tagclip/tagclip.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <vector>

namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

void print(const char* what, const tagclip::Segmentation& result, double milliseconds) {
  std::printf("%s: %d x %d, %.1f ms\n", what, result.width(), result.height(), milliseconds);
  for (const tagclip::Region& region : result.regions()) {
    std::printf("  %-16s %5.1f%%  score %.2f\n", region.name.c_str(), 100 * region.share,
                region.mean_score);
  }
}

void run(char** argv, int argc) {
  const tagclip::Segmenter segmenter(argv[1]);
  std::vector<tagclip::Words> words;
  for (int i = 4; i < argc; ++i) words.push_back({argv[i]});

  const tagclip::Vocabulary vocabulary = segmenter.embed(words);
  auto start = std::chrono::steady_clock::now();
  const tagclip::PhotoEncoding photo = segmenter.encode(argv[2]);
  const tagclip::Segmentation result = segmenter.segment(photo, vocabulary);
  print("encoded and asked", result, milliseconds_since(start));
  result.write_labels(argv[3]);

  words.push_back({"background"});
  const tagclip::Vocabulary more = segmenter.embed(words);
  start = std::chrono::steady_clock::now();
  const tagclip::Segmentation again = segmenter.segment(photo, more);
  print("asked again", again, milliseconds_since(start));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: %s WEIGHTS PHOTO OUTPUT.png WORDS...\n", argv[0]);
    return 2;
  }
  try {
    run(argv, argc);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}
