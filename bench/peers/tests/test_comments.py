import tempfile
import unittest
from pathlib import Path

from comments import Comment, InputError, clean, cut_edits, decode, folds, load, read, write


class Reading(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "comments.csv"

    def given(self, content: bytes) -> Path:
        self.path.write_bytes(content)
        return self.path

    def refused(self, content: bytes) -> str:
        with self.assertRaises(InputError) as refused:
            read(self.given(content))
        return str(refused.exception).removeprefix(str(self.path))

    def test_the_talks_form_and_ours_give_the_same(self) -> None:
        talks = b'"","X","BODY","REMOVED"\n"8",9,"na\xefve,\r\ntwo lines",1\n"3",4,"it\xe2\x80\x99s fine",0\n'
        ours = "\ufeffremoved,id,body\ntrue,a,\"naïve,\ntwo lines\"\nfalse,b,it’s fine\n".encode()
        expected = ([Comment("naïve,\ntwo lines", True), Comment("it’s fine", False)], 0)
        self.assertEqual(read(self.given(talks)), expected)
        self.assertEqual(read(self.given(ours)), expected)

    def test_comments_without_text_are_left_out(self) -> None:
        content = b"body,removed\nx,0\n[removed],1\n ,1\n\ny,1\n"
        self.assertEqual(read(self.given(content)), ([Comment("x", False), Comment("y", True)], 2))

    def test_what_is_written_is_read_back(self) -> None:
        comments = [Comment('a "b",\n\u00e9 \u0085 |', True), Comment("c\rd", False)]
        write(self.path, comments)
        self.assertEqual(load(self.path), comments)

    def test_a_file_that_cant_be_used_is_refused_in_a_sentence(self) -> None:
        for content, sentence in (
            (b"", ": the CSV header has no column `body`; columns found: none"),
            (b"id,BODY\n1,x\n", ": the CSV header has no column `removed`; columns found: id, body"),
            (b"body,removed\nx,0\ny,0\n", ": 2 comments, not some removed and some not; a comparison needs both"),
            (b"body,removed\nx,0\ny,maybe\n", ": comment 2 has no verdict 0, 1, true or false in column `removed`"),
            (b"body,removed\nx,0\ny\n", ": comment 2 has no verdict 0, 1, true or false in column `removed`"),
        ):
            self.assertEqual(self.refused(content), sentence)
        self.path.unlink()
        with self.assertRaisesRegex(InputError, "can't be read: No such file"):
            read(self.path)


class Cleaning(unittest.TestCase):
    def test_what_transport_did_is_undone(self) -> None:
        self.assertEqual(clean("AT&amp;T<U+0001F44F> 5 \\* 3\r\n<b><U+110000>"), "AT&T\U0001f44f 5 * 3\n<b>\ufffd")
        self.assertEqual(decode("\x80 5"), "\u20ac 5")
        self.assertEqual(decode("\x81"), "\x81")

    def test_what_was_added_later_is_cut(self) -> None:
        for text, kept in (
            ("A point.\n\nEdit: typo", "A point."),
            ("A point.\n**EDIT 2**: thanks!\nEdit: more", "A point."),
            ("A point.\n\nedited for clarity", "A point."),
            ("A point. (edit: fixed)", "A point. ("),
            ("Who edits the journal? The editor.", "Who edits the journal? The editor."),
            ("credit: them", "credit: them"),
            ("Edit: all of it", "Edit: all of it"),
        ):
            self.assertEqual(cut_edits(text), kept)


class Splitting(unittest.TestCase):
    comments = [Comment(f"comment {number % 90}", number % 90 % 3 == 0) for number in range(100)]

    def test_every_comment_is_in_one_fold_and_so_are_equal_texts(self) -> None:
        parts = folds(self.comments, 5, seed=1)
        self.assertEqual(sorted(sum(parts, [])), sorted(self.comments))
        texts = [{comment.body for comment in part} for part in parts]
        self.assertEqual(sum(map(len, texts)), 90)

    def test_each_fold_has_the_share_of_all(self) -> None:
        removed = [sum(comment.removed for comment in part) for part in folds(self.comments, 5, seed=1)]
        self.assertLessEqual(max(removed) - min(removed), 1)

    def test_a_seed_gives_one_split(self) -> None:
        self.assertEqual(folds(self.comments, 5, seed=1), folds(self.comments, 5, seed=1))
        self.assertNotEqual(folds(self.comments, 5, seed=1), folds(self.comments, 5, seed=2))

    def test_too_few_comments_are_refused(self) -> None:
        with self.assertRaisesRegex(InputError, "too few for 3 folds"):
            folds(self.comments[:4], 3, seed=1)


if __name__ == "__main__":
    unittest.main()
