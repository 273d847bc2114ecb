from __future__ import annotations

import random

from magic3d_ros.sources.time_sync import TimeSynchronizer

MS = 1_000_000


def feed(synchronizer: TimeSynchronizer, *messages: tuple[int, float]) -> list[tuple]:
    """Messages as (stream, milliseconds); the item is the time. Returns the matched items in order."""
    matches = [match for stream, at in messages for match in synchronizer.add(stream, round(at * MS), at)]
    return [match.items for match in matches]


def test_equal_stamps_match_at_once():
    synchronizer = TimeSynchronizer(("rgb", "depth"), 20 * MS)
    assert feed(synchronizer, (0, 0), (1, 0)) == [(0, 0)]
    assert feed(synchronizer, (1, 33), (0, 33)) == [(33, 33)]
    assert synchronizer.match_rate == 1.0


def test_a_partner_before_waits_until_none_nearer_can_come():
    synchronizer = TimeSynchronizer(("rgb", "depth"), 20 * MS)
    assert feed(synchronizer, (1, 0), (0, 10)) == []  # one at 11 ms would be nearer
    assert feed(synchronizer, (1, 33)) == [(10, 0)]
    # Now depth is known to come every 33 ms: nothing can come between, so there is no waiting.
    assert feed(synchronizer, (0, 43)) == [(43, 33)]


def test_a_partner_after_is_not_taken_from_the_next_frame():
    synchronizer = TimeSynchronizer(("rgb", "depth"), 30 * MS)
    assert feed(synchronizer, (0, 0), (1, 25)) == []
    assert feed(synchronizer, (0, 30)) == []  # it may still get one nearer than 25
    assert [match.items for match in synchronizer.flush()] == [(30, 25)]
    assert synchronizer.matched == 1
    assert synchronizer.dropped == [1, 0]


def test_the_nearest_of_several_wins_and_the_rest_is_dropped():
    synchronizer = TimeSynchronizer(("rgb", "depth"), 20 * MS)
    assert feed(synchronizer, (1, 0), (1, 8), (1, 16), (0, 9), (1, 24)) == [(9, 8)]
    assert synchronizer.dropped[1] == 1  # the one at 0


def test_lonely_messages_are_counted():
    synchronizer = TimeSynchronizer(("rgb", "depth"), 5 * MS)
    assert feed(synchronizer, (0, 0), (1, 10), (0, 20), (1, 30), (0, 40), (1, 40)) == [(40, 40)]
    assert synchronizer.dropped == [2, 2]
    assert round(synchronizer.match_rate, 3) == 0.333
    assert synchronizer.describe() == "received rgb 3, depth 3; 1 matched (33 %), mean offset 0.0 ms, slop 5 ms"


def test_a_stream_that_stops_does_not_fill_memory():
    synchronizer = TimeSynchronizer(("rgb", "depth"), 5 * MS, queue_size=4)
    assert feed(synchronizer, *((0, 33 * n) for n in range(10))) == []
    assert synchronizer.dropped == [6, 0]


def test_late_messages_find_their_place():
    synchronizer = TimeSynchronizer(("rgb", "depth"), 5 * MS)
    assert feed(synchronizer, (0, 33), (0, 0), (1, 0), (1, 33)) == [(0, 0), (33, 33)]


def test_three_streams():
    synchronizer = TimeSynchronizer(("rgb", "depth", "pose"), 10 * MS)
    assert feed(synchronizer, (0, 0), (1, 0), (2, 0)) == [(0, 0, 0)]
    assert feed(synchronizer, (0, 33), (1, 33), (0, 66), (1, 66), (2, 66)) == [(66, 66, 66)]
    assert synchronizer.dropped[0] == 1


def test_a_restart_empties_the_queues():
    synchronizer = TimeSynchronizer(("rgb", "depth"), 5 * MS)
    feed(synchronizer, (0, 60_000))
    assert feed(synchronizer, (0, 0), (1, 0)) == [(0, 0)]
    assert synchronizer.restarts == 1
    assert synchronizer.dropped == [1, 0]


def test_with_jitter_every_frame_gets_its_own_partner():
    rng = random.Random(0)
    synchronizer = TimeSynchronizer(("rgb", "depth"), 30 * MS)
    rgb = [33.0 * n + rng.uniform(-3, 3) for n in range(200)]
    depth = [33.0 * n + 6 + rng.uniform(-3, 3) for n in range(200) if n % 10 != 7]
    messages = sorted([(at + rng.uniform(0, 20), 0, at) for at in rgb] + [(at + rng.uniform(0, 20), 1, at) for at in depth])
    pairs = feed(synchronizer, *((stream, at) for _, stream, at in messages))
    pairs += [match.items for match in synchronizer.flush()]
    partner = {at: min(depth, key=lambda other: abs(other - at)) for at in rgb}
    good = [(at, partner[at]) for at in rgb if abs(partner[at] - at) < 15]
    assert sorted(pairs) == good
    assert len(good) == 180
    assert sum(synchronizer.dropped) == 20
