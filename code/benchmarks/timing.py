"""Ratios of running times, measured in turns so that whatever else the machine does falls on both sides."""

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from tqdm import tqdm


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time that a call costs, in this process and in those that it starts and waits for."""
    before = _spent()
    work()
    return _spent() - before


def _spent() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@dataclass(frozen=True)
class Ratio:
    """Peer's time over ours, one number per round; above 1 we are faster."""

    name: str
    values: tuple[float, ...]

    def __str__(self) -> str:
        low, middle, high = min(self.values), statistics.median(self.values), max(self.values)
        return f"{self.name:<66} {low:9.2f} {middle:9.2f} {high:9.2f}"


def interleave(
    contenders: dict[str, Callable[[], object]],
    peer_of: dict[str, str | tuple[str, ...]],
    rounds: int,
    repeat: int = 1,
) -> list[Ratio]:
    """Run all contenders in turn, several rounds, and divide each peer's time by ours of the same round.

    Args:
        contenders: what to run, by name.
        peer_of: for each of our contenders the name of the peer that it is compared with; or of several, of which the
            fastest of the round counts.
        rounds: how many times everything is run.
        repeat: how often one contender is run within a round; its fastest run counts.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    with tqdm(total=rounds * len(contenders), disable=None, leave=False) as bar:
        for _ in range(rounds):
            for name, work in contenders.items():
                bar.set_description(name[:40])
                times[name].append(min(cpu_seconds(work) for _ in range(repeat)))
                bar.update()
    ratios = []
    for ours, peers in peer_of.items():
        peers = (peers,) if isinstance(peers, str) else peers
        theirs = map(min, *(times[peer] for peer in peers)) if len(peers) > 1 else times[peers[0]]
        ratios.append(
            Ratio(f"{' or '.join(peers)} / {ours}", tuple(p / o for p, o in zip(theirs, times[ours], strict=True)))
        )
    return ratios
