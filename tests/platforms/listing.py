"""What holds of every network whose own list of posts is looked through after a lost answer."""

from datetime import UTC, datetime

import pytest

from outreach.errors import CannotTell, NotNow, Uncertain
from outreach.testing import LONG_AGO, part, picture


class Uploads:
    """Pictures go up first, in calls of their own."""

    @pytest.mark.parametrize("fault", ["lost after", "500 after", "hang", "garbage", "not now"])
    def test_a_picture_that_does_not_arrive_leaves_no_doubt(self, platform, network, fault):
        """Uploads make nothing public: whatever happens to them, the post is surely not live."""
        network.faults = {"upload": fault}
        with pytest.raises(NotNow):
            platform.publish(part(pictures=[picture()]), None)
        assert network.texts == []


class Looks:
    """Looking is a call, and can fail."""

    @pytest.mark.parametrize(
        "fault", ["refused", "not now", "lost before", "500 before", "garbage"]
    )
    def test_where_looking_fails_nothing_is_learnt(self, platform, network, fault):
        platform.publish(part(), None)
        network.faults = {"read": fault}
        with pytest.raises((CannotTell, Uncertain)):
            platform.find(part(), LONG_AGO, frozenset())


class ListsAHundred(Looks):
    """One listing has a hundred posts, and no more are looked through."""

    def test_more_than_a_hundred_posts_since_cannot_be_looked_through(self, platform, network):
        for number in range(101):
            network.keep(f"Post {number}")
        with pytest.raises(CannotTell, match="more than 100"):
            platform.find(part(), LONG_AGO, frozenset())


class Comments:
    """A text's second part is the first comment below its post."""

    @pytest.mark.parametrize("known", [True, False], ids=["known below which", "restored"])
    def test_a_comment_whose_answer_was_lost_is_found_below_its_post(
        self, platform, network, shelf, known
    ):
        first = platform.publish(part("One."), None)
        network.next_fault = "lost after"
        begun, two = datetime.now(UTC), part("Two.", token="b" * 32)
        with pytest.raises(Uncertain):
            platform.publish(two, first)

        others = frozenset({first.id})
        if not known:  # an earlier copy of the database knows the post, and not the attempt
            shelf.kept.clear()
        found = platform.find(two, begun, frozenset() if known else others)
        assert (network.copies("Two."), network.posts[1].id) == (1, found.id)
        assert platform.find(two, begun, others | {found.id}) is None
