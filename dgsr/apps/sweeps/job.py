"""Run one job of a sweep in its own process and directory, so that jobs cannot disturb each other."""

from __future__ import annotations

import logging
import math
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from dgsr.apps.config.command_line import CommandLine
from dgsr.apps.config.quoting import quoted
from dgsr.apps.runs.record import lasting, write_overrides
from dgsr.apps.sweeps.folder import JobFolder, SweepFolder
from dgsr.checks import UserError, expect
from dgsr.files import write_text

_logger = logging.getLogger(__name__)


def run_job(cfg: DictConfig) -> float | None:
    """Run the current job of Hydra unless it is done; resume it if it was interrupted.

    Args:
        cfg: The composed config of the job.

    Returns:
        The run's monitored metric. None if it failed or ran out of time: an exception would end the sweep for some of
        Hydra's sweepers.
    """
    hydra = HydraConfig.get()
    job, overrides = JobFolder(Path(hydra.runtime.output_dir)), lasting(hydra.overrides.task)
    if job.state == "done" and job.overrides == overrides:
        return _value(job)
    _logger.info("Job %s writes to %s", job.path.name, job.console)
    sweep = SweepFolder(Path(hydra.sweep.dir)).command
    job.failure.unlink(missing_ok=True)
    try:
        has_summary = "callbacks" not in cfg or cfg.callbacks.get("summary") is not None
        expect(has_summary, "callbacks.summary in a sweep", "null", "A job is done once its summary is written.")
        command = CommandLine(_overrides(job, overrides), config_dir=CommandLine.parse(sweep.arguments).config_dir)
        reason = _run([sys.executable, sweep.program, *command.words], Path(hydra.runtime.cwd), job)
    except UserError as error:
        reason = str(error)
    if reason:
        write_text(job.failure, f"{reason}\n")
        _logger.warning("Job %s failed: %s", job.path.name, reason)
        return None
    if job.state == "unfinished":
        _logger.warning("Job %s is out of time. Resume it with: dgsr rerun %s", job.path.name, hydra.sweep.dir)
        return None
    _logger.info("Job %s is done: %s %s", job.path.name, job.result()["monitor"], _value(job))
    return _value(job)


def _value(job: JobFolder) -> float | None:
    result = job.result()
    value = result["metrics"].get(result["monitor"], {}).get("value", math.nan)
    return value if math.isfinite(value) else None


def _overrides(job: JobFolder, overrides: list[str]) -> tuple[str, ...]:
    """Return the overrides that start a job, or resume it in its directory."""
    begun, requested = " ".join(job.overrides), " ".join(overrides)
    remedy = "The sweeper chooses other values than before: start a new sweep."
    expect(not begun or begun == requested, f"{job.path} to hold {requested}", begun, remedy)
    if job.checkpoint.exists():
        return (f"resume={quoted(str(job.path))}",)
    write_overrides(job.path, overrides)  # reports also list the settings of jobs that fail at their start
    return (*overrides, f"hydra.run.dir={quoted(str(job.path))}")


def _run(command: list[str], cwd: Path, job: JobFolder) -> str | None:
    """Run a process with its output in a file; return the reason of a failure."""
    with job.console.open("a") as console:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # to signal all its ranks together
        )
        try:
            code = child.wait()
        except KeyboardInterrupt:
            _logger.warning("Stopping job %s after its step; once more stops at once.", job.path.name)
            os.killpg(child.pid, signal.SIGTERM)  # a process started in the background may ignore SIGINT
            child.wait()
            raise
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    if code == 0 and (job.summary.exists() or job.checkpoint.exists()):
        return None
    lines = [line.strip() for line in job.console.read_text(errors="replace").splitlines() if line.strip()]
    return f"{lines[-1] if lines else 'no output'} (exit code {code}, {job.console})"


def child_environment() -> dict[str, str]:
    """Return the environment of a job: full tracebacks, and no SLURM step, since the job starts its own ranks."""
    environment = os.environ | {"HYDRA_FULL_ERROR": "1"}
    environment.pop("SLURM_RESTART_COUNT", None)  # the sweep decides what is resumed
    tasks = environment.get("SLURM_NTASKS", "1")
    expect(tasks == "1", "one SLURM task a job", tasks, "A job starts its own ranks: hydra.launcher.tasks_per_node=1.")
    return environment | {"SLURM_JOB_NAME": "bash"}  # Lightning then ignores SLURM
