"""How busy the machine is, under MLflow's own names, so that its UI shows it."""

import importlib
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import psutil

from gapwise.errors import StorageError

EVERY = 10.0
"""Seconds between samples: MLflow's own interval."""


class SystemMetrics:
    """Sample processor, memory, disk, network and GPUs from a thread."""

    def __init__(self, log: Callable[[Mapping[str, float], int], None], first_step: int) -> None:
        """Call ``log(values, step)`` every ``EVERY`` seconds, with steps from ``first_step`` on."""
        self._log = log
        self._step = first_step
        self._stop = threading.Event()
        self._network = _network()
        self._gpus = _Gpus()
        self._thread = threading.Thread(target=self._sample, name="system-metrics", daemon=True)
        psutil.cpu_percent()  # the first call only starts the clock
        self._thread.start()

    def stop(self) -> None:
        """Take a last sample and stop."""
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stop.wait(EVERY)
            with suppress(StorageError):  # the trainer meets the same disk and tells
                self._log(self._values(), self._step)
            self._step += 1

    def _values(self) -> dict[str, float]:
        memory = psutil.virtual_memory()
        disk = psutil.disk_usage(os.sep)
        received, sent = _network()
        values = {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": memory.used / 1e6,
            "system_memory_usage_percentage": memory.used / memory.total * 100,
            "disk_usage_percentage": disk.percent,
            "disk_usage_megabytes": disk.used / 1e6,
            "disk_available_megabytes": disk.free / 1e6,
            "network_receive_megabytes": received - self._network[0],
            "network_transmit_megabytes": sent - self._network[1],
        }
        values |= self._gpus.values()
        return {f"system/{name}": round(value, 1) for name, value in values.items()}


class _Gpus:
    """NVIDIA GPUs by nvidia-ml-py; none where that package or a GPU is missing."""

    def __init__(self) -> None:
        self._handles: list[Any] = []
        try:
            self._nvml: Any = importlib.import_module("pynvml")
        except ImportError:
            return
        try:
            self._nvml.nvmlInit()
            count = range(self._nvml.nvmlDeviceGetCount())
            self._handles = [self._nvml.nvmlDeviceGetHandleByIndex(i) for i in count]
        except self._nvml.NVMLError:
            return

    def values(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for number, handle in enumerate(self._handles):
            try:
                found |= {f"gpu_{number}_{k}": v for k, v in self._one(handle).items()}
            except self._nvml.NVMLError:
                continue  # a GPU that answers no more leaves a gap in its chart
        return found

    def _one(self, handle: Any) -> dict[str, float]:
        memory = self._nvml.nvmlDeviceGetMemoryInfo(handle)
        watts = self._nvml.nvmlDeviceGetPowerUsage(handle) / 1000
        limit = self._nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000
        return {
            "memory_usage_percentage": memory.used / memory.total * 100,
            "memory_usage_megabytes": memory.used / 1e6,
            "utilization_percentage": self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu,
            "power_usage_watts": watts,
            "power_usage_percentage": watts / limit * 100,
        }


def _network() -> tuple[float, float]:
    counters = psutil.net_io_counters()
    if counters is None:
        return 0.0, 0.0
    return counters.bytes_recv / 1e6, counters.bytes_sent / 1e6
