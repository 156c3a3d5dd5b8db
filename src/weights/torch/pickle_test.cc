#include "weights/torch/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_errors.h"
#include "weights/torch/test_pickles.h"

namespace tagclip {
namespace {

using namespace pickles;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using std::string_literals::operator""s;

// The value that operations leave, with the pickle it belongs to.
class Parsed {
 public:
  explicit Parsed(const std::string& body, PickleDialect dialect = PickleDialect::kPlain)
      : pickle_(parse(whole(body), dialect)) {}
  const PickleValue* operator->() const { return pickle_.root.get(); }
  const PickleValue& operator*() const { return *pickle_.root; }

 private:
  Pickle pickle_;
};

TEST(Pickle, Integers) {
  EXPECT_EQ(Parsed("K\xFF")->integer(), 255);
  EXPECT_EQ(Parsed("M\xFF\xFE")->integer(), 0xFEFF);
  EXPECT_EQ(Parsed(integer(-5))->integer(), -5);
  EXPECT_EQ(Parsed("\x8A\0"s)->integer(), 0);
  EXPECT_EQ(Parsed("\x8A\x01\xFF"s)->integer(), -1);
  EXPECT_EQ(Parsed("\x8A\x02\xFF\0"s)->integer(), 255);
  EXPECT_EQ(Parsed(long_integer(INT64_MIN))->integer(), INT64_MIN);
  EXPECT_EQ(Parsed("\x8B\x02\0\0\0\x00\x80"s)->integer(), -32768);
}

TEST(Pickle, IntegersBeyond64BitsAreText) {
  EXPECT_EQ(*Parsed("\x8A\x09\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0"s)->text(), "0xffffffffffffffff");
  EXPECT_EQ(*Parsed("\x8A\x09\0\0\0\0\0\0\0\0\xFF"s)->text(), "-0x10000000000000000");
  EXPECT_EQ(*Parsed("\x8A\x09\0\0\0\0\0\0\0\0\x01"s)->text(), "0x10000000000000000");
  // The sign repeated is no more digits.
  EXPECT_EQ(Parsed("\x8A\x0A\x05\0\0\0\0\0\0\0\0\0"s)->integer(), 5);
  EXPECT_EQ(Parsed("\x8A\x09\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s)->integer(), -2);
}

TEST(Pickle, OtherScalars) {
  EXPECT_TRUE(Parsed("N")->is_none());
  EXPECT_EQ(Parsed("\x88")->boolean(), true);
  EXPECT_EQ(Parsed("\x89")->boolean(), false);
  EXPECT_EQ(Parsed("G\x3F\xF8\0\0\0\0\0\0"s)->number(), 1.5);
  EXPECT_EQ(Parsed(integer(3))->number(), 3.0);
  EXPECT_EQ(*Parsed(text("caf\u00e9"))->text(), "caf\u00e9");
  EXPECT_EQ(*Parsed("\x8C\x02hi"s)->text(), "hi");
  EXPECT_EQ(*Parsed("\x8D\x02\0\0\0\0\0\0\0hi"s)->text(), "hi");
  EXPECT_EQ(Parsed("C\x02\xFF\x01"s)->bytes()->data, "\xFF\x01");
  EXPECT_EQ(Parsed("B\x01\0\0\0\xFF"s)->bytes()->data, "\xFF");
  EXPECT_EQ(Parsed("\x8E\x01\0\0\0\0\0\0\0\xFF"s)->bytes()->data, "\xFF");
  EXPECT_EQ(Parsed("\x96\x01\0\0\0\0\0\0\0\xFF"s)->bytes()->data, "\xFF");
  EXPECT_EQ(*Parsed("U\x02hi"s)->text(), "hi");  // what Python 2 called a string
  EXPECT_EQ(Parsed("T\x01\0\0\0\xFF"s)->bytes()->data, "\xFF");
}

TEST(Pickle, AccessorsOfAnotherTypeAreEmpty) {
  const Parsed value("N");
  EXPECT_FALSE(value->boolean() || value->integer() || value->number());
  EXPECT_EQ(value->text(), nullptr);
  EXPECT_EQ(value->bytes(), nullptr);
  EXPECT_EQ(value->items(), nullptr);
  EXPECT_EQ(value->dict(), nullptr);
  EXPECT_EQ(value->object(), nullptr);
  EXPECT_EQ(value->tensor(), nullptr);
  EXPECT_EQ(value->find("a"), nullptr);
}

TEST(Pickle, Containers) {
  const Parsed dictionary(
      dict({text("a"), list({integer(1), integer(2)}), integer(7), ")\x85"s, "N", ")"}));
  EXPECT_EQ(dictionary->find("none"), nullptr);
  ASSERT_NE(dictionary->find("a"), nullptr);
  EXPECT_EQ(dictionary->find("a")->items()->at(1)->integer(), 2);
  EXPECT_EQ(dictionary->dict()->items.size(), 3u);
  EXPECT_EQ(Parsed("NK\x01\x86"s)->items()->at(1)->integer(), 1);
  EXPECT_EQ(Parsed("NNK\x01\x87"s)->items()->size(), 3u);
  EXPECT_EQ(Parsed("(NNl")->items()->size(), 2u);
  EXPECT_EQ(Parsed('(' + text("k") + "K\x01" + "d")->find("k")->integer(), 1);
  EXPECT_EQ(Parsed('}' + text("k") + "K\x01s")->find("k")->integer(), 1);
  EXPECT_EQ(Parsed("]K\x01"s + "a")->items()->size(), 1u);
}

TEST(Pickle, StackAndMemo) {
  EXPECT_EQ(Parsed("K\x01K\x02"s + "0")->integer(), 1);
  EXPECT_EQ(Parsed("K\x01(NN1")->integer(), 1);
  EXPECT_EQ(Parsed("N2\x86"s)->items()->size(), 2u);
  const Parsed shared("]q\x00h\x00\x86"s);
  EXPECT_EQ(shared->items()->at(0), shared->items()->at(1));
  EXPECT_EQ(*Parsed(text("a") + "\x94" + "j\0\0\0\0\x86"s)->items()->at(1)->text(), "a");
  EXPECT_EQ(*Parsed(text("a") + "r\0\0\0\0h\0\x86"s)->items()->at(1)->text(), "a");
}

TEST(Pickle, TellsWhereItEnds) {
  const std::string first = whole(integer(1));
  const Pickle pickle = parse(first + "more");
  EXPECT_EQ(pickle.size, first.size());
  const std::string framed = "\x80\x04\x95\x02\0\0\0\0\0\0\0K\x09."s;
  EXPECT_EQ(parse(framed).root->integer(), 9);
}

TEST(Pickle, OrderedDicts) {
  const std::string type = global("collections", "OrderedDict");
  const Parsed plain(type + ")R(" + text("a") + "K\x01u}(" + text("_metadata") + "}ub");
  EXPECT_EQ(plain->find("a")->integer(), 1);
  EXPECT_EQ(plain->find("_metadata"), nullptr);
  const Parsed pairs(call(type, {list({list({text("a"), integer(1)})})}));
  EXPECT_EQ(pairs->find("a")->integer(), 1);
}

TEST(Pickle, Tensors) {
  const Pickle pickle = parse(whole(tensor(storage("7", 12, "HalfStorage"), 2, {2, 5}, {5, 1})));
  const PickleTensor* tensor = pickle.root->tensor();
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->storage.key, "7");
  EXPECT_EQ(tensor->storage.dtype, DType::kF16);
  EXPECT_EQ(tensor->offset, 2);
  EXPECT_EQ(tensor->shape, (std::vector<int64_t>{2, 5}));
  EXPECT_EQ(tensor->strides, (std::vector<int64_t>{5, 1}));
  ASSERT_EQ(pickle.storages.size(), 1u);
  EXPECT_EQ(pickle.storages.at("7").numel, 12u);
}

TEST(Pickle, ParametersAreTheirTensors) {
  const std::string value = tensor(storage("0", 1), 0, {}, {});
  for (const std::string name : {"_rebuild_parameter", "_rebuild_parameter_with_state"}) {
    const Parsed parameter(call(global("torch._utils", name), {value, "\x88", "N"}));
    EXPECT_NE(parameter->tensor(), nullptr) << name;
  }
}

TEST(Pickle, SmallValuesOfTorch) {
  EXPECT_EQ(Parsed(call(global("torch", "Size"), {tuple({integer(2)})}))->items()->size(), 1u);
  EXPECT_EQ(*Parsed(call(global("torch", "device"), {text("cuda"), integer(1)}))->text(), "cuda:1");
  EXPECT_EQ(
      *Parsed(call(global("torch.serialization", "_get_layout"), {text("torch.strided")}))->text(),
      "torch.strided");
  EXPECT_EQ(*Parsed(global("torch", "float32"))->text(), "torch.float32");
  EXPECT_EQ(*Parsed(text("torch") + text("bfloat16") + "\x93")->text(), "torch.bfloat16");
}

TEST(Pickle, ContainersOfPython) {
  for (const std::string module : {"__builtin__", "builtins"}) {
    const auto builtin = [&](const std::string& name) { return global(module, name); };
    EXPECT_EQ(Parsed(call(builtin("set"), {list({integer(1), text("a")})}))->items()->size(), 2u);
    EXPECT_EQ(Parsed(call(builtin("complex"), {"G\x3F\xF0\0\0\0\0\0\0"s, "K\x02"}))
                  ->items()
                  ->at(0)
                  ->number(),
              1.0);
    EXPECT_EQ(Parsed(call(builtin("slice"), {integer(1), integer(2), "N"}))->items()->size(), 3u);
    EXPECT_EQ(Parsed(call(builtin("bytearray"), {"C\x01\xFF"s}))->bytes()->data, "\xFF");
    EXPECT_EQ(Parsed(call(builtin("bytes"), {}))->bytes()->data, "");
    EXPECT_EQ(
        Parsed(call(global("collections", "defaultdict"), {builtin("list")}) + text("a") + "K\x01s")
            ->find("a")
            ->integer(),
        1);
  }
  EXPECT_EQ(Parsed("\x8F(K\x01K\x02\x90"s)->items()->size(), 2u);
  EXPECT_EQ(Parsed("(K\x01K\x02\x91"s)->items()->size(), 2u);
  EXPECT_EQ(Parsed(call(global("collections", "Counter"), {dict({text("a"), integer(2)})}))
                ->find("a")
                ->integer(),
            2);
  EXPECT_EQ(Parsed(call(global("collections", "deque"), {"]"}) + "K\x01" + "a")->items()->size(),
            1u);
}

TEST(Pickle, HalfOfASurrogatePairIsBytes) {
  EXPECT_EQ(Parsed(text("a\xED\xB2\x80"))->bytes()->data, "a\xED\xB2\x80");
}

TEST(Pickle, TensorsOfNewerElementTypes) {
  const std::string rebuild = global("torch._utils", "_rebuild_tensor_v3");
  const auto typed = [&](const std::string& type) {
    const std::string untyped = tuple({text("storage"), global("torch.storage", "UntypedStorage"),
                                       text("0"), text("cpu"), integer(8)}) +
                                'Q';
    return call(rebuild, {untyped, integer(0), tuple({integer(4)}), tuple({integer(1)}), "\x89",
                          "N", global("torch", type), "}"});
  };
  const Parsed half_words(typed("uint16"));
  ASSERT_NE(half_words->tensor(), nullptr);
  EXPECT_EQ(half_words->tensor()->storage.dtype, DType::kU16);
  EXPECT_EQ(half_words->tensor()->storage.numel, 4u);
  EXPECT_EQ(Parsed(typed("float8_e4m3fn"))->tensor()->storage.dtype, DType::kF8E4M3);
  EXPECT_EQ(Parsed(typed("uint4"))->object()->class_name, "a tensor of torch.uint4");
}

TEST(Pickle, AStorageWithoutATensorIsAValue) {
  const Parsed value(dict({text("s"), storage("0", 3)}));
  EXPECT_EQ(value->find("s")->kind(), "a storage");
  EXPECT_EQ(value->find("s")->tensor(), nullptr);
}

TEST(Pickle, TensorsThatAreNoPlainOnes) {
  EXPECT_EQ(Parsed(call(global("torch._utils", "_rebuild_sparse_tensor"), {"N", ")"}))->tensor(),
            nullptr);
  const std::string with_attributes =
      call(global("torch._tensor", "_rebuild_from_type_v2"),
           {global("torch._utils", "_rebuild_tensor_v2"), global("torch", "Tensor"),
            tuple({storage("0", 1), integer(0), ")", ")"}), "}"});
  EXPECT_NE(Parsed(with_attributes)->tensor(), nullptr);
}

std::string numpy_scalar(const std::string& type, const std::string& order, const std::string& data,
                         const std::string& module = "numpy.core") {
  const std::string state =
      tuple({integer(3), text(order), "N", "N", "N", integer(-1), integer(-1), integer(0)});
  return call(global(module + ".multiarray", "scalar"),
              {call(global("numpy", "dtype"), {text(type), "\x89", "\x88"}) + state + 'b', data});
}

TEST(Pickle, NumpyNumbers) {
  EXPECT_EQ(Parsed(numpy_scalar("f8", "<", "C\x08\0\0\0\0\0\0\xF8\x3F"s))->number(), 1.5);
  EXPECT_EQ(Parsed(numpy_scalar("f8", ">", "C\x08\x3F\xF8\0\0\0\0\0\0"s))->number(), 1.5);
  EXPECT_EQ(Parsed(numpy_scalar("f4", "<", "C\x04\0\0\xC0\x3F"s, "numpy._core"))->number(), 1.5);
  EXPECT_EQ(Parsed(numpy_scalar("i2", "<", "C\x02\xFE\xFF"s))->integer(), -2);
  EXPECT_EQ(Parsed(numpy_scalar("u2", "<", "C\x02\xFE\xFF"s))->integer(), 0xFFFE);
  EXPECT_EQ(Parsed(numpy_scalar("b1", "|", "C\x01\x01"s))->boolean(), true);
  // Protocol 2 spells bytes this way.
  const std::string bytes =
      call(global("_codecs", "encode"), {text("\u00fe\u007f"), text("latin1")});
  EXPECT_EQ(Parsed(numpy_scalar("i2", "<", bytes))->integer(), 0x7FFE);
}

TEST(Pickle, NumpyNumbersThatAreRefused) {
  const auto why = [](const std::string& body) {
    return bad_input_text([&] { parse(whole(body)); });
  };
  EXPECT_THAT(why(numpy_scalar("O8", "|", "N")),
              AllOf(HasSubstr("\"O8\", no plain number, which is not supported"),
                    Not(HasSubstr("broken"))));
  EXPECT_THAT(why(numpy_scalar("U3", "<", "N")), HasSubstr("type \"U3\""));
  EXPECT_THAT(why(numpy_scalar("f2", "<", "C\x02\0\0"s)),
              HasSubstr("\"f2\", which is not supported"));
  EXPECT_THAT(why(numpy_scalar("f8", "<", "C\x02\0\0"s)), HasSubstr("found bytes"));
  EXPECT_THAT(why(numpy_scalar("u8", "<", "C\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s)),
              HasSubstr("above 2^63"));
  EXPECT_THAT(why(call(global("_codecs", "encode"), {text("\u0100"), text("latin1")})),
              HasSubstr("not latin1"));
  EXPECT_THAT(why(call(global("_codecs", "encode"), {text("a"), text("rot13")})),
              HasSubstr("without text and latin1"));
  EXPECT_THAT(why(global("numpy.core.multiarray", "_reconstruct")),
              HasSubstr("asks for numpy.core.multiarray._reconstruct"));
}

TEST(Pickle, ScriptModulesAreObjects) {
  const std::string module =
      global("__torch__.clip.model", "CLIP") + ")\x81}(" + text("size") + integer(3) + "ub";
  const Parsed object(module, PickleDialect::kTorchScript);
  ASSERT_NE(object->object(), nullptr);
  EXPECT_EQ(object->object()->class_name, "__torch__.clip.model.CLIP");
  EXPECT_EQ(object->find("size")->integer(), 3);
  const std::string typed = call(global("torch.jit._pickle", "restore_type_tag"),
                                 {list({integer(3)}), text("List[int]")});
  EXPECT_EQ(Parsed(typed, PickleDialect::kTorchScript)->items()->at(0)->integer(), 3);

  EXPECT_THAT(bad_input_text([&] { parse(whole(module)); }),
              HasSubstr("asks for __torch__.clip.model.CLIP"));
  EXPECT_THAT(bad_input_text([&] { parse(whole(typed)); }),
              HasSubstr("asks for torch.jit._pickle.restore_type_tag"));
}

TEST(Pickle, ValuesOutliveThePickle) {
  std::shared_ptr<const PickleValue> root;
  {
    const Pickle pickle = parse(whole(list({text("still here")})));
    root = pickle.root;
  }
  EXPECT_EQ(*root->items()->at(0)->text(), "still here");
}

}  // namespace
}  // namespace tagclip
