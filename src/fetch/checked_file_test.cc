#include "fetch/checked_file.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

std::string sha256(const std::string& text) {
  Sha256 sha256;
  sha256.update(std::as_bytes(std::span(text)));
  return sha256.hex();
}

// FIPS 180-4, examples of its publisher.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, PiecesAreAsTheWhole) {
  Sha256 pieces;
  for (int i = 0; i < 1000; ++i) pieces.update(std::as_bytes(std::span("aaaaaaaaaa", 10)));
  EXPECT_EQ(pieces.hex(), sha256(std::string(10000, 'a')));
}

TEST(Sha256, MayBeStartedAgain) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span("of no use", 9)));
  hash = Sha256();
  EXPECT_EQ(hash.hex(), sha256(""));
}

}  // namespace
}  // namespace tagclip
