"""Starts several ranks of the program, as a launcher would."""

import socket
import subprocess

from support import BINARY, environment


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def torchrun_environments(size):
    """What torchrun sets, for each rank."""
    port = str(free_port())
    return [{"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size),
             "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port} for rank in range(size)]


def slurm_environments(size):
    """What srun sets, for each task; the program makes a port of the job's number."""
    job = next(job for job in range(40007, 60000) if is_free(20000 + job % 20000))
    return [{"SLURM_JOB_ID": str(job), "SLURM_STEP_ID": "0", "SLURM_NTASKS": str(size),
             "SLURM_PROCID": str(task), "SLURM_LOCALID": str(task), "SLURM_NODEID": "0",
             "SLURM_LAUNCH_NODE_IPADDR": "127.0.0.1"} for task in range(size)]


def start(size, *arguments, cwds=None, environments=None, stdout=subprocess.PIPE):
    """That many ranks of the program; `cwds`: a working folder for each."""
    environments = environments or torchrun_environments(size)
    return [subprocess.Popen([BINARY, *map(str, arguments)], cwd=cwd, env=environment(**own), text=True,
                             stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE)
            for own, cwd in zip(environments, cwds or [None] * size, strict=True)]


def finish(ranks, timeout=100):
    """(exit code, standard output, standard error) of each."""
    results = []
    for rank in ranks:
        out, err = rank.communicate(timeout=timeout)
        results.append((rank.returncode, out, err))
    return results


def run(size, *arguments, **more):
    return finish(start(size, *arguments, **more))
