// Pickles made to break a reader, or to run something.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "support/test_errors.h"
#include "weights/torch/pickle.h"
#include "weights/torch/test_pickles.h"

namespace tagclip {
namespace {

using namespace pickles;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using std::string_literals::operator""s;

std::string why_refused(const std::string& bytes, PickleDialect dialect = PickleDialect::kPlain) {
  return bad_input_text([&] { parse(bytes, dialect); });
}

std::string repeat(const std::string& text, size_t times) {
  std::string repeated;
  repeated.reserve(text.size() * times);
  while (times-- > 0) repeated += text;
  return repeated;
}

TEST(HostilePickle, NamesAreRefusedWhenTheyAreLookedUp) {
  // Cut off behind the name: nothing after it was needed to say no.
  EXPECT_THAT(why_refused("\x80\x02" + global("posix", "system")),
              AllOf(HasSubstr("a.pt: the pickle asks for posix.system"),
                    HasSubstr("refused, nothing was run"), HasSubstr("torch.save(")));
  EXPECT_THAT(why_refused("\x80\x04\x8C\x05posix\x8C\x06system\x93"),
              HasSubstr("asks for posix.system"));
  for (const std::string name : {"eval", "exec", "getattr", "__import__", "compile", "map"}) {
    EXPECT_THAT(why_refused(whole(global("builtins", name))),
                HasSubstr("asks for builtins." + name));
  }
  EXPECT_THAT(why_refused(whole(global("torch", "load"))), HasSubstr("asks for torch.load"));
  EXPECT_THAT(why_refused(whole(global("torch", "_utils._rebuild_tensor_v2.__globals__"))),
              HasSubstr("__globals__"));
  EXPECT_THAT(why_refused(whole(global("os", "system")), PickleDialect::kTorchScript),
              HasSubstr("asks for os.system"));
  EXPECT_THAT(why_refused(whole(global("__torch__", "X")), PickleDialect::kPlain),
              HasSubstr("asks for __torch__.X"));
}

TEST(HostilePickle, NamesAreSafeToPrint) {
  EXPECT_THAT(why_refused(whole(global("a\x1b[2J", "b"))), Not(HasSubstr("\x1b")));
  EXPECT_THAT(why_refused(whole(global(std::string(5000, 'x'), "b"))),
              HasSubstr("a name of 5001 bytes"));
}

TEST(HostilePickle, OperationsThatAreRefused) {
  const auto cases = std::to_array<std::pair<std::string, std::string>>({
      {"P0\n", "PERSID"},
      {"(iposix\nsystem\n", "INST"},
      {"(o", "OBJ"},
      {"\x92", "NEWOBJ_EX"},
      {"\x82\x01", "EXT1"},
      {"\x83\x01\x01", "EXT2"},
      {"\x84\x01\x01\x01", "EXT4"},
      {"\x97", "NEXT_BUFFER"},
      {"\x98", "READONLY_BUFFER"},
      {"I1\n", "INT"},
      {"L1L\n", "LONG"},
      {"F1\n", "FLOAT"},
      {"S'a'\n", "STRING"},
      {"Va\n", "UNICODE"},
      {"Np0\n", "PUT"},
      {"g0\n", "GET"},
  });
  for (const auto& [operation, name] : cases) {
    EXPECT_THAT(why_refused(whole(operation)), HasSubstr("the operation " + name)) << name;
  }
  EXPECT_THAT(why_refused(whole("\xFE")), HasSubstr("0xfe is no operation"));
}

TEST(HostilePickle, OtherProtocols) {
  EXPECT_THAT(why_refused("(dp0\n."), HasSubstr("protocol 2 to 5"));
  EXPECT_THAT(why_refused("\x80\x01N."), HasSubstr("protocol 2 to 5"));
  EXPECT_THAT(why_refused("\x80\x06N."), HasSubstr("protocol 2 to 5"));
  EXPECT_THAT(why_refused(""), HasSubstr("cut off"));
}

// Every operation ends well, whatever it finds or misses on the stack and in the bytes behind it.
TEST(HostilePickle, AnyOperationOnAnyStack) {
  const std::vector<std::string> stacks{
      "",
      "(",
      "N",
      "NN",
      "NNN",
      "(N",
      "(NN",
      "]",
      "]N",
      "](N",
      "}",
      "}NN",
      "}(N",
      "})",
      "(]",
      ")",
      "))",
      global("collections", "OrderedDict"),
      global("collections", "OrderedDict") + ")",
      global("torch", "FloatStorage") + ")",
      storage("0", 1),
      tuple({storage("0", 1)}),
      global("torch._utils", "_rebuild_tensor_v2") + tuple({storage("0", 1)}),
      global("numpy", "dtype") + tuple({text("f8")}) + "R",
      text("a") + text("b"),
      global("__torch__", "A") + ")\x81"};
  size_t accepted = 0;
  for (const std::string& stack : stacks) {
    for (int operation = 0; operation < 256; ++operation) {
      for (const std::string& rest :
           {""s, "."s, "\0\0\0\0\0\0\0\0\0."s, "\xFF\xFF\xFF\xFF\xFF."s}) {
        const std::string bytes = "\x80\x02" + stack + static_cast<char>(operation) + rest;
        try {
          parse(bytes, PickleDialect::kTorchScript);
          ++accepted;
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
        }
      }
    }
  }
  EXPECT_GT(accepted, 100u);
}

TEST(HostilePickle, StackUnderflows) {
  for (const std::string body :
       {"",  "a", "e", "s", "u",    "t",    "l",    "d",   "R",   "b",     "\x81",
        "Q", "0", "1", "2", "\x85", "\x93", "\x94", "(N(", "N(a", "N(\x85"}) {
    EXPECT_THAT(why_refused(whole(body)), HasSubstr("not on the stack")) << body;
  }
  EXPECT_THAT(why_refused(whole("h\x05"s)), HasSubstr("nothing was stored under memo index 5"));
}

TEST(HostilePickle, LengthsBeyondTheFile) {
  EXPECT_THAT(why_refused("\x80\x02\x8B\xFF\xFF\xFF\x7FN"), HasSubstr("2147483647 bytes expected"));
  EXPECT_THAT(why_refused("\x80\x02\x8B\xFF\xFF\xFF\xFFN"), HasSubstr("4294967295 bytes expected"));
  EXPECT_THAT(why_refused("\x80\x02\x8D\0\0\0\0\0\0\0\x10N"s),
              HasSubstr("1152921504606846976 bytes expected"));
  EXPECT_THAT(why_refused("\x80\x02\x8E\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFN"),
              HasSubstr("18446744073709551615 bytes expected"));
  EXPECT_THAT(why_refused("\x80\x02T\xFF\xFF\xFF\xFFN"), HasSubstr("4294967295 bytes expected"));
  EXPECT_THAT(why_refused("\x80\x02"
                          "cposix"),
              HasSubstr("does not end"));
}

TEST(HostilePickle, EveryTruncationIsAnError) {
  const std::string bytes = whole(dict({text("a"), tensor(storage("0", 6), 0, {2, 3}, {3, 1})}));
  ASSERT_NO_THROW(parse(bytes));
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THROW(parse(bytes.substr(0, length)), Error) << length;
  }
}

TEST(HostilePickle, MemoIndexesThatOnlyFillMemory) {
  EXPECT_THAT(why_refused(whole("Nr\xFF\xFF\xFF\xFF"s)), HasSubstr("out of order"));
}

TEST(HostilePickle, ValuesThatHoldThemselves) {
  EXPECT_THAT(why_refused(whole("]q\0h\0a"s)), HasSubstr("holds itself"));
  EXPECT_THAT(why_refused(whole("]q\0(h\0e"s)), HasSubstr("holds itself"));
  EXPECT_THAT(why_refused(whole("}q\0"s + text("a") + "h\0s"s)), HasSubstr("holds itself"));
  EXPECT_THAT(why_refused(whole("]q\0h\0\x85"s + "a")), HasSubstr("holds itself"));
  EXPECT_THAT(why_refused(whole(global("__torch__", "A") + ")\x81q\0}("s + text("me") + "h\0ub"s),
                          PickleDialect::kTorchScript),
              HasSubstr("holds itself"));
}

TEST(HostilePickle, BillionLaughs) {
  // Each list holds the one before twice.
  EXPECT_THAT(why_refused(whole("]" + repeat("q\x01]h\x01"s + "ah\x01" + "a", 60))),
              HasSubstr("repeats the same values without measure"));
  EXPECT_THAT(why_refused(whole(")" + repeat("2\x86", 60))), HasSubstr("without measure"));
}

TEST(HostilePickle, DeepNesting) {
  EXPECT_NO_THROW(parse(whole(")" + repeat("\x85", kMaxPickleDepth - 1))));
  EXPECT_THAT(why_refused(whole(")" + repeat("\x85", kMaxPickleDepth + 1))),
              HasSubstr("deeper than 100"));
  EXPECT_THAT(why_refused(whole(")" + repeat("\x85", 1'000'000))), HasSubstr("deeper than 100"));
  EXPECT_THAT(why_refused(whole(repeat("]", 1'000'000) + repeat("a", 999'999))),
              HasSubstr("deeper than 100"));
  // Deep only through what was seen before at a shallow place.
  const std::string half = ")" + repeat("\x85", 60) + "q\x01"s;
  EXPECT_THAT(why_refused(whole("]" + half + "ah\x01"s + repeat("\x85", 60) + "a")),
              HasSubstr("deeper than 100"));
}

TEST(HostilePickle, MillionsOfOperations) {
  EXPECT_THAT(why_refused(whole(repeat("(", 1'000'000))), HasSubstr("not on the stack"));
  EXPECT_THAT(why_refused(whole(repeat("N", 5'000'000))), HasSubstr("more than 4194304 steps"));
  // These are few operations, each of which copies much.
  const std::string pairs = list(std::vector<std::string>(10'000, tuple({"N", "N"})));
  EXPECT_THAT(why_refused(whole(pairs + "\x85q\x01"s + global("collections", "OrderedDict") +
                                "q\x02" + repeat("h\x02h\x01R"s + "0", 10'000))),
              HasSubstr("more than 4194304 steps"));
  const std::string long_text = tuple({text(std::string(100'000, 'x')), text("latin1")});
  EXPECT_THAT(why_refused(whole(long_text + "q\x01"s + global("_codecs", "encode") + "q\x02" +
                                repeat("h\x02h\x01R"s + "0", 10'000))),
              HasSubstr("more than 4194304 steps"));
}

TEST(HostilePickle, KeysThatNoDictionaryHas) {
  EXPECT_THAT(why_refused(whole(dict({"]", "N"}))), HasSubstr("found a list"));
  EXPECT_THAT(why_refused(whole(dict({"}", "N"}))), HasSubstr("found a dictionary"));
  EXPECT_THAT(why_refused(whole(dict({"N"}))), HasSubstr("without a value"));
  EXPECT_THAT(why_refused(whole(dict({text("a"), "N", text("a"), "N"}))),
              HasSubstr("holds \"a\" twice"));
  EXPECT_THAT(why_refused(whole(dict({integer(3), "N", "K\x03", "N"}))),
              HasSubstr("holds 3 twice"));
  EXPECT_THAT(why_refused(whole(dict({text(std::string(2000, 'k')), "N"}))),
              HasSubstr("key of 2000 bytes"));
}

TEST(HostilePickle, TextThatIsNotUtf8) {
  EXPECT_THAT(why_refused(whole(text("\xFF"))), HasSubstr("not UTF-8"));
  EXPECT_THAT(why_refused(whole(text("\xED\xA0"))), HasSubstr("not UTF-8"));
}

TEST(HostilePickle, TensorsThatAreNone) {
  const std::string rebuild = global("torch._utils", "_rebuild_tensor_v2");
  EXPECT_THAT(why_refused(whole(call(rebuild, {}))), HasSubstr("too few"));
  EXPECT_THAT(why_refused(whole(call(rebuild, {"N", "N", ")", ")"}))),
              HasSubstr("a storage, found"));
  const std::string data = storage("0", 4);
  EXPECT_THAT(why_refused(whole(tensor(data, -1, {4}, {1}))), HasSubstr("size or place is -1"));
  EXPECT_THAT(why_refused(whole(tensor(data, 0, {-4}, {1}))), HasSubstr("size or place is -4"));
  EXPECT_THAT(why_refused(whole(tensor(data, 3, {4}, {-1}))), HasSubstr("size or place is -1"));
  EXPECT_THAT(why_refused(whole(tensor(data, 0, {4}, {}))),
              HasSubstr("1 dimensions with 0 strides"));
  const std::vector<int64_t> many(65, 1);
  EXPECT_THAT(why_refused(whole(tensor(data, 0, many, many))), HasSubstr("65 dimensions"));
  EXPECT_THAT(why_refused(whole(call(global("torch._utils", "_rebuild_parameter"), {"N"}))),
              HasSubstr("a tensor, found None"));
}

TEST(HostilePickle, ContainersOfOtherValues) {
  const auto builtin = [](const std::string& name) { return global("__builtin__", name); };
  EXPECT_THAT(why_refused(whole(call(builtin("set"), {integer(1)}))), HasSubstr("expected a list"));
  EXPECT_THAT(why_refused(whole(call(builtin("complex"), {text("1j")}))),
              HasSubstr("expected a number"));
  EXPECT_THAT(why_refused(whole(call(builtin("bytearray"), {integer(1)}))),
              HasSubstr("expected bytes"));
  EXPECT_THAT(why_refused(whole(call(builtin("int"), {integer(1)}))), HasSubstr("no function"));
  EXPECT_THAT(why_refused(whole(builtin("list"))), HasSubstr("stands where data should"));
  const std::string self = global("torch._tensor", "_rebuild_from_type_v2");
  EXPECT_THAT(why_refused(whole(call(self, {self, "N", ")", "N"}))),
              HasSubstr("a function that makes a tensor"));
  const std::string set = "\x8Fq\0(h\0\x90"s;
  EXPECT_THAT(why_refused(whole(set)), HasSubstr("holds itself"));
}

TEST(HostilePickle, StoragesThatAreNone) {
  const std::string type = global("torch", "FloatStorage");
  const auto id = [](const std::vector<std::string>& parts) { return whole(tuple(parts) + 'Q'); };
  EXPECT_THAT(why_refused(whole("NQ")), HasSubstr("found None"));
  EXPECT_THAT(why_refused(id({text("module"), text("A"), text("a.py"), text("import os")})),
              HasSubstr("a whole module with its code"));
  EXPECT_THAT(why_refused(id({text("storage"), type, text("0")})), HasSubstr("no storage"));
  EXPECT_THAT(why_refused(id({text("storage"), text("F"), text("0"), text("cpu"), integer(1)})),
              HasSubstr("a storage's class, found text"));
  EXPECT_THAT(why_refused(id({text("storage"), type, integer(0), text("cpu"), integer(1)})),
              HasSubstr("a storage's key"));
  EXPECT_THAT(why_refused(id({text("storage"), type, text("0"), text("cpu"), integer(-1)})),
              HasSubstr("is -1"));
  EXPECT_THAT(why_refused(id({text("storage"), type, text("0"), text("cpu"), integer(4),
                              tuple({text("1"), integer(0), integer(2)})})),
              HasSubstr("part of another"));
  EXPECT_THAT(why_refused(whole(tuple({storage("0", 1), storage("0", 2)}))),
              HasSubstr("described twice"));
  EXPECT_THAT(why_refused(whole(global("torch", "QUInt4x2Storage"))),
              HasSubstr("asks for torch.QUInt4x2Storage"));
}

TEST(HostilePickle, ObjectsThatAreNone) {
  EXPECT_THAT(why_refused(whole(global("collections", "OrderedDict") + ")\x81")),
              HasSubstr("in a way that torch.save does not"));
  EXPECT_THAT(why_refused(whole("N)\x81")), HasSubstr("a class or function, found None"));
  EXPECT_THAT(why_refused(whole(global("collections", "OrderedDict"))),
              HasSubstr("a class or function stands where data should"));
  EXPECT_THAT(why_refused(whole("N}b")), HasSubstr("an object, found None"));
  EXPECT_THAT(why_refused(whole(call(global("torch", "FloatStorage"), {integer(9)}))),
              HasSubstr("which is no function"));
  const std::string object = global("__torch__", "A") + ")\x81";
  const std::string state = dict({text("a"), "N"});
  EXPECT_THAT(why_refused(whole(object + "Nb"), PickleDialect::kTorchScript),
              HasSubstr("a dictionary of attributes, found None"));
  EXPECT_THAT(why_refused(whole(object + state + "b" + state + "b"), PickleDialect::kTorchScript),
              HasSubstr("built twice"));
}

}  // namespace
}  // namespace tagclip
