"""What each key of a campaign file is for, and an example of it: what editors show.

The words are those of docs/campaign-files.md, wherever a key has a row there; a test compares.
"""

from typing import Final

# By model and key.
KEYS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "Campaign": {
        "campaign": (
            "its name in every key and address; a new name is a new campaign",
            "campaign: forum-2025",
        ),
        "programme": ("the programme area it belongs to", "programme: low-carbon-cities"),
        "title": (
            "its full title, as texts print it",
            "title: Fifth International Forum on Low Carbon Cities",
        ),
        "written-by": ("who wrote the texts, and so may not clear them", "written-by: officer"),
        "templates": (
            (
                "the folder of its texts in `templates/`; `posts/` and the campaign's name "
                "unless said"
            ),
            "templates: posts/forum",
        ),
        "languages": (
            (
                "`source` is the language of the texts, `also` the translations, `unofficial` "
                "those that are labelled so"
            ),
            "languages: {source: en, also: [ko], unofficial: [ko]}",
        ),
        "events": ("the dated things that messages are counted from", ""),
        "facts": (
            "what texts may print: its `value`, and its `source`",
            'facts: {theme: {value: …, source: "SOM-28 note, para. 7"}}',
        ),
        "links": ("addresses that texts may print, or `tbc`", "links: {register: tbc}"),
        "hashtags": (
            "by language, what `{{ hashtags }}` prints",
            'hashtags: {en: "#LowCarbonCities #ClimateAction"}',
        ),
        "goals": ("what the campaign is for, in numbers", ""),
        "compared-with": (
            "the earlier campaign, beside which reports set this one",
            "compared-with: forum-2024",
        ),
        "audiences": ("named sets of channels, by language", "audiences: {main: {en: [web, x]}}"),
        "defaults": ("what every message has unless it says otherwise", ""),
        "messages": ("what is to be said", ""),
    },
    "Event": {
        "date": (
            (
                "its day, where it takes place; with `{tbc: secretariat, plan-with: "
                "2025-10-01}` slots are planned, and nothing that counts from it can be cleared"
            ),
            "date: 2025-08-25",
        ),
        "starts": ("when it starts there", 'starts: {tbc: organizers, plan-with: "09:00"}'),
        "ends": ("when it ends there", 'ends: "17:00"'),
        "zone": ("the time zone it takes place in", "zone: Asia/Bangkok"),
        "place": ("where", 'place: "United Nations Conference Centre, Bangkok"'),
        "sessions": (
            "a list: `id`, `title` (per language), `starts`, `ends`, `speakers` (their ids)",
            "sessions: []",
        ),
        "speakers": (
            (
                "a list: `id`, `names` per language, `title`, `organization`, `session`, "
                "`photo`, `consent`; nothing is printed without consent"
            ),
            "speakers: {tbc: secretariat}",
        ),
    },
    "Goal": {
        "target": ("the number to reach", "target: 300"),
        "baseline": ("the number before", "baseline: tbc"),
        "by": ("when", "by: forum"),
        "from": ("where the figure comes from", "from: indico-csv"),
        "measure": (
            "what is counted, if the goal's own name does not say it",
            "measure: registrations",
        ),
        "source": ("where the target was set", 'source: "activity plan for 2026"'),
    },
    "Defaults": {
        "time": (
            "the time of day, with its zone, of messages that name none",
            'time: "10:00 Asia/Seoul"',
        ),
        "days-off": (
            (
                "where a slot on a weekend or a holiday goes: to the working day `before` or "
                "`after` it, or it stays (`keep`, and so unless said)"
            ),
            "days-off: keep",
        ),
        "holidays": (
            "whose holidays count, by the countries' two letters",
            "holidays: [TH, KR, JP]",
        ),
        "if-late": (
            "what happens to a cleared post found late",
            "if-late: send within 15 minutes, then ask",
        ),
        "embargo": ("a moment before which nothing goes out", "embargo: forum - 40 days"),
        "not-after": ("an absolute stop", "not-after: forum.starts"),
        "thread": (
            (
                "a text that is too long becomes a thread, where the network has those: `split` at "
                "the ends of its sentences, `numbered` as well (1/4), or `as-written` (unless said)"
            ),
            "thread: numbered",
        ),
        "to": ("the audience", "to: main"),
        "clear-by": ("until when texts should be cleared", "clear-by: forum - 10 days"),
    },
    "Message": {
        "at": ("when; a message without it is an idea: listed, never sent", "at: forum - 7 days"),
        "every": (
            (
                "a message that recurs: on these `days`, at this `time`, `from` and `until`, "
                "both included; with `week` (`first` to `fourth`, or `last`) only in that week "
                "of a month"
            ),
            (
                'every: {days: [mon], time: "10:00 Asia/Bangkok", from: forum - 90 days, '
                "until: forum - 31 days}"
            ),
        ),
        "each": (
            "one message for each speaker, or session, of an event",
            "each: events.forum.speakers",
        ),
        "to": ("its audience", "to: all"),
        "template": ("its text file below `templates/`", "template: posts/forum/remember.md"),
        "media": (
            (
                "a list of pictures: `file` in `media/`, `alt` (what it shows; a post with a "
                "picture needs it), `credit`, `licence` and `consent` (with `tbc` the post waits), "
                "`expires` (the day from which its licence, or somebody's consent, no longer "
                "holds: no post goes out with it then), `contains-map` and `co-branded` (whoever "
                "clears it is asked), `only` (the channels or platforms that get it), `focus` "
                "(what stays in view where a network cuts it: `top`, `bottom left`), of a "
                "document `thumbnail` (the picture that stands for it), and of a video "
                "`captions` (by language, or `burnt-in`) or `no-speech`"
            ),
            "media: [{file: card.png, alt: tbc, contains-map: no}]",
        ),
        "release": (
            "`together`: no language goes out before all are cleared; or `as-ready`",
            "release: as-ready",
        ),
        "days-off": ("as in `defaults`, for this message", ""),
        "if-late": ("as in `defaults`, for this message", ""),
        "embargo": ("as in `defaults`, for this message", ""),
        "not-after": ("as in `defaults`, for this message", "not-after: forum + 3 days"),
        "thread": ("as in `defaults`, for this message", ""),
        "needs": ("what must be known before it goes out", "needs: [links.recap]"),
        "if-cancelled": (
            "what happens to it when the event is cancelled: `drop` or `keep`",
            "if-cancelled: drop",
        ),
    },
    "Languages": {
        "source": ("the language of the texts that the others are made from", "source: en"),
        "also": ("the translations", "also: [zh, ko]"),
        "unofficial": ("the translations that are labelled as unofficial", "unofficial: [ko]"),
    },
    "Fact": {
        "value": (
            "what texts print; one text, or one for each language",
            "value: An example theme",
        ),
        "source": ("where it stands", 'source: "SOM-28 note, para. 7"'),
    },
    "Session": {
        "id": ("its name in keys and addresses", "id: opening"),
        "title": ("its title, per language", "title: {en: Opening, ko: 개회}"),
        "starts": ("when it starts, where the event is", 'starts: "09:00"'),
        "ends": ("when it ends there", 'ends: "10:00"'),
        "speakers": ("the ids of who speaks in it", "speakers: [an-example]"),
    },
    "Speaker": {
        "id": ("their name in keys", "id: an-example"),
        "names": ("their name, per language", "names: {en: An Example, ko: 안 이그잼플}"),
        "title": ("their position", "title: Director"),
        "organization": ("where they work", "organization: tbc"),
        "session": ("the id of the session they speak in", "session: opening"),
        "photo": ("a picture of them, in `media/`", "photo: an-example.png"),
        "consent": ("whether they agreed; nothing is printed without", "consent: no"),
    },
    "Media": {
        "file": ("a picture in `media/`, or a document", "file: card.png"),
        "alt": ("what it shows; a post with a picture needs it", "alt: The forum's date and place"),
        "credit": ("whose picture it is", "credit: ESCAP"),
        "licence": ("under what it may be used; with `tbc` it waits", "licence: CC BY 4.0"),
        "consent": ("of whom it shows; with `tbc` it waits", "consent: tbc"),
        "expires": (
            "the day from which its licence, or somebody's consent, no longer holds",
            "expires: 2026-03-01",
        ),
        "contains-map": ("whether a map is in it: whoever clears it is asked", "contains-map: no"),
        "co-branded": ("whether a partner's logo is in it: likewise", "co-branded: yes"),
        "only": ("the channels or platforms that get it; all unless said", "only: [telegram]"),
        "focus": (
            "what stays in view where a network cuts the picture (Mastodon): `top`, `bottom`, "
            "`left`, `right`, or two of them, `top left`; its middle unless said",
            "focus: top",
        ),
        "thumbnail": ("the picture that stands for a document", "thumbnail: cover.png"),
        "captions": (
            "of a video: WebVTT or SRT files by language, or `burnt-in`",
            "captions: {en: talk.en.vtt}",
        ),
        "no-speech": ("whether nobody speaks in a video", "no-speech: yes"),
    },
    "Every": {
        "week": ("only in that week of a month", "week: first"),
        "days": ("on these weekdays", "days: [mon, thu]"),
        "time": ("at this time, in its zone", 'time: "10:00 Asia/Bangkok"'),
        "from": ("from this day on", "from: forum - 90 days"),
        "until": ("until this day, included", "until: forum - 31 days"),
    },
}
