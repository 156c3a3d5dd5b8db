#include "base/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/config_file.h"
#include "base/error.h"
#include "base/fields_json.h"
#include "base/files.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

using ::testing::HasSubstr;

enum class Colour { kRed, kBlue };

struct Inner {
  double rate = 0.5;

  template <class Self>
  static FieldsOf<Self> list_fields(Self& self) {
    FieldsOf<Self> list;
    list.add("rate", self.rate, {0, 1}, "a rate");
    return list;
  }
  FieldList fields() { return list_fields(*this); }
  ConstFieldList fields() const { return list_fields(*this); }
};

struct Config {
  int64_t count = 3;
  int side = 7;
  bool loud = false;
  std::string name = "x";
  std::vector<std::string> files = {"a", "b"};
  Colour colour = Colour::kRed;
  Inner inner;

  std::filesystem::path folder = "here";

  template <class Self>
  static FieldsOf<Self> list_fields(Self& self) {
    FieldsOf<Self> list;
    list.add("count", self.count, {1, 10}, "how many");
    list.add("side", self.side, {1, 100}, "how wide");
    list.add("loud", self.loud, "how");
    list.add("name", self.name, "who");
    list.add("files", self.files, "which");
    list.add("colour", self.colour, {{"red", Colour::kRed}, {"blue", Colour::kBlue}}, "what");
    list.add_group("inner", self.inner.fields());
    list.add("folder", self.folder, "where");
    return list;
  }
  FieldList fields() { return list_fields(*this); }
  ConstFieldList fields() const { return list_fields(*this); }
};

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "no error";
}

TEST(FieldList, SetsEveryTypeFromText) {
  Config config;
  FieldList fields = config.fields();
  for (const char* assignment : {"count=5", "side=9", "loud=true", "name=cat = dog", "files=p, q,r",
                                 "colour=blue", "inner.rate=1e-3", "folder=a/b"}) {
    fields.set_from_text(assignment);
  }
  EXPECT_EQ(config.count, 5);
  EXPECT_EQ(config.side, 9);
  EXPECT_TRUE(config.loud);
  EXPECT_EQ(config.name, "cat = dog");
  EXPECT_THAT(config.files, ::testing::ElementsAre("p", "q", "r"));
  EXPECT_EQ(config.colour, Colour::kBlue);
  EXPECT_EQ(config.inner.rate, 1e-3);
  EXPECT_EQ(config.folder, "a/b");
}

TEST(FieldList, SaysWhatWasExpected) {
  Config config;
  FieldList fields = config.fields();
  const auto set = [&](const char* text) {
    return message_of([&] { fields.set_from_text(text); });
  };
  EXPECT_THAT(set("count=11"), HasSubstr("count: expected a whole number from 1 to 10, found 11"));
  EXPECT_THAT(set("count=many"), HasSubstr("found \"many\""));
  EXPECT_THAT(set("count=2.5"), HasSubstr("expected a whole number"));
  EXPECT_THAT(set("inner.rate=2"), HasSubstr("inner.rate: expected a number from 0 to 1"));
  EXPECT_THAT(set("inner.rate=nan"), HasSubstr("inner.rate: expected"));
  EXPECT_THAT(set("colour=green"), HasSubstr("one of red, blue"));
  EXPECT_THAT(set("cuont=5"), HasSubstr("did you mean count?"));
  EXPECT_THAT(set("count"), HasSubstr("expected name=value"));
  EXPECT_EQ(config.count, 3);
}

TEST(FieldList, SaysWhatAFieldMayHold) {
  const Config config;
  const ConstFieldList fields = config.fields();
  const Field& count = fields.at("count");
  EXPECT_EQ(count.type, FieldType::kInteger);
  EXPECT_EQ(count.help, "how many");
  EXPECT_EQ(count.range.high, 10);
  EXPECT_EQ(count.get(), FieldValue(int64_t{3}));
  const Field& colour = fields.at("colour");
  EXPECT_EQ(colour.type, FieldType::kChoice);
  EXPECT_THAT(colour.choices, ::testing::ElementsAre("red", "blue"));
  EXPECT_EQ(colour.explanation(), "what (red, blue)");
  EXPECT_EQ(fields.at("inner.rate").type, FieldType::kNumber);
}

TEST(FieldList, KeepsWhatIsWanted) {
  Config config;
  FieldList kept =
      config.fields().where([](const Field& f) { return f.name.starts_with("inner."); });
  ASSERT_EQ(kept.all().size(), 1u);
  kept.set("inner.rate", 0.75);
  EXPECT_EQ(config.inner.rate, 0.75);
  EXPECT_THROW(kept.set("count", int64_t{4}), Error);
}

TEST(FieldList, ChecksValuesThatCameByOtherWays) {
  Config config;
  std::as_const(config).fields().check();
  config.inner.rate = 2;
  EXPECT_THAT(message_of([&] { std::as_const(config).fields().check(); }),
              HasSubstr("inner.rate: expected a number from 0 to 1, found 2"));
}

TEST(FieldsJson, ReadsWhatItWrites) {
  Config written;
  written.count = 8;
  written.colour = Colour::kBlue;
  written.files = {"one", "two"};
  const std::string json = to_json(std::as_const(written).fields());
  Config read;
  FieldList fields = read.fields();
  read_json(json, fields, "a.pt");
  EXPECT_EQ(to_json(fields), json);
  EXPECT_THAT(message_of([&] { read_json("7", fields, "a.pt"); }), HasSubstr("not a JSON object"));
  EXPECT_THAT(message_of([&] { read_json(R"({"count": "x"})", fields, "a.pt"); }),
              HasSubstr("a.pt: stored settings: count: expected a whole number"));
}

TEST(FieldList, ANumberMayBeMissing) {
  std::optional<double> limit;
  FieldList fields;
  fields.add("limit", limit, {0, 1}, "auto", "how far");
  fields.set_from_text("limit=0.25");
  EXPECT_EQ(limit, 0.25);
  fields.set("limit", int64_t{1});
  EXPECT_EQ(limit, 1.0);
  fields.set_from_text("limit", "auto");
  EXPECT_EQ(limit, std::nullopt);
  EXPECT_EQ(to_string(fields.at("limit").get()), "\"auto\"");
  EXPECT_THAT(message_of([&] { fields.set_from_text("limit=2"); }),
              HasSubstr("limit: expected auto or a number from 0 to 1, found 2"));
  EXPECT_THAT(message_of([&] { fields.set_from_text("limit=far"); }), HasSubstr("found \"far\""));
}

TEST(FieldList, NumbersAreAtLeastOne) {
  std::vector<double> sizes = {1};
  FieldList fields;
  fields.add("sizes", sizes, {0.5, 2}, "how large");
  EXPECT_EQ(plain_text(fields.at("sizes").get()), "1");
  fields.set_from_text("sizes", "0.5, 1,1.25");
  EXPECT_THAT(sizes, ::testing::ElementsAre(0.5, 1, 1.25));
  EXPECT_EQ(plain_text(fields.at("sizes").get()), "0.5,1,1.25");
  EXPECT_EQ(to_string(fields.at("sizes").get()), "[0.5, 1, 1.25]");
  fields.set("sizes", int64_t{2});
  EXPECT_THAT(sizes, ::testing::ElementsAre(2));
  for (const char* text : {"", "0.4", "1,3", "1,nan", "1,,2", "one", "1;2"}) {
    EXPECT_THAT(message_of([&] { fields.set_from_text("sizes", text); }),
                HasSubstr("sizes: expected a list of numbers from 0.5 to 2, found"))
        << text;
  }

  const TestDir folder;
  write_file(folder / "a.toml", "sizes = [1, 1.5]\n");
  read_config(folder / "a.toml", fields);
  EXPECT_THAT(sizes, ::testing::ElementsAre(1, 1.5));
  const std::string json = to_json(fields);
  sizes = {2};
  read_json(json, fields, "a.pt");
  EXPECT_THAT(sizes, ::testing::ElementsAre(1, 1.5));
  EXPECT_THAT(to_toml(fields), HasSubstr("sizes = [1, 1.5]"));
}

// Folders, and options of some of them by names of the user's.
struct Tables {
  std::vector<std::string> folders;
  std::map<std::string, Inner> table;

  FieldList fields() {
    FieldList list;
    list.add_one_or_more("folders", folders, "where");
    for (auto& [name, inner] : table) list.add_group("table." + name, inner.fields());
    list.add_tables("table", [this](const std::string& name) { return table[name].fields(); });
    return list;
  }
};

TEST(FieldList, OneTextOrSeveral) {
  Tables config;
  FieldList fields = config.fields();
  const auto written = [&] { return to_string(fields.at("folders").get()); };
  EXPECT_EQ(written(), "\"\"");
  fields.set("folders", std::string("a, b"));
  EXPECT_EQ(written(), "\"a, b\"");
  fields.set("folders", std::vector<std::string>{"a", "b"});
  EXPECT_EQ(written(), "[\"a\", \"b\"]");
  fields.set("folders", std::vector<std::string>{"a"});
  EXPECT_EQ(written(), "\"a\"");
  const std::map<std::string, std::vector<std::string>> readings = {{"a,b", {"a", "b"}},
                                                                    {"[\"a\", \"b\"]", {"a", "b"}},
                                                                    {"\"a, b\", c", {"a, b", "c"}},
                                                                    {"[a]", {"a"}},
                                                                    {"", {}}};
  for (const auto& [text, expected] : readings) {
    fields.set_from_text("folders", text);
    EXPECT_EQ(config.folders, expected) << text;
  }
  EXPECT_THAT(message_of([&] { fields.set("folders", true); }),
              HasSubstr("folders: expected a text or a list of texts, found true"));
}

TEST(FieldList, TablesHaveNamesOfTheUser) {
  Tables config;
  config.table["there"].rate = 0.1;
  FieldList fields = config.fields();
  fields.set_from_text("table.v1.2 b.rate=0.7");
  fields.set_from_text("table.there.rate=0.2");
  EXPECT_EQ(config.table.at("v1.2 b").rate, 0.7);
  EXPECT_EQ(config.table.at("there").rate, 0.2);
  EXPECT_THAT(message_of([&] { fields.set_from_text("table.there.rat=1"); }),
              HasSubstr("table.there.rat"));
  EXPECT_THAT(message_of([&] { fields.set_from_text("table.x.rate=3"); }),
              HasSubstr("table.x.rate: expected a number from 0 to 1"));
  EXPECT_THAT(message_of([&] { fields.set_from_text("table=3"); }), HasSubstr("table is a group"));
  EXPECT_THAT(message_of([&] { fields.set_from_text("tabel.x.rate=1"); }), HasSubstr("tabel"));
}

TEST(ConfigFile, ReadsTablesThatItWrites) {
  Tables config;
  config.folders = {"a", "b"};
  for (const char* name : {"plain", "v1.2", "two words", "\"x\""}) config.table[name].rate = 0.25;
  TestDir dir;
  write_file(dir / "c.toml", to_toml(config.fields()));
  Tables read;
  FieldList fields = read.fields();
  read_config(dir / "c.toml", fields);
  EXPECT_EQ(read.folders, config.folders);
  EXPECT_EQ(read.table.size(), 4U);
  EXPECT_EQ(to_toml(read.fields()), to_toml(config.fields()));
  EXPECT_EQ(to_json(read.fields()), to_json(config.fields()));
}

TEST(FieldList, MayBeReducedToSomeOfItsFields) {
  Config config;
  const auto names = [](const FieldList& fields) {
    std::vector<std::string> result;
    for (const Field& field : fields.all()) result.push_back(field.name);
    return result;
  };
  EXPECT_THAT(names(config.fields().only({"loud", "count"})),
              ::testing::ElementsAre("count", "loud"));
  FieldList rest = config.fields().only({"side", "loud"}).without({"side"});
  EXPECT_THAT(names(rest), ::testing::ElementsAre("loud"));
  rest.set_from_text("loud=true");
  EXPECT_TRUE(config.loud);
  EXPECT_THAT(message_of([&] { config.fields().without({"lound"}); }), HasSubstr("loud"));
}

TEST(ConfigFile, ReadsWhatItWrites) {
  Config written;
  written.count = 8;
  written.files = {"one", "two"};
  written.colour = Colour::kBlue;
  written.inner.rate = 0.25;
  TestDir dir;
  write_file(dir / "c.toml", to_toml(written.fields()));

  Config read;
  FieldList fields = read.fields();
  read_config(dir / "c.toml", fields);
  EXPECT_EQ(to_toml(fields), to_toml(written.fields()));
  EXPECT_EQ(read.inner.rate, 0.25);
}

TEST(ConfigFile, NamesLineAndColumn) {
  TestDir dir;
  const auto read = [&](const char* text) {
    write_file(dir / "c.toml", text);
    return message_of([&] {
      Config config;
      FieldList fields = config.fields();
      read_config(dir / "c.toml", fields);
    });
  };
  EXPECT_THAT(read("count = 3\nsise = 4\n"),
              HasSubstr("c.toml:2:8: there is no setting called sise"));
  EXPECT_THAT(read("[inner]\nrate = 7\n"), HasSubstr("c.toml:2:8: inner.rate: expected"));
  EXPECT_THAT(read("count = = 3\n"), HasSubstr("c.toml:1:"));
  EXPECT_THAT(read("files = [1, 2]\n"), HasSubstr("expected a list of texts, found [1, 2]"));
  EXPECT_THAT(read("[count]\nx = 1\n"), HasSubstr("count: expected a whole number"));
  EXPECT_THAT(read("name = 2020-01-01\n"), HasSubstr("dates"));
}

TEST(ReadConfig, TakesGroupsThatTheFileNames) {
  const TestDir dir;
  std::map<std::string, Inner> groups;
  const auto read = [&](const std::string& text) {
    write_file(dir / "c.toml", text);
    groups.clear();
    read_config(dir / "c.toml", "inner", [&](const std::vector<std::string>& names) {
      FieldList list;
      for (const std::string& name : names) list.add_group("inner." + name, groups[name].fields());
      return list;
    });
  };
  read("[inner.b]\nrate = 0.25\n[inner.a-1]\n");
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups.at("b").rate, 0.25);
  const auto refusal = [&](const std::string& text) -> std::string {
    try {
      read(text);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal("[[inner]]\nrate = 0.25\n"), HasSubstr("c.toml:1:1: inner is no group"));
  EXPECT_THAT(refusal("[inner.\"a.b\"]\n"), HasSubstr("letters, digits, - and _"));
  EXPECT_THAT(refusal("[inner.a]\nrat = 1\n"), HasSubstr("no setting called inner.a.rat"));
  EXPECT_THAT(refusal("[inner.a]\nrate = 2\n"), HasSubstr("c.toml:2:8: inner.a.rate"));
}

}  // namespace
}  // namespace tagclip
