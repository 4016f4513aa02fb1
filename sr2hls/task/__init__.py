"""Rows with labels + a metric + the loss that is allowed → the cheapest circuit that keeps it on held-out rows."""

from sr2hls.task.labels import labeled
from sr2hls.task.metric import METRICS, Allowed, allowed
from sr2hls.task.rows import Task, task_of
from sr2hls.task.search import cheapest_design

__all__ = ["METRICS", "Allowed", "Task", "allowed", "cheapest_design", "labeled", "task_of"]
