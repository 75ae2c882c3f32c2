"""Schedules run commands that exist, one at a time, as a user who may do little."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from tally.__main__ import tally

INFRA = Path(__file__).parents[2] / "infra"
CRONS = ("monitor.cron", "parity.cron", "retrain.cron")
JOBS = ("monitor", "parity")


def cron_job(name="monitor"):
    return YAML(typ="safe").load((INFRA / "kubernetes" / f"{name}-cronjob.yaml").read_text())["spec"]


def pod(name="monitor"):
    return cron_job(name)["jobTemplate"]["spec"]["template"]["spec"]


def containers(name):
    return [*pod(name).get("initContainers", []), *pod(name)["containers"]]


def cron_lines(name):
    return [line for line in (INFRA / name).read_text().splitlines() if line and not line.startswith("#")]


def cron_commands(name):
    (line,) = [line for line in cron_lines(name) if "=" not in line.split()[0]]
    *_, commands = line.split(maxsplit=6)
    return [words[1:] for words in map(shlex.split, commands.split("&&")) if words[0].endswith("bin/tally")]


def pod_commands(name="monitor"):
    return [one["command"][1:] for one in containers(name)]


def workflow():
    return YAML(typ="safe").load((INFRA / "ci" / "retrain.yaml").read_text())


def workflow_commands():
    steps = [shlex.split(step["run"]) for step in workflow()["jobs"]["retrain"]["steps"]]
    return [words[1:] for words in steps if words[0].endswith("bin/tally")]


@pytest.mark.parametrize(("commands", "then"), [(cron_commands("monitor.cron"), "alerts"), (pod_commands(), "alerts"),
                                                (cron_commands("retrain.cron"), "retrain"), (workflow_commands(), "retrain")],
                         ids=["cron", "kubernetes", "retrain by cron", "retrain by a workflow"])
def test_a_schedule_runs_commands_and_options_that_exist(commands, then):
    assert [command[0] for command in commands] == ["monitor", then]
    assert commands[0][1:3] == ["--as-of", "yesterday"]
    for name, *options in commands:
        command = tally.commands[name]
        command.make_context(name, list(options))
        assert CliRunner().invoke(tally, [name, "--help"]).exit_code == 0


def test_stored_values_are_compared_before_the_day_that_monitoring_reports_on_is_over():
    minute, hour, *_ = cron_lines("parity.cron")[-1].split()
    assert cron_commands("parity.cron") == pod_commands("parity") == [["parity"]]
    assert cron_job("parity")["schedule"].split()[:2] == [minute, hour]
    assert int(hour) == 23 > int(cron_lines("monitor.cron")[-1].split()[1])
    assert int(minute) < 60


@pytest.mark.parametrize("name", CRONS)
def test_the_cron_file_has_the_five_fields_a_user_and_one_zone(name):
    (line,) = [line for line in cron_lines(name) if "=" not in line.split()[0]]
    fields = line.split()
    assert "CRON_TZ=UTC" in cron_lines(name)
    assert [field.isdigit() or field == "*" for field in fields[:5]] == [True] * 5
    assert fields[5] == "tally"


def test_the_workflow_is_one_run_at_a_time_gives_up_in_the_end_and_may_write_to_no_repository():
    job = workflow()["jobs"]["retrain"]

    assert workflow()["concurrency"] == {"group": "retrain", "cancel-in-progress": False}
    assert workflow()["permissions"] == {}
    assert 0 < job["timeout-minutes"] < 24 * 60
    assert "self-hosted" in job["runs-on"]  # it keeps the home that the record and the cache are in


@pytest.mark.parametrize("name", JOBS)
def test_the_cron_job_is_one_run_at_a_time_and_gives_up_in_the_end(name):
    spec = cron_job(name)
    assert (spec["concurrencyPolicy"], spec["timeZone"]) == ("Forbid", "Etc/UTC")
    assert 0 < spec["startingDeadlineSeconds"] < 24 * 3600
    assert 0 < spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 24 * 3600
    assert pod(name)["restartPolicy"] == "Never"


@pytest.mark.parametrize("name", JOBS)
def test_the_pod_may_do_nothing_it_need_not_and_writes_where_a_volume_is(name):
    spec = pod(name)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    volumes = {one["name"] for one in spec["volumes"]}
    confined = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    for one in containers(name):
        assert one["securityContext"] == confined
        assert {mount["name"] for mount in one["volumeMounts"]} == volumes
        assert one["resources"]["limits"]["memory"]
