# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Many recorded episodes into one dataset; what is there already is not exported again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

from lbm_policy_node.data.bags.bag_errors import BagError
from lbm_policy_node.data.bags.bag_files import read_metadata
from lbm_policy_node.data.datasets.dataset_contents import DatasetContents, DatasetError
from lbm_policy_node.data.datasets.dataset_format import INFO
from lbm_policy_node.data.datasets.dataset_writer import DatasetWriter
from lbm_policy_node.data.datasets.export import (
    EpisodeExport,
    ExportError,
    ExportSettings,
    check_exportable,
    export_features,
    frame_rate,
)
from lbm_policy_node.data.episodes.episode import Episode, read_episode
from lbm_policy_node.data.episodes.episode_header import HEADER_FILE, EpisodeHeader
from lbm_policy_node.data.episodes.episode_records import Outcome

ONLY: Mapping[str, tuple[Outcome, ...]] = {
    "success": (Outcome.SUCCESS,),
    "labelled": (Outcome.SUCCESS, Outcome.FAILURE),
    "all": (Outcome.SUCCESS, Outcome.FAILURE, Outcome.UNKNOWN),
}
"""Which outcomes are exported; what was discarded never is."""


class Status(Enum):
    """What became of an episode."""

    EXPORTED = "exported"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class EpisodeReport:
    """What became of one episode, and what to know about it."""

    path: Path
    status: Status
    messages: tuple[str, ...] = ()
    steps: int = 0
    recorded_s: float = 0.0


def find_episodes(places: Iterable[Path]) -> list[Path]:
    """Return the episodes among and inside the given folders, each once, in order of their names.

    Raises:
        ExportError: A folder holds none.
    """
    found: dict[Path, None] = {}
    for place in places:
        inside = sorted({header.parent for header in place.rglob(HEADER_FILE)})
        if not inside:
            raise ExportError(f"'{place}' holds no recorded episode (no {HEADER_FILE} in it)")
        found |= dict.fromkeys(path.resolve() for path in inside)
    return list(found)


def recorded_seconds(path: Path) -> float:
    """Return how long an episode's bag lasts by its metadata.yaml, s; 0 where that does not say."""
    values = read_metadata(path) or {}
    try:
        return max(0.0, float(values["duration"]["nanoseconds"]) * 1e-9)
    except (KeyError, TypeError, ValueError):
        return 0.0


class ExportRun:
    """Exports episode by episode; `close` brings them into the dataset together.

    What was done before an interruption is used again. An episode that cannot be exported does not stop the
    others.
    """

    def __init__(
        self, out: Path, settings: ExportSettings, *, only: str = "all", on_time: Callable[[float], object]
    ) -> None:
        """Begin; nothing is touched before the first episode that can be exported.

        Args:
            out: The dataset: new, or to be appended to.
            settings: How labels are derived.
            only: A key of ONLY.
            on_time: Called with each further second of recording that is done, for a progress bar.

        Raises:
            DatasetError: The dataset there cannot be read.
        """
        self._out, self._settings, self._only, self._on_time = out, settings, ONLY[only], on_time
        self._writer: DatasetWriter | None = None
        sources = DatasetContents.read(out).sources if (out / INFO).exists() else {}
        self._known = {s["episode_id"]: f"is episode {n} of the dataset" for n, s in sources.items()}
        self._done_s = 0.0

    def export(self, paths: Sequence[Path]) -> Iterator[EpisodeReport]:
        """Export episodes one after another; close this afterwards.

        Raises:
            DatasetError: The dataset there is another one.
            FileExistsError: The folder is no dataset, or is being written to.
        """
        for path in paths:
            length_s = recorded_seconds(path)
            try:
                report = self._export(path, length_s)
            except (ExportError, BagError) as error:
                report = EpisodeReport(path=path, status=Status.REFUSED, messages=(str(error),))
            self._on_time(length_s - self._done_s)
            self._done_s = 0.0
            yield report

    def close(self) -> None:
        """Bring the new episodes into the dataset."""
        if self._writer is not None:
            self._writer.close()

    def _export(self, path: Path, length_s: float) -> EpisodeReport:
        if where := self._known.get(EpisodeHeader.read(path).episode_id):
            return EpisodeReport(path=path, status=Status.SKIPPED, messages=(where,))
        episode = read_episode(path)
        if episode.outcome not in self._only:
            text = f"its outcome is {episode.outcome.name.lower()}"
            return EpisodeReport(path=path, status=Status.SKIPPED, messages=(text,))
        warnings = check_exportable(episode)
        writer = self._open(episode)
        name = episode.header.episode_id
        settings = {**asdict(self._settings), "bytes": sum(f.stat().st_size for f in path.glob("*.mcap"))}
        staged = writer.staged(name, settings)
        if staged is None:
            stage = writer.stage(name, settings)
            staged, more = EpisodeExport(episode, self._settings).run(stage, self._progress(episode))
            warnings += more
        else:
            warnings.append("encoded already before an interruption")
        writer.add(staged)
        self._known[name] = "given twice"
        return EpisodeReport(
            path=path,
            status=Status.EXPORTED,
            messages=tuple(warnings),
            steps=staged.length,
            recorded_s=length_s,
        )

    def _open(self, episode: Episode) -> DatasetWriter:
        spec = episode.spec
        features, fps = export_features(spec), frame_rate(spec)
        if self._writer is None:
            self._writer = DatasetWriter(self._out, features, fps=fps, robot_type=spec.name, append=True)
            return self._writer
        try:
            self._writer.check(features, fps=fps, robot_type=spec.name)
        except DatasetError as error:
            raise ExportError(f"'{episode.path}' does not fit the episodes before it: {error}") from error
        return self._writer

    def _progress(self, episode: Episode) -> Callable[[int], None]:
        def report(time_ns: int) -> None:
            done_s = max(self._done_s, (time_ns - episode.start_ns) * 1e-9)
            self._on_time(done_s - self._done_s)
            self._done_s = done_s

        return report
