"""Makes a page of pictures for single words: each is looked for on photos whose captions name it.

python3 scripts/words_page.py SHARD.tar WORDS.txt OUT.html --program build/release/tagclip (needs Pillow and NumPy)

WORDS.txt has a word a line. A photo of the shard is asked for one word and for --background common; the page
shows it beside what became the word, and says the word's share. Nothing is chosen by the result: the photos are the
first of the shard that a word's captions name.
"""

import argparse
import base64
import html
import io
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

STYLE = """body{font:15px system-ui;margin:2em auto;max-width:72em}section{display:inline-block;width:23em;margin:.4em;
vertical-align:top}img{height:9em;margin-right:.3em}p{margin:.2em 0;color:#555}h2{font-size:1.1em;margin:.4em 0}"""


def captioned_photos(shard):
    """(key, photo, captions) of each sample in the shard's order."""
    photos = {}
    with tarfile.open(shard) as archive:
        for member in archive:
            key, _, ending = member.name.rpartition(".")
            photos.setdefault(key, {})[ending] = archive.extractfile(member).read()
    return [(key, parts["jpg"], parts["txt"].decode()) for key, parts in photos.items() if {"jpg", "txt"} <= parts.keys()]


def names(captions, word):
    """Whether two captions, or the only one, have the word, also in the plural."""
    lines = captions.strip().splitlines()
    pattern = re.compile(rf"\b{re.escape(word)}(s|es)?\b", re.IGNORECASE)
    return sum(bool(pattern.search(line)) for line in lines) >= min(2, len(lines))


def embedded(image):
    content = io.BytesIO()
    image.save(content, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


def segmented(arguments, word, photos, folder):
    """(photo, what is not the word darkened, share of the word) of each photo."""
    for i, (_, photo, _) in enumerate(photos):
        (folder / f"{i}.jpg").write_bytes(photo)
    out = folder / "out"
    command = [arguments.program, "segment", folder, "-c", word, "--background", "common", "-o", out, "-q",
               "--output-format", "labels"]
    subprocess.run(command + (["--weights", arguments.weights] if arguments.weights else []), check=True,
                   stdout=subprocess.DEVNULL)
    for i in range(len(photos)):
        photo = Image.open(folder / f"{i}.jpg").convert("RGB")
        mask = np.array(Image.open(out / f"{i}_labels.png")) == 0  # the word; 1 is the background
        shown = np.where(mask[..., None], np.array(photo), np.array(photo) // 4)
        yield photo, Image.fromarray(shown.astype(np.uint8)), mask.mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shard", type=Path)
    parser.add_argument("words", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--program", default="tagclip")
    parser.add_argument("--weights")
    parser.add_argument("--photos", type=int, default=2, help="of each word")
    arguments = parser.parse_args()
    samples = captioned_photos(arguments.shard)
    sections = []
    for word in arguments.words.read_text().split("\n"):
        photos = [sample for sample in samples if word and names(sample[2], word)][:arguments.photos]
        if not photos:
            continue
        with tempfile.TemporaryDirectory() as folder:
            for (_, _, captions), (photo, shown, share) in zip(photos, segmented(arguments, word, photos, Path(folder)),
                                                               strict=True):
                caption = html.escape(captions.strip().splitlines()[0])
                sections.append(f'<section><h2>{html.escape(word)}: {share:.0%}</h2><img src="{embedded(photo)}" alt="{caption}">'
                                f'<img src="{embedded(shown)}" alt="{html.escape(word)} in it"><p>{caption}</p></section>')
        print(f"{word}: {len(photos)} photos", flush=True)
    arguments.out.write_text(f"<!doctype html><meta charset=utf-8><title>Single words</title><style>{STYLE}</style>"
                             + "\n".join(sections))


if __name__ == "__main__":
    main()
