"""A long text on a desk: the parts that it is cut into are previewed, cleared and sent."""

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
