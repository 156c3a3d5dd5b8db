"""tagclip tokenize: the ids of CLIP's own tokenizer, and what it says to other input than texts."""

import json
import unittest

from support import BAD_INPUT, ROOT, USAGE, ProgramTest, tagclip

GOLDEN = ROOT / "tests/data/text/tokenizer_full.json"


class TokenizeTest(ProgramTest):
    def tokenize(self, texts, *arguments):
        result = tagclip("tokenize", *arguments, stdin=json.dumps(texts))
        self.assert_done(result)
        return json.loads(result.out), result.err

    def test_golden_rows(self):
        cases = json.loads(GOLDEN.read_text())["cases"]
        self.assertEqual(len(cases), 322)
        rows, words = self.tokenize([case["text"] for case in cases])
        for case, row in zip(cases, rows):
            self.assertEqual(row, case["padded"], repr(case["text"]))
        self.assertEqual(len(rows), len(cases))
        self.assertRegex(words, r"warning: \d+ of the texts were longer than 77 tokens and were cut")

    def test_context(self):
        rows, words = self.tokenize(["a photo of a cat", ""], "--context", 4)
        self.assertEqual(rows, [[49406, 320, 1125, 49407], [49406, 49407, 0, 0]])
        self.assertIn("1 of the texts", words)
        self.assertEqual(self.tokenize([])[0], [])
        self.assert_refused(tagclip("tokenize", "--context", 1), USAGE, "--context", "from 2 to 65536")

    def test_input_that_is_no_list_of_texts(self):
        for stdin, *parts in (
                ("", "standard input is not JSON: parse error at line 1", "for example: echo"),
                ("a photo of a cat", "standard input is not JSON", "for example: echo"),
                ("[\"a\"", "standard input is not JSON"),
                (b"[\"\xff\"]", "standard input is not JSON"),
                ("[\"\\ud800\"]", "standard input is not JSON"),
                ("{\"a\": 1}", "expected a JSON array of strings, found object", "for example"),
                ("\"a\"", "expected a JSON array of strings"),
                ("[\"a\", 7]", "element 1 is not a string but number"),
                ("[\"a\", null]", "element 1 is not a string but null"),
                ("[" * 1_000_000, "standard input is not JSON")):
            with self.subTest(str(stdin)[:20]):
                self.assert_refused(tagclip("tokenize", stdin=stdin), BAD_INPUT, *parts)


if __name__ == "__main__":
    unittest.main()
