"""Tables of policies and priors: means, spread, what is bold, what was refused."""

import json
from dataclasses import asdict

from napari_vost.benchmark.hard import HardScores
from napari_vost.benchmark.matrix import COPIED, Matrix, Result, short, spread


def result(memory: str, motion: str, clip: str, seed: int, j_and_f: float | None, wait: float | None = None) -> Result:
    scores = None if j_and_f is None else HardScores(j_and_f, None, wait, None, None)
    refused = "" if scores else "needs three candidates"
    return Result(memory, motion, clip, seed, (memory, motion), 96, scores, refused, 5.0 + seed, 1000 * (seed + 1))


RESULTS = [
    *(result("fifo", "none", "twins", seed, value) for seed, value in enumerate((0.50, 0.60, 0.70))),
    *(result("tree", "none", "twins", seed, value) for seed, value in enumerate((0.49, 0.62, 0.69))),
    *(result("previous", "none", "twins", seed, value) for seed, value in enumerate((0.40, 0.50, 0.60))),
    *(result("fifo", "kalman", "twins", seed, value) for seed, value in enumerate((0.80, 0.80, 0.80))),
    result("fifo", "none", "leave", 0, 0.3, 10.0),
    result("fifo", "none", "leave", 1, 0.5, 20.0),
    result("tree", "none", "leave", 0, None),
    result(COPIED, "none", "twins", 0, 0.2),
]


def test_a_result_survives_json() -> None:
    for one in RESULTS:
        assert Result.of(json.loads(json.dumps({**asdict(one), "torch": "2"}))) == one


def test_clips_stand_in_their_own_order_and_the_copied_mask_first() -> None:
    matrix = Matrix(RESULTS)
    assert matrix.clips == ("leave", "twins")
    assert matrix.policies() == ((COPIED, "none"), ("fifo", "none"), ("previous", "none"), ("tree", "none"))
    assert matrix.priors() == (("fifo", "kalman"), ("fifo", "none"))


def test_bold_is_what_cannot_be_told_from_the_best() -> None:
    matrix = Matrix(RESULTS)
    head, rows = matrix.table(matrix.policies(), 0)
    assert head == ("memory", "leave", "twins")
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["fifo"] == ("**.40 ± .14**", "**.60 ± .10**")
    assert by_name["tree"] == ("-", "**.60 ± .10**")  # now better, now worse
    assert by_name["previous"] == ("-", ".50 ± .10")  # as wide a spread, but worse on every seed
    assert by_name[COPIED] == ("-", ".20")


def test_the_best_pair_of_a_clip_is_named_beside_the_plain_one() -> None:
    rows = Matrix(RESULTS).best()
    assert rows[1] == ("twins", "fifo, kalman", ".80 ± .00", ".60 ± .10", ".20")
    assert rows[0] == ("leave", "fifo, none", ".40 ± .14", ".40 ± .14", "-")


def test_pairs_are_ranked_on_the_seeds_that_all_of_them_ran() -> None:
    lucky = result("region", "points", "twins", 0, 0.55)
    rows = Matrix([*RESULTS, lucky]).best()
    assert rows[1] == ("twins", "fifo, kalman", ".80", ".50", ".20")


def test_the_product_is_over_clips_that_every_pair_ran() -> None:
    names = [("fifo", "none"), ("fifo", "flow"), ("tree", "none"), ("tree", "flow")]
    ran = [result(*pair, clip, 0, 0.1 * k) for k, pair in enumerate(names) for clip in ("twins", "leave")]
    head, rows = Matrix(
        [*ran, result("fifo", "none", "fast", 0, 0.9), result(COPIED, "none", "twins", 0, 0.9)]
    ).product()
    assert head == ("2 clips", "flow", "none")
    assert rows == [("fifo", ".100", ".000"), ("tree", "**.300**", ".200")]
    assert Matrix(RESULTS).product()[1] == []


def test_details_weigh_clips_alike_however_many_seeds_they_have() -> None:
    (row,) = Matrix(RESULTS).details([("fifo", "none")])
    assert row == ("fifo", "none", ".50", "-", "15.0", "-", "-", "6.0", "0.00")


def test_a_refusal_is_told_once_with_its_reason() -> None:
    assert Matrix(RESULTS).refusals() == {("tree", "none"): "needs three candidates"}


def test_what_auto_chose_is_told_by_clip() -> None:
    auto = Result("auto", "auto", "twins", 0, ("tree", "kalman"), 96, HardScores(0.5, None, None, None, None))
    assert Matrix([auto]).chosen(("auto", "auto")) == {"twins": ("tree", "kalman")}


def test_a_new_result_of_the_same_run_takes_the_place_of_the_old_one() -> None:
    matrix = Matrix([result("fifo", "none", "fast", 0, 0.1), result("fifo", "none", "fast", 0, 0.9)])
    assert matrix.mean(("fifo", "none"), "fast") == 0.9


def test_numbers_are_printed_as_papers_do() -> None:
    assert (short(0.716), short(1.0), short(12.34, 1), spread([0.5]), spread([])) == (".72", "1.00", "12.3", ".50", "-")
