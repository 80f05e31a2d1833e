"""examples/smallest_managed.py: thirty lines, and nothing is lost."""

from pathlib import Path

from tests.examples.playing import EXAMPLES, Play, killed, played

SERVICE, PLAN = "0f1d6f0e-2a9b-4f43-9b0c-6a7b1f1f3a51", "5b0a7a2e-5a63-4b7c-9d4e-0f6a0d3f6c11"


def smallest(folder: Path, **more: str):
    return played(folder, "smallest_managed:broker", SERVICE, "--development", **more)


def folders(folder: Path) -> list[Path]:
    return sorted((folder / "folders").glob("*"))


def slowly(play: Play, instance_id: str, seconds: float) -> str:
    begun = play.provision(instance_id, PLAN, parameters={"seconds": seconds})
    assert begun.status == 202
    return str(begun.json["operation"])


def test_it_has_thirty_lines_at_most():
    assert len((EXAMPLES / "smallest_managed.py").read_text().splitlines()) <= 30


def test_quick_work_is_answered_at_once(tmp_path):
    with smallest(tmp_path) as play:
        assert play.provision("one", PLAN).status == 201
        assert len(folders(tmp_path)) == 1
        assert play.provision("one", PLAN).status == 200
        assert play.provision("one", PLAN, space_guid="another").status == 409
        assert play.deprovision("one", PLAN).status == 200
        assert folders(tmp_path) == []
        assert play.deprovision("one", PLAN).status == 410


def test_slow_work_is_finished_after_a_kill(tmp_path):
    with smallest(tmp_path) as play:
        operation = slowly(play, "one", 2)
        assert slowly(play, "one", 2) == operation
        killed(play)
    with smallest(tmp_path) as play:
        end, _ = play.end_of("one", operation)

        assert end.json == {"state": "succeeded"}
        assert play.provision("one", PLAN, parameters={"seconds": 2}).status == 200
        assert len(folders(tmp_path)) == 1


def test_wrong_parameters_are_refused(tmp_path):
    with smallest(tmp_path) as play:
        for parameters in ({"seconds": "many"}, {"minutes": 1}):
            assert play.provision("one", PLAN, parameters=parameters).status == 400
        assert folders(tmp_path) == []


def test_no_id_leads_out_of_the_folder(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "precious").mkdir()
    with smallest(inside) as play:
        for instance_id in ("..", ".", "../../precious", str(tmp_path / "precious"), "a/b"):
            assert play.provision(instance_id, PLAN).status == 201, instance_id
            assert len(folders(inside)) == 1
            assert play.deprovision(instance_id, PLAN).status == 200
            assert folders(inside) == []

    assert sorted(path.name for path in tmp_path.iterdir()) == ["inside", "precious"]
