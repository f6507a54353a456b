"""What a post is to Bluesky: a record under a key, with all that a reader can follow said in it."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from outreach.errors import Refused
from outreach.platforms import Receipt
from outreach.platforms.bluesky_text import found
from outreach.post import Captions, Part, Picture

POST = "app.bsky.feed.post"
OLD = frozenset({"ExpiredToken", "InvalidToken"})  # of a pass that a new sign-in replaces
TID = "234567abcdefghijklmnopqrstuvwxyz"  # in the order of their values


@dataclass(frozen=True)
class Card:
    """How the first address of a text is shown: on a card of this title, unless that is empty.

    With `shows`, a post's one picture is on the card, and not beside it.
    """

    title: str
    shows: bool = False


def record_key(token: str) -> str:
    """A part's record key: what a post's key has to look like, a time and a clock's number.

    Both follow from the token alone. The time lies in 2022 to 2024, so that no reader of keys
    takes a post for one of the future.
    """
    bits = int.from_bytes(hashlib.sha256(token.encode()).digest()[:7])
    microseconds = 1_640_995_200_000_000 + (bits >> 10)
    number = microseconds << 10 | bits & 0x3FF
    return "".join(TID[number >> shift & 31] for shift in range(60, -1, -5))


def key_of(uri: str) -> tuple[str, str]:
    """The account and the record key of at://did/app.bsky.feed.post/key."""
    repo, _, key = uri.removeprefix("at://").rpartition(f"/{POST}/")
    return repo, key


async def record_of(client: Any, part: Part, after: Receipt | None, *, at: str, card: Card) -> Any:
    """The record of a part that follows `after`. Uploads what it shows, and looks names up.

    `at` is the time it tells, ISO 8601.
    """
    from atproto import models

    return models.AppBskyFeedPost.Record(
        text=part.text,
        created_at=at,
        langs=[part.language],
        facets=[facet async for facet in _facets(client, part.text)] or None,
        embed=await _embed(client, part, card),
        reply=await _reply(client, after) if after else None,
    )


async def there(client: Any, repo: str, key: str) -> dict[str, Any] | None:
    """The record under a key, as `uri`, `cid` and `value`; None where there surely is none."""
    from atproto import models
    from atproto.exceptions import BadRequestError

    params = models.ComAtprotoRepoGetRecord.Params(repo=repo, collection=POST, rkey=key)
    try:
        return await json_of(client, "com.atproto.repo.getRecord", params)
    except BadRequestError as error:
        if answer_of(error)[1] != "RecordNotFound":
            raise
    return None


async def json_of(client: Any, name: str, params: Any = None) -> dict[str, Any]:
    """A reading's JSON as it came: the library's models refuse what they do not know yet."""
    content = (await client.invoke_query(name, params)).content
    if not isinstance(content, dict):
        raise TypeError(f"{name} answered with no JSON")
    return content


def answer_of(error: Exception) -> tuple[int, str, str]:
    """The status of an answer, the error's name and its words; 0 where there was none."""
    response: Any = getattr(error, "response", None)
    if response is None:
        return 0, "", ""
    content = response.content
    name, message = getattr(content, "error", ""), getattr(content, "message", "")
    return response.status_code, str(name or ""), " ".join(str(message or "").split())


async def _facets(client: Any, text: str) -> AsyncIterator[Any]:
    """Where a reader can follow something; a name that nobody has is plain text."""
    from atproto import models
    from atproto.exceptions import BadRequestError

    facet = models.AppBskyRichtextFacet
    for one in found(text):
        if one.kind == "mention":
            params = models.ComAtprotoIdentityResolveHandle.Params(handle=one.value.lower())
            try:
                did = (await client.com.atproto.identity.resolve_handle(params)).did
            except BadRequestError as error:
                if answer_of(error)[1] in OLD:
                    raise
                continue
            feature: Any = facet.Mention(did=did)
        else:
            feature = facet.Link(uri=one.value) if one.kind == "link" else facet.Tag(tag=one.value)
        span = facet.ByteSlice(byte_start=one.start, byte_end=one.end)
        yield facet.Main(features=[feature], index=span)


async def _embed(client: Any, part: Part, card: Card) -> Any:
    """Pictures, a video, or a card of the first address; nothing is fetched for it."""
    from atproto import models

    if part.pictures and part.pictures[0].kind == "video":
        return await _video(client, part.pictures[0])
    links = [one.value for one in found(part.text) if one.kind == "link"] if card.title else []
    on_card = card.shows and len(part.pictures) == 1 and bool(links)
    if part.pictures and not on_card:
        return models.AppBskyEmbedImages.Main(
            images=[
                models.AppBskyEmbedImages.Image(
                    alt=picture.alt,
                    image=await _uploaded(client, picture),
                    aspect_ratio=models.AppBskyEmbedDefs.AspectRatio(
                        width=picture.width, height=picture.height
                    ),
                )
                for picture in part.pictures
            ]
        )
    if not links:
        return None
    shown = part.pictures[0] if part.pictures else None
    # A card has no field for what its picture shows: it stands for the page's description.
    external = models.AppBskyEmbedExternal.External(
        uri=links[0],
        title=card.title,
        description=shown.alt if shown else "",
        thumb=await _uploaded(client, shown) if shown else None,
    )
    return models.AppBskyEmbedExternal.Main(external=external)


async def _video(client: Any, video: Picture) -> Any:
    """A video with its captions. The network's video service makes what is played of the blob, as
    it hears of the post: https://docs.bsky.app/docs/tutorials/video"""
    from atproto import models

    main, words = models.AppBskyEmbedVideo, video.captions
    return main.Main(
        video=await _uploaded(client, video),
        alt=video.alt,
        aspect_ratio=models.AppBskyEmbedDefs.AspectRatio(width=video.width, height=video.height),
        captions=[main.Caption(file=await _uploaded(client, words), lang=words.language)]
        if words
        else None,
    )


async def _uploaded(client: Any, picture: Picture | Captions) -> Any:
    """A picture's blob. Not by the library's own method, which httpx warns of."""
    sent = await client.invoke_procedure(
        "com.atproto.repo.uploadBlob",
        content=picture.data,
        headers={"Content-Type": picture.type},
    )
    return sent.content["blob"]


async def _reply(client: Any, after: Receipt) -> Any:
    """What a part says of the one before it, and of the thread's first."""
    from atproto import models

    record = await there(client, *key_of(after.id))
    if record is None:
        raise Refused(f"the part before it is not there any more: {after.url}")
    parent = {"uri": record["uri"], "cid": record["cid"]}
    root = (record["value"].get("reply") or {}).get("root") or parent
    strong = models.ComAtprotoRepoStrongRef.Main
    return models.AppBskyFeedPost.ReplyRef(
        parent=strong(**parent), root=strong(uri=root["uri"], cid=root["cid"])
    )
