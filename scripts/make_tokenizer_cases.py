#!/usr/bin/env python3
"""Writes tests/data/text/tokenizer_generated.json: texts, and what CLIP's tokenizer makes of them.

The reference is written here from the published behaviour of OpenAI's simple_tokenizer, on the real
ftfy and regex packages. The texts are names of places, languages and currencies in all languages of
Babel, as they are and damaged in the ways texts get damaged, and strings put together at random from
pieces that are special to one of the steps. The committed file was made with

    pip install ftfy==6.3.1 regex==2026.11.15 babel==2.18.0
    python scripts/make_tokenizer_cases.py

under Python 3.11 (Unicode 14). Every case holds `group`, `text`, `clean` and `ids`, the ids without
the start and the end token. With --stdout, --seed and --count more cases are written to standard
output, for a longer comparison by hand.
"""
import argparse
import functools
import gzip
import html
import json
import pathlib
import random
import sys

import babel
import babel.localedata
import ftfy
import ftfy.bad_codecs
import regex

ROOT = pathlib.Path(__file__).parent.parent
MERGES = ROOT / "src/text/data/bpe_simple_vocab_16e6.txt.gz"
OUTPUT = ROOT / "tests/data/text/tokenizer_generated.json"

WORD_PATTERN = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    regex.IGNORECASE,
)
WRONG_ENCODINGS = [
    "latin-1", "sloppy-windows-1252", "sloppy-windows-1251", "sloppy-windows-1250",
    "sloppy-windows-1253", "sloppy-windows-1254", "sloppy-windows-1257", "iso-8859-2", "macroman",
    "cp437",
]
PIECES = [
    *"abcXYZ019 \t\n.,;!?'\"&<>#-_", "é", "É", "ß", "İ", "ı", "Σ", "ς", "ſ", "K", "ǅ", "猫", "カ", "が",
    "🐱", "👨‍👩‍👧", "क्षि", "ไทย", "한국어", "e\u0301", "A\u030a", "ﬁ", "ﬅ", "Ĳ", "ŉ", "Ｃ", "！", "\u3000",
    "ｶﾞ", "ﾡ", "‘", "’", "“", "”", "„", "‟", "ʼ", "′", "—", "…", "\u00a0", "\u2028", "\u2029", "\u200b",
    "\u200d", "\ufeff", "\u00ad", "\x00", "\x07", "\x0b", "\x0c", "\x1b[31m", "\x1b[", "\x1c", "\x7f",
    "\x80", "\x85", "\x92", "\x9d", "\u206a", "\ufffc", "\ufffd", "&amp;", "&amp;amp;lt;", "&amp",
    "&lt;", "&eacute;", "&EACUTE;", "&Eacute", "&notit;", "&NotEqualTilde;", "&#233;", "&#xE9",
    "&#150;", "&#0;", "&#1;", "&#55296;", "&#x110000;", "&#x1F431;", "&rsquo;", "&nbsp;", "&fjlig;",
    "'s", "'T", "'re", "'ve", "'ll", "'ſ", "<|startoftext|>", "<|EndOfText|>", "<|ſtartoftext|>", "½",
    "²", "Ⅷ", "٣", "१", "①", "Ã©", "Ã ", "â€™", "â€œ", "â€\u009d", "â€�", "Â£", "Â ", "ÐºÐ¾Ñ‚", "ãƒ",
    "ð\u009f\u0090±", "Ù…Ø±", "Ãƒâ€š", "‚Äô", "├⌐", "€", "£", "®", "™", "°", "±", "«", "»", "¿", "¡",
]


@functools.cache
def merge_ranks():
    lines = gzip.open(MERGES).read().decode("utf-8").split("\n")
    return {tuple(line.split()): rank for rank, line in enumerate(lines[1 : 49152 - 256 - 2 + 1])}


@functools.cache
def byte_letters():
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable}
    letters.update({byte: chr(256 + i) for i, byte in enumerate(others)})
    return letters


@functools.cache
def token_ids():
    letters = list(byte_letters().values())
    tokens = letters + [letter + "</w>" for letter in letters]
    tokens += ["".join(pair) for pair in merge_ranks()] + ["<|startoftext|>", "<|endoftext|>"]
    return {token: number for number, token in enumerate(tokens)}


@functools.cache
def encode_word(word):
    if word in ("<|startoftext|>", "<|endoftext|>"):
        return [token_ids()[word]]
    parts = [byte_letters()[byte] for byte in word.encode("utf-8")]
    parts[-1] += "</w>"
    while len(parts) > 1:
        best = min(zip(parts, parts[1:]), key=lambda pair: merge_ranks().get(pair, float("inf")))
        if best not in merge_ranks():
            break
        merged, i = [], 0
        while i < len(parts):
            joins = tuple(parts[i : i + 2]) == best
            merged.append("".join(best) if joins else parts[i])
            i += 2 if joins else 1
        parts = merged
    return [token_ids()[part] for part in parts]


def clean(text):
    text = html.unescape(html.unescape(ftfy.fix_text(text))).strip()
    return regex.sub(r"\s+", " ", text).strip().lower()


def make_case(group, text):
    cleaned = clean(text)
    ids = [number for word in WORD_PATTERN.findall(cleaned) for number in encode_word(word)]
    return {"group": group, "text": text, "clean": cleaned, "ids": ids}


def names_of_all_languages():
    names = {}
    for identifier in sorted(babel.localedata.locale_identifiers()):
        locale = babel.Locale.parse(identifier)
        for table in (locale.territories, locale.languages, locale.currencies):
            names.update(dict.fromkeys(table.values()))
    return [name for name in names if name]


def misread(text, encoding):
    try:
        return text.encode("utf-8").decode(encoding)
    except UnicodeDecodeError:
        return text.encode("utf-8").decode("latin-1")


def without_ends(text):
    return text[random.randrange(3) : len(text) - random.randrange(3)]


def make_cases(count):
    names = names_of_all_languages()
    foreign = [name for name in names if not name.isascii()]

    def name():
        return random.choice(foreign)

    def wrong():
        return random.choice(WRONG_ENCODINGS)

    groups = {
        "name": lambda: random.choice(names),
        "accents": lambda: random.choice([n for n in random.choices(foreign, k=50) if n[0] < "ɐ"] or foreign),
        "upper": lambda: name().upper(),
        "mojibake": lambda: misread(name(), wrong()),
        "mojibake.twice": lambda: misread(misread(name(), wrong()), random.choice(WRONG_ENCODINGS[:3])),
        "mojibake.part": lambda: " ".join(
            [misread(name(), "sloppy-windows-1252"), name(), random.choice(["’", "“x”", "€", "猫", ""])]),
        "mojibake.cut": lambda: without_ends(misread(name(), wrong())),
        "mojibake.space": lambda: misread(name(), "sloppy-windows-1252").replace("\xa0", " ") + " x",
        "mojibake.lossy": lambda: name().encode("utf-8").decode("cp1252", "replace"),
        "mojibake.question": lambda: name().encode("utf-8").decode("cp1252", "replace").replace("�", "?"),
        "wrong.page": lambda: name().encode(wrong(), "ignore").decode(wrong(), "replace"),
        "pieces": lambda: "".join(random.choices(PIECES, k=random.randrange(2, 9))),
    }
    return [make_case(group, make()) for group, make in groups.items() for _ in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stdout", action="store_true", help="write there, not into the repository")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=40, help="cases of each group")
    arguments = parser.parse_args()

    ftfy.bad_codecs.ok()
    random.seed(arguments.seed)
    cases = make_cases(arguments.count)
    if arguments.stdout:
        json.dump(cases, sys.stdout)
        return
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    OUTPUT.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
