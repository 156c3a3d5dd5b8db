"""export: one ONNX file answers for any words as the program does, in ONNX Runtime."""

import json
import re
import subprocess
import sys
import unittest

import numpy as np
import onnx
import onnxruntime
from PIL import Image

from onnx_models import VOCABULARIES, ExportTest, photo_of, random_rows, seen_words, write_variant
from support import (BAD_INPUT, CHECKPOINTS, FAILURE, MINI, ROOT, USAGE, read_safetensors, tagclip,
                     write_safetensors)

DENSE_CLIP = ROOT / "tests/data/dense_clip/weights.safetensors"  # of 64 pixels, width 32 after the projection
MODES = ("naclip", "maskclip", "sclip", "clearclip", "scclip", "sfp", "plain")


def session_of(path):
    onnx.checker.check_model(str(path), full_check=True)
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(session, outputs=("labels",), **inputs):
    return session.run(list(outputs), inputs)


class TrainedModel(ExportTest):
    def test_three_vocabularies_photos_and_sizes_on_one_file(self):
        session = session_of(self.export())
        metadata = session.get_modelmeta().custom_metadata_map
        for words, (name, size) in zip(VOCABULARIES, (("cat.jpg", (128, 128)), ("flower.jpg", (200, 128)),
                                                      ("palace.jpg", (96, 168)))):
            photo = photo_of(name, size)
            text, seen = self.embed(words), seen_words(metadata, words)
            labels, scores = run(session, ("labels", "scores"), image=photo[None], text=text, seen=seen)
            expected, about = self.program_labels(photo, words)
            self.assert_same_labels(labels[0], expected)
            self.assertEqual([entry["seen"] for entry in sorted(about["classes"], key=lambda entry: entry["index"])],
                             [bool(seen[entry["index"]]) for entry in
                              sorted(about["classes"], key=lambda entry: entry["index"])])
            for entry in about["classes"]:
                self.assertAlmostEqual(entry["mean_score"], scores[0][labels[0] == entry["index"]].mean(), places=3)

    def test_weights_beside_the_file(self):
        """As those of more than 2 GB are."""
        for options, names in ([[], ["model"]], [["--parts"], ["model.encoder", "model.decoder"]]):
            self.export("--external-data", *options)
            for name in names:
                model, data = (self.folder / f"{name}.onnx{ending}" for ending in ("", ".data"))
                self.assertLess(model.stat().st_size, data.stat().st_size / 4)
                session_of(model)
        session = session_of(self.folder / "model.onnx")
        photo, words = photo_of("palace.jpg", (128, 136)), VOCABULARIES[2]
        seen = seen_words(session.get_modelmeta().custom_metadata_map, words)
        labels, = run(session, image=photo[None], text=self.embed(words), seen=seen)
        self.assert_same_labels(labels[0], self.program_labels(photo, words)[0])
        result = tagclip("export", "other.onnx", "--external-data", cwd=self.folder)
        self.assert_done(result)
        (self.folder / "other.onnx").unlink()
        self.assert_refused(tagclip("export", "other.onnx", "--external-data", cwd=self.folder), FAILURE, "other.onnx.data")

    def test_a_batch_is_its_photos(self):
        session = session_of(self.export())
        photos = np.stack([photo_of(name, (104, 72)) for name in ("cat.jpg", "coffee.jpg")])
        text, seen = self.embed("cat, grass"), np.array([False, True])
        together = run(session, ("class_logits", "trusty_logits"), image=photos, text=text, seen=seen)
        self.assertEqual([output.shape for output in together], [(2, 2, 9, 13), (2, 1, 9, 13)])
        for i in range(2):
            alone = run(session, ("class_logits", "trusty_logits"), image=photos[i:i + 1], text=text, seen=seen)
            for one, both in zip(alone, together):
                np.testing.assert_allclose(one[0], both[i], atol=1e-4)

    def test_encode_once_ask_many(self):
        whole = session_of(self.export())
        self.export("--parts")
        encoder, decoder = (session_of(self.folder / f"model.{part}.onnx") for part in ("encoder", "decoder"))
        self.assertEqual(*({**s.get_modelmeta().custom_metadata_map, "tagclip.part": ""} for s in (encoder, decoder)))
        photo = photo_of("cat.jpg", (136, 128))
        patches, image = run(encoder, ("patches", "image_embedding"), image=photo[None])
        for words in VOCABULARIES:
            text, seen = self.embed(words), seen_words(encoder.get_modelmeta().custom_metadata_map, words)
            labels, = run(decoder, patches=patches, image_embedding=image, text=text, seen=seen,
                          size=np.array(photo.shape[:2]))
            np.testing.assert_array_equal(labels, run(whole, image=photo[None], text=text, seen=seen)[0])

    def test_float16(self):
        full, half = session_of(self.export()), session_of(self.export("--precision", "float16", name="half.onnx"))
        sizes = [(self.folder / name).stat().st_size for name in ("model.onnx", "half.onnx")]
        self.assertLess(sizes[1], 0.55 * sizes[0])
        photo, text, seen = photo_of("cat.jpg", (128, 128)), self.embed("cat, grass, sky"), np.array([False, True, True])
        labels = [run(session, image=photo[None], text=text, seen=seen)[0] for session in (full, half)]
        self.assertGreater((labels[0] == labels[1]).mean(), 0.99)

    def test_scores_as_asked_for(self):
        """Settings of the scores are part of the graph; what nothing reads is no input."""
        photo, words, scores = photo_of("palace.jpg", (96, 168)), VOCABULARIES[2], set()
        for number, options in enumerate((["--seen-bias", 0.4], ["--weighting", "none"], ["--weighting", "unseen"],
                                          ["--trusty-token", "false"])):
            session = session_of(self.export(*options, name=f"{number}.onnx"))
            seen = seen_words(session.get_modelmeta().custom_metadata_map, words)
            labels, best = run(session, ("labels", "scores"), image=photo[None], text=self.embed(words), seen=seen)
            self.assert_same_labels(labels[0], self.program_labels(photo, words, *options)[0])
            scores.add(round(float(best.mean()), 4))
        self.assertEqual(len(scores), 4)
        plain = session_of(self.export("--weighting", "none", "--seen-bias", 0, name="plain.onnx"))
        self.assertEqual([value.name for value in plain.get_inputs()], ["image", "text"])

    def test_other_structures(self):
        """ZegCLIP's decoder has no trusty token; the paper's protocol a presence head, and prompts that are tokens of
        later layers; Table 1 (c) other inputs of the Trusty Learner."""
        depth_1, learner = "backbone.deep_prompt", "decode_head.learner"
        linears = {f"{learner}.{name}": (32, 32) for name in ("query", "value", *(f"attention.{x}" for x in
                                                                                ("q", "k", "v", "proj")))}
        linears |= {f"{learner}.key": (32, 64), f"{learner}.join": (32, 64)}
        shapes = {f"{name}.weight": shape for name, shape in linears.items()}
        shapes |= {f"{name}.bias": shape[:1] for name, shape in linears.items()}
        shapes |= {f"{learner}.norm.weight": (32,), f"{learner}.norm.bias": (32,)}
        for number, weights in enumerate((
                ROOT / "tests/data/model/zegclip_tiny_weights.safetensors",
                write_variant(self.folder / "paper.safetensors", {"protocol": "paper", "prompt_depth": 1},
                              {"decode_head.class_embed.weight": (1, 32), "decode_head.class_embed.bias": (1,)}, [depth_1],
                              scale=0.03),
                write_variant(self.folder / "learner.safetensors",
                              {"learner_query": "text", "learner_key": "concat", "learner_value": "product",
                               "learner_text_after": True, "self_attention": "n_n_a"}, shapes | {
                                   name.replace("layers.0", "layers.2"): shape for name, shape in
                                   {"decode_head.decoder.layers.0.self_attn.in_proj_weight": (96, 32),
                                    "decode_head.decoder.layers.0.self_attn.in_proj_bias": (96,),
                                    "decode_head.decoder.layers.0.self_attn.out_proj.weight": (32, 32),
                                    "decode_head.decoder.layers.0.self_attn.out_proj.bias": (32,)}.items()},
                              ["decode_head.relationship", "decode_head.decoder.layers.0.self_attn"]))):
            with self.subTest(weights=weights.name):
                session = session_of(self.export(name=f"{number}.onnx", weights=weights))
                text = random_rows(24, 32)
                np.save(self.folder / "rows.npy", text)
                photo = photo_of("cat.jpg", (80, 64))
                expected, about = self.program_labels(photo, ", ".join(f"word {chr(97 + i)}" for i in range(24)),
                                                      "--text-embeddings", "rows.npy", weights=weights)
                labels, scores = run(session, ("labels", "scores"), image=photo[None], text=text, seen=np.zeros(24, bool))
                self.assert_same_labels(labels[0], expected)
                for entry in about["classes"]:
                    self.assertAlmostEqual(entry["mean_score"], scores[0][labels[0] == entry["index"]].mean(), places=3)


class DenseClip(ExportTest):
    def test_every_method(self):
        """At the size of the stored positions and at others; the methods differ from each other."""
        text = random_rows(24, 32)  # enough for several to win
        np.save(self.folder / "rows.npy", text)
        words = ", ".join(f"word {chr(97 + i)}" for i in range(24))
        for size in ((64, 64), (104, 72)):
            photo, found = photo_of("cat.jpg", size), []
            for mode in MODES:
                with self.subTest(mode=mode, size=size):
                    session = session_of(self.export("--mode", mode, name=f"{mode}.onnx", weights=DENSE_CLIP) if
                                         size == (64, 64) else self.folder / f"{mode}.onnx")
                    labels, scores = run(session, ("labels", "scores"), image=photo[None], text=text)
                    expected, about = self.program_labels(photo, words, "--mode", mode, "--text-embeddings", "rows.npy",
                                                          weights=DENSE_CLIP)
                    self.assert_same_labels(labels[0], expected)
                    for entry in about["classes"]:
                        self.assertAlmostEqual(entry["mean_score"], scores[0][labels[0] == entry["index"]].mean(),
                                               places=3)
                    found.append(scores.mean())
            self.assertEqual(len(np.unique(np.round(found, 6))), len(MODES))

    def test_words_for_the_towers_of_a_trained_model(self):
        session = session_of(self.export("--mode", "naclip", "--logit-scale", 20))
        self.assertEqual(session.get_modelmeta().custom_metadata_map["tagclip.logit_scale"], "20")
        photo = photo_of("cat.jpg", (128, 128))
        for words in VOCABULARIES:
            text = self.embed(words, "--mode", "naclip")
            labels, = run(session, image=photo[None], text=text)
            self.assert_same_labels(labels[0], self.program_labels(photo, words, "--mode", "naclip", "--logit-scale", 20)[0])


class Files(ExportTest):
    def test_metadata_says_all_that_a_consumer_needs(self):
        model = onnx.load(str(self.export()))
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        self.assertEqual([(entry.domain, entry.version) for entry in model.opset_import], [("", 17)])
        for key, value in {"mode": "trained", "part": "whole", "precision": "float32", "patch": "8", "embedding": "192",
                           "window": "128", "stride": "107", "short_side": "128", "score": "sigmoid", "seen_bias": "0.1",
                           "weighting": "both", "trusty": "unseen"}.items():
            self.assertEqual(metadata[f"tagclip.{key}"], value, key)
        self.assertEqual(json.loads(metadata["tagclip.mean"]), [0.485, 0.456, 0.406])
        self.assertIn("a photo of a {}.", json.loads(metadata["tagclip.templates"]))
        self.assertEqual(json.loads(metadata["tagclip.classes"])[0], ["building"])
        self.assertEqual(len(json.loads(metadata["tagclip.seen"])), 21)

    def test_what_exists_is_kept(self):
        for options, name in (([], "model.onnx"), (["--parts"], "model.decoder.onnx")):
            (self.folder / name).write_text("mine")
            result = tagclip("export", "model.onnx", *options, cwd=self.folder)
            self.assert_refused(result, FAILURE, name, "--overwrite")
            self.assertEqual((self.folder / name).read_text(), "mine")
        self.assertFalse((self.folder / "model.encoder.onnx").exists())
        self.export("--overwrite")
        session_of(self.folder / "model.onnx")

    def test_numbers_beyond_float16(self):
        metadata, tensors = read_safetensors(MINI)
        name = "backbone.transformer.resblocks.2.mlp.c_fc.weight"
        _, shape, values = tensors[name]
        wide = np.frombuffer(values, np.float16).astype(np.float32)
        wide[7] = 70000
        write_safetensors(self.folder / "large.safetensors", metadata, {**tensors, name: ("F32", shape, wide.tobytes())})
        result = tagclip("export", "a.onnx", "-w", "large.safetensors", "--precision", "float16", cwd=self.folder)
        self.assert_refused(result, BAD_INPUT, name, "70000", "float16", "--precision")
        self.assertFalse((self.folder / "a.onnx").exists())
        self.export(name="a.onnx", weights="large.safetensors")

    def test_mistakes(self):
        for options, code, *parts in (
                (["model.pt"], USAGE, "model.pt", ".onnx"),
                (["model.onnx", "--logit-scale", 5], USAGE, "--logit-scale"),
                (["model.onnx", "--mode", "naclip", "--seen-bias", 0.2], USAGE, "--seen-bias"),
                (["model.onnx", "--precision", "int8"], USAGE, "float16"),
                (["model.onnx", "--mode", "trained", "-w", CHECKPOINTS / "openai_torchscript.pt"], BAD_INPUT, "decoder"),
                (["nowhere/model.onnx"], FAILURE, "nowhere")):
            self.assert_refused(tagclip("export", *options, cwd=self.folder), code, *parts)
        self.assertEqual(list(self.folder.iterdir()), [])


class Documentation(ExportTest):
    def test_the_python_consumer(self):
        """The program in docs/onnx.md, as it stands there."""
        self.export()
        self.embed("cat, grass, sky")
        Image.fromarray(photo_of("cat.jpg", (128, 128))).save(self.folder / "photo.png")
        code = re.search(r"```python\n(.*?)```", (ROOT / "docs/onnx.md").read_text(), re.DOTALL).group(1)
        self.assertLessEqual(len(code.splitlines()), 22)
        subprocess.run([sys.executable, "-c", code, "model.onnx", "words.npy", "photo.png", "labels.png"],
                       cwd=self.folder, check=True, timeout=100)
        with Image.open(self.folder / "labels.png") as image:
            self.assert_same_labels(np.asarray(image), self.program_labels(photo_of("cat.jpg", (128, 128)),
                                                                           "cat, grass, sky")[0])


if __name__ == "__main__":
    unittest.main()
