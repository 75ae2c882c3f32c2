"""Reports of the pipeline are told as they lie there, and one that is being made again stops nobody."""

from __future__ import annotations

import json
from hashlib import sha256

from tally.verdicts import pipeline

REPORT = json.dumps({"verdict": "watch", "release_id": "0123456789abcdef"}).encode()


def test_what_lies_there_is_told_with_the_digest_of_what_was_read(tmp_path):
    (tmp_path / "performance.json").write_bytes(REPORT)
    assert pipeline(tmp_path) == [{"report": "performance", "release_id": "0123456789ab", "digest": sha256(REPORT).hexdigest(),
                                   "verdict": "watch"}]


def test_one_that_is_taken_away_or_half_written_is_left_out(tmp_path):
    (tmp_path / "performance.json").write_bytes(REPORT)
    (tmp_path / "drift.json").write_bytes(REPORT[:20])
    (tmp_path / "fairness.json").symlink_to(tmp_path / "gone.json")
    assert [one["report"] for one in pipeline(tmp_path)] == ["performance"]
