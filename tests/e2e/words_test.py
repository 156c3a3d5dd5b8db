"""The words of segment and embed: prompts, synonyms, background, what the report says of them."""

import json
import unittest

import numpy as np

import samples

from support import BAD_INPUT, DONE, USAGE, peak_of, read_safetensors, tagclip
from words import PHOTO, WIDTH, WORDS, WordsTest

MANY = 10_000
MANY_SECONDS, MANY_MB = 90, 400


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


class Prompts(WordsTest):
    def test_named_templates(self):
        for prompt, known, count in (("single", "a photo of a {}", 1), ("multi", "There is a {} in the scene.", 15),
                                     ("imagenet", "a bad photo of a {}.", 80)):
            templates = self.segment("-c", WORDS, "--prompt", prompt)[1]["prompt_templates"]
            self.assertEqual(len(set(templates)), count)
            self.assertTrue(all(text.count("{}") == 1 for text in templates))
            self.assertIn(known, templates)

    def test_a_class_is_the_mean_of_its_texts(self):
        name = self.write("prompts.txt", "a photo of a {}\na drawing of the {}\n")
        both = self.embed("-c", WORDS, "--prompt", name)
        one, two = (self.embed("-c", WORDS, "--prompt", text) for text in ("a photo of a {}", "a drawing of the {}"))
        self.assertGreater(np.abs(one - two).max(), 1e-2)
        np.testing.assert_allclose(both, unit(one + two), atol=1e-5)

    def test_templates_that_are_none(self):
        self.write("bad.txt", "a photo of a {}\nno place\n")
        for prompt, part in (("bad.txt", "bad.txt, line 2"), ("missing.txt", "missing.txt"), ("no place", "{}")):
            result = self.run_with("embed", "-c", "cat", "--prompt", prompt, "-o", "a.npy")
            self.assert_refused(result, BAD_INPUT, part)
        self.assertFalse((self.folder / "a.npy").exists())


class Synonyms(WordsTest):
    def setUp(self):
        super().setUp()
        self.write("words.list.txt", "cat, sky\ngrass\n")

    def test_mean_is_the_mean_of_the_words(self):
        rows = self.embed("-c", "words.list.txt", "--prompt", "single")
        cat, sky, grass = self.embed("-c", "cat, sky, grass", "--prompt", "single")
        np.testing.assert_allclose(rows, [unit(cat + sky), grass], atol=1e-5)

    def test_max_takes_the_best_word(self):
        options = "--mode", "sclip", "--prompt", "single"
        apart = self.segment("-c", "cat, sky, grass", *options)[0]
        together = self.segment("-c", "words.list.txt", "--synonyms", "max", *options)[0]
        either = np.array([0, 0, 1])[apart]
        self.assertEqual(set(np.unique(apart)), {0, 1, 2})
        np.testing.assert_array_equal(together, either)
        np.testing.assert_array_equal(self.segment("-c", "words.list.txt", *options)[0], either)  # the mode's own
        mean = self.segment("-c", "words.list.txt", "--synonyms", "mean", *options)[0]
        self.assertTrue((mean != together).any())


class OneGrammar(WordsTest):
    """Each way of writing the same two classes gives the same rows."""

    def setUp(self):
        super().setUp()
        self.rows = self.embed("-c", "cat, traffic light", "--prompt", "single")

    def assert_same(self, *options, **more):
        np.testing.assert_allclose(self.embed(*options, "--prompt", "single", **more), self.rows, atol=1e-6)

    def test_lists(self):
        for words in ("cat; traffic light", "cat\uff0ctraffic light", "cat|traffic light", '["cat", "traffic light"]',
                      "0: cat, 1: traffic light", "cat\ntraffic light"):
            with self.subTest(words):
                self.assert_same("-c", words)

    def test_files(self):
        for name, text in (("a.txt", "0: cat\n1: traffic light\n"), ("a.json", '{"1": "traffic light", "0": "cat"}'),
                           ("a.yaml", "nc: 2\nnames:\n  - cat\n  - traffic light\n"),
                           ("a.csv", "name,r,g,b\ncat,0,0,0\ntraffic light,1,2,3\n")):
            with self.subTest(name):
                self.assert_same("-c", self.write(name, text))

    def test_standard_input(self):
        self.number += 1
        result = tagclip("embed", "-c", "-", "-o", "piped.npy", "--prompt", "single", cwd=self.folder,
                         stdin="cat\ntraffic light\n", env={"TAGCLIP_HOME": str(self.home)})
        self.assert_done(result)
        np.testing.assert_allclose(np.load(self.folder / "piped.npy"), self.rows, atol=1e-6)
        self.assert_refused(self.run_with("segment", "-", "-c", "-"), USAGE, "standard input", "only one thing")

    def test_a_word_wins_over_a_file_of_its_name(self):
        self.write("cat", "dog\n")
        self.assert_same("-c", "cat, traffic light")
        result = self.run_with("embed", "-c", "cat", "-o", "one.npy", "--prompt", "single")
        np.testing.assert_allclose(np.load(self.folder / "one.npy"), self.rows[:1], atol=1e-6)
        self.assertIn("'./cat' is the file", result.err)


class InTraining(WordsTest):
    """classes.txt is read as every class file is."""

    def test_synonyms_numbers_and_warnings(self):
        data = samples.write_dataset(self.folder / "data", count=4)
        lines = [f"{i}: {name}" for i, name in enumerate(samples.CLASSES)]
        lines[0] += ", grass"
        lines[1] = '1: "ball, round"'
        (data / "classes.txt").write_text("\n".join(lines) + "\n")
        photo = data / "images/sample1.jpg"
        photo.write_bytes(photo.read_bytes()[:-2])
        config = samples.train_config(self.folder, data, samples.micro_clip())
        refused = tagclip("train", config, "--set", "max_pixels=1000", "--set", "check_data=false")
        self.assert_refused(refused, BAD_INPUT, "limit of 1000", "max_pixels")
        result = tagclip("train", config, "--set", f"output={self.folder / 'named'}")
        self.assert_done(result)
        self.assertEqual(result.err.count("sample1.jpg: the JPEG lacks its end marker"), 1)

        model = self.folder / "named/model.safetensors"
        trained = json.loads(read_safetensors(model)[0]["tagclip.trained_on"])["classes"]
        names = ["meadow", "ball, round", *samples.CLASSES[2:]]
        self.assertEqual([entry["name"] for entry in trained], names)
        self.assertEqual(trained[0]["synonyms"], ["grass"])
        self.assertNotIn("synonyms", trained[1])

        measured = tagclip("eval", "--data", data, "-w", model, "--json")
        self.assert_done(measured)
        self.assertIn("sample1.jpg: the JPEG lacks", measured.err)
        self.assertEqual([entry["name"] for entry in json.loads(measured.out)["classes"]], names)
        found = self.run_with("segment", photo, "-w", model, "-o", "out", "-c", '"Ball, round", grass, zebra')
        self.assert_done(found)
        self.assertIn("3 classes: 2 seen in training", found.err)
        self.assertIn("1 photo read with a warning", tagclip("data", "check", data).out)

    def test_two_lines_that_are_the_same_to_clip(self):
        data = samples.write_dataset(self.folder / "data", count=2)
        (data / "classes.txt").write_text("Meadow\nball\nbox\nkite\nmeadow\n")
        for command in (("data", "check", data), ("eval", "--data", data),
                        ("train", samples.train_config(self.folder, data, samples.micro_clip()))):
            self.assert_refused(tagclip(*command), BAD_INPUT, "classes.txt, line 5", '"meadow" is the same to CLIP as')


class SameToClip(WordsTest):
    def test_are_one_class_and_said_so(self):
        self.write("same.txt", "traffic light\ntraffic\u00a0light\nTraffic  light\nsky\n")
        labels, about, result = self.segment("-c", "same.txt", "--mode", "sclip")
        self.assertIn("2 classes", result.err)
        self.assertRegex(result.err, "warning: .*of class 3 and .*of class 1 are the same to CLIP: they are one class")
        self.assertLessEqual(set(np.unique(labels)), {0, 1})
        self.assertEqual(len(self.embed("-c", "same.txt")), 2)
        self.segment("--text-embeddings", "words.npy", "--mode", "sclip")

    def test_rows_of_every_line_are_read_as_well(self):
        rows = self.embed("-c", "cat, sky")
        np.save(self.folder / "own.npy", rows[[0, 0, 1]])
        self.write("own.txt", "cat\nCat\nsky\n")
        _, about, result = self.segment("--text-embeddings", "own.npy")
        self.assertIn("2 classes", result.err)
        self.assertIn("the same to CLIP", result.err)

    def test_in_the_background(self):
        result = self.segment("-c", "traffic light", "--background", "traffic\u00a0light, wall")[2]
        self.assertRegex(result.err, "of background and .* of class 1 are the same to CLIP")


class Background(WordsTest):
    def test_is_one_class_of_many_words(self):
        _, about, result = self.segment("-c", "zebra", "--background", "cat, wall, floor", "--mode", "sclip")
        self.assertIn("2 classes", result.err)
        self.assertIn("background ", result.out)
        self.assertEqual([entry["index"] for entry in about["classes"] if entry["index"] != 0], [1])

    def test_is_called_so_in_the_report(self):
        about = self.segment("-c", "zebra", "--background", "cat, wall, floor", "--mode", "sclip")[1]
        self.assertEqual([entry["name"] for entry in about["classes"] if entry["index"] == 1], ["background"])

    def test_words_of_a_file(self):
        self.write("rest.txt", "wall\nfloor\n")
        listed = self.segment("-c", "cat", "--background", "rest.txt")[0]
        np.testing.assert_array_equal(listed, self.segment("-c", "cat", "--background", "wall, floor")[0])

    def test_what_cannot_be_meant(self):
        for classes, words, code in (("cat, wall", "wall", BAD_INPUT), ("cat, background", "wall", BAD_INPUT),
                                     (None, "wall", USAGE)):
            options = ["-c", classes] if classes else []
            self.assert_refused(self.run_with("segment", PHOTO, *options, "--background", words), code, "background")


class Report(WordsTest):
    def test_threshold(self):
        free, about, _ = self.segment("-c", WORDS, "--mode", "clip")
        self.assertEqual(about["unlabelled"]["share"], 0)
        scores = [entry["mean_score"] for entry in about["classes"]]
        cut, about, _ = self.segment("-c", WORDS, "--mode", "clip", "--threshold", np.mean(scores))
        kept = cut != about["unlabelled"]["value"]
        self.assertTrue(0 < kept.mean() < 1)
        np.testing.assert_array_equal(cut[kept], free[kept])
        self.assertAlmostEqual(about["unlabelled"]["share"], 1 - kept.mean(), delta=1e-4)

    def test_seen_and_new_classes(self):
        about, result = self.segment("-c", "grass, zebra")[1:]
        self.assertIn("2 classes: 1 seen in training, 1 new", result.err)
        self.assertTrue(about["classes"])
        for entry in about["classes"]:
            self.assertEqual(entry["seen"], entry["name"] == "grass")


class Many(WordsTest):
    def test_ten_thousand_words(self):
        self.write("many.txt", "".join(f"word number {i}\n" for i in range(MANY)))
        code, seconds, megabytes = peak_of("embed", "-c", "many.txt", "--prompt", "single", "-o", "many.npy",
                                           cwd=self.folder)
        print(f"{MANY} words: {seconds:.1f} s, {megabytes:.0f} MB", flush=True)
        self.assertEqual(code, DONE)
        self.assertEqual(np.load(self.folder / "many.npy").shape, (MANY, WIDTH))
        self.assertLess(seconds, MANY_SECONDS)
        self.assertLess(megabytes, MANY_MB)


if __name__ == "__main__":
    unittest.main()
