"""tagclip video: frames in, frames and labels out, by a real ffmpeg."""

import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image

from support import BAD_INPUT, BINARY, FAILURE, PHOTOS, STOPPED, USAGE, environment, tagclip

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
WORDS = "cat, grass, sky"
EXACT = ("--precision", "float32", "--weights", "mini")


def photo(name, size=(160, 120)):
    return np.asarray(Image.open(PHOTOS / name).convert("RGB").resize(size))


def write_video(path, frames, rate="10", codec=("-c:v", "ffv1", "-pix_fmt", "bgr0"), more=()):
    height, width = frames[0].shape[:2]
    subprocess.run([FFMPEG, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
                    "-r", rate, "-i", "pipe:0", *more, *codec, path],
                   input=b"".join(frame.tobytes() for frame in frames), check=True)


def read_video(path, pixels):
    """The frames [n, height, width, channels], and what ffmpeg says of the file."""
    about = subprocess.run([FFMPEG, "-i", path], capture_output=True, text=True, check=False).stderr
    size = next(word.rstrip(",") for word in about.split("Video: ")[1].split() if word[0].isdigit() and "x" in word
                and not word.startswith("0x"))
    width, height = map(int, size.split("x"))
    raw = subprocess.run([FFMPEG, "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", pixels, "-"],
                         capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3 if pixels == "rgb24" else 1), about


class Video(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="tagclip-video-")))

    def run_video(self, *words, **more):
        return tagclip("video", *words, "--ffmpeg", FFMPEG, cwd=self.folder, **more)

    def test_labels_are_those_of_the_frames_as_photos(self):
        frames = [photo("cat.jpg")] * 3 + [photo("flower.jpg")] * 2
        write_video(self.folder / "in.mkv", frames)
        done = self.run_video("in.mkv", "-c", WORDS, "--labels", "labels.mkv", "--json", *EXACT)
        self.assertEqual(done.code, 0, done.err)
        # The middle three frames are as the ones before them.
        self.assertRegex(done.err, r"5 frames in .*; (\d+) of \d+ windows were encoded")
        labels, _ = read_video(self.folder / "labels.mkv", "gray")
        self.assertEqual(labels.shape, (5, 120, 160, 1))
        for index, frame in enumerate(frames):
            Image.fromarray(frame).save(self.folder / f"{index}.png")
        as_photos = tagclip("segment", *[f"{i}.png" for i in range(5)], "-c", WORDS, "-o", "out", *EXACT,
                            cwd=self.folder)
        self.assertEqual(as_photos.code, 0, as_photos.err)
        for index in range(5):
            expected = np.asarray(Image.open(self.folder / f"out/{index}_labels.png"))
            self.assertTrue(np.array_equal(labels[index, :, :, 0], expected), index)
        lines = [json.loads(line) for line in done.out.splitlines()]
        self.assertEqual([line["frame"] for line in lines], [0, 1, 2, 3, 4])
        self.assertAlmostEqual(lines[3]["seconds"], 0.3)
        self.assertEqual({entry["name"] for entry in lines[0]["classes"]},
                         {WORDS.split(", ")[value] for value in np.unique(labels[0])})
        overlay, about = read_video(self.folder / "in_overlay.mp4", "rgb24")
        self.assertEqual(len(overlay), 5)
        self.assertGreater(overlay.shape[1], 120)  # a legend below
        self.assertIn("h264", about)
        self.assertIn("10 fps", about)

    def test_unchanged_windows_are_not_encoded_again(self):
        write_video(self.folder / "in.mkv", [photo("cat.jpg")] * 4)
        kept = self.run_video("in.mkv", "-c", WORDS, "--labels", "a.mkv", *EXACT)
        anew = self.run_video("in.mkv", "-c", WORDS, "--labels", "b.mkv", "-o", "b.mp4", "--unchanged", "-1", *EXACT)
        self.assertRegex(kept.err, r"; (\d+) of (?!\1 )\d+ windows were encoded")
        self.assertRegex(anew.err, r"; (\d+) of \1 windows were encoded")
        self.assertTrue(np.array_equal(read_video(self.folder / "a.mkv", "gray")[0],
                                       read_video(self.folder / "b.mkv", "gray")[0]))

    def test_sound_odd_sizes_rates_and_smoothing(self):
        frames = [photo(name, (161, 121)) for name in ("cat.jpg", "coffee.jpg") for _ in range(4)]
        sound = ("-f", "lavfi", "-i", "sine=frequency=440:duration=0.5", "-map", "0:v", "-map", "1:a", "-c:a", "aac")
        write_video(self.folder / "-in put.mkv", frames, rate="30000/1001", more=sound)
        done = self.run_video("./-in put.mkv", "-c", WORDS, "-o", "out.mp4", "--smoothing", "0.5", "--every", "2",
                              *EXACT)
        self.assertEqual(done.code, 0, done.err)
        overlay, about = read_video(self.folder / "out.mp4", "rgb24")
        self.assertIn(len(overlay), (4, 5))  # of 8 frames, and one more where the sound is longer
        self.assertIn("Audio: aac", about)
        self.assertIn("14.99 fps", about)

    def test_nothing_is_overwritten_unasked(self):
        write_video(self.folder / "in.mkv", [photo("cat.jpg")])
        (self.folder / "in_overlay.mp4").write_text("mine")
        refused = self.run_video("in.mkv", "-c", WORDS, *EXACT)
        self.assertEqual(refused.code, FAILURE)
        self.assertEqual((self.folder / "in_overlay.mp4").read_text(), "mine")
        self.assertEqual(self.run_video("in.mkv", "-c", WORDS, "--overwrite", *EXACT).code, 0)

    def test_what_is_no_video(self):
        (self.folder / "in.mkv").write_text("no video")
        done = self.run_video("in.mkv", "-c", WORDS, *EXACT)
        self.assertEqual(done.code, BAD_INPUT)
        self.assertRegex(done.err, "in.mkv is no video that ffmpeg reads: .*Invalid data")
        self.assertEqual(self.run_video("missing.mp4", "-c", WORDS, *EXACT).code, BAD_INPUT)
        # A playlist leads to no other address.
        (self.folder / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
        self.assertEqual(self.run_video("list.m3u8", "-c", WORDS, *EXACT).code, BAD_INPUT)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["in.mkv", "list.m3u8"])

    def test_without_ffmpeg(self):
        write_video(self.folder / "in.mkv", [photo("cat.jpg")])
        done = tagclip("video", "in.mkv", "-c", WORDS, "--ffmpeg", "/no/ffmpeg", cwd=self.folder)
        self.assertEqual(done.code, FAILURE)
        self.assertIn("apt-get install ffmpeg", done.err)

    def test_a_folder_that_is_missing_and_too_many_classes(self):
        write_video(self.folder / "in.mkv", [photo("cat.jpg")])
        done = self.run_video("in.mkv", "-c", WORDS, "-o", "no/out.mp4", *EXACT)
        self.assertEqual(done.code, FAILURE, done.err)
        self.assertIn("No such file or directory", done.err)
        many = ", ".join(f"word{i}" for i in range(300))
        self.assertEqual(self.run_video("in.mkv", "-c", many, "--labels", "l.mkv", *EXACT).code, USAGE)

    def test_control_c_leaves_nothing(self):
        write_video(self.folder / "in.mkv", [photo("cat.jpg")] * 2000)
        process = subprocess.Popen([BINARY, "video", "in.mkv", "-c", WORDS, "--unchanged", "-1", "--ffmpeg", FFMPEG,
                                    *EXACT], cwd=self.folder, env=environment(), stderr=subprocess.PIPE)
        while not any(path.name.startswith(".in_overlay") for path in self.folder.iterdir()):
            self.assertIsNone(process.poll())
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), STOPPED)
        process.stderr.close()
        self.assertEqual(os.listdir(self.folder), ["in.mkv"])


if __name__ == "__main__":
    unittest.main()
