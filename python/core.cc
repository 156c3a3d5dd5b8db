// tagclip._core: the public C++ API for Python. Settings and words pass as text; what is friendlier
// than that is made in Python, in the package's other files.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <tagclip/tagclip.h>

#include <algorithm>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nb = nanobind;
using namespace nb::literals;
using namespace tagclip;

namespace {

using SettingTexts = std::map<std::string, std::string>;
using LabelArray = nb::ndarray<nb::numpy, const uint16_t, nb::ndim<2>>;
using ScoreArray = nb::ndarray<nb::numpy, const float, nb::ndim<2>>;
using ClassScoreArray = nb::ndarray<nb::numpy, float, nb::ndim<3>>;
using PixelArray = nb::ndarray<nb::numpy, uint8_t, nb::shape<-1, -1, 3>>;
using GivenPixels = nb::ndarray<const uint8_t, nb::shape<-1, -1, 3>, nb::c_contig, nb::device::cpu>;

template <class Options>
Options options_from(const SettingTexts& texts, Options options = {}) {
  for (const auto& [name, value] : texts) set(options, name, value);
  return options;
}

// Texts of settings, as settings() gives them, by their names.
template <class Options>
SettingTexts texts_of(const Options& options) {
  SettingTexts texts;
  for (const SettingInfo& setting : settings(options)) texts[setting.name] = setting.value;
  return texts;
}

std::vector<nb::dict> described(const std::vector<SettingInfo>& infos) {
  std::vector<nb::dict> result;
  for (const SettingInfo& info : infos) {
    nb::dict entry;
    entry["name"] = info.name;
    entry["help"] = info.help;
    entry["value"] = info.value;
    entry["choices"] = info.choices;
    result.push_back(entry);
  }
  return result;
}

// Lets other threads of Python run during a call, and serves Ctrl-C and the caller's function for
// progress meanwhile. Warnings are given once the call is over, as they may be turned into errors.
class Call {
 public:
  explicit Call(nb::object progress) : progress_(std::move(progress)) {}

  template <class Action>
  auto operator()(const Action& action) {
    std::optional<decltype(action(std::declval<const Hooks&>()))> result;
    try {
      const nb::gil_scoped_release released;
      result.emplace(action(hooks()));
    } catch (const Error&) {
      if (raised_) std::rethrow_exception(raised_);
      throw;
    }
    const nb::object warn = nb::module_::import_("tagclip._errors").attr("warn");
    for (const std::string& text : warnings_) warn(text);
    return std::move(*result);
  }

 private:
  Hooks hooks() {
    return {.progress =
                [this](const std::string& what, int64_t done, int64_t total) {
                  if (progress_.is_none()) return;
                  const nb::gil_scoped_acquire acquired;
                  remember([&] { progress_(what, done, total); });
                },
            .stop_requested =
                [this] {
                  const nb::gil_scoped_acquire acquired;
                  remember([] {
                    if (PyErr_CheckSignals() != 0) throw nb::python_error();
                  });
                  return raised_ != nullptr;
                },
            .warn = [this](const std::string& text) { warnings_.push_back(text); }};
  }

  // Keeps what Python raised, which ends the call at its next question whether to stop.
  template <class Action>
  void remember(const Action& action) {
    if (raised_) return;
    try {
      action();
    } catch (const nb::python_error&) {
      raised_ = std::current_exception();
    }
  }

  nb::object progress_;
  std::exception_ptr raised_;
  std::vector<std::string> warnings_;
};

// Photos that live as long as the Python objects they were given as.
std::vector<Photo> photos_of(const std::vector<std::pair<nb::object, std::string>>& given) {
  std::vector<Photo> photos;
  for (const auto& [object, name] : given) {
    if (nb::isinstance<nb::bytes>(object)) {
      const auto bytes = nb::borrow<nb::bytes>(object);
      const auto* data = reinterpret_cast<const std::byte*>(bytes.c_str());
      photos.emplace_back(std::span(data, bytes.size()), name);
    } else if (nb::isinstance<nb::str>(object)) {
      photos.emplace_back(std::filesystem::path(nb::cast<std::string>(object)));
    } else {
      const auto pixels = nb::cast<GivenPixels>(object);
      photos.emplace_back(Pixels{pixels.data(), static_cast<int>(pixels.shape(1)),
                                 static_cast<int>(pixels.shape(0))},
                          name);
    }
  }
  return photos;
}

// An array that Python owns, of values that C++ made.
template <class Array, class Value>
Array owned_array(std::vector<Value> values, std::initializer_list<size_t> shape) {
  auto* kept = new std::vector<Value>(std::move(values));
  const nb::capsule owner(kept,
                          [](void* p) noexcept { delete static_cast<std::vector<Value>*>(p); });
  return Array(kept->data(), shape, owner);
}

nb::bytes as_bytes(const std::vector<std::byte>& bytes) {
  return nb::bytes(bytes.data(), bytes.size());
}

// The word that a setting's enum value has as text.
std::string mode_word(const Segmenter& segmenter) {
  return texts_of(InferenceOptions{.mode = segmenter.mode()}).at("mode");
}
std::string precision_word(const Segmenter& segmenter) {
  return texts_of(InferenceOptions{.precision = segmenter.precision()}).at("precision");
}

ClassScoreArray class_scores(const Segmentation& result, const std::vector<int>& labels) {
  std::vector<float> all;
  {
    const nb::gil_scoped_release released;
    for (const std::vector<float>& map : result.class_scores(labels)) {
      all.insert(all.end(), map.begin(), map.end());
    }
  }
  return owned_array<ClassScoreArray>(
      std::move(all),
      {labels.size(), static_cast<size_t>(result.height()), static_cast<size_t>(result.width())});
}

PixelArray overlay(const Segmentation& result) {
  std::vector<uint8_t> pixels;
  {
    const nb::gil_scoped_release released;
    pixels = result.overlay();
  }
  return owned_array<PixelArray>(std::move(pixels), {static_cast<size_t>(result.height()),
                                                     static_cast<size_t>(result.width()), 3});
}

void bind_results(nb::module_& m) {
  nb::class_<Vocabulary>(m, "Vocabulary")
      .def_prop_ro("words",
                   [](const Vocabulary& v) {
                     std::vector<Words> all;
                     for (const ClassInfo& entry : v.classes()) all.push_back(entry.words);
                     return all;
                   })
      .def_prop_ro("seen",
                   [](const Vocabulary& v) {
                     std::vector<bool> all;
                     for (const ClassInfo& entry : v.classes()) all.push_back(entry.seen);
                     return all;
                   })
      .def_prop_ro("templates", &Vocabulary::templates)
      .def_prop_ro("class_templates", &Vocabulary::class_templates)
      .def_prop_ro("truncated", &Vocabulary::truncated)
      .def("write", &Vocabulary::write, "path"_a, nb::call_guard<nb::gil_scoped_release>());

  nb::class_<PhotoEncoding>(m, "PhotoEncoding")
      .def_prop_ro("width", &PhotoEncoding::width)
      .def_prop_ro("height", &PhotoEncoding::height)
      .def("write", &PhotoEncoding::write, "path"_a, nb::call_guard<nb::gil_scoped_release>());

  nb::class_<Region>(m, "Region")
      .def_ro("name", &Region::name)
      .def_ro("label", &Region::label)
      .def_ro("share", &Region::share)
      .def_ro("mean_score", &Region::mean_score)
      .def_ro("presence", &Region::presence);

  nb::class_<AbsentClass>(m, "AbsentClass")
      .def_ro("name", &AbsentClass::name)
      .def_ro("label", &AbsentClass::label)
      .def_ro("presence", &AbsentClass::presence);

  nb::class_<Segmentation>(m, "Segmentation")
      .def_prop_ro("width", &Segmentation::width)
      .def_prop_ro("height", &Segmentation::height)
      .def_prop_ro("regions", &Segmentation::regions, nb::rv_policy::copy)
      .def_prop_ro("absent", &Segmentation::absent, nb::rv_policy::copy)
      .def("labels",
           [](nb::pointer_and_handle<Segmentation> self) {
             const Segmentation& s = *self.p;
             return LabelArray(s.labels().data(),
                               {static_cast<size_t>(s.height()), static_cast<size_t>(s.width())},
                               self.h);
           })
      .def("scores",
           [](nb::pointer_and_handle<Segmentation> self) {
             const Segmentation& s = *self.p;
             return ScoreArray(s.scores().data(),
                               {static_cast<size_t>(s.height()), static_cast<size_t>(s.width())},
                               self.h);
           })
      .def("class_scores", &class_scores, "labels"_a)
      .def("overlay", &overlay)
      .def("json", &Segmentation::json)
      .def("overlay_png", [](const Segmentation& s) { return as_bytes(s.overlay_png()); })
      .def("labels_png", [](const Segmentation& s) { return as_bytes(s.labels_png()); })
      .def("write_overlay", &Segmentation::write_overlay, "path"_a,
           nb::call_guard<nb::gil_scoped_release>())
      .def("write_labels", &Segmentation::write_labels, "path"_a,
           nb::call_guard<nb::gil_scoped_release>());
}

using GivenPhotos = std::vector<std::pair<nb::object, std::string>>;

void bind_segmenter(nb::module_& m) {
  nb::class_<Segmenter>(m, "Segmenter")
      .def(
          "__init__",
          [](Segmenter* self, const std::filesystem::path& weights, const SettingTexts& texts) {
            const auto options = options_from<InferenceOptions>(texts);
            const nb::gil_scoped_release released;
            new (self) Segmenter(weights, options);
          },
          "weights"_a, "settings"_a)
      .def(
          "with_settings",
          [](const Segmenter& self, const SettingTexts& texts) {
            return self.with(options_from(texts, self.options()));
          },
          "settings"_a)
      .def_prop_ro("settings", [](const Segmenter& self) { return texts_of(self.options()); })
      .def_prop_ro("mode", &mode_word)
      .def_prop_ro("precision", &precision_word)
      .def_prop_ro("assumption", &Segmenter::assumption)
      .def(
          "embed",
          [](const Segmenter& self, const std::vector<Words>& classes,
             const std::vector<std::string>& templates, nb::object progress) {
            return Call(std::move(progress))(
                [&](const Hooks& hooks) { return self.embed(classes, templates, hooks); });
          },
          "classes"_a, "templates"_a, "progress"_a.none())
      .def(
          "parse",
          [](const Segmenter& self, const SettingTexts& texts, nb::object progress) {
            const auto options = options_from<VocabularyOptions>(texts);
            return Call(std::move(progress))(
                [&](const Hooks& hooks) { return self.parse(options, hooks); });
          },
          "settings"_a, "progress"_a.none())
      .def(
          "tune",
          [](const Segmenter& self, const SettingTexts& texts, const GivenPhotos& given,
             nb::object progress) {
            const auto options = options_from<VocabularyOptions>(texts);
            const std::vector<Photo> photos = photos_of(given);
            return Call(std::move(progress))(
                [&](const Hooks& hooks) { return self.tune(options, photos, hooks); });
          },
          "settings"_a, "photos"_a, "progress"_a.none())
      .def(
          "encode",
          [](const Segmenter& self, const GivenPhotos& given, nb::object progress) {
            const std::vector<Photo> photos = photos_of(given);
            return Call(std::move(progress))(
                [&](const Hooks& hooks) { return self.encode(photos, hooks); });
          },
          "photos"_a, "progress"_a.none())
      .def(
          "read_encoding",
          [](const Segmenter& self, const std::filesystem::path& file, const GivenPhotos& given) {
            const std::vector<Photo> photos = photos_of(given);
            return Call(nb::none())(
                [&](const Hooks& hooks) { return self.read_encoding(file, photos.at(0), hooks); });
          },
          "file"_a, "photo"_a)
      .def(
          "segment",
          [](const Segmenter& self, const GivenPhotos& given, const Vocabulary& vocabulary,
             nb::object progress) {
            const std::vector<Photo> photos = photos_of(given);
            return Call(std::move(progress))(
                [&](const Hooks& hooks) { return self.segment(photos, vocabulary, hooks); });
          },
          "photos"_a, "vocabulary"_a, "progress"_a.none())
      .def(
          "segment_encoding",
          [](const Segmenter& self, const PhotoEncoding& photo, const Vocabulary& vocabulary) {
            return self.segment(photo, vocabulary);
          },
          "photo"_a, "vocabulary"_a, nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace

NB_MODULE(_core, m) {
  m.attr("UNLABELLED") = static_cast<int>(Segmentation::kUnlabelled);
  m.def("version", &version);
  m.def("settings", [] { return described(settings(InferenceOptions())); });
  m.def("word_settings", [] { return described(settings(VocabularyOptions())); });
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Error& error) {
      const nb::object raised =
          nb::module_::import_("tagclip._errors")
              .attr("error_of")(static_cast<int>(error.kind()), error.what(), error.hint());
      PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(raised.ptr())), raised.ptr());
    }
  });
  bind_results(m);
  bind_segmenter(m);
}
