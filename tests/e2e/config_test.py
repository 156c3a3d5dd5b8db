"""Settings of training runs: files, --set and --print-config."""

import shutil
import tomllib
import unittest
from pathlib import Path

import samples
from support import BAD_INPUT, MINI, ROOT, USAGE, ProgramTest, tagclip


class ConfigTest(ProgramTest):
    def train(self, *assignments, config=None):
        arguments = [text for assignment in assignments for text in ("--set", assignment)]
        return tagclip("train", *([config] if config else []), *arguments, cwd=self.folder)

    def train_file(self, text):
        path = self.folder / "run.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.train(config=path.name)

    def test_set_says_what_was_expected(self):
        for assignment, *parts in (
                ("optimzer.lr=1e-3", "no setting called optimzer.lr", "did you mean optimizer.lr?"),
                ("warmup_ratio=1", "did you mean schedule.warmup_ratio?"),
                ("optimizer=1e-3", "optimizer is a group", "optimizer.NAME"),
                ("qqq=1", "no setting called qqq", "--print-config"),
                ("batch=many", "batch: expected a whole number from 1 to 65536, found \"many\""),
                ("batch=0", "batch: expected a whole number", "found 0"),
                ("batch=2.5", "batch: expected a whole number"),
                ("optimizer.lr=2", "optimizer.lr: expected a number from 0 to 1, found 2"),
                ("optimizer.lr=nan", "optimizer.lr: expected a number"),
                ("model.trusty_token=yes", "expected true or false, found \"yes\""),
                ("setting=guided", "expected one of inductive, transductive, supervised, found \"guided\""),
                ("batch", '"batch": expected name=value', "for example"),
                ("=3", '"=3": expected name=value')):
            with self.subTest(assignment):
                self.assert_refused(self.train(assignment), USAGE, *parts)

    def test_a_file_names_line_and_column(self):
        for text, *parts in (
                ("batch = 2\nlr = 3\n", "run.toml:2:6", "did you mean optimizer.lr?"),
                ("[optimizers]\nlr = 3\n", "run.toml:1:1", "did you mean optimizer?"),
                ("optimizer = 3\n", "run.toml:1:13", "optimizer is a group"),
                ("batch = 2\n[optimizer\n", "run.toml:2:", "TOML"),
                ("batch = 2\nbatch = 3\n", "run.toml:2:", "batch"),
                ("batch = \"x\"\n", "run.toml:1:9: batch: expected a whole number"),
                ("data = 1979-05-27\n", "run.toml:1:8: dates"),
                ("data = [1, 2]\n", "run.toml:1:8: data: expected a text or a list of texts, found [1, 2]"),
                ('data = [1, "a"]\n', "run.toml:1:8: a list here may hold texts only, or numbers only"),
                (b"data = \"\xff\"\n", "run.toml:1:", "utf-8"),
                (b"\0" * 100, "run.toml:1:"),
                ("a = " + "[" * 100_000, "run.toml:1:"),
                (" " * 2_000_000, "run.toml", "larger than 1 MiB")):
            with self.subTest(text[:30]):
                self.assert_refused(self.train_file(text), BAD_INPUT, *parts)
        self.assert_refused(self.train(config="none.toml"), BAD_INPUT, "none.toml: No such file")
        self.assert_refused(self.train(config="."), BAD_INPUT, "it is a folder")

    def test_what_is_left_out_is_asked_for(self):
        self.assert_refused(self.train(), USAGE, "data: no data set folder", "set data")
        self.assert_refused(self.train("data=d"), USAGE, "clip: no weights to start from", "set clip")
        self.assert_refused(tagclip("pretrain"), USAGE, "shards: no captioned images", "set shards")

    def test_a_pretraining_setting_without_effect_is_refused(self):
        shard = samples.write_shard(self.folder / "captions.tar")
        config = samples.pretrain_config(self.folder, [shard])
        for settings, *parts in ((["small_image_size=16"], "small_image_size", "without small_steps"),
                                 (["small_patch_share=0.5"], "small_patch_share", "without small_steps"),
                                 (["names.per_step=7"], "names.per_step", "without loss.names"),
                                 (["label_words=7"], "label_words", "without loss.labels"),
                                 (["loss.names=1"], "loss.names needs names.list and names.soft"),
                                 (["loss.labels=1"], "loss.labels needs a source with pixel labels"),
                                 (["loss.contrastive=0"], "all weights are 0")):
            with self.subTest(settings):
                words = [word for setting in settings for word in ("--set", setting)]
                self.assert_refused(tagclip("pretrain", config, *words), USAGE, *parts)
        # The CLIP to start from has sizes of its own.
        sizes = tagclip("pretrain", config, "--set", f"start={samples.micro_clip()}", "--set", "clip.text_layers=2")
        self.assert_refused(sizes, USAGE, "clip.text_layers = 2 has no effect", "has 1")

    def test_sources_of_pretraining_are_described_whole(self):
        shard = samples.write_shard(self.folder / "captions.tar")
        sources = f'[source.a]\nshards = ["{shard}"]\n[source.b]\ndata = "{samples.micro_dataset()}"\n'
        config = samples.config(self.folder, "sources.toml", samples.PRETRAIN + sources, output=self.folder / "clip")
        for settings, code, *parts in (
                (["source.b.data="], USAGE, "source.b: expected either shards or data, found neither"),
                (["source.a.data=x"], USAGE, "source.a: expected either shards or data, found both"),
                (["source.a.unseen=kite"], USAGE, "source.a.unseen has no effect without source.a.data"),
                (["source.a.key_prefix=x"], USAGE, "source.a.key_prefix has no effect without loss.names"),
                ([f"shards={shard}"], USAGE, "shards and [source.NAME] are both given"),
                (["source.a.share=2", "loss.labels=1"], USAGE, "nothing is left for the sources without a share"),
                (["source.a.chare=2"], USAGE, "did you mean source.a.share?"),
                (["source.a.keys=none_"], BAD_INPUT, "source.a: no photo has a key that begins with one of"),
                (["loss.labels=1", "source.b.unseen=meadow,ball,box,kite"], BAD_INPUT, "fewer than two classes"),
                ([], BAD_INPUT, "source.b: no loss can use one of its photos")):
            with self.subTest(settings):
                words = [word for setting in settings for word in ("--set", setting)]
                self.assert_refused(tagclip("pretrain", config, *words), code, *parts)
        config.write_text(config.read_text().replace("[source.a]", "[[source]]"))
        self.assert_refused(tagclip("pretrain", config), BAD_INPUT, "give each source a name: [source.NAME]")

    def test_print_config_can_be_fed_back(self):
        odd = 'prompt=a "quoted" \\ {} of \t tabs'
        for command in ("train", "pretrain"):
            settings = ["--set", odd] if command == "train" else ["--set", 'shards=a "b".tar,c\\d.tar']
            first = tagclip(command, *settings, "--set", "optimizer.lr=0.000123", "--print-config")
            self.assert_done(first)
            self.assertIn("lr = 0.000123  # ", first.out)
            path = self.folder / f"{command}.toml"
            path.write_text(first.out)
            again = tagclip(command, path, "--print-config")
            self.assert_done(again)
            self.assertEqual(again.out, first.out)

    def test_sizes_must_fit_together(self):
        shard = samples.write_shard(self.folder / "captions.tar")
        config = samples.pretrain_config(self.folder, [shard])
        for assignment, part in (("clip.vision_heads=3", "vision_heads = 3"),
                                 ("clip.resolution=33", "patch = 8"),
                                 ("image_size=33", "image_size: expected a multiple of clip.patch = 8"),
                                 ("clip.vocabulary=300", "expected 514 or more")):
            with self.subTest(assignment):
                result = tagclip("pretrain", config, "--set", assignment)
                self.assert_refused(result, USAGE, part)
        config = samples.train_config(self.folder, samples.micro_dataset(), samples.micro_clip())
        for assignment, part in (("augment.crop_size=33", "augment.crop_size: expected a multiple"),
                                 ("model.self_attention=a_b", "self_attention"),
                                 ("model.decoder_heads=7", "decoder_heads"),
                                 ("model.prompt_depth=3", "the vision tower has 2 layers"),
                                 ("model.learner_key=text", "begin it with n"),
                                 ("model.learner_key=qms", "t_hat, text, image, product, concat"),
                                 ("device=tpu", '"tpu"')):
            with self.subTest(assignment):
                self.assert_refused(tagclip("train", config, "--set", assignment), USAGE, part)

    def test_the_settings_of_every_config_have_an_effect(self):
        """Nothing but the data is missing: the files themselves are accepted."""
        configs = sorted((ROOT / "configs").rglob("*.toml"))
        self.assertGreater(len(configs), 10)
        for config in configs:
            settings = tomllib.loads(config.read_text())
            command = "pretrain" if "source" in settings or "shards" in settings else "train"
            with self.subTest(config.name):
                overrides = ["data=/nowhere" if command == "train" else "shards=/nowhere"]
                if "source" in settings:
                    overrides = [f"source.{next(iter(settings['source']))}.data=/nowhere"]
                if config.name == "own-labels-clip.toml":
                    overrides.append(f"clip={MINI}")
                if "set" in settings:  # whose groups have the names of the folders
                    overrides = [f"{key}=" + ",".join(f"/nowhere/{Path(folder).name}" for folder in settings[key])
                                 for key in ("data", "val_data")]
                result = tagclip(command, config, *(word for override in overrides for word in ("--set", override)),
                                 cwd=self.folder)
                # What an earlier command is to make is missing, too.
                is_second = command == "pretrain" and not (config.parent / settings.get("start", "")).exists()
                self.assert_refused(result, BAD_INPUT, settings["start"] if is_second else "nowhere")

    def test_paths_of_a_config_are_relative_to_it(self):
        project, elsewhere = self.folder / "project", self.folder / "elsewhere"
        (project / "configs").mkdir(parents=True)
        elsewhere.mkdir()
        shutil.copytree(samples.micro_dataset(), project / "data")
        shutil.copy(samples.micro_clip(), project / "clip.safetensors")
        (project / "prompts.txt").write_text("a drawing of a {}.\n")
        config = samples.config(project / "configs", "train.toml", samples.TRAIN, data="../data",
                                clip="../clip.safetensors", prompt="../prompts.txt")
        short = ("--set", "schedule.iterations=2")
        for where, path in ((elsewhere, config), (project, "configs/train.toml"), (project / "configs", "train.toml")):
            done = tagclip("train", path, *short, cwd=where)
            self.assert_done(done)
            self.assertNotIn("is not beside this file", done.err)
            self.assertTrue((where / "runs" / "train" / "model.safetensors").exists(), "output is where one stands")
        # As earlier versions read it: relative to where one stands.
        previous = samples.config(project / "configs", "previous.toml", samples.TRAIN, data="data",
                                  clip="clip.safetensors", output="runs/previous")
        done = tagclip("train", "configs/previous.toml", *short, cwd=project)
        self.assert_done(done)
        self.assertIn("configs/previous.toml: data = data is not beside this file", done.err)
        self.assert_refused(tagclip("train", previous, *short, cwd=elsewhere), BAD_INPUT, "data")

    def test_the_paper_trains_in_float32(self):
        for config in (ROOT / "configs/paper").glob("*.toml"):
            self.assertIn('\nprecision = "float32"', config.read_text(), config.name)

    def test_an_output_folder_that_cannot_be(self):
        config = samples.train_config(self.folder, samples.micro_dataset(), samples.micro_clip())
        blocked = self.folder / "file"
        blocked.write_text("")
        for output in (blocked, blocked / "below", "/proc/none"):
            result = tagclip("train", config, "--set", f"output={output}")
            self.assert_refused(result, 1, f"cannot create the folder {output}", "choose a")


if __name__ == "__main__":
    unittest.main()
