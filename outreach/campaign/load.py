"""A folder of campaign files in; campaigns out, and every mistake of every file at once.

Each mistake is a Problem with its file and line, in an officer's words. A file with a mistake
makes its campaign unreadable, so that its deliveries are left alone; it never hides the others.
"""

from dataclasses import dataclass
from pathlib import Path

from outreach.campaign.assets import Assets, load_assets, with_assets
from outreach.campaign.fits import check, check_channels, check_people
from outreach.campaign.models import Campaign
from outreach.campaign.reader import MAX_BYTES, MAX_PROBLEMS, read_yaml
from outreach.campaign.typed import typed
from outreach.campaign.values import Loaded
from outreach.campaign.when import short
from outreach.errors import Problem
from outreach.hints import known_as

__all__ = ["campaign_files", "check_channels", "check_people", "load_campaigns"]


@dataclass(frozen=True)
class _File:
    name: str  # as people know it
    campaign: str  # its id, or the file's stem where that cannot be read
    line: int  # of the id
    read: Campaign | None
    problems: tuple[Problem, ...]


def load_campaigns(folder: Path, *, root: Path) -> Loaded:
    """Every campaign of `folder`, and every Problem; never raises for what stands in a file.

    Files are shown relative to `root`, the office's folder. Problems that are `advice` are
    no mistakes: a file with them is read.
    """
    if not folder.is_dir():
        where = known_as(folder, root)
        return Loaded(problems=(Problem(where, "there is no such folder", "outreach init"),))
    assets, wrong = load_assets(root / "media", root=root)
    files = [_load(path, root, assets) for path in campaign_files(folder)]
    problems = [*wrong, *(problem for one in files for problem in one.problems)]
    unreadable = {one.campaign for one in files if one.read is None}
    first: dict[str, _File] = {}
    for one in files:
        twin = first.setdefault(one.campaign, one)
        if twin is not one:
            unreadable.add(one.campaign)
            problems.append(
                Problem(
                    f"{one.name}:{one.line}",
                    f"the campaign {short(one.campaign)} stands in {twin.name} as well",
                    "give one of them another name",
                )
            )
    return Loaded(
        campaigns=tuple(f.read for f in files if f.read and f.campaign not in unreadable),
        problems=tuple(problems),
        unreadable=frozenset(unreadable),
    )


def campaign_files(folder: Path) -> list[Path]:
    """The campaign files of a folder, in their order; none where there is no such folder."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(p for p in found if p.suffix in (".yaml", ".yml") and not p.name.startswith("."))


def _load(path: Path, root: Path, assets: Assets) -> _File:
    name = known_as(path, root)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        problem = Problem(name, f"the file cannot be read: {error.strerror}", "look at its rights")
        return _File(name, path.stem, 1, None, (problem,))
    read = read_yaml(data, name)
    given = read.value.get("campaign") if isinstance(read.value, dict) else None
    identity = given if isinstance(given, str) and given else path.stem
    campaign, mistakes = typed(read, name) if read.whole else (None, [])
    campaign = with_assets(campaign, assets) if campaign else None
    problems = [*read.problems, *mistakes, *(check(campaign) if campaign else ())]
    problems = problems[:MAX_PROBLEMS]
    problems.sort(key=lambda problem: int(problem.where.rpartition(":")[2]))
    if any(problem.mistake for problem in problems):
        campaign = None
    return _File(name, identity, read.lines.get(("campaign",), 1), campaign, tuple(problems))
