"""tagclip fetch: what becomes of the files, whatever the server does."""

import hashlib
import json
import signal
import subprocess
import threading
import time
import unittest

import samples
from bad_server import FILE, HALF, OTHER, BadServer
from support import BAD_INPUT, BINARY, DONE, FAILURE, STOPPED, USAGE, ProgramTest, environment, tagclip
from terminal_test import on_terminal


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class FetchTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.server = BadServer()
        cls.address = cls.server.address
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        super().setUp()
        self.server.requests = []
        self.cache = self.folder / "cache"
        self.env = {"TAGCLIP_CHECKPOINTS": str(self.folder / "table.toml"), "TAGCLIP_HOME": str(self.cache),
                    "no_proxy": "127.0.0.1"}

    def table(self, *files, page=None):
        """Writes a table of one checkpoint; files: name, address or None, content or None (nothing published)."""
        lines = ["[[checkpoint]]", 'name = "net"', 'about = "a test"', 'licence = "MIT"', 'use = "clip"']
        lines += [f'page = "{page}"'] if page else []
        for name, url, content in files:
            lines += ["[[checkpoint.files]]", f'name = "{name}"']
            lines += [f'url = "{self.address}/{url}"'] if url else []
            lines += [f'sha256 = "{sha256(content)}"', f"size = {len(content)}"] if content else []
        (self.folder / "table.toml").write_text("\n".join(lines))

    def one(self, habit, content=FILE):
        """A table of a single file that is served with that habit."""
        self.table(("weights.pt", f"{habit}/weights.pt", content))
        return self.cache / "weights.pt"

    def fetch(self, *arguments, **env):
        return tagclip("fetch", *(arguments or ("net",)), env={**self.env, **env}, timeout=30)

    def kept(self):
        return sorted(str(p.relative_to(self.cache)) for p in self.cache.rglob("*") if p.is_file())

    def assert_fetched(self, result, path, content=FILE):
        self.assert_done(result)
        self.assertEqual(result.out, f"{path}\n")
        self.assertEqual(path.read_bytes(), content)
        self.assertEqual(self.kept(), [str(path.relative_to(self.cache))])

    def assert_nothing_kept(self):
        self.assertEqual(self.kept() if self.cache.exists() else [], [])


class Downloads(FetchTest):
    def test_good(self):
        path = self.one("good")
        result = self.fetch()
        self.assert_fetched(result, path)
        self.assertIn(f"fetching {self.address}/good/weights.pt (3.0 MiB)\n", result.err)
        self.assertIn("net is fetched (3.0 MiB, licence MIT)\n", result.err)
        self.assertIn(f'tagclip segment photo.jpg --weights {path} --mode clip --classes "cat, grass"', result.err)
        self.assertEqual(self.server.requests, [("/good/weights.pt", None, None)])

    def test_what_is_there_is_checked_only(self):
        path = self.one("good")
        self.fetch()
        result = self.fetch()
        self.assert_fetched(result, path)
        self.assertIn("net is there already", result.err)
        self.assertEqual(len(self.server.requests), 1)

    def test_what_is_damaged_is_fetched_again(self):
        path = self.one("good")
        self.fetch()
        for damage in (b"x" + FILE[1:], FILE[:-1]):
            path.write_bytes(damage)
            result = self.fetch()
            self.assert_fetched(result, path)
            self.assertRegex(result.err, r"warning: .*weights.pt is damaged: its? (SHA-256|has)")

    def test_a_cut_download_goes_on(self):
        path = self.one("cut")
        result = self.fetch()
        self.assert_fetched(result, path)
        self.assertRegex(result.err, r"/cut/weights.pt: the connection broke off; trying again in 1 s\n")
        self.assertEqual(self.server.requests[1][1:], (f"bytes={HALF}-", '"1"'))

    def test_without_a_checksum_too_when_the_server_vouches_for_it(self):
        path = self.one("cut", None)
        self.fetch("net", "--tries", "1")
        result = self.fetch()
        self.assert_fetched(result, path)
        self.assertIn("weights.pt could not be checked: its publisher gives no SHA-256", result.err)
        self.assertEqual(self.server.requests[1][1], f"bytes={HALF}-")

    def test_the_next_run_goes_on(self):
        path = self.one("cut")
        result = self.fetch("net", "--tries", "1")
        self.assert_refused(result, FAILURE, "/cut/weights.pt", "tried 1 time", "1.5 MiB of weights.pt are kept")
        self.assertEqual(self.kept(), ["weights.pt.part", "weights.pt.part.origin"])
        result = self.fetch()
        self.assert_fetched(result, path)
        self.assertIn("going on after 1.5 MiB", result.err)
        self.assertEqual(self.server.requests[1][1:], (f"bytes={HALF}-", '"1"'))

    def test_a_server_without_ranges_starts_again(self):
        path = self.one("deaf")
        self.cache.mkdir()
        (self.cache / "weights.pt.part").write_bytes(FILE[:HALF])
        result = self.fetch()
        self.assert_fetched(result, path)
        self.assertIn("cannot go on in the middle; starting again", result.err)
        self.assertEqual(self.server.requests, [("/deaf/weights.pt", f"bytes={HALF}-", None)])

    def test_a_part_that_nobody_vouches_for_is_not_gone_on_with(self):
        path = self.one("good", None)
        self.cache.mkdir()
        (self.cache / "weights.pt.part").write_bytes(OTHER[:HALF])
        self.assert_fetched(self.fetch(), path)
        self.assertEqual(self.server.requests, [("/good/weights.pt", None, None)])

    def test_a_file_that_changed_meanwhile_starts_again(self):
        path = self.one("changed", None)
        self.fetch("net", "--tries", "1")
        self.assert_fetched(self.fetch(), path)
        self.assertEqual(self.server.requests[1][1:], (f"bytes={HALF}-", '"old"'))

    def test_a_part_of_no_use_is_thrown_away(self):
        self.cache.mkdir()
        for habit, part, words in (("good", OTHER[:HALF], "not the file that is expected: its SHA-256 is"),
                                   ("vague", FILE[:HALF], "the server sent another range")):
            path = self.one(habit)
            (self.cache / "weights.pt.part").write_bytes(part)
            result = self.fetch()
            self.assert_fetched(result, path)
            self.assertIn(words, result.err)
            path.unlink()

    def test_a_part_that_is_all_of_it_needs_no_server(self):
        path = self.one("missing")
        self.cache.mkdir()
        (self.cache / "weights.pt.part").write_bytes(FILE)
        self.assert_fetched(self.fetch(), path)
        self.assertEqual(self.server.requests, [])

    def test_dying_every_time(self):
        self.one("dying")
        result = self.fetch()
        self.assert_refused(result, FAILURE, "tried 3 times", "2.9 KiB of weights.pt are kept", "goes on from there")
        self.assertEqual([r[1] for r in self.server.requests], [None, "bytes=1000-", "bytes=2000-"])

    def test_too_slow(self):
        self.one("slow")
        result = self.fetch("net", "--timeout", "1", "--tries", "1")
        self.assert_refused(result, FAILURE, "/slow/weights.pt: too slow", "for 1 s")
        self.assertLess(result.seconds, 5)

    def test_busy_once(self):
        path = self.one("busy")
        result = self.fetch()
        self.assert_fetched(result, path)
        self.assertIn("the server answered 503; trying again in 1 s", result.err)

    def test_nobody_answers(self):
        self.table(("weights.pt", None, None), page="https://example.org")
        result = self.fetch("net", "--mirror", "http://127.0.0.1:9", "--tries", "1")
        self.assert_refused(result, FAILURE, "http://127.0.0.1:9/weights.pt", "tried 1 time", "--from")

    def test_redirects(self):
        path = self.one("moved")
        self.assert_fetched(self.fetch(), path)
        for habit, *parts in (("circle", "/circle/weights.pt", "more than 5 times"),
                              ("outside", "another protocol than http,https", "file")):
            path.unlink(missing_ok=True)
            self.one(habit)
            self.assert_refused(self.fetch(), FAILURE, *parts)
            self.assert_nothing_kept()
        self.assertEqual(len([r for r in self.server.requests if r[0].startswith("/circle")]), 6)

    def test_what_no_other_try_would_better(self):
        for habit, content, *parts in (
                ("wrong", FILE, "/wrong/weights.pt", "its SHA-256 is " + sha256(OTHER), sha256(FILE)),
                ("page", FILE, "/page/weights.pt", "a web page instead of the file"),
                ("page", None, "a web page instead of the file"),
                ("missing", FILE, "answered 404 (there is no such file)", "--mirror"),
                ("longer", FILE, f"offers {len(FILE) + 4} bytes, {len(FILE)} are expected"),
                ("endless", FILE, f"sends more than the {len(FILE)} bytes expected")):
            with self.subTest(habit):
                self.server.requests.clear()
                self.one(habit, content)
                self.assert_refused(self.fetch(), FAILURE, *parts)
                self.assertEqual(len(self.server.requests), 1)
                self.assert_nothing_kept()

    def test_no_room(self):
        table = self.folder / "table.toml"
        self.one("good")
        table.write_text(table.read_text().replace(f"size = {len(FILE)}", f"size = {10**17}"))
        self.assert_refused(self.fetch(), FAILURE, str(self.cache), "90949.5 TiB are needed", "--to")
        self.assertEqual(self.server.requests, [])

    def test_two_at_a_time(self):
        path = self.one("gentle")
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.fetch())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result in results:
            self.assert_fetched(result, path)
        self.assertEqual(len(self.server.requests), 1)
        words = "".join(result.err for result in results)
        self.assertIn("waiting for another tagclip that is fetching", words)
        self.assertIn("is there already", words)

    def test_ctrl_c_keeps_what_came(self):
        path = self.one("gentle")
        run = subprocess.Popen([str(BINARY), "fetch", "net"], env=environment(**self.env), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        part = self.cache / "weights.pt.part"
        while not (part.exists() and part.stat().st_size > 0):
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=10)
        self.assertEqual((run.returncode, out), (STOPPED, ""), err)
        self.assertIn("stopped; the same command goes on from there", err)
        self.assertGreater(part.stat().st_size, 0)
        self.assert_fetched(self.fetch(), path)
        self.assertRegex(self.server.requests[1][1], r"bytes=[1-9]\d*-")


class Folders(FetchTest):
    def two(self, habit):
        self.table(("config.json", "good/config.json", None), ("weights.pt", f"{habit}/weights.pt", FILE))

    def test_appear_complete_or_not_at_all(self):
        self.two("missing")
        self.assert_refused(self.fetch(), FAILURE, "404")
        self.assertFalse((self.cache / "net").exists())
        self.two("good")
        result = self.fetch()
        self.assert_done(result)
        self.assertEqual(result.out, f"{self.cache / 'net'}\n")
        self.assertEqual(self.kept(), ["net/config.json", "net/weights.pt"])
        self.assertEqual([r[0] for r in self.server.requests].count("/good/config.json"), 1)

    def test_that_are_damaged_are_mended(self):
        self.two("good")
        self.fetch()
        (self.cache / "net" / "mine.txt").write_text("kept")
        (self.cache / "net" / "weights.pt").write_bytes(b"")
        self.assert_done(self.fetch())
        self.assertEqual((self.cache / "net" / "weights.pt").read_bytes(), FILE)
        self.assertEqual(self.kept(), ["net/config.json", "net/mine.txt", "net/weights.pt"])
        self.assertFalse((self.cache / "net.part").exists())


class OtherSources(FetchTest):
    def test_a_file_the_user_brought(self):
        path, mine = self.one("missing"), self.folder / "mine"
        for content, *parts in ((OTHER, "its SHA-256 is"), (b"short", "it has 5 bytes")):
            mine.write_bytes(content)
            self.assert_refused(self.fetch("net", "--from", mine), BAD_INPUT, mine, "not the weights.pt", *parts)
            self.assert_nothing_kept()
        mine.write_bytes(FILE)
        self.assert_fetched(self.fetch("net", "--from", mine), path)
        self.assertEqual(mine.read_bytes(), FILE)
        self.assertEqual(self.server.requests, [])

    def test_that_is_not_there(self):
        self.one("good")
        for mine in (self.folder / "none", self.folder):
            self.assert_refused(self.fetch("net", "--from", mine), BAD_INPUT, f"cannot read {mine}")
        self.assert_refused(self.fetch("net", "net", "--from", "x"), USAGE, "--from goes with one checkpoint")

    def test_a_folder_the_user_brought(self):
        self.table(("config.json", "missing/c", None), ("weights.pt", "missing/w", FILE))
        mine = self.folder / "mine"
        self.assert_refused(self.fetch("net", "--from", mine), BAD_INPUT, "no such folder", "net has 2 files")
        mine.mkdir()
        (mine / "weights.pt").write_bytes(FILE)
        self.assert_refused(self.fetch("net", "--from", mine), BAD_INPUT, f"cannot read {mine}/config.json")
        (mine / "config.json").write_text("{}")
        self.assert_done(self.fetch("net", "--from", mine))
        self.assertEqual(self.kept(), ["net/config.json", "net/weights.pt"])

    def test_what_can_only_be_downloaded_by_hand(self):
        self.table(("weights.pt", None, None), page="https://example.org/models")
        self.assert_refused(self.fetch(), FAILURE, "by hand", "https://example.org/models", "--from takes a file")

    def test_a_mirror(self):
        path = self.one("missing")
        self.assert_fetched(self.fetch("net", "--mirror", f"{self.address}/good/"), path)
        path.unlink()
        self.assert_fetched(self.fetch(TAGCLIP_MIRROR=f"{self.address}/good"), path)
        self.assertEqual({r[0] for r in self.server.requests}, {"/good/weights.pt"})
        self.assert_refused(self.fetch("net", "--mirror", "ftp://a"), USAGE, "'ftp://a'", "https://")

    def test_another_folder(self):
        self.one("good")
        result = self.fetch("net", "--to", self.folder / "else" / "where")
        self.assertEqual(result.out, f"{self.folder / 'else' / 'where' / 'weights.pt'}\n")
        self.assert_nothing_kept()


class Words(FetchTest):
    def test_list(self):
        path = self.one("good")
        self.assertRegex(self.fetch("--list").out, r"(?m)^  net +3.0 MiB +MIT +a test$")
        about = json.loads(self.fetch("--list", "--json").out)
        self.assertEqual((about["checkpoint"], about["licence"], about["path"]), ("net", "MIT", None))
        self.assertEqual(about["files"], [{"name": "weights.pt", "url": f"{self.address}/good/weights.pt",
                                           "sha256": sha256(FILE), "bytes": len(FILE)}])
        self.fetch()
        self.assertRegex(self.fetch("--list").out, r"(?m)^\* net ")
        self.assertEqual(json.loads(self.fetch("--list", "--json").out)["path"], str(path))

    def test_the_built_in_list(self):
        result = self.fetch("--list", TAGCLIP_CHECKPOINTS="")
        self.assert_done(result)
        for name in ("ViT-B-16", "ViT-L-14@336px", "clip-vit-large-patch14", "zegclip-voc"):
            self.assertRegex(result.out, rf"(?m)^  {name} ")
        self.assertFalse(self.cache.exists())
        result = self.fetch("VIT-B-16", TAGCLIP_CHECKPOINTS="")
        self.assert_refused(result, USAGE, "no checkpoint called 'VIT-B-16'", "did you mean ViT-B-16?", "zegclip-coco")

    def test_json_and_quiet(self):
        path = self.one("good")
        for fetched in (True, False):
            result = self.fetch("net", "--json", "--quiet")
            self.assert_done(result)
            self.assertEqual(result.err, "")
            self.assertEqual(json.loads(result.out), {"checkpoint": "net", "path": str(path), "bytes": len(FILE),
                                                      "licence": "MIT", "fetched": fetched})

    def test_a_terminal_shows_a_bar(self):
        self.one("gentle")
        code, out, shown = on_terminal(["fetch", "net"], **self.env)
        self.assertEqual((code, out), (DONE, f"{self.cache / 'weights.pt'}\n"), shown)
        self.assertRegex(shown, r"\r\x1b\[Kweights.pt, MiB \[=+ *\] \d/3 \d+%")

    def test_a_pipe_gets_plain_lines(self):
        self.one("gentle")
        result = self.fetch(TERM="xterm")
        self.assertNotRegex(result.out + result.err, r"[\r\x1b]")
        self.assertIn("weights.pt, MiB: 3 of 3 (100%)\n", result.err)

    def test_impossible_requests(self):
        self.one("good")
        self.assert_refused(self.fetch("--json"), USAGE, "no checkpoint is named", "--list")
        self.assert_refused(self.fetch("nte"), USAGE, "called 'nte'", "did you mean net?")
        self.assert_refused(self.fetch("net", "--tries", "0"), USAGE, "--tries")
        self.assert_refused(self.fetch("net", "--from", "x", "--mirror", "y"), USAGE, "--from", "--mirror")
        self.assert_refused(self.fetch("net", "--to", "/proc/none"), FAILURE, "/proc/none")
        self.assert_refused(self.fetch(TAGCLIP_CHECKPOINTS="none"), BAD_INPUT, "cannot read none: No such file",
                            "TAGCLIP_CHECKPOINTS")
        (self.folder / "table.toml").write_text("[[checkpoint]]\nnme = 'x'\n")
        self.assert_refused(self.fetch(), BAD_INPUT, "table.toml:2:", "no key nme; did you mean name?")

    def test_the_downloader_is_missing(self):
        program = samples.copy_of_the_program(self.folder)
        self.assert_refused(tagclip("fetch", "--list", binary=program, env=self.env), FAILURE,
                            "cannot load libtagclip_fetch.so", "keep it beside the program")


if __name__ == "__main__":
    unittest.main()
