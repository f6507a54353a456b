"""A long text on a desk: the parts that it is cut into are previewed, cleared and sent."""

import pytest

from outreach.post import called
from tests.conftest import apply, clear_all
from tests.drafts import AT, run_to

CAMPAIGN = """
campaign: forum
programme: lcc
title: Forum
written-by: ana
audiences: {all: {en: [net, web]}}
messages:
  news: {at: 2025-07-20 09:00 Asia/Bangkok, to: all, THREAD}
"""
LONG = " ".join(f"Session {word} asks how cities can act while they age." for word in "abcdefgh")


class TestOnADesk:
    def posts(self, office, thread: str):
        office.write(
            "config/channels.toml",
            '[net]\nplatform = "memory"\nas = "x"\n[web]\nplatform = "feed"\n',
        )
        office.campaign(CAMPAIGN.replace("THREAD", thread), news=f"## en\n{LONG}\n")
        return office.open().files()

    def test_without_the_key_a_text_that_is_too_long_is_a_mistake(self, office):
        for thread in ("release: as-ready", "thread: as-written"):
            [told] = self.posts(office, thread).mistakes
            assert "net takes 280" in told.what

    def test_with_it_the_parts_are_what_is_previewed_and_cleared_and_sent(self, office):
        files = self.posts(office, "thread: numbered")
        assert not files.mistakes
        net = files.drafts["forum/news/en@net"].post
        assert [part.text[-6:] for part in net.parts] == [" (1/2)", " (2/2)"]
        assert len(files.drafts["forum/news/en@web"].post.parts) == 1  # a feed has no threads

        desk = office.open()
        desk.tick()
        apply(desk)
        [reading] = desk.readings()
        assert [part.text for part in reading.renderings[0].post.parts] == [
            part.text for part in net.parts
        ]
        clear_all(desk)
        run_to(office, desk, AT)
        assert desk.platforms["net"].texts == [part.text for part in net.parts]

    def test_a_newsletter_and_whoever_posts_by_hand_get_the_text_as_it_is(self, office):
        office.write(
            "config/channels.toml",
            '[net]\nplatform = "email"\nfrom = "news@example.org"\nhost = "tbc"\nbounces = "tbc"\n'
            '[web]\nplatform = "manual"\nmost-text = "280"\n',
        )
        office.campaign(CAMPAIGN.replace("THREAD", "thread: split"), news=f"## en\n{LONG}\n")
        files = office.open().files()
        assert [len(draft.post.parts) for draft in files.drafts.values()] == [1, 1]
        [told] = files.mistakes  # nobody there could publish a thread
        assert "web takes 280" in told.what

    def test_the_parts_that_are_cut_are_another_text_to_clear(self, office):
        cut = self.posts(office, "thread: split").drafts["forum/news/en@net"].post
        numbers = self.posts(office, "thread: numbered").drafts["forum/news/en@net"].post
        assert cut.fingerprint != numbers.fingerprint


class TestACommentUnderThePost:
    TEXT = "## en\nOne.\n---\nTwo.\n--- comment\nThe agenda: https://neaspec.org\n"

    def on(self, office, text: str, *channels: str):
        tables = (f'[{c}]\nplatform = "memory"\nas = "{c}"\n' for c in channels)
        office.write("config/channels.toml", "".join(tables))
        to = CAMPAIGN.replace("[net, web]", f"[{', '.join(channels)}]")
        office.campaign(to.replace("THREAD", "thread: split"), news=text)
        return office.open().files()

    def test_it_answers_the_post_itself_and_not_the_end_of_its_thread(self, office):
        files = self.on(office, self.TEXT, "mastodon")
        assert not files.mistakes
        [draft] = files.drafts.values()
        names = [called(draft.post.parts, number) for number in range(3)]
        assert names == ["part 1 of 2", "part 2 of 2", "first comment"]

        desk = office.open()
        desk.tick()
        apply(desk)
        clear_all(desk)
        run_to(office, desk, AT)
        live = desk.platforms["mastodon"].live
        assert [post.part.text for post in live][2] == "The agenda: https://neaspec.org"
        assert [post.after for post in live] == ["", live[0].receipt.id, live[0].receipt.id]

    def test_that_it_is_a_comment_is_part_of_what_is_cleared(self, office):
        text = self.TEXT.replace("Two.\n--- comment", "Two.\n---")
        [thread] = self.on(office, text, "x").drafts.values()
        [comment] = self.on(office, self.TEXT, "x").drafts.values()
        assert thread.post.fingerprint != comment.post.fingerprint
        assert type(comment.post).of(comment.post.as_data()) == comment.post

    @pytest.mark.parametrize("network", ["facebook", "linkedin"])
    def test_networks_of_comments_take_it_in_their_own_length(self, office, network):
        long = "## en\nOne.\n--- comment\n" + "An agenda. " * 800
        [told] = self.on(office, long, network).mistakes
        assert "first comment: 8,799" in told.what
        assert "in a comment" in told.what
        assert told.where == "templates/posts/forum/news.md:4"

    @pytest.mark.parametrize("network", ["telegram", "feed"])
    def test_a_network_without_comments_says_so_and_what_to_do(self, office, network):
        [told] = self.on(office, self.TEXT.replace("One.\n---\n", ""), network).mistakes
        assert str(told) == (
            f"templates/posts/forum/news.md:4: {network} has no comment of ours under a post\n"
            f"    → say it in the post: write a variant `@{network}` without `--- comment`"
        )

    def test_a_line_that_is_nearly_one_is_not_published(self, office):
        [told] = self.on(office, self.TEXT.replace("- comment", "- coment"), "x").mistakes
        assert told.where == "templates/posts/forum/news.md:5"
        assert "--- coment begins no part that is known" in told.what
